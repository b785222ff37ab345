/* What the files of this room share: the row that describes a PDE problem, and the tables of conditions and designs.
 * Private: only this room and its tests include it. */
#ifndef SCORIA_PHYSICS_INTERNAL_H
#define SCORIA_PHYSICS_INTERNAL_H

#include "scoria/physics.h"

/* ------------------------------------------------------------------------------------------------ problems ----
 *
 * A problem is a system of balances on a grid of finite volumes, one per unknown d:
 *
 *   capacity_d ds_d/dt + (flux_d out of the cell) = source_d,
 *
 * in scaled unknowns s.  x runs from 0 to L; y and z are lateral and periodic.  The framework computes each flux once
 * and gives it to both its cells, forms harmonic face averages of the cells' transport coefficients, and owns grids,
 * Newton's method, preconditioners, time integration and rank groups.  The problem says what flows and what reacts, in
 * loops over n faces or cells; arrays are by unknown: s[d][i], F[d][i], derivatives F_s[d * unknowns + e][i].  Arrays
 * of derivatives start as zero, and a problem need not write those that are always zero. */

#define MAX_UNKNOWNS 3
#define MAX_DERIVED                                                                                                    \
  2 /* numbers of a cell that follow from its unknowns, such as a logarithm: computed once per cell                    \
     */
#define MAX_STATE (MAX_UNKNOWNS + MAX_DERIVED)
#define MAX_COEFFICIENTS 3
#define MAX_LOCALS 2
#define MAX_DERIVED_FIELDS 4
#define MAX_WORK 6 /* arrays of scratch that flux and source get */

/* What the framework must know of a problem with given parameters, at the theta of its last at(). */
typedef struct {
  int unknowns, derived, coefficients, locals;
  double L;                        /* extent along x [m] */
  double scale[MAX_UNKNOWNS];      /* field = scale * unknown */
  bool positive[MAX_UNKNOWNS];     /* unknowns that have no meaning at or below zero */
  double max_move[MAX_UNKNOWNS];   /* the most that a Newton step may change an unknown; 0: anything */
  double load;                     /* size of the boundary fluxes, in units of the residual */
  double tau;                      /* time in which the state answers [s] */
  int output[MAX_UNKNOWNS];        /* field i of the dataset is unknown output[i] */
  ScoriaField field[MAX_UNKNOWNS]; /* in that order */
  double reference[MAX_UNKNOWNS];  /* of field i: the value it tends to, NaN where it has none */
  bool limited[MAX_UNKNOWNS];      /* field i comes no farther from the state of rest, as far as is known, than where
                                    * the porosity is the least everywhere */
  bool leading[MAX_UNKNOWNS];     /* the smooth part of field i along y and z tells how large waves of the others are */
  ScoriaEnd end[2][MAX_UNKNOWNS]; /* of field i at x = 0 and L, whatever the porosity */
} ScoriaShape;

/* n cells along x of a solution: as `source` gets them, with the production S and the fluxes along x, F[d][i] into cell
 * i from below and F[d][i + 1] out of it. */
typedef struct {
  int n;
  double h; /* width of a cell [m] */
  const double *const *local, *const *s, *const *S, *const *F;
} ScoriaPencil;

typedef struct {
  const char *name, *unit;
  const char *range; /* deck key of the range */
  const char *fixed; /* deck key of the value where it has no range; NULL: then it is no condition at all */
  bool log;
  bool optional; /* no condition either where it has no range */
} ScoriaConditionRow;

/* The row of keys conditions_<name> and <section>_<name>; and that of the porosity's correlation length. */
#define SCORIA_CONDITION(section, name, unit, optional)                                                                \
  {                                                                                                                    \
    name, unit, "conditions_" name, section "_" name, false, optional                                                  \
  }
#define SCORIA_CONDITION_ELL                                                                                           \
  {                                                                                                                    \
    "ell", "m", "conditions_ell", "porosity_ell", true, false                                                          \
  }

/* A number among a problem's parameters, at that offset, which a deck may give or make a condition. */
typedef struct {
  ScoriaConditionRow row;
  size_t offset;
} ScoriaParameter;

#define SCORIA_PARAMETER(section, name, unit, type, member)                                                            \
  {                                                                                                                    \
    SCORIA_CONDITION(section, name, unit, true), offsetof(type, member)                                                \
  }

