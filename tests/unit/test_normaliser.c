/* The conditional normaliser.  ranks: 2 3
 * A synthetic ensemble whose law is known: v = twin + m(u) + s(u) V a, a_k = sum_{l<k} phi_kl(u) a_l + d_k(u) e_k,
 * channel 0 being reference - exp(v), channel 1 being v.  For it y must be N(0, I) at conditions that the fit has not
 * seen. */
#include "scoria/linalg.h"
#include "score/model.h"
#include "score/normaliser.h"
#include "row_dataset.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { C = 2, L = 12, M = C * L, TRUE_MODES = 4, CONDITIONS = 90, REALISATIONS = 60, HELD = 80 };

static const double reference = 1000;
static double level           = 0;     /* of channel 1, times the first normal, in every cell */
static bool still             = false; /* channel 1 is 2.5 throughout */
static bool single            = false; /* the file holds single precision */

static ScoriaSpace test_space(void)
{
  return (ScoriaSpace){.n = 3,
                       .c = {{"U0", "V", 0.1, 0.3, false, false, false},
                             {"gap", "m", 1e-6, 1e-6, false, false, false}, /* fixed */
                             {"ell", "m", 1e-6, 1e-5, true, false, false}}};
}

static PetscErrorCode solve_twin(void *ctx, const double theta[], double fields[])
{
  (void)ctx;
  for (int j = 0; j < L; j++) {
    fields[j]     = reference - exp(1 + 5 * theta[0] + 0.1 * j); /* not a polynomial in u once transformed with ell */
    fields[L + j] = sqrt(theta[2] * 1e6) + 0.2 * j;
  }
  return 0;
}

static const ScoriaTwin twin = {.solve = solve_twin, .reference = {1000, NAN}};

/* Orthonormal rows by Gram and Schmidt. */
static void true_modes(double V[TRUE_MODES][M])
{
  for (int k = 0; k < TRUE_MODES; k++) {
    rng_normal(3, SCORIA_STREAM_INIT, (uint64_t)k, 0, M, V[k]);
    for (int l = 0; l <= k; l++) {
      double dot = 0;
      for (int j = 0; j < M; j++) dot += V[k][j] * V[l][j];
      for (int j = 0; j < M; j++) V[k][j] = l < k ? V[k][j] - dot * V[l][j] : V[k][j] / sqrt(dot);
    }
  }
}

/* One field x (C, L) at theta with normals e (TRUE_MODES). */
static void draw(const double theta[], const double e[], double x[])
{
  const ScoriaSpace space       = test_space();
  const double size[TRUE_MODES] = {1, 0.5, 0.2, 0.05};
  double u[SCORIA_MAX_CONDITIONS], V[TRUE_MODES][M], a[TRUE_MODES];
  space_to_unit(&space, theta, u);
  true_modes(V);
  for (int k = 0; k < TRUE_MODES; k++) {
    a[k] = size[k] * exp(0.5 * u[2] * (k - 1)) * e[k];
    for (int l = 0; l < k; l++) a[k] += 0.4 * u[0] * size[k] / size[l] * a[l];
  }
  solve_twin(NULL, theta, x);
  for (int j = 0; j < M; j++) {
    double v = 0.3 * u[0] - 0.2 * u[2] * u[2] + 0.01 * j * u[0] * u[2];
    for (int k = 0; k < TRUE_MODES; k++) v += exp(-0.3 * u[0] + 0.2 * u[2]) * V[k][j] * a[k];
    if (j < L)
      x[j] = reference - exp(log(reference - x[j]) + v);
    else
      x[j] = still ? 2.5 : x[j] + v + level * e[0];
  }
}

static void theta_of(int condition, double theta[])
{
  const ScoriaSpace space = test_space();
  double u[SCORIA_MAX_CONDITIONS];
  rng_uniform(5, SCORIA_STREAM_CONDITION, (uint64_t)condition, 0, 3, u);
  for (int j = 0; j < 3; j++) u[j] = 2 * u[j] - 1;
  space_from_unit(&space, u, theta);
}

/* Writes the ensemble; every seventh row is marked as failed. */
typedef struct {
  bool fixed; /* all at the first condition */
  int realisations;
} Filling;

