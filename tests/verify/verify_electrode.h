/* What the verifications of the electrode share: decks from text, porosity profiles by name, extrapolated solutions. */
#ifndef SCORIA_VERIFY_ELECTRODE_H
#define SCORIA_VERIFY_ELECTRODE_H

#include "testing.h"
#include "physics/electrode/electrode.h"
#include "physics/solver.h"
#include <math.h>

#define assert_near(value, expected, tolerance)                                                                        \
  do {                                                                                                                 \
    const double near_value_ = (value), near_expected_ = (expected), near_tolerance_ = (tolerance);                    \
    if (!(fabs(near_value_ - near_expected_) <= near_tolerance_))                                                      \
      fail_msg("%s is %.15g, expected %.15g within %.3g", #value, near_value_, near_expected_, near_tolerance_);       \
  } while (0)

static const ScoriaKey *const electrode_tables[] = {scoria_base_keys, scoria_physics_keys, electrode_keys, NULL};

static inline void electrode_from(const char *yaml, ScoriaElectrode *el)
{
  ScoriaDeck deck;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, yaml, electrode_tables, &deck));
  CHECK(ElectrodeFromDeck(deck, el));
  CHECK(ScoriaDeckDestroy(&deck));
}

static inline ScoriaGrid line_grid(int cells, double L)
{
  return (ScoriaGrid){.dim = 1, .n = {cells, 1, 1}, .length = {L, L, L}};
}

static inline void solver_for(MPI_Comm group, const ScoriaElectrode *el, int cells, ScoriaSolver *solver)
{
  const ScoriaGrid grid = line_grid(cells, el->L);
  CHECK(ScoriaSolverCreate(group, &scoria_electrode, el, &grid, solver));
}

/* eps and profiles are whole on every rank. */
static inline void solve_profiles(ScoriaSolver solver, const double theta[], const double eps[], double c[],
                                  double phi[], ScoriaSolveStatus *status)
{
  CHECK(ScoriaSolverSolve(solver, theta, eps + solver->d->first, status));
  CHECK(ScoriaSolverProfile(solver, 0, c, NULL));
  CHECK(ScoriaSolverProfile(solver, 1, phi, NULL));
}

/* Of the last solution: phi at the separator's face [V], and the current there [A m^-2]. */
static inline void separator_of(ScoriaSolver solver, double *phi_L, double *i_L)
{
  const ScoriaElectrode *el = solver->p;
  const ScoriaDiscrete *d   = solver->d;
  double s[MAX_STATE], g[MAX_COEFFICIENTS];
  bool good;
  CHECK(NewtonLoad(solver, solver->x, &good));
  for (int c = 0; c < d->shape.unknowns + d->shape.derived; c++) s[c] = d->s[c][d->corner + d->own[0] - 1];
  for (int c = 0; c < d->shape.coefficients; c++) g[c] = d->g[0][c][d->own[0]];
  const double u_L = electrode_face_potential(el, s, g);
  *phi_L           = u_L * el->at.thermal;
  *i_L             = (el->at.drive + el->at.gamma * u_L) * el->at.i_scale;
}

/* |outflow - production| of unknown d's balance beside the larger of the outflow and `least`. */
static inline double imbalance_of(ScoriaSolver solver, int d, double least)
{
  double outflow, production;
  CHECK(ScoriaSolverBalance(solver, d, &outflow, &production));
  return fabs(outflow - production) / fmax(fabs(outflow), least);
}

/* Porosity profiles over x / L. */
static inline double eps_homogeneous(double t)
{
  (void)t;
  return 0.25;
}

static inline double eps_cosine(double t)
{
  return 0.35 - 0.1 * cos(2.0 * PETSC_PI * t);
}

/* A rough profile: nothing symmetric, nothing smooth on the scale of a few cells. */
static inline double eps_rough(double t)
{
  return 0.27 + 0.08 * sin(7.3 * t + 0.4) + 0.04 * cos(41.0 * t) + 0.02 * sin(113.0 * t);
}

static inline void fill_profile(double (*eps)(double), int cells, double values[])
{
  for (int i = 0; i < cells; i++) values[i] = eps((i + 0.5) / cells);
}

/* The value at the edge of the first cell of the cubic through four centres at distance 1/2, 3/2, 5/2, 7/2 cells. */
static inline double at_edge(const double v[], int stride)
{
  return (35.0 * v[0] - 35.0 * v[stride] + 21.0 * v[2 * stride] - 5.0 * v[3 * stride]) / 16.0;
}

/* The limit for h -> 0 of values on grids halved n - 1 times, coarsest first: eliminates h^2, h^3, h^4, ... in turn. */
static inline double richardson(int n, const double values[])
{
  double t[16];
  for (int i = 0; i < n; i++) t[i] = values[i];
  for (int order = 2; order <= n; order++)
    for (int i = 0; i + order <= n; i++) t[i] = t[i + 1] + (t[i + 1] - t[i]) / (ldexp(1.0, order) - 1.0);
  return t[0];
}

#endif