/* The parameters that are conditions: where they stand in theta. */
typedef struct {
  int n;
  struct {
    int index;
    size_t offset;
  } of[SCORIA_MAX_CONDITIONS];
} ScoriaVaried;

typedef struct ScoriaDiscrete ScoriaDiscrete; /* discrete.h */

struct ScoriaProblem {
  const char *name, *help;
  const ScoriaKey *keys;                /* its own, ending with a NULL name */
  const ScoriaConditionRow *conditions; /* ending with a NULL name; the first three are U0-like, load-like and ell */
  size_t size;                          /* of its parameters */
  const ScoriaParameter *parameters;    /* what may be a condition besides, ending with a NULL name; NULL: nothing */
  /* Parameters of the deck; what is wrong is a user error.  Then: whether they fit the ranges of the conditions. */
  PetscErrorCode (*read)(ScoriaDeck deck, void *p);
  PetscErrorCode (*check)(const void *p, const ScoriaSpace *space);
  /* Makes p the problem at theta; false where theta has no meaning.  load: the share, 0 to 1, of the way from a state
   * that solves itself to theta's own boundary values, for continuation. */
  bool (*at)(void *p, const double theta[]);
  void (*load)(void *p, double share);
  void (*shape)(const void *p, ScoriaShape *shape);
  /* Of n cells of porosity eps: transport coefficients C (scaled so that C / (distance / L) multiplies a difference of
   * unknowns), locals that source reads, and capacities [s]; h [m] is the cell's width along x, the first centre at x.
   */
  void (*coefficients)(const void *p, int n, const double eps[], double *const C[]);
  void (*locals)(const void *p, int n, double x, double h, const double eps[], double *const local[]);
  void (*capacities)(const void *p, int n, double h, const double eps[], double *const capacity[]);
  /* Derived numbers s[unknowns ...] of n cells; may be NULL. */
  void (*derive)(const void *p, int n, double *const s[]);
  /* Fluxes F from states a to states b through n faces of conductance g = mean C / (distance / L); F_a, F_b unless
   * NULL. */
  void (*flux)(const void *p, int n, const double *const a[], const double *const b[], const double *const g[],
               double *const F[], double *const F_a[], double *const F_b[], double work[]);
  /* Flux along x through the face at x = 0 (side 0) or L (side 1), beside a cell of state s, g from centre to face;
   * dF (unknowns, unknowns) unless NULL. */
  void (*boundary)(const void *p, int side, const double s[], const double g[], double F[], double dF[]);
  /* Production S and S_s unless NULL. */
  void (*source)(const void *p, int n, const double *const local[], const double *const s[], double *const S[],
                 double *const S_s[], double work[]);
  /* Fields that follow from a solution, for decks that ask for them by name (ensemble_derived), MAX_DERIVED_FIELDS at
   * most, an empty name at the end; NULL: none.  derive_field: values of row k, in its unit, at the middles of a
   * pencil's cells. */
  const ScoriaField *derived_fields;
  void (*derive_field)(const void *p, int k, const ScoriaPencil *pencil, double values[]);
  /* Numbers of interest, SCORIA_MAX_QUANTITIES at most; returns how many.  NULL: its fields at both ends. */
  int (*quantities)(const void *p, ScoriaProblemQuantity quantity[]);
  /* Laws that its fields obey whatever the porosity, SCORIA_MAX_SYMMETRIES at most; returns how many.  NULL: none. */
  int (*symmetries)(const void *p, const ScoriaSpace *space, int dimensions, ScoriaSymmetry symmetry[]);
  void (*start)(const void *p, double s[]); /* the state at rest: where a transient begins */
  /* Better than the state at rest, in one dimension on one rank; may be NULL. */
  void (*guess)(const void *p, ScoriaDiscrete *d);
  /* A smooth state at X in [0, 1]^3 and the theta at which it satisfies the boundary conditions, for verification. */
  void (*manufactured)(const void *p, const double X[3], double s[]);
  void (*manufactured_theta)(const void *p, const double eps[2], double theta[]); /* eps at x = 0, L */
  const char *const *variants; /* decks that verification runs through, ending with NULL */
};