static void fill_rows(const void *ctx, ScoriaRows *rows)
{
  const Filling *f = ctx;
  for (int i = 0; i < rows->rows; i++) {
    double theta[3], e[TRUE_MODES], x[M];
    theta_of(f->fixed ? 0 : i / f->realisations, theta);
    rng_normal(7, SCORIA_STREAM_POROSITY, (uint64_t)i, 0, TRUE_MODES, e);
    draw(theta, e, x);
    rows->done[i] = i % 7 == 6 ? SCORIA_ROW_FAILED : SCORIA_ROW_DONE;
    for (int j = 0; j < 3; j++) rows->condition[j][i] = theta[j];
    for (int j = 0; j < L; j++) {
      rows->field[0][i * L + j] = rows->done[i] == SCORIA_ROW_DONE ? x[L + j] : NAN; /* stored in the other order */
      rows->field[1][i * L + j] = rows->done[i] == SCORIA_ROW_DONE ? x[j] : NAN;
    }
  }
}

static void make_dataset(const char *path, bool fixed, int conditions, int realisations)
{
  ScoriaDatasetSpec spec = {.rows         = (int64_t)conditions * realisations,
                            .cells        = L,
                            .shape        = {L, 1, 1},
                            .nfields      = 2,
                            .space        = test_space(),
                            .realisations = realisations,
                            .float64      = !single,
                            .field = {{"phi", "V", "potential", false}, {"c", "mol m^-3", "concentration", false}}};
  for (int j = 0; j < 3 && fixed; j++) {
    double theta[3];
    theta_of(0, theta);
    spec.space.c[j].lo = spec.space.c[j].hi = theta[j];
  }
  write_row_dataset(path, &spec, fill_rows, &(Filling){fixed, realisations});
}

static PetscErrorCode fit(const char *path, const ScoriaTwin *with, ScoriaNormaliserOptions opt, ScoriaNormaliser *norm)
{
  static const int channel[C] = {1, 0};
  bool train[CONDITIONS];
  ScoriaDataset ds;
  for (int i = 0; i < CONDITIONS; i++) train[i] = i < HELD;
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  const PetscErrorCode failed = NormaliserFit(PETSC_COMM_WORLD, ds, C, channel, train, with, &opt, norm);
  CHECK(ScoriaDatasetClose(&ds));
  return failed;
}

static const ScoriaNormaliserOptions usual = {3, TRUE_MODES, 3, 2, true, true, false, false, 0, NULL};

/* Root mean square over held-out conditions and elements of the mean of y, and of its covariance less I. */
static void whiteness(ScoriaNormaliser norm, const ScoriaTwin *with, double *mean_error, double *covariance_error)
{
  enum { DRAWS = 8000 };
  static double x[DRAWS * M], y[DRAWS * TRUE_MODES];
  *mean_error = *covariance_error = 0;
  for (int condition = HELD; condition < CONDITIONS; condition++) {
    double theta[3], sum[TRUE_MODES] = {0}, square[TRUE_MODES][TRUE_MODES] = {{0}};
    theta_of(condition, theta);
    for (int i = 0; i < DRAWS; i++) {
      double e[TRUE_MODES];
      rng_normal(9, SCORIA_STREAM_HELDOUT, (uint64_t)(condition * DRAWS + i), 0, TRUE_MODES, e);
      draw(theta, e, x + (size_t)i * M);
    }
    CHECK(ScoriaNormaliserAt(norm, with, theta));
    normaliser_encode(norm, DRAWS, x, y);
    for (int i = 0; i < DRAWS; i++)
      for (int k = 0; k < TRUE_MODES; k++) {
        sum[k] += y[i * TRUE_MODES + k] / DRAWS;
        for (int l = 0; l < TRUE_MODES; l++) square[k][l] += y[i * TRUE_MODES + k] * y[i * TRUE_MODES + l] / DRAWS;
      }
    for (int k = 0; k < TRUE_MODES; k++) {
      *mean_error += sum[k] * sum[k] / TRUE_MODES;
      for (int l = 0; l < TRUE_MODES; l++)
        *covariance_error += pow(square[k][l] - sum[k] * sum[l] - (k == l), 2) / (TRUE_MODES * TRUE_MODES);
    }
  }
  *mean_error       = sqrt(*mean_error / (CONDITIONS - HELD));
  *covariance_error = sqrt(*covariance_error / (CONDITIONS - HELD));
}

