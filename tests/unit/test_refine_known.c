/* refine where everything is linear: the profile behind a field is then known in closed form. */
#include "study/refine/refine.h"
#include "testing.h"
#include <math.h>

enum { L = 6, C = 2, M = L * C };

/* eps_j = .3 + b_j z_j and fields of channel c 5 + g_c (eps_j + theta): b sets the directions, which are the cells. */
static const double b[L] = {0.06, 0.05, 0.04, 0.03, 0.02, 0.01}, g[C] = {40, -90}, theta[1] = {0.5};

typedef struct {
  double largest; /* eps beyond this has no solution */
  int64_t solves;
} Linear;

static PetscErrorCode Profile(void *ctx, const double at[], const double z[], double eps[])
{
  (void)ctx;
  (void)at;
  PetscFunctionBeginUser;
  for (int j = 0; j < L; j++) eps[j] = 0.3 + b[j] * z[j];
  PetscFunctionReturn(0);
}

static PetscErrorCode Solve(void *ctx, int64_t n, const double at[], const double eps[], ScoriaRows *rows)
{
  Linear *linear = ctx;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    rows->done[i] = SCORIA_ROW_DONE;
    for (int j = 0; j < L; j++) {
      if (eps[i * L + j] > linear->largest) rows->done[i] = SCORIA_ROW_FAILED;
      for (int c = 0; c < C; c++) rows->field[c][i * L + j] = 5 + g[c] * (eps[i * L + j] + at[i]);
    }
  }
  linear->solves += n;
  PetscFunctionReturn(0);
}

typedef struct {
  Linear linear;
  RefineForward forward;
  Refiner refiner;
  ScoriaRows rows;
  double sd[M];
} Study;

static void open_study(Study *s, int directions, double sigma, double largest)
{
  const RefineOptions opt = {.directions = directions, .iterations = 30, .tolerance = 1e-6, .sigma = sigma};
  *s                      = (Study){.linear = {.largest = largest}};
  s->forward              = (RefineForward){.ctx = &s->linear, .profile = Profile, .solve = Solve};
  s->forward.spec =
      (ScoriaDatasetSpec){.nfields = C, .cells = L, .shape = {L, 1, 1}, .rows = 1, .realisations = 1, .float64 = true};
  s->forward.spec.space.n = 1;
  for (int c = 0; c < C; c++) snprintf(s->forward.spec.field[c].name, SCORIA_NAME_SIZE, "%c", 'a' + c);
  for (int i = 0; i < M; i++) s->sd[i] = 1 + 0.1 * i;
  CHECK(ScoriaRowsCreate(&s->forward.spec, 1, &s->rows));
  CHECK(RefinerCreate(&s->forward, &opt, &s->refiner));
  CHECK(RefinerAt(s->refiner, theta));
}

static void close_study(Study *s)
{
  CHECK(RefinerDestroy(&s->refiner));
  CHECK(ScoriaRowsDestroy(&s->rows));
}

/* Of fields of the profile z, each cell off by as much as it is asked to be. */
static void fields_of(const double z[L], double off, double fields[M])
{
  for (int c = 0; c < C; c++)
    for (int j = 0; j < L; j++) fields[c * L + j] = 5 + g[c] * (0.3 + b[j] * z[j] + theta[0]) + (j % 2 ? off : -off);
}

/* The minimum of |r|^2 / sigma^2 + |z|^2, cell by cell: with the slopes s_c = g_c b_j / sd and the gaps d_c / sd of the
 * field from the solution at z = 0, z_j = sum s d / (sigma^2 + sum s^2). */
static void ridge(const Study *s, double sigma, const double fields[M], int directions, double z[L])
{
  for (int j = 0; j < L; j++) {
    double top = 0, bottom = sigma * sigma;
    for (int c = 0; c < C; c++) {
      const double sd = s->sd[c * L + j], slope = g[c] * b[j] / sd;
      top += slope * (fields[c * L + j] - (5 + g[c] * (0.3 + theta[0]))) / sd;
      bottom += slope * slope;
    }
    z[j] = j < directions ? top / bottom : 0;
  }
}

