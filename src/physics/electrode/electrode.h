/* What the files of the electrode share: electrolytes, open-circuit curves, kinetics. */
#ifndef SCORIA_PHYSICS_ELECTRODE_H
#define SCORIA_PHYSICS_ELECTRODE_H

#include "physics/internal.h"

#define FARADAY 96485.33212      /* [C mol^-1] */
#define GAS_CONSTANT 8.314462618 /* [J mol^-1 K^-1] */
#define T_REFERENCE 298.15       /* [K] at which the sets give their values */

/* The conditions of the electrode, in this order; where the deck gives them ranges, T and time follow. */
enum { SCORIA_U0 = 0, SCORIA_F_RIGHT, SCORIA_ELL, SCORIA_NTHETA };

typedef struct {
  char set[32];
  double L;            /* electrode thickness [m] */
  double t_plus;       /* transference number [-] */
  double T;            /* temperature [K] */
  double c_R;          /* concentration at the separator face [mol m^-3] */
  double chi;          /* 1: diffusional term in i_e; 0: without */
  double b_kappa, b_D; /* exponents of eps */
  double g_sep;        /* separator conductance to 0 V [S m^-2]; 0: current control */
  double G;            /* prescribed phi_s = -G x [V m^-1] */
  /* linear kinetics: a_s = a_s0 (1 - eps), j = k_rn eta */
  double a_s0;       /* [m^-1] */
  double k_rn;       /* [S m^-2] */
  double kappa0, D0; /* constant properties [S m^-1], [m^2 s^-1] */
  /* Butler-Volmer: a_s = 3 f_AM (1 - eps) / R_p, j = 2 j0 sinh(F eta / 2RT), j0 = m c^1/2 c_s^1/2 (c_max - c_s)^1/2 */
  double R_p, f_AM, m_rate, c_s, c_max;
  double sigma, b_sigma;    /* conductivity of the solid [S m^-1]; exponent of 1 - eps */
  double E_m, E_kappa, E_D; /* activation energies [J mol^-1]: factors exp(E/R (1/298.15 K - 1/T)) */
  int model;                /* row of scoria_kinetics */
  int electrolyte;          /* row of the property table: constant, nyman2008, capiglia1999 */
  int ocp;                  /* row of the open-circuit table; -1: none */
  bool state_ocp;           /* U0 is the equilibrium potential: c_s from OCP(s) = U0 */
  bool ohmic;               /* phi_s is solved for */
  ScoriaVaried varied;      /* which of the numbers above are conditions */
  /* Of the theta it was last set to (electrode_at), in the scaled unknowns u = F phi / RT, w = c / c_R, v = F phi_s /
   * RT. */
  struct {
    double U0, F_right, T, c_s, monotone[2], stoichiometry, U0_of_it;
    double thermal;                               /* RT / F [V] */
    double i_scale;                               /* [A m^-2]: kappa(c_R) RT / (F L) */
    double kappa_ref, D_ref;                      /* at c_R, 298.15 K */
    double D_factor;                              /* D at T over D at 298.15 K */
    double beta, chi2, gamma, drive, rate, solid; /* see models/electrode.c */
  } at;
} ScoriaElectrode;

extern const ScoriaProblem scoria_electrode; /* its parameters are a ScoriaElectrode */

/* Reads electrode_*: set, model, overrides.  Collective (same deck everywhere). */
PetscErrorCode ElectrodeFromDeck(ScoriaDeck deck, void *el);

enum { U, W, V };                             /* unknowns: F phi / RT, c / c_R, F phi_s / RT (ohmic) */
enum { ELECTRODE_AREA, ELECTRODE_POTENTIAL }; /* locals: A of the kinetics, scaled phi_s - U0 */

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
extern const ScoriaParameter electrode_parameters[];
/* problem: the row that the electrode is of, whose conditions it reads. */
PetscErrorCode ElectrodeRead(ScoriaDeck deck, const ScoriaProblem *problem, ScoriaElectrode *el);
/* Whether the equations have no meaning where c <= 0; without that they are linear. */
bool electrode_positive(const ScoriaElectrode *el);
PetscErrorCode ElectrodeCheck(const void *el, const ScoriaSpace *space);
/* exp(E / R (1 / T_REFERENCE - 1 / T)); 1 for a set without E. */
double arrhenius(double E, double T);
void electrode_guess(const void *el, ScoriaDiscrete *d);
extern const ScoriaField electrode_derived[];
void electrode_derive(const void *el, int k, const ScoriaPencil *pencil, double values[]);
int electrode_symmetries(const void *el, const ScoriaSpace *space, int dimensions, ScoriaSymmetry symmetry[]);
/* Potential u at the separator's face, beside a cell of state s; g from its centre to the face. */
double electrode_face_potential(const ScoriaElectrode *el, const double s[], const double g[]);

#endif