static void gaussian_data_become_white_at_unseen_conditions(void **state)
{
  ScoriaNormaliser norm;
  double mean, covariance, constant_mean, constant_covariance;
  int channels, cells, modes, all;
  (void)state;
  make_dataset("test_normaliser.h5", false, CONDITIONS, REALISATIONS);
  CHECK(fit("test_normaliser.h5", &twin, usual, &norm));
  CHECK(ScoriaNormaliserSizes(norm, &channels, &cells, &modes, &all));
  assert_true(profile_of(norm)->logged[0] && profile_of(norm)->sign[0] < 0 && !profile_of(norm)->logged[1]);
  assert_true(!profile_of(norm)->relative[0] && !profile_of(norm)->relative[1]);
  assert_true(channels == C && cells == L && modes == 3);
  assert_int_equal(all, TRUE_MODES);
  whiteness(norm, &twin, &mean, &covariance);
  CHECK(NormaliserDestroy(&norm));
  ScoriaNormaliserOptions constant = usual;
  constant.degree_scale            = 0;
  CHECK(fit("test_normaliser.h5", &twin, constant, &norm));
  whiteness(norm, &twin, &constant_mean, &constant_covariance);
  CHECK(NormaliserDestroy(&norm));
  printf("# mean %.3f covariance %.3f; with constant scales %.3f\n", mean, covariance, constant_covariance);
  /* 4114 training rows: a mean regressed with 10 coefficients errs by sqrt(10 / 4114) = .05 SD on average over the
   * space, a variance with 6 by sqrt(2 x 6 / 4114) = .05, a coupling by sqrt(6 / 4114) = .04; ten conditions scatter
   * about that. */
  assert_true(mean < 0.08 && covariance < 0.08);
  assert_true(constant_covariance > 3 * covariance);
}

/* A derived channel has little say in what the first mode is, and y stays white.  Both channels vary alike here, and of
 * a pattern over them the derived one keeps its weight, .3: of the squares of the mode at most some .1. */
static void a_derived_channel_weighs_less(void **state)
{
  static const ScoriaTwin with = {.solve = solve_twin, .reference = {1000, NAN}, .derived = {false, true}};
  double share[2]              = {0, 0}, mean, covariance;
  ScoriaNormaliser norm;
  (void)state;
  for (int derived = 0; derived < 2; derived++) {
    CHECK(fit("test_normaliser.h5", derived ? &with : &twin, usual, &norm));
    const double *V = profile_of(norm)->V;
    for (int j = L; j < M; j++) share[derived] += V[j] * V[j];
    if (derived) whiteness(norm, &with, &mean, &covariance);
    CHECK(NormaliserDestroy(&norm));
  }
  printf("# share of channel 1 in the first mode %.3f, derived %.3f; mean %.3f covariance %.3f\n", share[0], share[1],
         mean, covariance);
  assert_true(share[0] > 0.3 && share[1] < 0.15);
  assert_true(mean < 0.08 && covariance < 0.08); /* as above */
}

static void decoding_inverts_encoding(void **state)
{
  enum { N = 37 };
  double theta[3], e[TRUE_MODES], x[N * M], back[N * M], y[N * TRUE_MODES], again[N * M], lost = 0;
  ScoriaNormaliser norm;
  (void)state;
  CHECK(fit("test_normaliser.h5", &twin, usual, &norm));
  theta_of(HELD + 1, theta);
  CHECK(ScoriaNormaliserAt(norm, &twin, theta));
  for (int i = 0; i < N; i++) {
    rng_normal(13, SCORIA_STREAM_HELDOUT, (uint64_t)i, 0, TRUE_MODES, e);
    draw(theta, e, x + i * M);
  }
  normaliser_encode(norm, N, x, y);
  normaliser_decode(norm, N, y, back);
  /* Four modes of all conditions together do not quite span the data at one of them, as s changes from cell to cell
   * with theta; v has a spread of about .3, of which the four modes keep all but a few per cent of the variance. */
  for (int i = 0; i < N; i++)
    for (int j = 0; j < M; j++) {
      const double scale = j < L ? reference - x[i * M + j] : 1;
      lost += pow((back[i * M + j] - x[i * M + j]) / scale, 2) / (N * M);
    }
  printf("# rms left out by the modes %.4f\n", sqrt(lost));
  assert_true(sqrt(lost) < 0.05);
  normaliser_encode(norm, N, back, again); /* within the span the two are inverse to rounding */
  for (int i = 0; i < N * TRUE_MODES; i++) assert_true(fabs(again[i] - y[i]) < 1e-9 * (1 + fabs(y[i])));
  for (int i = 0; i < N; i++) { /* one row at a time: the same bits */
    double one[M];
    normaliser_decode(norm, 1, y + i * TRUE_MODES, one);
    assert_memory_equal(one, back + i * M, sizeof one);
    normaliser_encode(norm, 1, x + i * M, one);
    assert_memory_equal(one, y + i * TRUE_MODES, TRUE_MODES * sizeof(double));
  }
  x[M + 3] = reference + 1; /* the wrong side of the reference: row 1 alone is lost */
  normaliser_encode(norm, N, x, again);
  for (int k = 0; k < TRUE_MODES; k++) assert_true(isnan(again[TRUE_MODES + k]));
  assert_memory_equal(again, y, TRUE_MODES * sizeof(double));
  assert_memory_equal(again + 2 * TRUE_MODES, y + 2 * TRUE_MODES, (N - 2) * TRUE_MODES * sizeof(double));
  CHECK(NormaliserDestroy(&norm));
}

