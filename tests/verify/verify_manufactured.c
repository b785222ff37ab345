/* Manufactured solutions (V6): for every problem and every variant of its table row, in one, two and three dimensions,
 * the observed order is 2, on four grids, or on finer ones where it has not settled on these; and the Jacobian is that
 * of the residual.
 *
 * The source of a cell is what the continuous operator makes of the exact state at the cell's centre: the difference of
 * the exact fluxes through its faces (the limit of the problem's flux between two points that approach each other) less
 * the production at its centre.  That is within h^2 of the cell's mean, and so disturbs the error, not its order. */
#include "verify_problem.h"

#define GRIDS 4      /* at least */
#define MOST_GRIDS 7 /* where the order has not settled before */

/* Coefficients, state and derived numbers of the exact solution at X. */
static void exact_state(const Variant *v, const double X[3], double s[], double C[])
{
  const double eps = manufactured_eps(X);
  double *at_s[MAX_STATE], *at_C[MAX_COEFFICIENTS];
  for (int c = 0; c < MAX_STATE; c++) {
    s[c]    = 0;
    at_s[c] = &s[c];
  }
  for (int c = 0; c < MAX_COEFFICIENTS; c++) at_C[c] = &C[c];
  v->problem->manufactured(v->p, X, s);
  if (v->problem->derive) v->problem->derive(v->p, 1, at_s);
  v->problem->coefficients(v->p, 1, &eps, at_C);
}

/* The problem's flux along an axis at X, from states a step apart on both sides. */
static void flux_between(const Variant *v, const ScoriaShape *shape, const ScoriaGrid *grid, const double X[3],
                         int axis, double step, double F[])
{
  double s[2][MAX_STATE], C[MAX_COEFFICIENTS], g[MAX_COEFFICIENTS], work[MAX_WORK], middle[MAX_STATE];
  const double *a[MAX_STATE], *b[MAX_STATE], *at_g[MAX_COEFFICIENTS];
  double *at_F[MAX_UNKNOWNS];
  for (int side = 0; side < 2; side++) {
    double Y[3] = {X[0], X[1], X[2]};
    Y[axis] += (side - 0.5) * step;
    exact_state(v, Y, s[side], C);
  }
  exact_state(v, X, middle, C);
  for (int c = 0; c < MAX_STATE; c++) {
    a[c] = &s[0][c];
    b[c] = &s[1][c];
  }
  for (int c = 0; c < shape->coefficients; c++) {
    g[c]    = C[c] * shape->L / (step * grid->length[axis]);
    at_g[c] = &g[c];
  }
  for (int c = 0; c < shape->unknowns; c++) at_F[c] = &F[c];
  v->problem->flux(v->p, 1, a, b, at_g, at_F, NULL, NULL, work);
}

/* Its limit for step -> 0, in even powers: three steps eliminate two, and leave 1e-11; rounding is 1e-16 / step. */
static void exact_flux(const Variant *v, const ScoriaShape *shape, const ScoriaGrid *grid, const double X[3], int axis,
                       double F[])
{
  double by_step[3][MAX_UNKNOWNS];
  for (int i = 0; i < 3; i++) flux_between(v, shape, grid, X, axis, ldexp(0.02, -i), by_step[i]);
  for (int c = 0; c < shape->unknowns; c++) {
    const double first  = (4.0 * by_step[1][c] - by_step[0][c]) / 3.0,
                 second = (4.0 * by_step[2][c] - by_step[1][c]) / 3.0;
    F[c]                = (16.0 * second - first) / 15.0;
  }
}

/* What must be added to the balances of a cell at X for the exact state to solve them. */
static void exact_source(const Variant *v, const ScoriaDiscrete *d, const double X[3], double added[])
{
  const ScoriaGrid *grid = &d->grid;
  const double hx = grid->length[0] / grid->n[0], eps = manufactured_eps(X);
  double s[MAX_STATE], C[MAX_COEFFICIENTS], local[MAX_LOCALS], S[MAX_UNKNOWNS], work[MAX_WORK], F[2][MAX_UNKNOWNS];
  const double *at_s[MAX_STATE], *at_local[MAX_LOCALS];
  double *to_local[MAX_LOCALS], *at_S[MAX_UNKNOWNS];
  exact_state(v, X, s, C);
  for (int c = 0; c < MAX_STATE; c++) at_s[c] = &s[c];
  for (int c = 0; c < MAX_LOCALS; c++) at_local[c] = to_local[c] = &local[c];
  for (int c = 0; c < MAX_UNKNOWNS; c++) at_S[c] = &S[c];
  v->problem->locals(v->p, 1, X[0] * grid->length[0], hx, &eps, to_local);
  v->problem->source(v->p, 1, at_local, at_s, at_S, NULL, work);
  for (int c = 0; c < d->shape.unknowns; c++) added[c] = -S[c];
  for (int axis = 0; axis < grid->dim; axis++) {
    const double weight = hx * grid->n[axis] / grid->length[axis];
    for (int side = 0; side < 2; side++) {
      double Y[3] = {X[0], X[1], X[2]};
      Y[axis] += (side - 0.5) / grid->n[axis];
      exact_flux(v, &d->shape, grid, Y, axis, F[side]);
    }
    for (int c = 0; c < d->shape.unknowns; c++) added[c] += weight * (F[1][c] - F[0][c]);
  }
}

