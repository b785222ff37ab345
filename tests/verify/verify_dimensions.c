/* ranks: 2 4
 * Two and three dimensions (V7): a laterally constant porosity gives the solution in one dimension; a group of ranks
 * gives what one rank gives; lateral means and deviations; balances; failures; the share of linear iterations. */
#include "verify_electrode.h"

/* The last Newton step is below 1e-7 and is solved to a hundredth of its residual; its square is 1e-14. */
#define TOLERANCE 1e-8

static const char *const decks[] = {
    "electrode: {set: chen2020_negative, state: ocp, bruggeman_D: 1.8}\n",
    "electrode: {set: chen2020_positive, g_sep: 2.55e4}\n",
    "electrode: {set: marquis2019_negative, solid: ohmic}\n",
};
static const double thetas[][SCORIA_NTHETA] = {{0.15, 18, 1e-5}, {0.02, 10, 1e-5}, {0, 20, 1e-5}};
#define DECKS (sizeof decks / sizeof *decks)

static ScoriaGrid grid_of(const ScoriaElectrode *el, int dim, int nx, int ny, int nz)
{
  return (ScoriaGrid){
      .dim = dim, .n = {nx, ny, nz}, .length = {el->L, el->L * ny / nx, el->L * (dim > 2 ? nz : nx) / nx}};
}

/* Porosity between .1 and .6, rough along every axis. */
static double rough(const ScoriaGrid *g, int i, int j, int k)
{
  const double x = (i + 0.5) / g->n[0], y = (double)j / g->n[1], z = (double)k / g->n[2];
  return 0.35 + 0.24 * sin(11.0 * x + 0.4) * cos(2.0 * PETSC_PI * (2.0 * y - z)) * cos(6.0 * PETSC_PI * z + x);
}

static void fill_own(ScoriaSolver solver, bool lateral, double eps[])
{
  const ScoriaDiscrete *d = solver->d;
  int cell = 0, first[3] = {0, 0, 0};
  first[d->grid.dim - 1] = d->first;
  for (int k = 0; k < d->own[2]; k++)
    for (int j = 0; j < d->own[1]; j++)
      for (int i = 0; i < d->own[0]; i++, cell++)
        eps[cell] =
            lateral ? rough(&d->grid, i + first[0], j + first[1], k + first[2]) : rough(&d->grid, i + first[0], 0, 0);
}

typedef struct {
  ScoriaSolveStatus status;
  double mean[3][64], sd[3][64], eps[64], charge, salt;
} Profiles;

static void solve_grid(MPI_Comm group, const ScoriaElectrode *el, const ScoriaGrid *grid, bool lateral,
                       const double theta[], Profiles *out)
{
  ScoriaSolver solver;
  double *eps;
  CHECK(ScoriaSolverCreate(group, &scoria_electrode, el, grid, &solver));
  CHECK(PetscMalloc1(solver_own_cells(solver), &eps));
  fill_own(solver, lateral, eps);
  CHECK(ScoriaSolverSolve(solver, theta, eps, &out->status));
  for (int f = 0; f < (el->ohmic ? 3 : 2); f++) CHECK(ScoriaSolverProfile(solver, f, out->mean[f], out->sd[f]));
  CHECK(ScoriaSolverAverage(solver, eps, out->eps, NULL));
  if (out->status.reason > 0) {
    out->charge = imbalance_of(solver, U, 1e-3);
    out->salt   = imbalance_of(solver, W, 1e-3);
  }
  CHECK(PetscFree(eps));
  CHECK(ScoriaSolverDestroy(&solver));
}

static void compare(const char *what, const ScoriaElectrode *el, const Profiles *a, const Profiles *b, int nx)
{
  assert_true(a->status.reason > 0 && b->status.reason > 0);
  for (int f = 0; f < (el->ohmic ? 3 : 2); f++)
    for (int i = 0; i < nx; i++) {
      const double scale = f ? 0.0257 : el->c_R;
      if (!(fabs(a->mean[f][i] - b->mean[f][i]) <= TOLERANCE * scale &&
            fabs(a->sd[f][i] - b->sd[f][i]) <= TOLERANCE * scale))
        fail_msg("%s, field %d, cell %d: mean %.12g against %.12g, deviation %.6g against %.6g", what, f, i,
                 a->mean[f][i], b->mean[f][i], a->sd[f][i], b->sd[f][i]);
    }
}

/* V7: no lateral variation of the porosity, none of the solution. */
static void constant_planes_are_one_dimensional(void **state)
{
  (void)state;
  for (size_t i = 0; i < DECKS; i++) {
    ScoriaElectrode el;
    static Profiles line, plane, box;
    electrode_from(decks[i], &el);
    const ScoriaGrid one = line_grid(32, el.L), two = grid_of(&el, 2, 32, 8, 1), three = grid_of(&el, 3, 32, 8, 4);
    solve_grid(PETSC_COMM_SELF, &el, &one, false, thetas[i], &line);
    solve_grid(PETSC_COMM_WORLD, &el, &two, false, thetas[i], &plane);
    solve_grid(PETSC_COMM_WORLD, &el, &three, false, thetas[i], &box);
    compare("2-D", &el, &plane, &line, 32);
    compare("3-D", &el, &box, &line, 32);
  }
}