/* Saves and loads. */
static void through_a_file(ScoriaNormaliser norm, ScoriaNormaliser *loaded)
{
  ScoriaStore store;
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  if (rank == 0) unlink("test_normaliser_model.h5");
  MPI_Barrier(PETSC_COMM_WORLD);
  CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, "test_normaliser_model.h5", "model", "run: {seed: 1}\n", &store));
  CHECK(NormaliserSave(norm, store));
  CHECK(ScoriaStoreClose(&store));
  CHECK(ScoriaStoreOpen(PETSC_COMM_WORLD, "test_normaliser_model.h5", "model", &store));
  CHECK(NormaliserLoad(store, loaded));
  CHECK(ScoriaStoreClose(&store));
}

static void a_stored_normaliser_is_the_same_and_so_is_that_of_other_ranks(void **state)
{
  ScoriaNormaliser norm, loaded;
  double theta[3], y[5 * TRUE_MODES], a[5 * M], b[5 * M], first[5 * M];
  (void)state;
  CHECK(fit("test_normaliser.h5", &twin, usual, &norm));
  through_a_file(norm, &loaded);
  theta_of(HELD + 2, theta);
  rng_normal(1, SCORIA_STREAM_SAMPLE, 0, 0, 5 * TRUE_MODES, y);
  CHECK(ScoriaNormaliserAt(norm, &twin, theta));
  CHECK(ScoriaNormaliserAt(loaded, &twin, theta));
  normaliser_decode(norm, 5, y, a);
  normaliser_decode(loaded, 5, y, b);
  assert_memory_equal(a, b, sizeof a);
  memcpy(first, a, sizeof a);
  (void)MPI_Bcast(first, 5 * M, MPI_DOUBLE, 0, PETSC_COMM_WORLD);
  assert_memory_equal(a, first, sizeof a);
  ScoriaFailureReset();
  assert_int_not_equal(ScoriaNormaliserAt(loaded, NULL, theta), 0); /* made with a twin */
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  CHECK(NormaliserDestroy(&norm));
  CHECK(NormaliserDestroy(&loaded));
}

static void without_a_twin_the_regression_serves(void **state)
{
  ScoriaNormaliser norm;
  double mean, covariance;
  const ScoriaTwin none = {.reference = {NAN, NAN}};
  (void)state;
  CHECK(fit("test_normaliser.h5", NULL, usual, &norm));
  assert_true(!profile_of(norm)->logged[0] && !profile_of(norm)->twin);
  CHECK(NormaliserDestroy(&norm));
  CHECK(fit("test_normaliser.h5", &none, usual, &norm));
  assert_true(!profile_of(norm)->logged[0]);
  CHECK(NormaliserDestroy(&norm));
  const ScoriaTwin only_reference = {.reference = {1000, NAN}};
  CHECK(fit("test_normaliser.h5", &only_reference, usual, &norm));
  assert_true(profile_of(norm)->logged[0]);
  whiteness(norm, NULL, &mean, &covariance);
  printf("# without a twin: mean %.3f covariance %.3f\n", mean, covariance);
  assert_true(mean < 0.08 && covariance < 0.08); /* sqrt(u) and exp(u) are left to a cubic */
  CHECK(NormaliserDestroy(&norm));
}

/* Rms over rows of a held-out condition of what decode(encode(x)) misses of x_j - x_0 in channel 1. */
static double shape_error(ScoriaNormaliser norm)
{
  enum { N = 200 };
  static double x[N * M], back[N * M], y[N * TRUE_MODES];
  double theta[3], sum = 0;
  theta_of(HELD + 1, theta);
  CHECK(ScoriaNormaliserAt(norm, &twin, theta));
  for (int i = 0; i < N; i++) {
    double e[TRUE_MODES];
    rng_normal(13, SCORIA_STREAM_HELDOUT, (uint64_t)i, 0, TRUE_MODES, e);
    draw(theta, e, x + i * M);
  }
  normaliser_encode(norm, N, x, y);
  normaliser_decode(norm, N, y, back);
  for (int i = 0; i < N; i++)
    for (int j = L + 1; j < M; j++)
      sum += pow(back[i * M + j] - back[i * M + L] - (x[i * M + j] - x[i * M + L]), 2) / (N * (L - 1));
  return sqrt(sum);
}

