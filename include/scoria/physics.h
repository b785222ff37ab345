/* scoria/physics.h - PDE problems with a random coefficient: their parameters and operating conditions, porosity draws,
 * the solver, and the ensemble of solutions.
 *
 * The porous electrode (problem "electrode"):
 *
 *   charge  div i_e = a_s j,   i_e = -kappa_eff grad phi + chi (2RT/F)(1 - t+) kappa_eff grad ln c
 *   mass    eps dc/dt = div (D_eff grad c) + (1 - t+) a_s j / F   (steady: 0 on the left)
 *   solid   phi_s = -G x, or (ohmic) div (sigma_eff grad phi_s) = a_s j
 *   x = 0 (collector): no flux, and phi_s = 0; x = L (separator): c = c_R at the face, i_e = F_right + g_sep phi(L)
 *
 * after Newman and Tobias (1962), Doyle, Fuller and Newman (1993); parameter values of Chen et al. (2020) and Marquis
 * et al. (2019).  In two and three dimensions y and z are lateral and periodic. */
#ifndef SCORIA_PHYSICS_H
#define SCORIA_PHYSICS_H

#include "io.h"

extern const ScoriaKey scoria_physics_keys[]; /* porosity_*, conditions_ell and _time, ensemble_* */

/* ------------------------------------------------------------------------------------------------ problems ---- */

/* A PDE problem: a row of the table of problems, one file each in src/physics/models/. */
typedef struct ScoriaProblem ScoriaProblem;

/* The key tables of all problems, `most` at most, for the deck; returns how many. */
int problem_key_tables(int most, const ScoriaKey *tables[]);

/* The problem that the deck names in ensemble_problem, and its parameters, to be freed with PetscFree.  Collective. */
PetscErrorCode ScoriaProblemFromDeck(ScoriaDeck deck, const ScoriaProblem **problem, void **parameters);

/* Names of the derived fields that a deck may ask of its problem (ensemble_derived), "j, i_e, eta"; "" where there is
 * none. */
PetscErrorCode ScoriaDerivedNames(ScoriaDeck deck, size_t size, char names[]);

/* A number of interest besides the extremes of a field: factor times a field at x = 0 (side 0) or L (side 1), plus the
 * value of a condition. */
typedef struct {
  char name[SCORIA_NAME_SIZE];
  char unit[16];
  char description[96];
  int field, side;
  double factor;
  int condition; /* index in theta; -1: none */
} ScoriaProblemQuantity;

/* Those of a problem with these parameters, SCORIA_MAX_QUANTITIES at most: what it names itself, or every one of its
 * fields at both ends; also of no problem (NULL): data that
 * no equations made.  field (nfields): the fields of its ensemble, in that order. */
#define SCORIA_MAX_QUANTITIES 8
int problem_quantities(const ScoriaProblem *problem, const void *parameters, int nfields, const ScoriaField field[],
                       ScoriaProblemQuantity quantity[]);

/* A law that the fields of a problem obey whatever the porosity: a check of fields that did not come from its solver.
 */
typedef enum {
  SCORIA_SYMMETRY_SHIFT,    /* moving `condition` by d moves field f of every realisation by shift[f] d */
  SCORIA_SYMMETRY_AFFINE,   /* the mean of every field is affine in `condition` */
  SCORIA_SYMMETRY_RESIDUAL, /* residual of one row of fields (channels, cells), in the unit of `field`, vanishes */
} ScoriaSymmetryKind;

typedef struct {
  char name[SCORIA_NAME_SIZE];
  char help[128];
  ScoriaSymmetryKind kind;
  int condition, field;
  double shift[SCORIA_MAX_FIELDS];
  double (*residual)(const void *parameters, int cells, const double fields[]);
} ScoriaSymmetry;

/* Those that a problem with these parameters has on this space in so many dimensions; returns how many. */
#define SCORIA_MAX_SYMMETRIES 8
int problem_symmetries(const ScoriaProblem *problem, const void *parameters, const ScoriaSpace *space, int dimensions,
                       ScoriaSymmetry symmetry[]);
