/* What the files of this room share: the tables of electrolytes, open-circuit curves and models, and the discrete
 * balance of one electrode.  Private: only this room and its tests include it. */
#ifndef SCORIA_PHYSICS_INTERNAL_H
#define SCORIA_PHYSICS_INTERNAL_H

#include "scoria/physics.h"

#define FARADAY 96485.33212      /* [C mol^-1] */
#define GAS_CONSTANT 8.314462618 /* [J mol^-1 K^-1] */

/* ------------------------------------------------------------------------------------------- electrolytes ---- */

/* One electrolyte: bulk conductivity kappa [S m^-1] and diffusivity D [m^2 s^-1] at n concentrations c [mol m^-3], with
 * their derivatives by c. */
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

/* -------------------------------------------------------------------------------------------------- models ---- */

/* One kinetic law, written for the scaled overpotential e = F eta / RT and concentration w = c / c_R:
 *   a_s j dx / i_scale = A(eps) rate(e, w),  A = area(eps) prefactor(c_s) dx / i_scale. */
typedef struct {
  const char *name;
  const char *needs;                                          /* parameters of the electrode it reads */
  bool positive;                                              /* it has no meaning where c <= 0 */
  bool intercalation;                                         /* it reads c_s: state ocp has a meaning */
  double (*area)(const ScoriaElectrode *el, double eps);      /* a_s [m^-1] */
  double (*prefactor)(const ScoriaElectrode *el, double c_s); /* [A m^-2] */
  double (*overpotential)(double rate);                       /* e with rate(e, 1) = rate */
  /* rho = A rate(shift - u, w) and its derivatives by u and w, for n cells. */
  void (*react)(int n, const double A[], const double shift[], const double u[], const double w[], double rho[],
                double rho_u[], double rho_w[]);
} ScoriaProblem;

extern const ScoriaProblem scoria_linear, scoria_newman;
extern const ScoriaProblem *const scoria_models[]; /* ends with NULL */

/* ------------------------------------------------------------------------------------------------- balance ---- */

/* The finite-volume balances of cells first .. first + n - 1 of an electrode, in scaled unknowns u = F phi / RT and
 * w = c / c_R; see balance.c.  Arrays over cells with a neighbour on each side have n + 2 entries, cell k at k + 1;
 * faces have n + 1, face k to the left of cell k. */
typedef struct {
  const ScoriaElectrode *el;    /* borrowed */
  const ScoriaProblem *problem; /* borrowed */
  int cells, first, n;
  bool positive;                           /* c must stay positive */
  double thermal;                          /* RT / F [V] */
  double i_scale;                          /* [A m^-2] */
  double kappa_ref, D_ref;                 /* at c_R */
  double beta, chi2, gamma;                /* mass per charge; 2 chi (1 - t+); scaled g_sep */
  double drive;                            /* scaled F_right */
  double *geo_kappa, *geo_D;               /* faces: eps^b cells/length, doubled at the separator, 0 at the collector */
  double *A, *shift;                       /* cells: see ScoriaProblem; scaled phi_s - U0 */
  double *source_u, *source_w;             /* cells: added to the residuals; zero but for manufactured solutions */
  double *u, *w, *lnw, *iw;                /* cells with neighbours; iw = chi2 / w */
  double *K, *dK, *M, *dM;                 /* faces: conductances and derivatives by the face's w */
  double *ie, *qe;                         /* faces: scaled current I and salt flux Q */
  double *rho, *rho_u, *rho_w;             /* cells */
  double *face_c, *face_u, *face_w, *work; /* scratch: faces; work has cells + 2 */
  double *arena;                           /* owned */
} Balance;

PetscErrorCode BalanceCreate(const ScoriaElectrode *el, int cells, int first, int n, Balance *b);
PetscErrorCode BalanceDestroy(Balance *b);
/* Everything that the solve keeps fixed: eps (all cells), U0 [V], c_s [mol m^-3]. */
void balance_set(Balance *b, double U0, double c_s, const double eps[]);
void balance_drive(Balance *b, double F_right);
/* Conductances, reaction and fluxes at the state b->u, b->w (neighbours set); false where c has left its domain. */
bool balance_evaluate(Balance *b);
/* After evaluate: R (n, 2); J: the 2 x 2 blocks, column-major, of each cell's left neighbour, itself and its right
 * neighbour, without the blocks that the two ends of the electrode lack.  jacobian_block: where the block of cell k and
 * side -1, 0 or 1 starts. */
void balance_residual(const Balance *b, double R[]);
void balance_jacobian(Balance *b, double J[]);
ptrdiff_t jacobian_block(const Balance *b, int k, int side);

/* A first guess u, w of a whole electrode (b spans all cells), from (theta, eps) alone. */
void balance_guess(Balance *b);

/* -------------------------------------------------------------------------------------------------- solver ---- */

/* Adds sources to the balances, for manufactured solutions: div i_e = a_s j + charge, div(D_eff grad c) + (1 - t+) a_s
 * j / F = salt.  charge (cells) [A m^-3], salt (cells) [mol m^-3 s^-1]; kept until set again. */
PetscErrorCode ScoriaSolverSetSource(ScoriaSolver solver, const double charge[], const double salt[]);
/* phi at the separator face [V] and the current there [A m^-2], of a solution. */
PetscErrorCode ScoriaSolverSeparator(ScoriaSolver solver, const double theta[], const double eps[], const double c[],
                                     const double phi[], double *phi_L, double *i_L);

/* --------------------------------------------------------------------------------------------- designs ---- */

/* Point `index` of the Sobol sequence in d <= SCORIA_MAX_CONDITIONS dimensions, shifted digitally by seed; u in (0, 1).
 */
void sobol_point(uint64_t seed, int d, uint64_t index, double u[]);
/* Latin hypercube of `count` points: each dimension has one point in each of count equal strata. */
void lhs_point(uint64_t seed, int d, uint64_t index, uint64_t count, double u[]);

/* Rows of a text file of conditions, one per line in the order U0 F_right ell, "#" opens a comment.  Collective on
 * comm: rank 0 reads.  table (rows, SCORIA_NTHETA), free with PetscFree. */
PetscErrorCode ScoriaConditionsRead(MPI_Comm comm, const char *path, int64_t *rows, double **table);

#endif
