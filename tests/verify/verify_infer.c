/* ranks: 2
 * Tempering where the posterior is known in closed form.  With readings v = H z + e, e ~ N(0, diag s^2), and z ~ N(0,
 * I): K = H H^T + diag s^2,  z | v ~ N(H^T K^-1 v, I - H^T K^-1 H),  v ~ N(0, K). First H is given; then it is what the
 * normaliser and the sampler of a model whose network is silent make of the latents, for a channel that is modelled as
 * it is. */
#define SMALL_MODEL_FILE "verify_infer.h5"
#include "../unit/small_model.h"
#include "scoria/linalg.h"
#include "scoria/stats.h"

enum { S = 3, MOST = 12, N = 3000, SEEDS = 6, LEAST_MOVES = 8, MOST_MOVES = 40 };

/* A linear problem of dimension D, and its answer. */
typedef struct {
  int D;
  double H[S * MOST], s[S], v[S];
  double mean[MOST], C[MOST * MOST], log_evidence;
  ScoriaModel model; /* NULL: H itself */
  double base[S];    /* reading of z = 0 */
  int cell[S];
  double *fields;
} Linear;

static void solve_exactly(Linear *p)
{
  const int D = p->D;
  double K[S * S], X[S * MOST], y[S];
  for (int a = 0; a < S; a++)
    for (int b = 0; b < S; b++) {
      K[a * S + b] = a == b ? p->s[a] * p->s[a] : 0;
      for (int k = 0; k < D; k++) K[a * S + b] += p->H[a * D + k] * p->H[b * D + k];
    }
  assert_true(la_cholesky(S, K));
  memcpy(X, p->H, sizeof(double) * (size_t)(S * D));
  memcpy(y, p->v, sizeof y);
  la_cholesky_solve(S, K, D, X);
  la_cholesky_solve(S, K, 1, y);
  p->log_evidence = -0.5 * S * log(2 * PETSC_PI);
  for (int a = 0; a < S; a++) p->log_evidence -= 0.5 * p->v[a] * y[a] + log(K[a * S + a]);
  for (int k = 0; k < D; k++) {
    p->mean[k] = 0;
    for (int a = 0; a < S; a++) p->mean[k] += p->H[a * D + k] * y[a];
    for (int l = 0; l < D; l++) {
      p->C[k * D + l] = k == l;
      for (int a = 0; a < S; a++) p->C[k * D + l] -= p->H[a * D + k] * X[a * D + l];
    }
  }
}

static const double at[1] = {0.3};

static void carry(const Linear *p, bool gaussian, int64_t first, int64_t n, const double z[], double fields[])
{
  const ScoriaSamplerOptions opt = {"abm", 4, 30, 0.002, 1, 42, false, NULL, 0.16, NULL};
  CHECK(ScoriaModelTransport(p->model, &twin, &opt, gaussian, first, n, false, at, z, fields));
}

/* What the tempering at work says of the moves that are left of its stage, at every evaluation. */
static struct {
  ScoriaTempering of;
  int n, left[MOST_MOVES];
} told;

static void note_moves_left(void)
{
  if (told.of && told.n < MOST_MOVES) told.left[told.n++] = tempering_moves_left(told.of);
}

static PetscErrorCode evaluate(void *ctx, int64_t first, int64_t n, const double z[], double l[], double base[])
{
  const Linear *p = ctx;
  (void)base;
  PetscFunctionBeginUser;
  note_moves_left();
  if (p->model) carry(p, false, first, n, z, p->fields);
  for (int64_t i = 0; i < n; i++) {
    l[i] = 0;
    for (int a = 0; a < S; a++) {
      double reading = p->model ? p->fields[i * M + L + p->cell[a]] - p->base[a] : 0;
      for (int k = 0; k < p->D && !p->model; k++) reading += p->H[a * p->D + k] * z[i * p->D + k];
      const double gap = (reading - p->v[a]) / p->s[a];
      l[i] -= 0.5 * (gap * gap + log(2 * PETSC_PI)) + log(p->s[a]);
    }
  }
  PetscFunctionReturn(0);
}

/* Of a stage of so many moves: before its correlation is known as many as the stage before had, `last`; then as how it
 * falls, which a tenth of noise (forgotten: .1 and more) leaves open by half at the first look. */
static void check_moves_left(int moves, int last)
{
  assert_int_equal(told.n, moves);
  for (int m = 0; m < LEAST_MOVES; m++) assert_int_equal(told.left[m], last - m - 1);
  for (int m = LEAST_MOVES; m < moves; m++) {
    assert_true(told.left[m] >= 0 && told.left[m] < MOST_MOVES - m);
    assert_true(m + 1 + told.left[m] <= 2 * moves);
  }
  told.n = 0;
}

