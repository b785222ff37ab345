/* What the verifications of the table of problems share: every problem, every one of its variants, as parameters at the
 * theta of its manufactured solution; a porosity that varies along every axis. */
#ifndef SCORIA_VERIFY_PROBLEM_H
#define SCORIA_VERIFY_PROBLEM_H

#include "testing.h"
#include "physics/solver.h"
#include <math.h>

#define MAX_TABLES 16

typedef struct {
  const ScoriaProblem *problem;
  const char *deck;
  void *p; /* owned */
  double theta[SCORIA_MAX_CONDITIONS];
} Variant;

/* Nothing symmetric; the same for all y and z at x = 0 and L. */
static inline double manufactured_eps(const double X[3])
{
  const double bump = X[0] * (1.0 - X[0]);
  return 0.3 + 0.09 * sin(4.0 * X[0] + 0.3) + 0.6 * bump * bump * cos(2.0 * PETSC_PI * (X[1] - X[2]) + 0.5);
}

static inline void variant_open(const ScoriaProblem *problem, const char *text, Variant *v)
{
  static const ScoriaKey *tables[MAX_TABLES + 1];
  const double ends[2][3] = {{0, 0, 0}, {1, 0, 0}};
  ScoriaDeck deck;
  tables[0]                                                  = scoria_base_keys;
  tables[1]                                                  = scoria_physics_keys;
  tables[2 + problem_key_tables(MAX_TABLES - 2, tables + 2)] = NULL;
  *v                                                         = (Variant){.problem = problem, .deck = text};
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_SELF, text, tables, &deck));
  CHECK(PetscCalloc1(problem->size, (char **)&v->p));
  CHECK(problem->read(deck, v->p));
  CHECK(ScoriaDeckDestroy(&deck));
  const double eps[2] = {manufactured_eps(ends[0]), manufactured_eps(ends[1])};
  problem->manufactured_theta(v->p, eps, v->theta);
  assert_true(problem->at(v->p, v->theta));
}

static inline void variant_close(Variant *v)
{
  CHECK(PetscFree(v->p));
}

/* n cells along each of dim axes, lateral extents other than L. */
static inline ScoriaGrid variant_grid(const Variant *v, int dim, int n)
{
  ScoriaShape shape;
  v->problem->shape(v->p, &shape);
  ScoriaGrid grid = {.dim = dim, .n = {n, 1, 1}, .length = {shape.L, 1.3 * shape.L, 0.8 * shape.L}};
  for (int axis = 1; axis < dim; axis++) grid.n[axis] = n;
  return grid;
}

/* The place of own cell `cell` of d, in [0, 1]^3; 0 along axes that the grid does not have. */
static inline void place(const ScoriaDiscrete *d, int cell, double X[3])
{
  int at[3] = {cell % d->own[0], cell / d->own[0] % d->own[1], cell / (d->own[0] * d->own[1])};
  at[d->grid.dim - 1] += d->first;
  for (int axis = 0; axis < 3; axis++) X[axis] = axis < d->grid.dim ? (at[axis] + 0.5) / d->grid.n[axis] : 0.0;
}

static inline void fill_manufactured_eps(const ScoriaDiscrete *d, double eps[])
{
  for (int i = 0; i < d->cells; i++) {
    double X[3];
    place(d, i, X);
    eps[i] = manufactured_eps(X);
  }
}

/* Calls visit for every variant of a problem. */
static inline void each_variant_of(const ScoriaProblem *problem, void (*visit)(const Variant *v))
{
  assert_non_null(problem->variants[0]);
  for (const char *const *text = problem->variants; *text; text++) {
    Variant v;
    variant_open(problem, *text, &v);
    visit(&v);
    variant_close(&v);
  }
}

/* Calls visit for every variant of every problem. */
static inline void each_variant(void (*visit)(const Variant *v))
{
  assert_non_null(scoria_problems[0]);
  for (int i = 0; scoria_problems[i]; i++) each_variant_of(scoria_problems[i], visit);
}

#endif