/* Root mean square errors of the unknowns. */
static void solve_on(const Variant *v, int dim, int n, double error[])
{
  const ScoriaGrid grid = variant_grid(v, dim, n);
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  const PetscScalar *x;
  double *eps;
  CHECK(ScoriaSolverCreate(PETSC_COMM_SELF, v->problem, v->p, &grid, &solver));
  ScoriaDiscrete *d = solver->d;
  const int m       = d->shape.unknowns;
  CHECK(PetscMalloc1(d->cells, &eps));
  fill_manufactured_eps(d, eps);
  for (int c = 0; c < m; c++) CHECK(PetscMalloc1(d->cells, &d->added[c]));
  for (int i = 0; i < d->cells; i++) {
    double X[3], added[MAX_UNKNOWNS];
    place(d, i, X);
    exact_source(v, d, X, added);
    for (int c = 0; c < m; c++) d->added[c][i] = added[c];
  }
  CHECK(ScoriaSolverSolve(solver, v->theta, eps, &status));
  if (status.reason < 0) fail_msg("%s, %d-D, %d cells: reason %d", v->deck, dim, n, status.reason);
  CHECK(VecGetArrayRead(solver->x, &x));
  for (int c = 0; c < m; c++) error[c] = 0;
  for (int i = 0; i < d->cells; i++) {
    double X[3], s[MAX_STATE];
    place(d, i, X);
    v->problem->manufactured(v->p, X, s);
    for (int c = 0; c < m; c++) error[c] += pow(x[i * m + c] - s[c], 2) / d->cells;
  }
  for (int c = 0; c < m; c++) error[c] = sqrt(error[c]);
  CHECK(VecRestoreArrayRead(solver->x, &x));
  CHECK(PetscFree(eps));
  CHECK(ScoriaSolverDestroy(&solver));
}

/* The finest grids take seconds in three dimensions: fewer cells, not powers of two. */
static const int grids[4][MOST_GRIDS] = {
    [1] = {32, 64, 128, 256, 512, 1024, 2048}, [2] = {16, 24, 32, 48, 64, 96, 128}, [3] = {12, 16, 20, 28, 36, 48, 64}};

static double order_at(const int n[], const double error[], int g)
{
  return log(error[g - 1] / error[g]) / log((double)n[g] / n[g - 1]);
}

static bool is_two(double order)
{
  return fabs(order - 2.0) <= 0.1; /* h^4 beside h^2, on grids where it is a twentieth */
}

/* Whether an unknown is of second order on so many grids: at each of the four first, else at the three last, if there
 * are more than four.  A layer that a coarse grid does not resolve shows a smaller or larger order there. */
static bool is_second_order(int count, const int n[], const double error[])
{
  for (int g = count > GRIDS ? count - 2 : 1; g < count; g++)
    if (!is_two(order_at(n, error, g))) return false;
  return true;
}

/* "32 cells 1.2e-3, 64 cells 3.1e-4 (order 1.95), ..." */
static void describe_orders(int count, const int n[], const double error[], size_t size, char text[])
{
  size_t used = (size_t)snprintf(text, size, "%d cells %.2e", n[0], error[0]);
  for (int g = 1; g < count && used < size; g++)
    used += (size_t)snprintf(text + used, size - used, ", %d cells %.2e (order %.3f)", n[g], error[g],
                             order_at(n, error, g));
}

static void check_order(const Variant *v, int dim)
{
  double error[MAX_UNKNOWNS][MOST_GRIDS];
  char seen[512];
  ScoriaShape shape;
  v->problem->shape(v->p, &shape);
  int count = 0;
  for (bool settled = false; !settled && count < MOST_GRIDS; count++) {
    double on_grid[MAX_UNKNOWNS];
    solve_on(v, dim, grids[dim][count], on_grid);
    for (int c = 0; c < shape.unknowns; c++) error[c][count] = on_grid[c];
    settled = count + 1 >= GRIDS;
    for (int c = 0; c < shape.unknowns; c++) settled = settled && is_second_order(count + 1, grids[dim], error[c]);
  }
  for (int c = 0; c < shape.unknowns; c++) {
    if (is_second_order(count, grids[dim], error[c])) continue;
    describe_orders(count, grids[dim], error[c], sizeof seen, seen);
    fail_msg("%s%s, %d-D, unknown %d: %s; expected an order of 2 within 0.1 at the last two steps", v->deck,
             v->problem->name, dim, c, seen);
  }
}