/* The steps are exact but for the finite differences, 1e-3 of a slope to the rounding of fields of some tens: 1e-10. */
static void mode_is_the_ridge_regression(void **state)
{
  static const int directions[] = {L, 2}; /* all, and the two leading ones alone */
  const double truth[L] = {1.2, -0.7, 0.4, 2, -1.5, 0.9}, sigma = 0.2;
  (void)state;
  for (int k = 0; k < 2; k++) {
    double fields[M], z[L], column[REFINE_COLUMNS], sum = 0, norm = 0;
    Study s;
    open_study(&s, directions[k], sigma, 1);
    fields_of(truth, 0.3, fields);
    ridge(&s, sigma, fields, directions[k], z);
    CHECK(RefinerRun(s.refiner, fields, s.sd, 0, &s.rows, column));
    for (int c = 0; c < C; c++)
      for (int j = 0; j < L; j++) {
        const double expected = 5 + g[c] * (0.3 + b[j] * z[j] + theta[0]);
        assert_true(fabs(s.rows.field[c][j] - expected) < 1e-8);
        sum += pow((expected - fields[c * L + j]) / s.sd[c * L + j], 2);
      }
    for (int j = 0; j < L; j++) norm += z[j] * z[j];
    assert_true(column[REFINE_STATUS] == REFINE_CONVERGED);
    assert_true(fabs(column[REFINE_AFTER] - sqrt(sum / M)) < 1e-8);
    assert_true(fabs(column[REFINE_NORM] - sqrt(norm)) < 1e-8);
    assert_true(column[REFINE_BEFORE] > column[REFINE_AFTER]);
    assert_true(s.rows.condition[0][0] == theta[0]);
    close_study(&s);
  }
}

/* A field that a solution makes is found but for what |z|^2 costs, which falls with sigma^2. */
static void a_solution_is_found_again(void **state)
{
  const double truth[L] = {0.5, -1, 0.3, 0.8, -0.2, 1.1};
  double fields[M], column[REFINE_COLUMNS];
  Study s;
  (void)state;
  open_study(&s, L, 1e-4, 1);
  fields_of(truth, 0, fields);
  CHECK(RefinerRun(s.refiner, fields, s.sd, 0, &s.rows, column));
  assert_true(column[REFINE_AFTER] < 1e-6 && column[REFINE_BEFORE] > 0.5);
  close_study(&s);
}

static void no_solution_is_a_failed_row(void **state)
{
  const double truth[L] = {0};
  double fields[M], column[REFINE_COLUMNS];
  Study s;
  (void)state;
  open_study(&s, L, 0.2, 0.2); /* not even at z = 0 */
  fields_of(truth, 0.3, fields);
  CHECK(RefinerRun(s.refiner, fields, s.sd, 0, &s.rows, column));
  assert_true(column[REFINE_STATUS] == REFINE_FAILED && column[REFINE_ITERATIONS] == 0);
  assert_int_equal(s.rows.done[0], SCORIA_ROW_FAILED);
  close_study(&s);
}

/* Where solutions end, the search stays on their side. */
static void steps_stop_where_solutions_end(void **state)
{
  const double truth[L] = {2, 2, 2, 2, 2, 2}; /* eps to .42 */
  double fields[M], column[REFINE_COLUMNS];
  Study s;
  (void)state;
  open_study(&s, L, 0.05, 0.36);
  fields_of(truth, 0, fields);
  CHECK(RefinerRun(s.refiner, fields, s.sd, 0, &s.rows, column));
  assert_true(column[REFINE_STATUS] != REFINE_FAILED && isfinite(column[REFINE_AFTER]));
  assert_int_equal(s.rows.done[0], SCORIA_ROW_DONE);
  assert_true(column[REFINE_AFTER] < column[REFINE_BEFORE]);
  for (int j = 0; j < L; j++) assert_true((s.rows.field[0][j] - 5) / g[0] - theta[0] <= 0.36 + 1e-12);
  close_study(&s);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(mode_is_the_ridge_regression), cmocka_unit_test(a_solution_is_found_again),
      cmocka_unit_test(no_solution_is_a_failed_row), cmocka_unit_test(steps_stop_where_solutions_end)};
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