/* To temperature 1. */
static ScoriaTempering infer(MPI_Comm comm, Linear *p, uint64_t seed, int *stages)
{
  const ScoriaTemperingSpec spec = {.particles  = N,
                                    .dimension  = p->D,
                                    .tile       = 128,
                                    .moves      = LEAST_MOVES,
                                    .most_moves = MOST_MOVES,
                                    .seed       = seed,
                                    .ctx        = p,
                                    .evaluate   = evaluate};
  ScoriaTempering t;
  int last                   = LEAST_MOVES;
  ScoriaTemperingStage stage = {0};
  *stages                    = 0;
  CHECK(ScoriaTemperingCreate(comm, &spec, &t));
  const int expected = tempering_stages_left(t);
  told.of            = t;
  told.n             = 0;
  while (tempering_temperature(t) < 1) {
    const double before = tempering_temperature(t);
    CHECK(ScoriaTemperingStep(t, &stage));
    assert_true(stage.temperature > before && stage.temperature <= 1);
    assert_true(stage.ess > 0.49 * N && stage.ess <= N && stage.acceptance > 0.05);
    check_moves_left(stage.moves, last);
    last = tempering_moves_of_stage(t);
    assert_int_equal(last, stage.moves);
    ++*stages;
  }
  told.of = NULL;
  assert_true(expected > *stages / 2 && expected < 2 * *stages); /* what is told first is of the right size */
  return t;
}

/* Squares of the errors of mean and covariance in units of those of N independent draws, averaged. */
static void errors(const Linear *p, const double z[], double *mean_error, double *covariance_error)
{
  const int D    = p->D;
  double m[MOST] = {0}, cov[MOST * MOST] = {0};
  for (int i = 0; i < N; i++)
    for (int k = 0; k < D; k++) m[k] += z[i * D + k] / N;
  for (int i = 0; i < N; i++)
    for (int k = 0; k < D; k++)
      for (int l = 0; l < D; l++) cov[k * D + l] += (z[i * D + k] - m[k]) * (z[i * D + l] - m[l]) / N;
  *mean_error = *covariance_error = 0;
  for (int k = 0; k < D; k++) {
    *mean_error += pow(m[k] - p->mean[k], 2) / (p->C[k * D + k] / N) / D;
    for (int l = 0; l < D; l++)
      *covariance_error += pow(cov[k * D + l] - p->C[k * D + l], 2) /
                           ((p->C[k * D + k] * p->C[l * D + l] + pow(p->C[k * D + l], 2)) / N) / (D * D);
  }
}

/* Particles share ancestors, which eight moves at every temperature have nearly parted: averaged over the seeds (the
 * mean of 6 x 9 or more squares has a standard deviation of sqrt(2/54) = .2 at most) squared errors are allowed twice
 * those of independent draws.  Those of the evidence, in units of the error that is told, follow chi-square over 6,
 * which exceeds 3.74 once in a thousand. */
static void check_against(Linear *p)
{
  double mean = 0, covariance = 0, evidence = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    int stages;
    double mean_error, covariance_error, se;
    ScoriaTempering t = infer(PETSC_COMM_WORLD, p, seed, &stages);
    errors(p, tempering_particles(t), &mean_error, &covariance_error);
    const double gap = tempering_log_evidence(t, &se) - p->log_evidence;
    assert_true(stages > 1 && se > 0 && se < 0.15);
    mean += mean_error / SEEDS;
    covariance += covariance_error / SEEDS;
    evidence += pow(gap / se, 2) / SEEDS;
    CHECK(ScoriaTemperingDestroy(&t));
  }
  print_message("squared errors, of independent draws 1: mean %.2f, covariance %.2f; of the evidence %.2f\n", mean,
                covariance, evidence);
  assert_true(mean < 2 && covariance < 2);
  assert_true(evidence < 4);
}

/* One reading is sharp, one far out in the prior. */
static void make_linear(Linear *p)
{
  *p = (Linear){.D = MOST, .s = {0.02, 0.4, 1}};
  rng_normal(7, SCORIA_STREAM_DIRECTION, 0, 0, S * MOST, p->H);
  rng_normal(7, SCORIA_STREAM_DIRECTION, 1, 0, S, p->v);
  p->v[1] = 8;
  solve_exactly(p);
}

