/* scoria/physics.h - the porous electrode: porosity draws, parameter sets, the coupled potential and concentration
 * equations, and the ensemble of their solutions.
 *
 *   charge  div i_e = a_s j,   i_e = -kappa_eff grad phi + chi (2RT/F)(1 - t+) kappa_eff grad ln c
 *   mass    div (D_eff grad c) + (1 - t+) a_s j / F = 0
 *   x = 0 (collector): no flux; x = L (separator): c = c_R at the face, i_e = F_right + g_sep phi(L)
 *
 * after Newman and Tobias (1962), Doyle, Fuller and Newman (1993); parameter values of Chen et al. (2020) and Marquis
 * et al. (2019). */
#ifndef SCORIA_PHYSICS_H
#define SCORIA_PHYSICS_H

#include "io.h"

extern const ScoriaKey scoria_physics_keys[]; /* electrode_*, porosity_*, conditions_*, ensemble_* */

/* The conditions of this problem, in this order, in every theta of this header. */
enum { SCORIA_U0 = 0, SCORIA_F_RIGHT, SCORIA_ELL, SCORIA_NTHETA };

/* ------------------------------------------------------------------------------------------------- parameters ---- */

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
  int model;       /* row of scoria_models */
  int electrolyte; /* row of the property table: constant, nyman2008, capiglia1999 */
  int ocp;         /* row of the open-circuit table; -1: none */
  bool state_ocp;  /* U0 is the equilibrium potential: c_s from OCP(s) = U0 */
} ScoriaElectrode;

/* Reads electrode_*: set, model, overrides.  Collective (same deck everywhere). */
PetscErrorCode ScoriaElectrodeFromDeck(ScoriaDeck deck, ScoriaElectrode *el);
/* The range of U0 that the open-circuit curve of this electrode can take [V]; (-inf, inf) where state is fixed. */
PetscErrorCode ScoriaElectrodeRangeU0(const ScoriaElectrode *el, double range[2]);

/* The condition space of the deck: conditions_U0, conditions_F_right, conditions_ell as ranges; a condition without
 * range is fixed at electrode_U0, electrode_F_right, porosity_ell.  No range at all, an empty range, a U0 outside the
 * open-circuit curve are user errors. */
PetscErrorCode ScoriaSpaceFromDeck(ScoriaDeck deck, const ScoriaElectrode *el, ScoriaSpace *space);
/* theta (SCORIA_NTHETA) of condition `index` of `count` of the deck's design.  heldout: an independent random design
 * inside the same ranges, for conditions that no model was trained on. */
PetscErrorCode ScoriaDesignTheta(ScoriaDeck deck, const ScoriaSpace *space, bool heldout, int64_t index, int64_t count,
                                 double theta[]);

/* ------------------------------------------------------------------------------------------------------- grid ---- */

/* Cells of a solve: x through the electrode [0, L], y and z lateral and periodic. */
typedef struct {
  int dim;          /* 1, 2 or 3 */
  int n[3];         /* cells along x, y, z; 1 beyond dim */
  double length[3]; /* [m]; that of a cubic cell beyond dim */
} ScoriaGrid;

/* The planes of the last axis that rank `rank` of a group of `size` owns: equal blocks of ceil(n / size), the last ones
 * smaller (possibly empty). */
void grid_slab(const ScoriaGrid *grid, int rank, int size, int *first, int *number);
/* ensemble_cells and ensemble_lateral of the deck; L [m] along x.  Too few cells, extents that do not match the axes
 * are user errors. */
PetscErrorCode ScoriaGridFromDeck(ScoriaDeck deck, double L, ScoriaGrid *grid);

/* --------------------------------------------------------------------------------------------------- porosity ---- */

typedef struct ScoriaPorosity_ *ScoriaPorosity;

/* eps = min + (max - min) sigmoid(logit_mean + sigma g), g a unit Gaussian process at the cell centres: covariance
 * kernel(|dx| / ell) in 1-D; in 2-D and 3-D kernel(r) with r^2 = (dx/ell)^2 + (dy/(a_y ell))^2 + (dz/(a_z ell))^2,
 * summed over the lateral periods and scaled to unit variance.  A correlation length of the deck that is out of reach
 * is a user error.  Collective on group, which is borrowed. */
