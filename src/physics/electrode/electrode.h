/* What the files of the electrode share: electrolytes, open-circuit curves, kinetics. */
#ifndef SCORIA_PHYSICS_ELECTRODE_H
#define SCORIA_PHYSICS_ELECTRODE_H

#include "physics/internal.h"

#define FARADAY 96485.33212      /* [C mol^-1] */
#define GAS_CONSTANT 8.314462618 /* [J mol^-1 K^-1] */
#define T_REFERENCE 298.15       /* [K] at which the sets give their values */

enum { U, W, V }; /* unknowns: F phi / RT, c / c_R, F phi_s / RT (ohmic) */

/* ------------------------------------------------------------------------------------------- electrolytes ---- */

/* One electrolyte: bulk conductivity kappa [S m^-1] and diffusivity D [m^2 s^-1] at n concentrations c [mol m^-3] and
 * T_REFERENCE, with their derivatives by c. */
typedef struct {
  const char *name;
  const char *needs; /* parameters of the electrode it reads, as key names without the section */
  void (*evaluate)(const ScoriaElectrode *el, int n, const double c[], double kappa[], double dkappa[], double D[],
                   double dD[]);
} ScoriaElectrolyte;

extern const ScoriaElectrolyte scoria_electrolytes[]; /* ends with a NULL name */

/* ------------------------------------------------------------------------------------ open-circuit curves ---- */

/* One open-circuit curve: potential [V] against stoichiometry s in (0, 1). */
typedef struct {
  const char *name;
  double (*potential)(double s);
} ScoriaOcp;

extern const ScoriaOcp scoria_ocps[]; /* ends with a NULL name */

/* The longest interval s (2) inside (0, 1) on which the curve falls: where it can be inverted. */
void ocp_monotone(const ScoriaOcp *curve, double s[2]);
/* The s of the monotone interval with potential(s) = U, by bisection to the last bit; NaN where U is outside. */
double ocp_invert(const ScoriaOcp *curve, const double interval[2], double U);

/* -------------------------------------------------------------------------------------------------- kinetics ---- */

/* One kinetic law, written for the scaled overpotential e = F eta / RT and concentration w = c / c_R:
 *   a_s j dx / i_scale = A(eps) rate(e, w),  A = area(eps) prefactor(c_s) dx / i_scale. */
typedef struct {
  const char *name;
  const char *needs;                                          /* parameters of the electrode it reads */
  bool positive;                                              /* it has no meaning where c <= 0 */
  bool intercalation;                                         /* it reads c_s: state ocp has a meaning */
  double (*area)(const ScoriaElectrode *el, double eps);      /* a_s [m^-1] */
  double (*prefactor)(const ScoriaElectrode *el, double c_s); /* [A m^-2], at T_REFERENCE */
  double (*overpotential)(double rate);                       /* e with rate(e, 1) = rate */
  /* rho = A rate(e, w) of n cells, and unless NULL its derivatives by e and w. */
  void (*react)(int n, const double A[], const double e[], const double w[], double rho[], double rho_e[],
                double rho_w[]);
} ScoriaKinetics;

extern const ScoriaKinetics scoria_linear, scoria_newman;
extern const ScoriaKinetics *const scoria_kinetics[]; /* ends with NULL */

/* ------------------------------------------------------------------------------------------------- parts ---- */

extern const ScoriaKey electrode_keys[];
PetscErrorCode ElectrodeRead(ScoriaDeck deck, void *el);
PetscErrorCode ElectrodeCheck(const void *el, const ScoriaSpace *space);
/* exp(E / R (1 / T_REFERENCE - 1 / T)); 1 for a set without E. */
double arrhenius(double E, double T);
void electrode_guess(const void *el, ScoriaDiscrete *d);
int electrode_symmetries(const void *el, const ScoriaSpace *space, int dimensions, ScoriaSymmetry symmetry[]);
/* Potential u at the separator's face, beside a cell of state s; g from its centre to the face. */
double electrode_face_potential(const ScoriaElectrode *el, const double s[], const double g[]);

#endif