/* ln sqrt(det(J^T J)) by central differences of decode. */
static double volume_by_differences(ScoriaNormaliser norm, const double y[])
{
  const double h = 1e-4;
  double J[TRUE_MODES * M], gram[TRUE_MODES * TRUE_MODES], sum = 0;
  for (int k = 0; k < TRUE_MODES; k++) {
    double moved[TRUE_MODES], below[M];
    memcpy(moved, y, sizeof moved);
    moved[k] = y[k] - h;
    normaliser_decode(norm, 1, moved, below);
    moved[k] = y[k] + h;
    normaliser_decode(norm, 1, moved, J + k * M);
    for (int j = 0; j < M; j++) J[k * M + j] = (J[k * M + j] - below[j]) / (2 * h);
  }
  la_gemm(false, true, TRUE_MODES, TRUE_MODES, M, 1, J, M, J, M, 0, gram, TRUE_MODES);
  assert_true(la_cholesky(TRUE_MODES, gram));
  for (int k = 0; k < TRUE_MODES; k++) sum += log(gram[k * TRUE_MODES + k]);
  return sum;
}

/* A level thirty times the spread of the shape in channel 1: the shape is kept all the same, and the law still becomes
 * white. */
static void a_small_shape_on_a_large_level_is_kept(void **state)
{
  ScoriaNormaliserOptions plain = usual;
  ScoriaNormaliser norm, loaded;
  double theta[3], mean, covariance, y[TRUE_MODES], a[M], b[M], work[M + TRUE_MODES * M + TRUE_MODES * TRUE_MODES];
  (void)state;
  level = 10;
  make_dataset("test_normaliser_level.h5", false, CONDITIONS, REALISATIONS);
  plain.relative = false;
  CHECK(fit("test_normaliser_level.h5", &twin, plain, &norm));
  assert_true(!profile_of(norm)->relative[1]);
  CHECK(NormaliserDestroy(&norm));
  CHECK(fit("test_normaliser_level.h5", &twin, usual, &norm));
  assert_true(!profile_of(norm)->relative[0] && profile_of(norm)->relative[1]);
  whiteness(norm, &twin, &mean, &covariance);
  const double missed = shape_error(norm);
  printf("# on a level: mean %.3f covariance %.3f; missed of the shape %.4f\n", mean, covariance, missed);
  assert_true(mean < 0.08 && covariance < 0.08 && missed < 0.05); /* as without a level */

  through_a_file(norm, &loaded);
  theta_of(HELD + 2, theta);
  rng_normal(1, SCORIA_STREAM_SAMPLE, 0, 0, TRUE_MODES, y);
  CHECK(ScoriaNormaliserAt(norm, &twin, theta));
  CHECK(ScoriaNormaliserAt(loaded, &twin, theta));
  normaliser_decode(norm, 1, y, a);
  normaliser_decode(loaded, 1, y, b);
  assert_memory_equal(a, b, sizeof a);
  normaliser_encode(loaded, 1, a, b);
  for (int k = 0; k < TRUE_MODES; k++) assert_true(fabs(b[k] - y[k]) < 1e-9 * (1 + fabs(y[k])));
  /* differences: h^2 / 6 of the third derivative, and 1e-13 (of x = 1000) / h = 1e-9 */
  assert_true(fabs(normaliser_log_volume(norm, y, work) - volume_by_differences(norm, y)) < 1e-6);
  CHECK(NormaliserDestroy(&norm));
  CHECK(NormaliserDestroy(&loaded));
  level = 0;
}

/* Every decoded value, of coordinates 40 times as large as those of data. */
static void extremes(ScoriaNormaliser norm, double *lo, double *hi)
{
  enum { N = 50 };
  double theta[3], y[N * TRUE_MODES], x[N * M];
  theta_of(HELD + 3, theta);
  CHECK(ScoriaNormaliserAt(norm, &twin, theta));
  rng_normal(1, SCORIA_STREAM_SAMPLE, 0, 0, N * TRUE_MODES, y);
  for (int k = 0; k < N * TRUE_MODES; k++) y[k] *= 40;
  normaliser_decode(norm, N, y, x);
  *lo = INFINITY, *hi = -INFINITY;
  for (int i = 0; i < N; i++)
    for (int j = 0; j < L; j++) *lo = fmin(*lo, x[i * M + j]), *hi = fmax(*hi, x[i * M + j]);
}

/* Channel 0, some 990 below its reference of 1000, with bounds [0, inf): the interval is [0, 1000].  With a reference
 * that rows cross, the bound counts alone; with one below all rows, the logarithm keeps it as it does without bounds.
 */