/* residual (n) of n rows of fields (n, channels, cells) at theta; parameters are set to theta.  Cells: 3 at least. */
void symmetry_residuals(const ScoriaSymmetry *symmetry, const ScoriaProblem *problem, void *parameters,
                        const double theta[], int64_t n, int channels, int cells, const double fields[],
                        double residual[]);

/* The design of a deck, read from it once: the space of conditions, and the conditions that fill it, asked for one by
 * one, as there may be more of them than a rank's memory holds.  Every condition of the problem has the range
 * conditions_<name>, or is fixed by a key of the problem; time is one in transient mode.  No range at all, an empty
 * range, values that the problem excludes (a U0 outside the open-circuit curve) are user errors.
 * Collective on PETSC_COMM_WORLD where the conditions are a file's. */
typedef struct ScoriaDesign_ *ScoriaDesign;
PetscErrorCode ScoriaDesignCreate(ScoriaDeck deck, const ScoriaProblem *problem, const void *parameters,
                                  ScoriaDesign *design);
PetscErrorCode ScoriaDesignDestroy(ScoriaDesign *design);
const ScoriaSpace *design_space(ScoriaDesign design); /* borrowed */
/* theta (space->n) of condition `index` of `count`; a file of fewer conditions is a user error.  heldout: of an
 * independent random design inside the same ranges, for conditions that no model was trained on.  Local. */
PetscErrorCode ScoriaDesignTheta(ScoriaDesign design, bool heldout, int64_t index, int64_t count, double theta[]);
/* The values that theta has where nothing varies: the fixed key of each condition, or the middle of its range (the
 * geometric one of a logarithmic range).  space gets names and units, and lo = hi = that value. */
PetscErrorCode ScoriaSpaceFixed(ScoriaDeck deck, const ScoriaProblem *problem, ScoriaSpace *space);
/* Fixed values that are ignored beside the range of the same condition: the next from condition *i on (0 at
 * first), and that range; *fixed is NULL past the last. */
PetscErrorCode ScoriaSpaceIdle(ScoriaDeck deck, int *i, const char **fixed, const char **range);
/* A user error where the deck gives a range to a condition that only other problems have. */
PetscErrorCode ScoriaSpaceOfOthers(ScoriaDeck deck);

/* A text file of conditions, one on a line, one number for each of space (of which names, units and log are read), "#"
 * opens a comment.  All of them are checked when it is opened; none is kept.  Collective on comm. */
typedef struct ScoriaConditionsFile_ *ScoriaConditionsFile;
PetscErrorCode ScoriaConditionsOpen(MPI_Comm comm, const char *path, const ScoriaSpace *space,
                                    ScoriaConditionsFile *file);
PetscErrorCode ScoriaConditionsClose(ScoriaConditionsFile *file);
int64_t conditions_rows(ScoriaConditionsFile file);
/* theta (space->n) of the condition of that index; one after the other is what is fast.  Local. */
PetscErrorCode ScoriaConditionsAt(ScoriaConditionsFile file, int64_t index, double theta[]);

/* ------------------------------------------------------------------------------------------------------ grids ---- */

/* Cells of a solve: x through the electrode [0, L], y and z lateral and periodic.  Where L is a condition, solvers and
 * porosities take that of a row in place of length[0]. */
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
/* Whether the porosity is that of a library (porosity_file), and not of a Gaussian process.  Local. */
PetscErrorCode ScoriaPorosityIsLibrary(ScoriaDeck deck, bool *is);
PetscErrorCode ScoriaPorosityDestroy(ScoriaPorosity *por);
/* From now on the extent along x, and the mean and the standard deviation of eps, that theta has where they are
 * conditions of space (its thickness, porosity_mean, porosity_sd), else the grid's and the deck's.  False where the
 * bounds exclude that law: a mean outside of them, or, for its spread, too near to one.  Local. */
bool porosity_set(ScoriaPorosity por, const ScoriaSpace *space, const double theta[]);
/* Realisation `id` at correlation length ell [m]: depends on (seed, id, ell) alone, to the last bit whatever the group.
 * eps gets this rank's own cells, the slab of grid_slab: eps[(z_local * ny + y) * nx + x].  Collective on the group. */