/* The judgement itself, on errors C h^2 (1 + b h^2 + ...) and others. */
static void judges_orders(void **state)
{
  double clean[MOST_GRIDS], late[MOST_GRIDS], first[MOST_GRIDS], stalls[MOST_GRIDS];
  const int *n = grids[1];
  (void)state;
  for (int g = 0; g < MOST_GRIDS; g++) {
    const double h = 1.0 / n[g];
    clean[g]       = 3 * h * h;
    late[g]        = 3 * h * h / (1 + 4e3 * h * h); /* a layer as thin as two cells of the first grid */
    first[g]       = 3 * h;
    stalls[g]      = 3 * h * h + 1e-4;
  }
  assert_true(is_second_order(GRIDS, n, clean) && is_second_order(MOST_GRIDS, n, clean));
  assert_false(is_second_order(GRIDS, n, late));
  assert_false(is_second_order(GRIDS + 1, n, late));
  assert_true(is_second_order(GRIDS + 2, n, late)); /* 1.94, 1.98 */
  for (int count = GRIDS; count <= MOST_GRIDS; count++) {
    assert_false(is_second_order(count, n, first));
    assert_false(is_second_order(count, n, stalls));
  }
}

static void check_1d(const Variant *v)
{
  check_order(v, 1);
}

static void check_2d(const Variant *v)
{
  check_order(v, 2);
}

static void check_3d(const Variant *v)
{
  check_order(v, 3);
}

static void second_order_1d(void **state)
{
  (void)state;
  each_variant(check_1d);
}

static void second_order_2d(void **state)
{
  (void)state;
  each_variant(check_2d);
}

static void second_order_3d(void **state)
{
  (void)state;
  each_variant(check_3d);
}

/* ---------------------------------------------------------------------------------------------- Jacobian ---- */

static void residual_at(ScoriaDiscrete *d, Vec x, const double rate[], double R[])
{
  bool good;
  CHECK(DiscreteLoad(d, x, &good));
  assert_true(good);
  discrete_residual(d, rate, R);
}

/* Number of own cell i's neighbour on a side. */
static int neighbour_of(const ScoriaDiscrete *d, int i, int side)
{
  static const int axis_of[SIDES] = {2, 1, 0, 0, 0, 1, 2}, step[SIDES] = {-1, -1, -1, 0, 1, 1, 1};
  const int *n = d->grid.n, axis = axis_of[side];
  int at[3] = {i % n[0], i / n[0] % n[1], i / (n[0] * n[1])};
  at[axis]  = (at[axis] + step[side] + n[axis]) % n[axis];
  return (at[2] * n[1] + at[1]) * n[0] + at[0];
}

/* Central differences of the residual against every entry, those that the blocks leave out included; time derivatives
 * in. */