static void bounds_beside_a_reference_are_kept(void **state)
{
  static const struct {
    double reference, lo, hi; /* NaN: no bounds are left */
  } known[] = {{1000, 0, 1000}, {990, 0, INFINITY}, {100, NAN, NAN}};
  double lo, hi, mean, covariance, theta[3], y[TRUE_MODES], a[M], b[M], work[M + TRUE_MODES * (M + TRUE_MODES)];
  ScoriaNormaliser norm, loaded;
  (void)state;
  CHECK(fit("test_normaliser.h5", &twin, usual, &norm));
  extremes(norm, &lo, &hi);
  assert_true(lo < 0 && hi <= 1000); /* which the reference alone does not prevent */
  CHECK(NormaliserDestroy(&norm));
  for (int k = 0; k < 3; k++) {
    const ScoriaTwin with = {
        .solve = solve_twin, .reference = {known[k].reference, NAN}, .bounded = {true}, .bounds = {{0, INFINITY}}};
    CHECK(fit("test_normaliser.h5", &with, usual, &norm));
    through_a_file(norm, &loaded);
    const NormProfile of = profile_of(loaded);
    assert_true(of->bounds[0].on == !isnan(known[k].lo) && of->logged[0] == isnan(known[k].lo) && !of->bounds[1].on);
    if (of->bounds[0].on) assert_true(of->bounds[0].lo == known[k].lo && of->bounds[0].hi == known[k].hi);
    extremes(loaded, &lo, &hi);
    assert_true(lo >= (k == 2 ? 100 : 0) && (k > 0 || hi <= 1000));
    theta_of(HELD + 2, theta);
    rng_normal(1, SCORIA_STREAM_SAMPLE, 0, 0, TRUE_MODES, y);
    CHECK(ScoriaNormaliserAt(loaded, &with, theta));
    normaliser_decode(loaded, 1, y, a);
    normaliser_encode(loaded, 1, a, b);
    for (int j = 0; j < TRUE_MODES; j++) assert_true(fabs(b[j] - y[j]) < 1e-8 * (1 + fabs(y[j])));       /* x of 1000 */
    assert_true(fabs(normaliser_log_volume(loaded, y, work) - volume_by_differences(loaded, y)) < 1e-6); /* as above */
    if (k == 0) {
      whiteness(loaded, &with, &mean, &covariance);
      printf("# with bounds: mean %.3f covariance %.3f\n", mean, covariance);
      assert_true(mean < 0.08 && covariance < 0.08); /* as without: ln(x / 1000) hardly varies */
    }
    CHECK(NormaliserDestroy(&norm));
    CHECK(NormaliserDestroy(&loaded));
  }
}

/* Without whitening the coordinates are the standardised fields: nothing of a field is lost, every one has unit scale,
 * and what they have in common is left to the network. */
static void without_whitening_the_fields_are_the_coordinates(void **state)
{
  enum { N = 4000 };
  static double x[N * M], y[N * M], back[N * M];
  ScoriaNormaliserOptions plain = usual;
  ScoriaNormaliser fitted, norm;
  double theta[3], mean = 0, spread = 0, together = 0;
  int modes, all;
  (void)state;
  plain.whitening = false;
  CHECK(fit("test_normaliser.h5", &twin, plain, &fitted));
  through_a_file(fitted, &norm);
  CHECK(NormaliserDestroy(&fitted));
  CHECK(ScoriaNormaliserSizes(norm, NULL, NULL, &modes, &all));
  assert_true(modes == M && all == M);
  theta_of(HELD + 1, theta);
  CHECK(ScoriaNormaliserAt(norm, &twin, theta));
  for (int i = 0; i < N; i++) {
    double e[TRUE_MODES];
    rng_normal(13, SCORIA_STREAM_HELDOUT, (uint64_t)i, 0, TRUE_MODES, e);
    draw(theta, e, x + (size_t)i * M);
  }
  normaliser_encode(norm, N, x, y);
  normaliser_decode(norm, N, y, back);
  for (int i = 0; i < N * M; i++) assert_true(fabs(back[i] - x[i]) < 1e-9); /* rounding of 1000 in channel 0 */
  for (int j = 0; j < M; j++) {
    double sum = 0, square = 0, product = 0;
    for (int i = 0; i < N; i++) {
      sum += y[i * M + j] / N;
      square += y[i * M + j] * y[i * M + j] / N;
      product += y[i * M + j] * y[i * M + (j + 1) % M] / N;
    }
    mean += sum * sum / M;
    spread += pow(square - 1, 2) / M;
    together += product * product / M;
  }
  printf("# not whitened: mean %.3f, mean square - 1 %.3f, products of neighbours %.2f\n", sqrt(mean), sqrt(spread),
         sqrt(together));
  /* Regression errors of .05, as above, and those of s, whose truth at a condition is no polynomial in u: the modes'
   * shares change with it.  4,000 draws scatter the squares by .02.  Few modes make neighbours depend on each other. */
  assert_true(sqrt(mean) < 0.08 && sqrt(spread) < 0.12 && sqrt(together) > 0.3);
  CHECK(NormaliserDestroy(&norm));
}