PetscErrorCode ScoriaPorosityDraw(ScoriaPorosity por, double ell, uint64_t id, double eps[]);
/* mirrored (cells) of n cells of a realisation: those of the normals of opposite sign, a draw of the same law.  Not of
 * a library. Local. */
void porosity_mirror(ScoriaPorosity por, int n, const double eps[], double mirrored[]);
/* The unit normals g (cells) behind the porosities of n cells, by the law at work; false where it has none: of a
 * library, or without spread.  Local. */
bool porosity_normals(ScoriaPorosity por, int64_t n, const double eps[], double g[]);
/* What all porosities of the law lie above, NaN where that is not known: of a library.  Local. */
double porosity_least(ScoriaPorosity por);
/* One dimension: the profile that independent unit normals z (nx) give, as a realisation has its own; z = 0 gives the
 * median.  Local. */
PetscErrorCode ScoriaPorosityFrom(ScoriaPorosity por, double ell, const double z[], double eps[]);
const char *porosity_library(ScoriaPorosity por); /* its identity, "" without one; borrowed */

/* What is estimated, and its standard error. */
typedef struct {
  double value, error;
} ScoriaEstimate;

/* The Gaussian process behind a measured structure. */
#define SCORIA_MOST_KERNELS 8
typedef struct {
  int64_t rows;
  int n[3];         /* windows along x, y, z */
  double window[3]; /* [m] */
  int blocks;       /* of the jackknife that errors are from: of rows, or slabs of the longest axis */
  bool by_rows;
  int kernels, kernel; /* how many there are, which is chosen */
  const char *name[SCORIA_MOST_KERNELS];
  double misfit[SCORIA_MOST_KERNELS]; /* rms of the logarithm of the variograms */
  ScoriaEstimate mean, sd, min, max, logit_mean, sigma;
  ScoriaEstimate ell[3]; /* [m]; NaN along an axis of few windows */
} ScoriaPorosityFit;

/* Of the structure at path, read as the deck's section porosity says; bounds that are set there are kept.  The result
 * is on rank 0.  Collective on comm. */
PetscErrorCode ScoriaPorosityFitFile(MPI_Comm comm, ScoriaDeck deck, const char *path, ScoriaPorosityFit *fit);

/* ----------------------------------------------------------------------------------------------------- solver ---- */

/* What was tried last. */
typedef enum { SCORIA_BY_NEWTON, SCORIA_BY_CONTINUATION, SCORIA_BY_TIME_STEPS } ScoriaRung;

typedef struct {
  ScoriaRung rung;
  int reason;      /* SNESConvergedReason; negative: diverged */
  int newton;      /* iterations, all attempts together */
  int attempts;    /* 1: Newton at once; more: continuation in the load, then pseudo-transient steps */
  int linear;      /* iterations of the linear solver, all together */
  double residual; /* final norm of the scaled residual */
} ScoriaSolveStatus;

typedef struct ScoriaSolver_ *ScoriaSolver;

/* What a problem's boundary conditions say of a field at an end of x, for who interpolates between cell centres. */
typedef enum {
  SCORIA_END_FREE, /* neither of these */
  SCORIA_END_FLAT, /* no slope, as no flux passes */
  SCORIA_END_HELD  /* a given value */
} ScoriaEndKind;
typedef struct {
  ScoriaEndKind kind;
  double value; /* where it is held, in the field's unit */
} ScoriaEnd;

/* A solver for grids like this one, reused for every realisation; parameters are copied.  Options prefix of the SNES:
 * none, so -snes_monitor, -pc_type and friends work.  Collective on group. */
PetscErrorCode ScoriaSolverCreate(MPI_Comm group, const ScoriaProblem *problem, const void *parameters,
                                  const ScoriaGrid *grid, ScoriaSolver *solver);
PetscErrorCode ScoriaSolverDestroy(ScoriaSolver *solver);
/* From now on solutions are states at time theta[index] [s] after the state at rest, integrated with relative tolerance
 * rtol; index -1: steady states again.  Collective. */