static void groups_agree(void **state)
{
  (void)state;
  for (size_t i = 0; i < DECKS; i++) {
    ScoriaElectrode el;
    static Profiles alone, shared;
    electrode_from(decks[i], &el);
    for (int dim = 2; dim <= 3; dim++) {
      const ScoriaGrid grid = grid_of(&el, dim, 16, dim == 2 ? 12 : 8, dim == 2 ? 1 : 12);
      solve_grid(PETSC_COMM_SELF, &el, &grid, true, thetas[i], &alone);
      solve_grid(PETSC_COMM_WORLD, &el, &grid, true, thetas[i], &shared);
      compare("group", &el, &shared, &alone, 16);
      assert_true(shared.sd[0][3] > 1e-4 * el.c_R); /* the porosity does vary laterally */
      assert_true(shared.charge < TOLERANCE && shared.salt < TOLERANCE);
    }
  }
}

/* Grids whose second level is shared too: small ones are gathered there. */
static void groups_share_coarse_levels(void **state)
{
  ScoriaElectrode el;
  static Profiles alone, shared;
  (void)state;
  electrode_from(decks[0], &el);
  const ScoriaGrid grids[] = {grid_of(&el, 2, 32, 160, 1), grid_of(&el, 3, 16, 16, 40)};
  for (int g = 0; g < 2; g++) {
    solve_grid(PETSC_COMM_SELF, &el, &grids[g], true, thetas[0], &alone);
    solve_grid(PETSC_COMM_WORLD, &el, &grids[g], true, thetas[0], &shared);
    compare("group", &el, &shared, &alone, grids[g].n[0]);
    assert_true(abs(shared.status.linear - alone.status.linear) <= alone.status.newton);
  }
}

/* A solver whose porosity and parameters are set and that has solved nothing. */
static void create_unsolved(const ScoriaElectrode *el, const ScoriaGrid *grid, ScoriaSolver *solver)
{
  CHECK(ScoriaSolverCreate(PETSC_COMM_WORLD, &scoria_electrode, el, grid, solver));
  assert_true((*solver)->problem->at((*solver)->p, thetas[0]));
  CHECK(VecSet((*solver)->d->eps, 0.3));
  CHECK(DiscreteSet((*solver)->d));
}

/* What the preconditioner makes of ones, with the Jacobian at the state `value`, in s->kept. */
static void precondition_at(ScoriaSolver s, double value)
{
  KSP ksp;
  PC pc;
  bool good;
  CHECK(VecSet(s->x, value));
  CHECK(NewtonLoad(s, s->x, &good));
  assert_true(good);
  CHECK(NewtonFill(s));
  CHECK(SNESGetKSP(s->snes, &ksp));
  CHECK(KSPSetOperators(ksp, s->J.J, s->J.J));
  CHECK(KSPSetUp(ksp));
  CHECK(KSPSetUpOnBlocks(ksp));
  CHECK(KSPGetPC(ksp, &pc));
  CHECK(VecSet(s->r, 1));
  CHECK(PCApply(pc, s->r, s->kept));
}

/* A second Newton step far from the first is not preconditioned with what was kept of the first one's matrix. */
static void preconditioner_sees_new_values(void **state)
{
  const double first = 0.5, second = 1.0;
  ScoriaElectrode el;
  ScoriaSolver used, fresh;
  PetscBool same;
  (void)state;
  electrode_from(decks[0], &el);
  for (int dim = 2; dim <= 3; dim++) {
    const ScoriaGrid grid = grid_of(&el, dim, 16, 8, dim == 2 ? 1 : 8);
    create_unsolved(&el, &grid, &used);
    create_unsolved(&el, &grid, &fresh);
    precondition_at(used, first);
    precondition_at(fresh, second);
    CHECK(VecEqual(used->kept, fresh->kept, &same));
    assert_false(same); /* the states do tell */
    precondition_at(used, second);
    CHECK(VecEqual(used->kept, fresh->kept, &same));
    assert_true(same);
    CHECK(ScoriaSolverDestroy(&used));
    CHECK(ScoriaSolverDestroy(&fresh));
  }
}