/* A field that never varies comes back as it is, whatever is drawn. */
static void a_field_that_never_varies_stays(void **state)
{
  const ScoriaTwin reference_only = {.reference = {1000, NAN}};
  ScoriaNormaliserOptions options = usual;
  double theta[3], y[M], x[M];
  (void)state;
  still = true;
  make_dataset("test_normaliser_still.h5", false, CONDITIONS, REALISATIONS);
  still = false;
  theta_of(HELD + 1, theta);
  for (int k = 0; k < 2; k++) {
    ScoriaNormaliser norm;
    int modes;
    options.whitening = k == 0;
    CHECK(fit("test_normaliser_still.h5", &reference_only, options, &norm));
    CHECK(ScoriaNormaliserSizes(norm, NULL, NULL, NULL, &modes));
    assert_int_equal(modes, k == 0 ? TRUE_MODES : L); /* none of them is of the field that stays */
    CHECK(ScoriaNormaliserAt(norm, NULL, theta));
    rng_normal(13, SCORIA_STREAM_HELDOUT, 0, 0, modes, y);
    normaliser_decode(norm, 1, y, x);
    for (int j = L; j < M; j++) assert_true(fabs(x[j] - 2.5) < 1e-9); /* rounding of the least squares */
    assert_true(fabs(x[0] - 1000) > 1e-3);
    CHECK(NormaliserDestroy(&norm));
  }
}

/* Mean squares of three normals each: the Gamma regression finds their logarithm without the bias of ln chi^2_3 / 3,
 * -.37. */
static void gamma_regression_is_unbiased_for_three_realisations(void **state)
{
  enum { N = 4000, P = 3 };
  static double X[N * P], S2[N], w[N];
  const double truth[P] = {0.7, -0.5, 0.2};
  double B[P];
  (void)state;
  for (int i = 0; i < N; i++) {
    const double u = -1 + 2.0 * i / (N - 1);
    double z[3], eta = 0;
    rng_normal(2, SCORIA_STREAM_VALIDATION, (uint64_t)i, 0, 3, z);
    X[i * P] = 1, X[i * P + 1] = sqrt(3) * u, X[i * P + 2] = sqrt(5) * (3 * u * u - 1) / 2;
    for (int k = 0; k < P; k++) eta += truth[k] * X[i * P + k];
    S2[i] = exp(eta) * (z[0] * z[0] + z[1] * z[1] + z[2] * z[2]) / 3;
    w[i]  = 3;
  }
  const NormTiles tiles = {PETSC_COMM_SELF, 2, (const int64_t[]){0, N / 3, N}, (const int[]){N / 3, N - N / 3}};
  CHECK(NormGammaRegression(&(NormDesign){tiles, P, 1, X, w, NULL}, S2, B));
  for (int k = 0; k < P; k++) assert_true(fabs(B[k] - truth[k]) < 4 * sqrt(2.0 / 3 / N)); /* 4 standard errors: .05 */
}

static void polynomials_are_orthonormal_and_complete(void **state)
{
  const int levels[3] = {9, 2, 9};
  enum { Q = 8 };
  /* Gauss-Legendre, 8 points, by Newton's method */
  double node[Q], weight[Q], gram = 0;
  NormPoly poly;
  double value[64], sum[64][64] = {{0}};
  (void)state;
  CHECK(NormPolyCreate(3, 4, levels, &poly));
  assert_int_equal(poly.terms,
                   35 - 10); /* degree 4 in three variables without powers 2, 3, 4 of the second: 6 + 3 + 1 */
  for (int i = 0; i < Q; i++) {
    double x = cos(PETSC_PI * (i + 0.75) / (Q + 0.5)), slope = 0;
    for (int it = 0; it < 50; it++) {
      double p0 = 1, p1 = x;
      for (int n = 1; n < Q; n++) {
        const double p2 = ((2 * n + 1) * x * p1 - n * p0) / (n + 1);
        p0 = p1, p1 = p2;
      }
      slope = Q * (x * p1 - p0) / (x * x - 1);
      x -= p1 / slope;
    }
    node[i]   = x;
    weight[i] = 1 / ((1 - x * x) * slope * slope); /* over the uniform law: half of the usual weight */
  }
  for (int i = 0; i < Q * Q * Q; i++) {
    const double u[3] = {node[i % Q], node[i / Q % Q], node[i / Q / Q]};
    norm_poly_values(&poly, u, value);
    for (int a = 0; a < poly.terms; a++)
      for (int b = 0; b < poly.terms; b++)
        sum[a][b] += weight[i % Q] * weight[i / Q % Q] * weight[i / Q / Q] * value[a] * value[b];
  }
  for (int a = 0; a < poly.terms; a++)
    for (int b = 0; b < poly.terms; b++) gram = fmax(gram, fabs(sum[a][b] - (a == b)));
  assert_true(gram < 1e-12);
  CHECK(NormPolyDestroy(&poly));
}