static void check_jacobian(const Variant *v, int dim)
{
  enum { N = 5, MOST = N * N * N * MAX_UNKNOWNS };
  const double step = 1e-5, shift = 0.3;
  static double expected[MOST], high[MOST], low[MOST], rate[MOST], coded[MOST];
  const ScoriaGrid grid = variant_grid(v, dim, N);
  ScoriaDiscrete *d;
  double *blocks, *eps;
  PetscScalar *a;
  int *at;
  Vec x;
  CHECK(DiscreteCreate(PETSC_COMM_SELF, v->problem, v->p, &grid, &d));
  const int m = d->shape.unknowns, all = d->cells * m;
  d->timed = true;
  d->shift = shift;
  CHECK(VecGetArray(d->eps, &eps));
  fill_manufactured_eps(d, eps);
  CHECK(VecRestoreArray(d->eps, &eps));
  CHECK(DiscreteSet(d));
  CHECK(DMCreateGlobalVector(d->dm, &x));
  CHECK(VecGetArray(x, &a));
  for (int i = 0; i < d->cells; i++) {
    double X[3], s[MAX_STATE];
    place(d, i, X);
    v->problem->manufactured(v->p, X, s);
    for (int c = 0; c < m; c++) a[i * m + c] = s[c] + 0.05 * sin(7.0 * i + c);
  }
  CHECK(VecRestoreArray(x, &a));
  CHECK(PetscMalloc2(d->cells * SIDES, &at, d->cells * SIDES * m * m, &blocks));
  for (int i = 0; i < d->cells * SIDES; i++) at[i] = i;
  memset(rate, 0, sizeof rate);
  residual_at(d, x, rate, low);
  discrete_jacobian(d, at, blocks, NULL);
  for (int column = 0; column < all; column++) {
    for (int sign = 0; sign < 2; sign++) {
      CHECK(VecGetArray(x, &a));
      a[column] += sign ? -2.0 * step : step;
      rate[column] = shift * (sign ? -step : step);
      CHECK(VecRestoreArray(x, &a));
      residual_at(d, x, rate, sign ? low : high);
    }
    CHECK(VecGetArray(x, &a));
    a[column] += step;
    rate[column] = 0;
    CHECK(VecRestoreArray(x, &a));
    memset(coded, 0, sizeof coded);
    for (int i = 0; i < d->cells; i++)
      for (int side = 0; side < SIDES; side++) {
        const int x_at = i % N + (side == SIDE_X1) - (side == SIDE_X0);
        if (x_at < 0 || x_at >= N || !discrete_neighbour(d, i % N, 0, 0, side)) continue;
        if (neighbour_of(d, i, side) == column / m)
          for (int c = 0; c < m; c++) coded[i * m + c] = blocks[(i * SIDES + side) * m * m + column % m * m + c];
      }
    for (int row = 0; row < all; row++) {
      expected[row] = (high[row] - low[row]) / (2.0 * step);
      /* truncation, step^2, and rounding, 1e-16 |F| / step, of fluxes up to 1e3 where a solid conducts well */
      if (!(fabs(coded[row] - expected[row]) <= 1e-7 * fmax(10.0, fabs(expected[row])) + 1e-8))
        fail_msg("%s, %d-D: row %d column %d is %.10g, differences give %.10g", v->deck, dim, row, column, coded[row],
                 expected[row]);
    }
  }
  CHECK(PetscFree2(at, blocks));
  CHECK(VecDestroy(&x));
  CHECK(DiscreteDestroy(&d));
}

static void check_jacobians(const Variant *v)
{
  for (int dim = 1; dim <= 3; dim++) check_jacobian(v, dim);
}

static void jacobian_is_exact(void **state)
{
  (void)state;
  each_variant(check_jacobians);
}

/* What the table of problems says of a field's ends is what the boundary fluxes say, at any state and conductance: none
 * where it is flat, and none at the value that it is held at alone. */
static void check_end(const Variant *v, const ScoriaShape *shape, int f, int side)
{
  const int m = shape->unknowns, d = shape->output[f];
  const ScoriaEnd end = shape->end[side][f];
  const double X[3]   = {side, 0, 0};
  for (int i = 0; i < 6; i++) {
    double s[MAX_STATE], F[MAX_UNKNOWNS], dF[MAX_UNKNOWNS * MAX_UNKNOWNS] = {0}, g[MAX_COEFFICIENTS], *at[MAX_STATE];
    v->problem->manufactured(v->p, X, s);
    for (int e = 0; e < MAX_STATE; e++) at[e] = &s[e];
    for (int e = 0; e < m; e++) s[e] *= 1 + 0.1 * i;
    for (int e = 0; e < MAX_COEFFICIENTS; e++) g[e] = (1 + e) * pow(10, i - 2);
    if (end.kind == SCORIA_END_HELD) s[d] = end.value / shape->scale[d] + 0.1 * (i % 2);
    if (v->problem->derive) v->problem->derive(v->p, 1, at);
    v->problem->boundary(v->p, side, s, g, F, dF);
    if (end.kind == SCORIA_END_HELD) assert_true(i % 2 ? fabs(F[d]) > 1e-4 : F[d] == 0);
    if (end.kind == SCORIA_END_FLAT) assert_true(F[d] == 0);
    for (int e = 0; e < m && end.kind == SCORIA_END_FLAT; e++) assert_true(dF[d * m + e] == 0);
  }
}

static void ends_seen(const Variant *v)
{
  ScoriaShape shape;
  v->problem->shape(v->p, &shape);
  for (int f = 0; f < shape.unknowns; f++)
    for (int side = 0; side < 2; side++) check_end(v, &shape, f, side);
}

static void ends_are_those_of_the_fluxes(void **state)
{
  (void)state;
  each_variant(ends_seen);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(judges_orders),     cmocka_unit_test(ends_are_those_of_the_fluxes),
      cmocka_unit_test(jacobian_is_exact), cmocka_unit_test(second_order_1d),
      cmocka_unit_test(second_order_2d),   cmocka_unit_test(second_order_3d)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