/* A realisation does not depend on the ones before it: groups are dealt them in any order. */
static void order_does_not_matter(void **state)
{
  static double first[2][16], again[2][16];
  ScoriaElectrode el;
  ScoriaSolver solver;
  ScoriaSolveStatus status;
  double *eps[2];
  (void)state;
  electrode_from(decks[0], &el);
  const ScoriaGrid grid = grid_of(&el, 3, 16, 8, 8);
  CHECK(ScoriaSolverCreate(PETSC_COMM_WORLD, &scoria_electrode, &el, &grid, &solver));
  for (int lateral = 0; lateral < 2; lateral++) {
    CHECK(PetscMalloc1(solver_own_cells(solver), &eps[lateral]));
    fill_own(solver, lateral, eps[lateral]);
  }
  for (int visit = 0; visit < 3; visit++) {
    const double other[SCORIA_NTHETA] = {0.22, 6, 1e-5};
    const bool between                = visit == 1;
    CHECK(ScoriaSolverSolve(solver, between ? other : thetas[0], eps[between ? 0 : 1], &status));
    assert_true(status.reason > 0);
    for (int f = 0; f < 2; f++) CHECK(ScoriaSolverProfile(solver, f, visit ? again[f] : first[f], NULL));
  }
  assert_memory_equal(first, again, sizeof first);
  for (int lateral = 0; lateral < 2; lateral++) CHECK(PetscFree(eps[lateral]));
  CHECK(ScoriaSolverDestroy(&solver));
}

/* A grid whose cells have few factors of two is coarsened as far as it goes. */
static void odd_grids_converge(void **state)
{
  ScoriaElectrode el;
  static Profiles odd;
  int ranks;
  (void)state;
  electrode_from(decks[0], &el);
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  const ScoriaGrid grids[] = {grid_of(&el, 2, 23, 11, 1), grid_of(&el, 3, 20, 6, 10), grid_of(&el, 3, 15, 7, 11)};
  for (int g = 0; g < 3; g++) {
    solve_grid(PETSC_COMM_WORLD, &el, &grids[g], true, thetas[0], &odd);
    assert_true(odd.status.reason > 0 && odd.status.attempts == 1);
  }
}

/* A group too large for the grid's last axis is a user error. */
static void thin_grids_are_refused(void **state)
{
  ScoriaElectrode el;
  ScoriaSolver solver;
  int ranks;
  (void)state;
  electrode_from(decks[0], &el);
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  const ScoriaGrid grid = grid_of(&el, 3, 8, 4, 3);
  if (ranks != 4) return;
  assert_true(ScoriaSolverCreate(PETSC_COMM_WORLD, &scoria_electrode, &el, &grid, &solver) != 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "ensemble_group_size: 4 ranks cannot share 3 planes"));
  ScoriaFailureReset();
}

/* Beyond the limiting current: recorded, with NaN profiles, after a short ladder. */
static void no_steady_state_is_recorded(void **state)
{
  const double theta[SCORIA_NTHETA] = {0, -400, 1e-5};
  ScoriaElectrode el;
  static Profiles none;
  (void)state;
  electrode_from("electrode: {set: article, electrolyte: capiglia1999, G: 0}\n", &el);
  const ScoriaGrid grid = grid_of(&el, 3, 16, 8, 8);
  solve_grid(PETSC_COMM_WORLD, &el, &grid, true, theta, &none);
  assert_true(none.status.reason < 0 && none.status.attempts > 1 && none.status.newton < 200);
  for (int i = 0; i < 16; i++) assert_true(isnan(none.mean[0][i]) && isnan(none.mean[1][i]));
}

/* Linear iterations of a Newton step from 16^3 to 32^2 x 64 cells of the same porosity grow by less than 30 %. */
static void iterations_do_not_grow(void **state)
{
  double each[2];
  int ranks;
  ScoriaElectrode el;
  static Profiles p;
  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &ranks);
  if (ranks == 4) return; /* slow on two cores, and no other than two ranks */
  electrode_from(decks[0], &el);
  for (int fine = 0; fine < 2; fine++) {
    const ScoriaGrid grid = fine ? grid_of(&el, 3, 64, 32, 32) : grid_of(&el, 3, 16, 16, 16);
    solve_grid(PETSC_COMM_WORLD, &el, &grid, true, thetas[0], &p);
    assert_true(p.status.reason > 0);
    each[fine] = (double)p.status.linear / p.status.newton;
  }
  if (!(each[1] <= 1.3 * each[0])) fail_msg("%.2f iterations a step on 16^3, %.2f on 64 x 32 x 32", each[0], each[1]);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(constant_planes_are_one_dimensional),
                                     cmocka_unit_test(groups_agree),
                                     cmocka_unit_test(groups_share_coarse_levels),
                                     cmocka_unit_test(preconditioner_sees_new_values),
                                     cmocka_unit_test(order_does_not_matter),
                                     cmocka_unit_test(odd_grids_converge),
                                     cmocka_unit_test(thin_grids_are_refused),
                                     cmocka_unit_test(no_steady_state_is_recorded),
                                     cmocka_unit_test(iterations_do_not_grow)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