static void a_linear_problem_is_solved(void **state)
{
  Linear p;
  (void)state;
  make_linear(&p);
  check_against(&p);
}

static void a_model_with_a_silent_network_is_a_linear_problem(void **state)
{
  Linear p                        = {.D = ALL_MODES, .cell = {0, 4, 9}};
  double z[ALL_MODES * ALL_MODES] = {0}, zero[ALL_MODES] = {0}, base[M], fields[ALL_MODES * M];
  (void)state;
  make_model_of("modes", false, &p.model);
  CHECK(PetscMalloc1(N * M, &p.fields));
  for (int k = 0; k < ALL_MODES; k++) z[k * ALL_MODES + k] = 1;
  carry(&p, true, 0, 1, zero, base);
  carry(&p, true, 0, ALL_MODES, z, fields);
  for (int a = 0; a < S; a++) {
    double square = 0;
    p.base[a]     = base[L + p.cell[a]];
    for (int k = 0; k < ALL_MODES; k++) {
      p.H[a * ALL_MODES + k] = fields[k * M + L + p.cell[a]] - p.base[a];
      square += pow(p.H[a * ALL_MODES + k], 2);
    }
    p.s[a] = (a ? 0.3 : 0.02) * sqrt(square); /* of the prior's standard deviation */
    p.v[a] = (a == 1 ? -2 : 1) * sqrt(square);
  }
  solve_exactly(&p);
  check_against(&p);
  CHECK(PetscFree(p.fields));
  CHECK(ScoriaModelDestroy(&p.model));
}

static void the_ranks_do_not_show(void **state)
{
  Linear p;
  int stages, alone;
  double se, se_alone;
  (void)state;
  make_linear(&p);
  ScoriaTempering t = infer(PETSC_COMM_WORLD, &p, 1, &stages), u = infer(PETSC_COMM_SELF, &p, 1, &alone);
  assert_int_equal(stages, alone);
  assert_memory_equal(tempering_particles(t), tempering_particles(u), sizeof(double) * (size_t)(N * p.D));
  const double one = tempering_log_evidence(t, &se), other = tempering_log_evidence(u, &se_alone);
  assert_memory_equal(&one, &other, sizeof one);
  assert_memory_equal(&se, &se_alone, sizeof se);
  CHECK(ScoriaTemperingDestroy(&t));
  CHECK(ScoriaTemperingDestroy(&u));
}

/* Particles with z[0] < 0.2 have no likelihood; or none has any.  The former halves a bit more than half of them. */
static PetscErrorCode truncated(void *ctx, int64_t first, int64_t n, const double z[], double l[], double base[])
{
  const double *limit = ctx;
  PetscFunctionBeginUser;
  (void)first;
  (void)base;
  for (int64_t i = 0; i < n; i++) l[i] = z[2 * i] < *limit ? NAN : 0;
  PetscFunctionReturn(0);
}

static void particles_without_likelihood_die(void **state)
{
  double limit             = 0.2, se;
  ScoriaTemperingSpec spec = {.particles  = N,
                              .dimension  = 2,
                              .tile       = 128,
                              .moves      = 3,
                              .most_moves = 15,
                              .seed       = 1,
                              .ctx        = &limit,
                              .evaluate   = truncated};
  ScoriaTempering t;
  ScoriaTemperingStage stage;
  (void)state;
  CHECK(ScoriaTemperingCreate(PETSC_COMM_WORLD, &spec, &t));
  for (int i = 0; i < 100 && tempering_temperature(t) < 1; i++) CHECK(ScoriaTemperingStep(t, &stage));
  assert_true(tempering_temperature(t) >= 1);
  for (int i = 0; i < N; i++) assert_true(tempering_particles(t)[2 * i] >= limit);
  const double share = 0.5 * erfc(limit / sqrt(2)); /* binomial, five of its standard errors */
  assert_true(fabs(exp(tempering_log_evidence(t, &se)) - share) < 5 * sqrt(share * (1 - share) / N));
  CHECK(ScoriaTemperingDestroy(&t));
  limit = 100;
  CHECK(ScoriaTemperingCreate(PETSC_COMM_WORLD, &spec, &t));
  assert_int_not_equal(ScoriaTemperingStep(t, &stage), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "no particle"));
  ScoriaFailureReset();
  CHECK(ScoriaTemperingDestroy(&t));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_linear_problem_is_solved),
      cmocka_unit_test(a_model_with_a_silent_network_is_a_linear_problem),
      cmocka_unit_test(the_ranks_do_not_show),
      cmocka_unit_test(particles_without_likelihood_die),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