PetscErrorCode ScoriaSolverSetTime(ScoriaSolver solver, int index, double rtol);
/* From now on the problem's derived fields of rows which[0 ... n) follow its own fields.  Local. */
void solver_set_derived(ScoriaSolver solver, int n, const int which[]);
/* Solves at theta for the porosity eps of this rank's own cells.  The result depends on (theta, eps) alone, never on
 * what was solved before.  Divergence is data (status), not an error.  Collective on the group. */
PetscErrorCode ScoriaSolverSolve(ScoriaSolver solver, const double theta[], const double eps[],
                                 ScoriaSolveStatus *status);
/* The solution at theta for the porosity eps everywhere, and the problem linearised in its state there: of steady
 * problems in one dimension.  Then, until the next solve, the step from it to the porosity eps of this rank's own
 * cells, one residual and one substitution, in place of a solution; failed where the first has no solution.  Collective
 * on the group. */
PetscErrorCode ScoriaSolverLinearise(ScoriaSolver solver, const double theta[], double eps, ScoriaSolveStatus *status);
PetscErrorCode ScoriaSolverStep(ScoriaSolver solver, const double eps[], ScoriaSolveStatus *status);
/* Of the last solution: field f in this rank's own cells (nz, ny, nx); NaN after a solve that failed.  Collective where
 * it is a derived field, else local. */
PetscErrorCode ScoriaSolverField(ScoriaSolver solver, int f, double own[]);
/* The own cells (slab of grid_slab) of all ranks of a group as all (nz, ny, nx) on its first; NULL may be given on the
 * others.  Collective on the group. */
PetscErrorCode ScoriaGatherCells(const ScoriaGroups *groups, const ScoriaGrid *grid, const double own[], double all[]);
/* Of the last solution: field f's lateral mean and (unless NULL) lateral standard deviation through the thickness (nx),
 * on every rank; NaN after a solve that failed.  Collective. */
PetscErrorCode ScoriaSolverProfile(ScoriaSolver solver, int f, double mean[], double sd[]);
/* The same of any values of this rank's own cells, such as eps. */
PetscErrorCode ScoriaSolverAverage(ScoriaSolver solver, const double own[], double mean[], double sd[]);
/* What field f does at x = 0 (side 0) or L (side 1), at the theta last solved.  Local. */
ScoriaEnd solver_end(ScoriaSolver solver, int f, int side);
/* How many cells this rank owns. */
int solver_own_cells(ScoriaSolver solver);
/* The two sides of the balance of unknown d over the whole grid for the last solution, per lateral area: what leaves
 * through x = 0 and L, and what is produced less what is stored, in the problem's units.  They agree as far as the
 * solve was converged.  Collective. */
PetscErrorCode ScoriaSolverBalance(ScoriaSolver solver, int d, double *outflow, double *production);

/* --------------------------------------------------------------------------------------------------- ensemble ---- */

typedef struct ScoriaEnsemble_ *ScoriaEnsemble;

/* Everything needed to compute rows: electrode, space, porosity, one solver per rank group.  Collective on comm. */
PetscErrorCode ScoriaEnsembleCreate(MPI_Comm comm, ScoriaDeck deck, ScoriaEnsemble *ens);
/* The same for rows at any theta: space (from ScoriaSpaceFixed, with what the caller knows of ranges) in place of the
 * deck's ranges, and nx cells along x unless that is 0: then the caller gives the porosities, and a library that the
 * deck names is not opened. */
PetscErrorCode ScoriaEnsembleCreateAt(MPI_Comm comm, ScoriaDeck deck, const ScoriaSpace *space, int nx,
                                      ScoriaEnsemble *ens);
PetscErrorCode ScoriaEnsembleDestroy(ScoriaEnsemble *ens);
/* What its rows hold: the problem's fields, derived ones that the deck asks for, and eps, laterally averaged, and where
 * ensemble_lateral_sd asks for them, their lateral standard deviations (<name>_sd); or with ensemble_whole_fields, in
 * all cells.  x (spec_centres) borrowed. */