/* Keys of one condition: its range, and its value or values for sampling and for statistics; bounds is the name of two
 * numbers, `#define RATE 0, 1e9`, and _WITHIN takes them one by one. */
#define CONDITION_KEYS(name, unit, bounds, help) CONDITION_KEYS_WITHIN(name, unit, bounds, help)
#define CONDITION_KEYS_WITHIN(name, unit, lo, hi, help)                                                                \
  {"conditions_" name, SCORIA_KEY_RANGE, unit, NULL, lo, hi, NULL, "range: " help, SCORIA_DECIDES_LAW},                \
      {"sample_" name,                                                                                                 \
       SCORIA_KEY_REAL,                                                                                                \
       unit,                                                                                                           \
       NULL,                                                                                                           \
       lo,                                                                                                             \
       hi,                                                                                                             \
       NULL,                                                                                                           \
       "of the samples (not set: the middle of the training range): " help,                                            \
       SCORIA_DECIDES_AT},                                                                                             \
  {                                                                                                                    \
    "uq_" name, SCORIA_KEY_REALS, unit, NULL, lo, hi, NULL,                                                            \
        "one value or several (all combinations with the other conditions): " help, SCORIA_DECIDES_UQ                  \
  }

/* Keys of a parameter: its value (NULL: none unless the deck or a set has it), and those of a condition. */
#define PARAMETER_KEYS(section, name, unit, value, bounds, help)                                                       \
  PARAMETER_KEYS_WITHIN(section, name, unit, value, bounds, help)
#define PARAMETER_KEYS_WITHIN(section, name, unit, value, lo, hi, help)                                                \
  {section "_" name, SCORIA_KEY_REAL, unit, value, lo, hi, NULL, help, SCORIA_DECIDES_LAW},                            \
      CONDITION_KEYS_WITHIN(name, unit, lo, hi, help)

extern const ScoriaProblem *const scoria_problems[]; /* every file of models/, ends with NULL */
PetscErrorCode ProblemOfDeck(ScoriaDeck deck, const ScoriaProblem **problem); /* ensemble_problem */
/* ensemble_derived: rows which[0 ... *n) of the problem's derived fields, in the deck's order. */
PetscErrorCode DerivedOfDeck(ScoriaDeck deck, const ScoriaProblem *problem, int *n, int which[MAX_DERIVED_FIELDS]);

/* ------------------------------------------------------------------------------------------ conditions ---- */

/* The conditions that the deck has: those of the problem that are always there or have a range, and time. */
PetscErrorCode ConditionRows(ScoriaDeck deck, const ScoriaProblem *problem, int *n, const ScoriaConditionRow *rows[]);
/* Name, unit and scale of c; its range, or the fixed value as a range without extent. */
PetscErrorCode ConditionName(const ScoriaConditionRow *row, ScoriaCondition *c);
PetscErrorCode ConditionRange(ScoriaDeck deck, const ScoriaConditionRow *row, ScoriaCondition *c);
/* The problem's parameters into p, as the deck has them; untouched where it has none.  Those that are conditions get
 * the middles of their ranges. */
PetscErrorCode ParametersOfDeck(ScoriaDeck deck, const ScoriaProblem *problem, void *p, ScoriaVaried *varied);
/* From theta into p, and back. */
void varied_set(const ScoriaVaried *varied, const double theta[], void *p);
void varied_get(const ScoriaVaried *varied, const void *p, double theta[]);
bool varied_has(const ScoriaVaried *varied, size_t offset);

/* --------------------------------------------------------------------------------------------- designs ---- */

/* conditions_design; porosity_kernel (porosity.c). */
extern const ScoriaChoices condition_designs, porosity_kernels;

/* Point `index` of the Sobol sequence in d <= SCORIA_MAX_CONDITIONS dimensions, shifted digitally by seed; u in (0, 1).
 */
void sobol_point(uint64_t seed, int d, uint64_t index, double u[]);
/* Latin hypercube of `count` points: each dimension has one point in each of count equal strata. */
void lhs_point(uint64_t seed, int d, uint64_t index, uint64_t count, double u[]);

/* One homogeneous porosity stands for all transport coefficients of a problem: that of their mean exponent, which is
 * this one; -1 where none grows with the porosity. */
double problem_mean_exponent(const ScoriaProblem *problem, void *parameters);

#endif