/* Nothing varies: one law, whose modes number four however many are asked for. */
static void a_single_condition_has_its_own_modes_only(void **state)
{
  enum { N = 3 };
  const ScoriaNormaliserOptions many = {8, 10, 3, 2, true, true, false, false, 0, NULL};
  double theta[3], e[TRUE_MODES], x[N * M], y[N * TRUE_MODES], back[N * M];
  ScoriaNormaliser norm;
  int modes, all;
  (void)state;
  make_dataset("test_normaliser_fixed.h5", true, CONDITIONS, 20);
  CHECK(fit("test_normaliser_fixed.h5", &twin, many, &norm));
  CHECK(ScoriaNormaliserSizes(norm, NULL, NULL, &modes, &all));
  assert_int_equal(modes, TRUE_MODES);
  assert_int_equal(all, TRUE_MODES);
  theta_of(0, theta);
  CHECK(ScoriaNormaliserAt(norm, &twin, theta));
  for (int i = 0; i < N; i++) {
    rng_normal(13, SCORIA_STREAM_HELDOUT, (uint64_t)i, 0, TRUE_MODES, e);
    draw(theta, e, x + i * M);
  }
  normaliser_encode(norm, N, x, y);
  normaliser_decode(norm, N, y, back); /* the modes span the data: exact to rounding, of 1000 in channel 0 */
  for (int i = 0; i < N * M; i++) assert_true(fabs(back[i] - x[i]) < 1e-9);
  CHECK(NormaliserDestroy(&norm));
}

/* A law of four modes at one condition: in single precision c of some 1000, 3 to 10 away from its reference, is known
 * to 1e-5 of that distance, and the rest of the covariance is round-off. */
static void round_off_is_no_mode(void **state)
{
  ScoriaNormaliserOptions opt = usual;
  ScoriaNormaliser norm;
  int all;
  (void)state;
  opt.all_modes = M;
  for (single = false;; single = true) {
    make_dataset("test_normaliser_single.h5", true, CONDITIONS, 20);
    CHECK(fit("test_normaliser_single.h5", &twin, opt, &norm));
    CHECK(ScoriaNormaliserSizes(norm, NULL, NULL, NULL, &all));
    assert_int_equal(all, TRUE_MODES);
    CHECK(NormaliserDestroy(&norm));
    if (single) break;
  }
  single = false;
}

static void what_cannot_be_fitted_is_said(void **state)
{
  ScoriaNormaliser norm;
  (void)state;
  make_dataset("test_normaliser_one.h5", true, 1, 1); /* one row in all */
  ScoriaFailureReset();
  assert_int_not_equal(fit("test_normaliser_one.h5", &twin, usual, &norm), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "do not vary"));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(polynomials_are_orthonormal_and_complete),
      cmocka_unit_test(gamma_regression_is_unbiased_for_three_realisations),
      cmocka_unit_test(gaussian_data_become_white_at_unseen_conditions),
      cmocka_unit_test(a_derived_channel_weighs_less),
      cmocka_unit_test(decoding_inverts_encoding),
      cmocka_unit_test(a_stored_normaliser_is_the_same_and_so_is_that_of_other_ranks),
      cmocka_unit_test(without_a_twin_the_regression_serves),
      cmocka_unit_test(a_small_shape_on_a_large_level_is_kept),
      cmocka_unit_test(bounds_beside_a_reference_are_kept),
      cmocka_unit_test(without_whitening_the_fields_are_the_coordinates),
      cmocka_unit_test(a_field_that_never_varies_stays),
      cmocka_unit_test(a_single_condition_has_its_own_modes_only),
      cmocka_unit_test(round_off_is_no_mode),
      cmocka_unit_test(what_cannot_be_fitted_is_said),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