PetscErrorCode ScoriaEnsembleSpec(ScoriaEnsemble ens, ScoriaDatasetSpec *spec, const double **x);
/* Its porosities are drawn of a library's held-out part; the library's identity, "" without one (borrowed). */
void ensemble_hold_out(ScoriaEnsemble ens);
const char *ensemble_library(ScoriaEnsemble ens);
PetscErrorCode ScoriaEnsembleSayLibrary(ScoriaRun run, ScoriaEnsemble ens); /* what is held of it, in two lines */
/* The deck's design, borrowed; NULL where the ensemble was made for any theta. */
ScoriaDesign ScoriaEnsembleDesign(ScoriaEnsemble ens);
const ScoriaGroups *ScoriaEnsembleGroups(ScoriaEnsemble ens);
void ensemble_grid(ScoriaEnsemble ens, ScoriaGrid *grid);
/* Computes `number` rows into rows (capacity permitting): row i at theta[i] (number, space.n) with porosity
 * realisation ids[i], or with the profile eps[i] (number, nx), laterally constant, where eps is given (then ids may be
 * NULL).  Collective on this rank's group; every rank of the group gets the rows, but whole fields only its first. */
PetscErrorCode ScoriaEnsembleCompute(ScoriaEnsemble ens, int64_t number, const double theta[], const uint64_t ids[],
                                     const double eps[], ScoriaRows *rows);

/* The deterministic twin (fields, nx) at theta: the solution at the homogeneous effective porosity.  Matches
 * ScoriaTwinFn of score.h; ctx is the ScoriaEnsemble.  A twin that does not converge is a user error naming theta. */
PetscErrorCode ScoriaEnsembleTwin(void *ctx, const double theta[], double fields[]);
/* The homogeneous porosity of the twin at theta.  Local. */
PetscErrorCode ScoriaEnsembleTwinPorosity(ScoriaEnsemble e, const double theta[], double *eps);
/* The ends of fields at theta: near (fields), their values in the state of rest, which is 0 of derived ones; far
 * (fields, nx), the solution where the porosity is the least of its law everywhere, of fields that come no farther at
 * any, as far as is known.  NaN: no such end, or no solution.  Matches ScoriaTwin of score.h; ctx is the
 * ScoriaEnsemble.  Local. */
PetscErrorCode ScoriaEnsembleEnds(void *ctx, const double theta[], double near[], double far[]);
/* The unit normals g (cells) behind porosities eps (cells) drawn at theta; false where its law has none.  Matches
 * ScoriaTwin of score.h; ctx is the ScoriaEnsemble.  Local. */
bool ensemble_normals(void *ctx, const double theta[], int64_t cells, const double eps[], double g[]);
/* The value that field f tends to (c_R of the concentration), NaN where it has none. */
double ensemble_reference(ScoriaEnsemble ens, int f);
/* Whether field f keeps inside an interval, which is then bounds (2), infinite at an end where it has none.  Local. */
bool ensemble_bounds(ScoriaEnsemble ens, int f, double bounds[2]);
bool ensemble_derives(ScoriaEnsemble ens, int f); /* whether field f is one of ensemble_derived */
bool ensemble_leads(ScoriaEnsemble ens, int f);   /* whether its smooth part tells how large waves of the others are */
/* Field f of the last row, the last being the porosity, as all (nz, ny, nx) on the first rank of the group; a buffer of
 * this rank's own cells at least on the others.  Collective on the group. */
PetscErrorCode ScoriaEnsembleField(ScoriaEnsemble ens, int f, double all[]);
/* The porosity of realisation `id` at theta in this rank's own cells; where the bounds exclude the law at theta, no
 * porosity at all (NaN), which no solve converges with.  Collective on the group. */
PetscErrorCode ScoriaEnsembleDraw(ScoriaEnsemble ens, const double theta[], uint64_t id, double eps[]);
/* What draws its porosity, and the solver of this rank's group; and the rows of its problem's derived fields, for
 * solver_set_derived.  All borrowed. */
ScoriaPorosity ensemble_porosity(ScoriaEnsemble ens);
ScoriaSolver ensemble_solver(ScoriaEnsemble ens);
const int *ensemble_derived(ScoriaEnsemble ens, int *n);

/* The times [s] that a transient deck lists, ascending (SCORIA_MAX_TIMES); in steady mode none.  Local. */
#define SCORIA_MAX_TIMES 64
PetscErrorCode ScoriaSnapshotTimes(ScoriaDeck deck, PetscInt *n, double times[]);

#endif