PetscErrorCode ScoriaPorosityCreate(ScoriaDeck deck, MPI_Comm group, const ScoriaGrid *grid, ScoriaPorosity *por);
PetscErrorCode ScoriaPorosityDestroy(ScoriaPorosity *por);
/* Realisation `id` at correlation length ell [m]: depends on (seed, id, ell) alone, to the last bit whatever the group.
 * eps gets this rank's own cells, the slab of grid_slab: eps[(z_local * ny + y) * nx + x].  Collective on the group. */
PetscErrorCode ScoriaPorosityDraw(ScoriaPorosity por, double ell, uint64_t id, double eps[]);
/* The homogeneous porosity whose eps^b equals the harmonic mean of the draws' eps^b (quadrature of the marginal). */
PetscErrorCode ScoriaPorosityEffective(ScoriaPorosity por, double b, double *eps);

/* ----------------------------------------------------------------------------------------------------- solver ---- */

typedef struct {
  int reason;      /* SNESConvergedReason; negative: diverged */
  int newton;      /* iterations, all attempts together */
  int attempts;    /* 1: Newton at once; more: continuation in F_right */
  double residual; /* final norm of the scaled residual */
} ScoriaSolveStatus;

typedef struct ScoriaSolver_ *ScoriaSolver;

/* Collective on group (usually one rank).  Options prefix of the SNES: none, so -snes_monitor and friends work. */
PetscErrorCode ScoriaSolverCreate(MPI_Comm group, const ScoriaElectrode *el, int cells, ScoriaSolver *solver);
PetscErrorCode ScoriaSolverDestroy(ScoriaSolver *solver);
/* Solves at theta for the porosity eps (cells); c [mol m^-3], phi [V] (cells) on every rank of the group.  The result
 * depends on (theta, eps) alone, never on what was solved before.  Divergence is data (status), not an error; c and phi
 * are then NaN. */
PetscErrorCode ScoriaSolverSolve(ScoriaSolver solver, const double theta[], const double eps[], double c[],
                                 double phi[], ScoriaSolveStatus *status);
/* Exact discrete current balance of the last solve: sum a_s j dx - i_e(L), relative to max(|i_e(L)|, scale) . */
PetscErrorCode ScoriaSolverChargeImbalance(ScoriaSolver solver, const double theta[], const double eps[],
                                           const double c[], const double phi[], double *imbalance);

/* --------------------------------------------------------------------------------------------------- ensemble ---- */

typedef struct ScoriaEnsemble_ *ScoriaEnsemble;

/* Everything needed to compute rows: electrode, space, porosity, one solver per rank group.  Collective on comm. */
PetscErrorCode ScoriaEnsembleCreate(MPI_Comm comm, ScoriaDeck deck, ScoriaEnsemble *ens);
PetscErrorCode ScoriaEnsembleDestroy(ScoriaEnsemble *ens);
PetscErrorCode ScoriaEnsembleSpec(ScoriaEnsemble ens, ScoriaDatasetSpec *spec,
                                  const double **x); /* fields c, phi, eps; x borrowed */
const ScoriaGroups *ScoriaEnsembleGroups(ScoriaEnsemble ens);
/* Computes `number` rows into rows (capacity permitting): row i at theta[i] (number, SCORIA_NTHETA) with porosity
 * realisation ids[i], or with eps[i] (number, cells) where eps is given (then ids may be NULL).  Collective on this
 * rank's group; every rank of the group gets the rows. */
PetscErrorCode ScoriaEnsembleCompute(ScoriaEnsemble ens, int64_t number, const double theta[], const uint64_t ids[],
                                     const double eps[], ScoriaRows *rows);
/* Porosity id of realisation r of held-out condition k, set 0 or 1 (two independent ensembles): disjoint from every
 * training id. */
uint64_t ensemble_heldout_id(int64_t condition, int set, int64_t realisation);

/* The deterministic twin (c, phi) (2, cells) at theta: the solution at the homogeneous effective porosity.  Matches
 * ScoriaTwinFn of score.h; ctx is the ScoriaEnsemble.  A twin that does not converge is a user error naming theta. */
PetscErrorCode ScoriaEnsembleTwin(void *ctx, const double theta[], double fields[]);

#endif
