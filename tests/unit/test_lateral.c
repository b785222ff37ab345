/* The normaliser of whole fields on data whose law is known.  ranks: 2 3
 * Scores g are Gaussian, homogeneous along y and z: at every wave number of a list two modes along x, of random phase.
 * Fields are monotone functions of them, the same at every lateral place: the first is skewed, the second Gaussian, and
 * both depend on one condition.  A porosity beside them has the normals of the second. */
#include "scoria/linalg.h"
#include "score/knot_loops.h"
#include "score/lateral_fit.h"
#include "score/train_data.h"
#include "row_dataset.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { C = 2, NX = 5, NY = 8, NZ = 6, N = NY * NZ, E = C * NX, M = E * N, CONDITIONS = 54, REALISATIONS = 18 };

static const char *path = "test_lateral.h5";

/* Wave numbers (kz, ky), all of whose signs are drawn, and the standard deviation of a part at the condition u. */
static const struct {
  int kz, ky;
  double size[2];
} wave[] = {{0, 0, {.6, .3}}, {0, 1, {.5, .2}}, {1, 0, {.4, .3}}, {1, 1, {.3, .2}}, {2, 1, {.2, .1}}, {0, 4, {.2, .1}}};
enum { WAVES = sizeof wave / sizeof wave[0] };

/* The first turns with the condition, so that modes of the pooled covariance are correlated at any one. */
static double mode_at(int k, int c, int x, double u)
{
  const double cosine = cos(PETSC_PI * (x + 0.5) / NX);
  return k == 0 ? (c ? 0.8 + 0.5 * u * cosine : 1) : cosine * (c ? 1 : -0.7);
}

/* The score at u has this variance in element (c, x): each mode at a wave number has 1, 2 or 4 parts of unit weight. */
static double score_deviation(int c, int x, double u)
{
  double sum = 0;
  for (int w = 0; w < WAVES; w++)
    for (int k = 0; k < 2; k++) {
      const double size = wave[w].size[k] * (k ? exp(0.3 * u) : 1);
      sum += size * size * pow(mode_at(k, c, x, u), 2);
    }
  return sqrt(sum);
}

static void draw_scores(uint64_t id, double u, double g[M])
{
  memset(g, 0, sizeof *g * M);
  for (int w = 0; w < WAVES; w++) {
    const int signs = wave[w].kz && wave[w].ky ? 2 : 1;
    double e[8];
    rng_normal(11, SCORIA_STREAM_POROSITY, id, (uint32_t)(4 * w), 8, e);
    for (int k = 0; k < 2; k++)
      for (int s = 0; s < signs; s++) {
        const double size = wave[w].size[k] * (k ? exp(0.3 * u) : 1) / sqrt(signs), *part = e + 4 * k + 2 * s;
        for (int z = 0; z < NZ; z++)
          for (int y = 0; y < NY; y++) {
            const double phase =
                2 * PETSC_PI * ((s ? -1 : 1) * (double)wave[w].kz * z / NZ + (double)wave[w].ky * y / NY);
            const double value = 2 * wave[w].kz % NZ == 0 && 2 * wave[w].ky % NY == 0
                                     ? size * part[0] * cos(phase)
                                     : size * (part[0] * cos(phase) + part[1] * sin(phase));
            for (int c = 0; c < C; c++)
              for (int x = 0; x < NX; x++) g[((c * NZ + z) * NY + y) * NX + x] += value * mode_at(k, c, x, u);
          }
      }
  }
}

/* The value of an element whose score, of unit variance, is t. */
static double value_of(int c, int x, double u, double t)
{
  return c ? 6 + u * x + 0.2 * t : u * u + (1 + 0.3 * u) * (exp((0.4 + 0.1 * u) * t) + 0.1 * x);
}

static void draw(uint64_t id, double u, double field[M])
{
  draw_scores(id, u, field);
  for (int c = 0; c < C; c++)
    for (int i = 0; i < N * NX; i++) {
      double *at = field + c * N * NX + i;
      *at        = value_of(c, i % NX, u, *at / score_deviation(c, i % NX, u));
    }
}

/* The porosity whose normals are the scores of the second field. */
static void draw_porosity(double u, const double field[M], double eps[N * NX])
{
  for (int i = 0; i < N * NX; i++) eps[i] = 1 / (1 + exp(-(field[N * NX + i] - value_of(1, i % NX, u, 0)) / 0.2));
}

static bool normals_of(void *ctx, const double theta[], int64_t cells, const double eps[], double g[])
{
  (void)ctx;
  (void)theta;
  for (int64_t i = 0; i < cells; i++) g[i] = log(eps[i] / (1 - eps[i]));
  return true;
}

static void fill_rows(const void *ctx, ScoriaRows *rows)
{
  double *field;
  (void)ctx;
  CHECK(PetscMalloc1(M, &field));
  for (int64_t i = 0; i < rows->rows; i++) {
    rows->condition[0][i] = unit_of(i / REALISATIONS, CONDITIONS);
    rows->done[i]         = i % 97 ? SCORIA_ROW_DONE : SCORIA_ROW_FAILED;
    draw((uint64_t)i, rows->condition[0][i], field);
    for (int c = 0; c < C; c++) memcpy(rows->field[c] + i * N * NX, field + c * N * NX, sizeof *field * N * NX);
    draw_porosity(rows->condition[0][i], field, rows->field[C] + i * N * NX);
  }
  CHECK(PetscFree(field));
}

static void make_dataset(void)
{
  const ScoriaDatasetSpec spec = {.rows         = CONDITIONS * REALISATIONS,
                                  .cells        = NX * N,
                                  .shape        = {NX, NY, NZ},
                                  .nfields      = C + 1,
                                  .realisations = REALISATIONS,
                                  .float64      = true,
                                  .field        = {{"a", "", "", false}, {"b", "", "", false}, {"eps", "", "", true}},
                                  .space        = {1, {{"p", "", -1, 1, false}}}};
  write_row_dataset(path, &spec, fill_rows, NULL);
}

static void fit(MPI_Comm comm, const ScoriaTwin *twin, ScoriaNormaliser *norm, NormWhitened *whitened)
{
  const ScoriaNormaliserOptions opt = {20, 0, 3, 2, true, true, false, false, 0.9999, NULL};
  const int channel[C]              = {0, 1};
  bool train[CONDITIONS];
  ScoriaDataset ds;
  for (int i = 0; i < CONDITIONS; i++) train[i] = i % 6 != 3;
  const TrainSplit split = {.list = train};
  CHECK(ScoriaDatasetOpen(comm, path, &ds));
  const NormInput in  = {.comm = comm, .ds = ds, .channel = channel, .split = &split, .twin = twin};
  const NormTask task = {.options = &opt, .whitened = whitened};
  CHECK(NormaliserCreate(&scoria_bases[1], ds, C, twin, &opt, norm));
  CHECK(NormaliserPrepare(*norm, &in, &task));
  CHECK(ScoriaDatasetClose(&ds));
}

/* Of a file of this rank alone. */
static const char *own_path(void)
{
  static char own[64];
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  snprintf(own, sizeof own, "test_lateral_%d.h5", rank);
  return own;
}

static ScoriaNormaliser fitted; /* on all ranks */
static NormWhitened rows;

static int set_up(void **state)
{
  (void)state;
  make_dataset();
  fit(PETSC_COMM_WORLD, NULL, &fitted, &rows);
  return 0;
}

static int tear_down(void **state)
{
  (void)state;
  CHECK(NormaliserDestroy(&fitted));
  CHECK(TrainDataDestroy(&rows.train));
  CHECK(TrainDataDestroy(&rows.valid));
  return 0;
}

static int all_coordinates(int *r)
{
  int R;
  CHECK(ScoriaNormaliserSizes(fitted, NULL, NULL, r, &R));
  return R;
}

/* Values of single cells, from their scores, are those of the field: 1e-10 of the values is the rounding of transforms.
 */
static void cells_are_functions_of_scores(void **state)
{
  const double u = unit_of(9, CONDITIONS);
  const int R    = all_coordinates(NULL);
  double *field, *y, *weight, mean[M], score[M], value[M];
  int cell[M];
  (void)state;
  CHECK(PetscCalloc3(M, &field, R, &y, M * R, &weight));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  for (int i = 0; i < M; i++) cell[i] = M - 1 - i;
  fitted->basis->scores(fitted->self, M, cell, mean, weight);
  rng_normal(5, SCORIA_STREAM_SAMPLE, 0, 0, R, y);
  normaliser_decode(fitted, 1, y, field);
  for (int i = 0; i < M; i++) {
    score[i] = mean[i];
    for (int k = 0; k < R; k++) score[i] += weight[i * R + k] * y[k];
  }
  fitted->basis->values(fitted->self, M, cell, score, value);
  for (int i = 0; i < M; i++) assert_true(fabs(value[i] - field[cell[i]]) < 1e-10 * (1 + fabs(value[i])));
  CHECK(PetscFree3(field, y, weight));
}

/* Of the coordinates of fresh fields at a condition that was left out: rms over them of their mean, of their variance
 * less 1, and of the correlations between two, of which also that of the first two modes of wave number 1; of as many
 * as the law has; the few beyond, of 1e-4 of the variance, are what the marginals leave. */
static void coordinate_moments(double *mean, double *variance, double *correlation, double *pair)
{
  enum { COUNT = 3000, K = 2 * (1 + 2 + 2 + 4 + 4 + 1) };
  const double u   = unit_of(9, CONDITIONS);
  const int R      = all_coordinates(NULL);
  NormLateral norm = fitted->self;
  double *field, *y, *sum, *square;
  CHECK(PetscCalloc4(M, &field, R, &y, R, &sum, R * R, &square));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  for (int i = 0; i < COUNT; i++) {
    draw(1000000 + (uint64_t)i, u, field);
    normaliser_encode(fitted, 1, field, y);
    for (int k = 0; k < K; k++) {
      sum[k] += y[k] / COUNT;
      for (int l = 0; l <= k; l++) square[k * R + l] += y[k] * y[l] / COUNT;
    }
  }
  *mean = *variance = *correlation = *pair = 0;
  for (int k = 0; k < K; k++) {
    *mean += sum[k] * sum[k] / K;
    *variance += pow(square[k * R + k] - 1, 2) / K;
    for (int l = 0; l < k; l++) *correlation += pow(square[k * R + l], 2) / (0.5 * K * (K - 1));
  }
  for (int j = 0, p = norm->place[norm->mode[1]], q = norm->place[norm->mode[1] + 1]; j < 2; j++)
    *pair += square[(q + j) * R + p + j] / 2; /* the second, of less variance, stands behind the first */
  *mean        = sqrt(*mean);
  *variance    = sqrt(*variance);
  *correlation = sqrt(*correlation);
  CHECK(PetscFree4(field, y, sum, square));
}

/* N(0, 1) each, and not correlated: 1 / sqrt(COUNT) is .018, sqrt(2 / COUNT) .026; the fit has 800 rows for each of its
 * functions of the condition. */
static void coordinates_are_standard_normal(void **state)
{
  double mean, variance, correlation, pair;
  (void)state;
  coordinate_moments(&mean, &variance, &correlation, &pair);
  assert_true(mean < 0.06);
  assert_true(variance < 0.12);
  assert_true(correlation < 0.05);
}

/* Without the couplings that were regressed, modes that turn with the condition are correlated: .165; with them by
 * chance, .013 of 6,000 numbers and as much of the fit. */
static void couplings_take_correlations_out(void **state)
{
  double with, without, mean, variance, correlation;
  NormLateral norm = fitted->self;
  double *kept     = norm->R_coef;
  (void)state;
  coordinate_moments(&mean, &variance, &correlation, &with);
  CHECK(PetscCalloc1(norm->scale.terms * norm->P, &norm->R_coef));
  norm->is_here = false;
  coordinate_moments(&mean, &variance, &correlation, &without);
  CHECK(PetscFree(norm->R_coef));
  norm->R_coef  = kept;
  norm->is_here = false;
  assert_true(without > 0.1 && fabs(with) < 0.06);
}

static double product(int n, const double a[], const double b[])
{
  double sum = 0;
  for (int i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

/* Fields of independent normals have the variances and the correlation that the coefficients of two modes say, here .6
 * at every condition; encoding takes them back. */
static void coupled_modes_have_their_correlation(void **state)
{
  const double u   = 0.4;
  NormLateral norm = fitted->self;
  const int c = 1, q = norm->mode[c], R = norm->R;
  double *kept = norm->R_coef, *y, *back, *field;
  (void)state;
  CHECK(PetscCalloc1(norm->scale.terms * norm->P, &norm->R_coef));
  CHECK(PetscMalloc3(R, &y, R, &back, M, &field));
  norm->powers                = false; /* which scale them */
  norm->R_coef[norm->pair[c]] = 0.6;
  norm->is_here               = false;
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  double covariance[2][2] = {{0}};
  for (int k = 0; k < norm->kept[c]; k++)
    for (int i = 0; i < 2; i++)
      for (int j = 0; j < 2; j++)
        covariance[i][j] += product(E, norm->W + (q + k) * E, norm->V + (q + i) * E) *
                            product(E, norm->W + (q + k) * E, norm->V + (q + j) * E);
  assert_true(fabs(covariance[0][0] / pow(norm->D[q], 2) - 1) < 1e-12);
  assert_true(fabs(covariance[1][1] / pow(norm->D[q + 1], 2) - 1) < 1e-12);
  assert_true(fabs(covariance[1][0] / (norm->D[q] * norm->D[q + 1]) - 0.6) < 1e-12);
  rng_normal(5, SCORIA_STREAM_REMAINDER, 2, 0, R, y);
  normaliser_decode(fitted, 1, y, field);
  normaliser_encode(fitted, 1, field, back);
  for (int k = 0; k < R; k++) assert_true(fabs(back[k] - y[k]) < 1e-6); /* 1 / D of the last mode is 1e3 */
  CHECK(PetscFree3(y, back, field));
  CHECK(PetscFree(norm->R_coef));
  norm->R_coef  = kept;
  norm->powers  = true;
  norm->is_here = false;
}

/* Correlations that are no law are damped until they are one. */
static void impossible_correlations_are_damped(void **state)
{
  const double u   = 0.4;
  NormLateral norm = fitted->self;
  double *kept     = norm->R_coef;
  (void)state;
  CHECK(PetscMalloc1(norm->scale.terms * norm->P, &norm->R_coef));
  for (int k = 0; k < norm->scale.terms * norm->P; k++) norm->R_coef[k] = k < norm->P ? -0.9 : 0;
  norm->is_here = false;
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  for (int k = 0; k < norm->Q * E; k++) assert_true(isfinite(norm->W[k]));
  assert_true(norm->L[norm->factor[0]] == 1 && norm->L[norm->factor[0] + 1] < 0);
  CHECK(PetscFree(norm->R_coef));
  norm->R_coef  = kept;
  norm->is_here = false;
}

static int by_value(const void *a, const void *b)
{
  const double p = *(const double *)a, q = *(const double *)b;
  return (p > q) - (p < q);
}

/* Decoded normals have the marginal law of the data, skewed as it is, at a condition that was left out. */
static void marginal_laws_are_reproduced(void **state)
{
  enum { COUNT = 2000 };
  static const double level[] = {0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99};
  const double u              = unit_of(15, CONDITIONS);
  const int R                 = all_coordinates(NULL);
  double *field, *y, *value;
  (void)state;
  CHECK(PetscMalloc3(M, &field, R, &y, COUNT * 12, &value));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  for (int c = 0; c < C; c++)
    for (int x = 0; x < NX; x += 2) {
      for (int i = 0; i < COUNT; i++) {
        rng_normal(3, SCORIA_STREAM_REMAINDER, (uint64_t)i, 0, R, y);
        normaliser_decode(fitted, 1, y, field);
        for (int p = 0; p < 12; p++) value[i * 12 + p] = field[(c * N + 4 * p) * NX + x];
      }
      qsort(value, COUNT * 12, sizeof *value, by_value);
      for (size_t l = 0; l < sizeof level / sizeof *level; l++) {
        const double got = value[(int)(level[l] * COUNT * 12)];
        double lo = -6, hi = 6; /* the score of what was got */
        for (int i = 0; i < 60; i++)
          if (value_of(c, x, u, (lo + hi) / 2) < got)
            lo = (lo + hi) / 2;
          else
            hi = (lo + hi) / 2;
        /* .04 from the draws alone at 1 %, with places that are correlated; and there, of the bounded side of the
         * skewed law, .1 from extrapolating linearly where fewer than 256 values of the data lie */
        assert_true(fabs(lo - normal_quantile(level[l])) < 0.2);
      }
    }
  CHECK(PetscFree3(field, y, value));
}

/* The score at z of a law whose bulk is the same at every condition and whose upper tail is not. */
static double kinked_score(double z, double u)
{
  return z < 1 ? z : 1 + (z - 1) * (1 + 0.5 * u);
}

/* The marginal law of histograms of a law whose score at z is score(z, u), at 54 conditions of 5,000 rows each. */
typedef struct {
  struct NormLateral_ norm;
  Marginal marginal;
  int64_t unsettled;
} FittedLaw;

static void fit_law(double (*law)(double z, double u), FittedLaw *f)
{
  enum { PIECES = 54, ROWS = 5000 };
  LateralData data = {.norm = &f->norm, .n = PIECES, .fitted_rows = PIECES * ROWS};
  int64_t start[2] = {0, PIECES};
  int used[1] = {PIECES}, levels[1] = {PIECES};
  double weight[PIECES], one[PIECES], *X;
  float histogram[PIECES][MARGINAL_BINS];
  *f = (FittedLaw){.norm = {.d = 1, .E = 1, .N = 1000, .edges = true}, .unsettled = -1};
  CHECK(NormPolyCreate(1, 2, levels, &f->norm.shape));
  CHECK(PetscMalloc1(PIECES * f->norm.shape.terms, &X));
  CHECK(PetscMalloc1(f->norm.shape.terms * MARGINAL_EDGES, &f->norm.score_coef));
  for (int i = 0; i < PIECES; i++) {
    const double u = unit_of(i, CONDITIONS);
    double below   = 0;
    weight[i]      = ROWS;
    one[i]         = 1;
    norm_poly_values(&f->norm.shape, &u, X + i * f->norm.shape.terms);
    for (int b = 0; b < MARGINAL_BINS; b++) {
      const double next = b < MARGINAL_EDGES ? 0.5 * erfc(-law(marginal_edge(b), u) / sqrt(2)) : 1;
      histogram[i][b]   = (float)(next - below);
      below             = next;
    }
  }
  data.tiles       = (NormTiles){PETSC_COMM_SELF, 1, start, used};
  data.start       = start;
  data.in          = (NormInput){.comm = PETSC_COMM_SELF};
  data.weight      = weight;
  data.one         = one;
  data.shape_X     = X;
  f->norm.marginal = &f->marginal;
  CHECK(LateralFitMarginals(&data, &histogram[0][0], &f->unsettled));
  CHECK(PetscFree(X));
}

static void forget_law(FittedLaw *f)
{
  CHECK(PetscFree(f->norm.score_coef));
  CHECK(NormPolyDestroy(&f->norm.shape));
}

/* Upper tails that depend on the condition though the bulk does not: from histograms of the law itself, scores at edges
 * up to 3.5 are those of the law, which is linear in the condition, but for the penalty: 5 rows among 270,000, of which
 * 1e-4 lie there. */
static void tails_follow_the_conditions(void **state)
{
  double value[3], score[MARGINAL_EDGES];
  FittedLaw f;
  (void)state;
  fit_law(kinked_score, &f);
  assert_int_equal(f.unsettled, 0);
  for (double u = -0.9; u < 1; u += 0.6) {
    norm_poly_values(&f.norm.shape, &u, value);
    la_rows_product(1, f.norm.shape.terms, MARGINAL_EDGES, value, f.norm.score_coef, NULL, score);
    for (int k = f.marginal.first; k <= f.marginal.last; k++) {
      const double want = kinked_score(marginal_edge(k), u);
      if (fabs(want) < 3.5) assert_true(fabs(score[k] - want) < 0.05);
    }
  }
  forget_law(&f);
}

/* All values of half of the conditions lie about -1, those of the others about 1. */
static double parted_score(double z, double u)
{
  return 40 * (u < 0 ? z + 1 : z - 1);
}

/* Between the two each edge parts the conditions, where the likelihood of a probit grows with its slope: steps that end
 * before they settle are counted. */
static void edges_that_part_the_conditions_are_told(void **state)
{
  FittedLaw f;
  (void)state;
  fit_law(parted_score, &f);
  printf("# %lld of %d edges have not settled\n", (long long)f.unsettled, f.marginal.last - f.marginal.first + 1);
  assert_true(f.unsettled > 0 && f.unsettled <= f.marginal.last - f.marginal.first + 1);
  forget_law(&f);
}

/* An outer edge whose score went astray, so that it is the nearest to 0, moves none of those between it and the median;
 * laws of older files, pooled ones with a tilt, keep steps of scores as small as they have. */
static void scores_at_edges_are_ordered(void **state)
{
  static const double tilt[MARGINAL_TILT], feature[MARGINAL_BINS * MARGINAL_TILT];
  double score[MARGINAL_EDGES], below = 0;
  Marginal m;
  (void)state;
  for (int b = 0; b < MARGINAL_BINS; b++) {
    const double next = b < MARGINAL_EDGES ? 0.5 * erfc(-marginal_edge(b) / sqrt(2)) : 1;
    m.mass[b]         = next - below;
    below             = next;
  }
  marginal_set_range(&m, 1e-5);
  for (int k = m.first; k <= m.last; k++) score[k] = marginal_edge(k) + 0.05;
  score[m.last] = 0.01;
  marginal_order(&m, score);
  for (int k = m.first; k < m.last; k++) assert_true(score[k] == marginal_edge(k) + 0.05);
  assert_true(score[m.last] > score[m.last - 1]);
  m.mass[m.last] = 1e-9; /* of 1e-5 that lie beyond */
  marginal_scores(&m, feature, tilt, score);
  assert_true(score[m.last] > score[m.last - 1] && score[m.last] < score[m.last - 1] + 1e-3);
}

/* Every coordinate there and back. */
static void decoding_is_inverted(void **state)
{
  const double u = 0.3;
  const int R    = all_coordinates(NULL);
  double *field, *y, *back, worst = 0;
  (void)state;
  CHECK(PetscMalloc3(M, &field, R, &y, R, &back));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  for (int i = 0; i < 20; i++) {
    rng_normal(5, SCORIA_STREAM_REMAINDER, (uint64_t)i, 0, R, y);
    normaliser_decode(fitted, 1, y, field);
    normaliser_encode(fitted, 1, field, back);
    for (int k = 0; k < R; k++) worst = fmax(worst, fabs(back[k] - y[k]));
  }
  assert_true(worst < 1e-9);
  CHECK(PetscFree3(field, y, back));
}

/* Fields that are mirrored, then shifted, have the coordinates that waves_move makes. */
static void shifts_and_reflections_act_on_coordinates(void **state)
{
  const NormLateral norm = fitted->self;
  const double u         = -0.5;
  const int R            = all_coordinates(NULL);
  double *field, *moved, *y, *want;
  float part[4];
  (void)state;
  CHECK(PetscMalloc4(M, &field, M, &moved, R, &y, R, &want));
  CHECK(ScoriaNormaliserAt(fitted, NULL, &u));
  for (int way = 0; way < 16; way++) {
    const bool mirror_y = way & 1, mirror_z = way & 2;
    const int sy = way % NY, sz = (3 * way) % NZ;
    draw(7000 + (uint64_t)way, u, field);
    for (int c = 0; c < C; c++)
      for (int z = 0; z < NZ; z++)
        for (int y0 = 0; y0 < NY; y0++) {
          const int yt = ((mirror_y ? NY - y0 : y0) + sy) % NY, zt = ((mirror_z ? NZ - z : z) + sz) % NZ;
          memcpy(moved + ((c * NZ + zt) * NY + yt) * NX, field + ((c * NZ + z) * NY + y0) * NX, sizeof *field * NX);
        }
    normaliser_encode(fitted, 1, field, y);
    normaliser_encode(fitted, 1, moved, want);
    for (int c = 0; c < norm->waves.classes; c++)
      for (int k = 0; k < norm->kept[c]; k++) {
        const int width = wave_coordinates(&norm->waves.class[c]), at = norm->place[norm->mode[c] + k];
        for (int j = 0; j < width; j++) part[j] = (float)y[at + j];
        waves_move(&norm->waves, &norm->waves.class[c], sy, sz, mirror_y, mirror_z, part);
        for (int j = 0; j < width; j++) assert_true(fabs(part[j] - want[at + j]) < 2e-6 * (1 + fabs(want[at + j])));
      }
  }
  CHECK(PetscFree4(field, moved, y, want));
}

/* Fitted alone and on all ranks, and loaded from a file: the same bits of fields and of rows. */
static void bits_are_the_same_on_any_number_of_ranks(void **state)
{
  const double u = 0.1;
  int r;
  const int R = all_coordinates(&r);
  ScoriaNormaliser alone, loaded;
  NormWhitened own;
  ScoriaStore store;
  uint32_t digest[4];
  double *y, *field[3];
  (void)state;
  fit(PETSC_COMM_SELF, NULL, &alone, &own);
  (void)unlink("test_lateral_store.h5");
  MPI_Barrier(PETSC_COMM_WORLD);
  CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, "test_lateral_store.h5", "model", "", &store));
  CHECK(NormaliserSave(fitted, store));
  CHECK(ScoriaStoreClose(&store));
  CHECK(ScoriaStoreOpen(PETSC_COMM_WORLD, "test_lateral_store.h5", "model", &store));
  CHECK(NormaliserLoad(store, &loaded));
  CHECK(ScoriaStoreClose(&store));
  CHECK(PetscMalloc4(R, &y, M, &field[0], M, &field[1], M, &field[2]));
  rng_normal(5, SCORIA_STREAM_REMAINDER, 1, 0, R, y);
  ScoriaNormaliser const of[] = {fitted, alone, loaded};
  for (int k = 0; k < 3; k++) {
    CHECK(ScoriaNormaliserAt(of[k], NULL, &u));
    normaliser_decode(of[k], 1, y, field[k]);
    assert_memory_equal(field[k], field[0], M * sizeof(double));
  }
  CHECK(TrainDataDigest(PETSC_COMM_WORLD, &rows.train, r, 1, &digest[0]));
  CHECK(TrainDataDigest(PETSC_COMM_WORLD, &rows.valid, r, 1, &digest[1]));
  CHECK(TrainDataDigest(PETSC_COMM_SELF, &own.train, r, 1, &digest[2]));
  CHECK(TrainDataDigest(PETSC_COMM_SELF, &own.valid, r, 1, &digest[3]));
  assert_true(digest[0] == digest[2] && digest[1] == digest[3]);
  assert_true(rows.train.rows + rows.valid.rows + rows.dropped == CONDITIONS * REALISATIONS && rows.dropped == 11);
  CHECK(PetscFree4(y, field[0], field[1], field[2]));
  CHECK(TrainDataDestroy(&own.train));
  CHECK(TrainDataDestroy(&own.valid));
  CHECK(NormaliserDestroy(&alone));
  CHECK(NormaliserDestroy(&loaded));
}

static ScoriaNormaliser stored(ScoriaNormaliser norm)
{
  ScoriaNormaliser loaded;
  ScoriaStore store;
  CHECK(ScoriaStoreCreate(PETSC_COMM_SELF, own_path(), "model", "run: {seed: 1}\n", &store));
  CHECK(NormaliserSave(norm, store));
  CHECK(ScoriaStoreClose(&store));
  CHECK(ScoriaStoreOpen(PETSC_COMM_SELF, own_path(), "model", &store));
  CHECK(NormaliserLoad(store, &loaded));
  CHECK(ScoriaStoreClose(&store));
  (void)unlink(own_path());
  return loaded;
}

/* Laws of older files, pooled ones with a tilt that depends on the condition, are read and stored as such. */
static void laws_with_a_tilt_are_read(void **state)
{
  const double u          = 0.7;
  ScoriaNormaliser tilted = stored(fitted), again;
  const NormLateral of    = tilted->self;
  double knot[2][E * MARGINAL_KNOTS];
  (void)state;
  of->edges = false;
  for (int tilting = 0; tilting < 2; tilting++) {
    for (int e = 0; e < E; e++) of->tilt_coef[(E + e) * MARGINAL_TILT] = 0.1 * tilting; /* of the linear term */
    of->is_here = false;
    CHECK(ScoriaNormaliserAt(tilted, NULL, &u));
    memcpy(knot[tilting], of->knot, sizeof knot[0]);
  }
  assert_true(memcmp(knot[0], knot[1], sizeof knot[0]));
  again = stored(tilted);
  CHECK(ScoriaNormaliserAt(again, NULL, &u));
  assert_false(((NormLateral)again->self)->edges);
  assert_memory_equal(((NormLateral)again->self)->knot, knot[1], sizeof knot[1]);
  CHECK(NormaliserDestroy(&tilted));
  CHECK(NormaliserDestroy(&again));
}

/* Error of the regressed mean of the second field, over the standard deviation of its lateral mean (.6^2 + .3^2 of a
 * variance of 1.3). */
static double error_of_mean(ScoriaNormaliser norm)
{
  const NormLateral lateral = norm->self;
  double sum                = 0;
  for (int i = 0; i < CONDITIONS; i++) {
    const double u = unit_of(i, CONDITIONS);
    CHECK(ScoriaNormaliserAt(norm, NULL, &u));
    for (int x = 0; x < NX; x++) sum += pow((lateral->base[NX + x] - value_of(1, x, u, 0)) / (0.2 * 0.59), 2);
  }
  return sqrt(sum / (CONDITIONS * NX));
}

/* Rows weighted by their porosities have its law's moments, and means regressed together with controls are without
 * what these say: what follows the porosity is known without the chance of the draws, the same bits on any number of
 * ranks.  Left alone the error is sqrt(4 terms / 810 rows), .07. */
static void weights_take_out_the_chance_of_the_draws(void **state)
{
  const ScoriaTwin twin = {.normals = normals_of, .reference = {NAN, NAN}};
  ScoriaNormaliser weighted, alone;
  (void)state;
  fit(PETSC_COMM_WORLD, &twin, &weighted, NULL);
  fit(PETSC_COMM_SELF, &twin, &alone, NULL);
  const NormLateral one = weighted->self, other = alone->self;
  assert_memory_equal(one->mean_coef, other->mean_coef, sizeof(double) * (size_t)(one->mean.terms * one->E));
  assert_memory_equal(one->D_coef, other->D_coef, sizeof(double) * (size_t)(one->scale.terms * one->Q));
  assert_true(error_of_mean(fitted) > 0.02);
  assert_true(error_of_mean(weighted) < 1e-5 * error_of_mean(fitted)); /* the field is linear in its controls */
  CHECK(NormaliserDestroy(&weighted));
  CHECK(NormaliserDestroy(&alone));
}

/* Of a model at u: coordinates there and back; the volume by differences of a step that hardly ever crosses a knot; and
 * field (M) of coordinates ten times as large as those of data. */
static void check_transforms(ScoriaNormaliser norm, const ScoriaTwin *twin, double u, double far[M])
{
  const double h = 1e-7;
  double *field, *y, *back, *J, *gram, *work, volume = 0, worst = 0;
  int R;
  CHECK(ScoriaNormaliserSizes(norm, NULL, NULL, NULL, &R));
  CHECK(PetscCalloc6(2 * M, &field, 2 * R, &y, R, &back, (size_t)R * M, &J, (size_t)R * R, &gram,
                     normaliser_volume_work(norm), &work));
  CHECK(ScoriaNormaliserAt(norm, twin, &u));
  rng_normal(5, SCORIA_STREAM_REMAINDER, 3, 0, R, y);
  normaliser_decode(norm, 1, y, field);
  normaliser_encode(norm, 1, field, back);
  for (int k = 0; k < R; k++) worst = fmax(worst, fabs(back[k] - y[k]));
  assert_true(worst < 1e-8);
  memcpy(y + R, y, sizeof *y * (size_t)R);
  for (int k = 0; k < R; k++) {
    y[k] += h, y[R + k] -= h;
    normaliser_decode(norm, 2, y, field);
    y[k] -= h, y[R + k] += h;
    for (int j = 0; j < M; j++) J[(size_t)k * M + j] = (field[j] - field[M + j]) / (2 * h);
  }
  la_gemm(false, true, R, R, M, 1, J, M, J, M, 0, gram, R);
  assert_true(la_cholesky(R, gram));
  for (int k = 0; k < R; k++) volume += log(gram[(size_t)k * R + k]);
  const double difference = normaliser_log_volume(norm, y, work) - volume;
  assert_true(fabs(difference) < 1e-3); /* R times the rounding of a difference, 1e-13 / h = 1e-6 */
  for (int k = 0; k < R; k++) y[k] *= 10;
  normaliser_decode(norm, 1, y, far);
  CHECK(PetscFree6(field, y, back, J, gram, work));
}

/* Field a, which is positive and below its reference, and b, which has bounds alone: both keep them. */
static void bounds_are_kept(void **state)
{
  const ScoriaTwin twin = {.reference = {200, NAN}, .bounded = {true, true}, .bounds = {{0, INFINITY}, {-9, INFINITY}}};
  ScoriaNormaliser norm, loaded;
  double field[M];
  (void)state;
  fit(PETSC_COMM_SELF, &twin, &norm, NULL);
  loaded               = stored(norm);
  const NormLateral of = loaded->self;
  assert_true(of->bounds[0].on && of->bounds[0].lo == 0 && of->bounds[0].hi == 200);
  assert_true(of->bounds[1].on && of->bounds[1].lo == -9 && isinf(of->bounds[1].hi));
  check_transforms(loaded, &twin, 0.3, field);
  for (int j = 0; j < M; j++) assert_true(field[j] >= (j < N * NX ? 0 : -9) && (j >= N * NX || field[j] <= 200));
  CHECK(NormaliserDestroy(&norm));
  CHECK(NormaliserDestroy(&loaded));
}

/* Ends at theta: ctx[c] from what field a exceeds at any score, and from what b is below, and the width of a. */
static PetscErrorCode ends_of(void *ctx, const double theta[], double near[], double far[])
{
  const double *by = ctx, u = theta[0];
  near[0] = u * u + by[0];
  near[1] = 12 + u + by[1];
  for (int x = 0; x < NX; x++) {
    far[x]      = near[0] + (by[2] + x) * (1 + 0.3 * u);
    far[NX + x] = NAN;
  }
  return 0;
}

static void expect_ends(const double by[3], LateralEndsKind a, LateralEndsKind b, double field[M])
{
  const ScoriaTwin twin = {.ends = ends_of, .ctx = (void *)by, .reference = {NAN, NAN}};
  ScoriaNormaliser norm, loaded;
  fit(PETSC_COMM_SELF, &twin, &norm, NULL);
  loaded               = stored(norm);
  const NormLateral of = loaded->self;
  assert_int_equal(of->ends[0], a);
  assert_int_equal(of->ends[1], b);
  if (a == LATERAL_ENDS_NONE) /* nothing is left to ask the equations for */
    CHECK(ScoriaNormaliserAt(loaded, NULL, &by[0]));
  else
    check_transforms(loaded, &twin, 0.3, field);
  CHECK(NormaliserDestroy(&norm));
  CHECK(NormaliserDestroy(&loaded));
}

/* Field a lies between ends that follow the condition, b below one: both keep them.  Where values pass the far end
 * there is only the near one, and where they lie on both sides of that none. */
static void ends_of_a_condition_are_kept(void **state)
{
  static const double kept[3] = {0, 0, 60}, passed[3] = {0, 0, 2}, amid[3] = {1, -6, 60};
  const double u = 0.3;
  double field[M];
  (void)state;
  expect_ends(kept, LATERAL_ENDS_BOTH, LATERAL_ENDS_BELOW, field);
  for (int j = 0; j < N * NX; j++)
    assert_true(field[j] >= u * u && field[j] <= u * u + (60 + j % NX) * (1 + 0.3 * u) && field[N * NX + j] < 12 + u);
  expect_ends(passed, LATERAL_ENDS_ABOVE, LATERAL_ENDS_BELOW, field);
  for (int j = 0; j < N * NX; j++) assert_true(field[j] > u * u && field[N * NX + j] < 12 + u);
  expect_ends(amid, LATERAL_ENDS_NONE, LATERAL_ENDS_NONE, field);
}

/* A model that goes by ends asks for them. */
static void ends_are_asked_for(void **state)
{
  static const double by[3]    = {0, 0, 60};
  static const ScoriaTwin none = {.reference = {NAN, NAN}};
  const ScoriaTwin twin        = {.ends = ends_of, .ctx = (void *)by, .reference = {NAN, NAN}};
  const double u               = 0.3;
  ScoriaNormaliser norm;
  (void)state;
  fit(PETSC_COMM_SELF, &twin, &norm, NULL);
  assert_true(ScoriaNormaliserAt(norm, &none, &u) != 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  ScoriaFailureReset();
  CHECK(NormaliserDestroy(&norm));
}

/* The law of knots has mean 0 and variance 1, by quantiles of t in the middle of shares of a normal law. */
static void standard_laws_have_mean_0_and_variance_1(void **state)
{
  enum { COUNT = 20000 };
  double z[MARGINAL_KNOTS], sum = 0, square = 0;
  (void)state;
  for (int k = 0; k < MARGINAL_KNOTS; k++) z[k] = 3 + 2 * exp(0.5 * marginal_knot(k));
  marginal_standardise(z);
  for (int i = 0; i < COUNT; i++) {
    const double at = (normal_quantile((i + 0.5) / COUNT) - marginal_knot(0)) * 4;
    const int k     = (int)PetscClipInterval(at, 0, MARGINAL_KNOTS - 2);
    const double v  = z[k] + (at - k) * (z[k + 1] - z[k]);
    sum += v / COUNT;
    square += v * v / COUNT;
  }
  assert_true(fabs(sum) < 1e-3 && fabs(square - 1) < 5e-3); /* the last share is one value: 4 e-3 of the square */
}

enum { LOOP_WIDTH = 7, LOOP_PLACES = 300, LOOP_ALL = LOOP_WIDTH * LOOP_PLACES };

/* The field (LOOP_ALL) of scores t, the same bits at every level of instructions. */
static void loop_field(const KnotField *of, const double t[], double field[])
{
  const int used = processor_level();
  double other[LOOP_ALL];
  for (int level = 0; level < PROCESSOR_LEVELS; level++) {
    if (!processor_use(level)) continue;
    knot_loops()->field(of, LOOP_PLACES, t, level ? other : field);
    if (level) assert_memory_equal(other, field, sizeof other);
  }
  assert_true(processor_use(used));
}

/* Of the field's values: those at their places among the knots, by the library's exponential to a few units of its last
 * place, with lines beyond the outer knots. */
static void check_value(const KnotField *of, int i, double place, double found)
{
  const double *knot = of->knot + i % LOOP_WIDTH * MARGINAL_KNOTS, at = place + MARGINAL_KNOTS / 2;
  const int k    = (int)PetscClipInterval(at, 0, MARGINAL_KNOTS - 2);
  const double v = knot[k] + (at - k) * (knot[k + 1] - knot[k]);
  /* rounded by adding 2, v itself by |v| 2^-52, the place by a few */
  assert_true(fabs((found - of->reference) / of->sign - exp(v)) <= (of->s ? 1e-12 : 1e-14) * (exp(v) + 2));
}

/* Fields of v = height sinh(.3 t). */
static void check_fields(double height)
{
  double knot[LOOP_WIDTH * MARGINAL_KNOTS], span[2 * LOOP_WIDTH * MARGINAL_KNOTS], rate[LOOP_WIDTH],
      exponent[LOOP_WIDTH], bend[LOOP_WIDTH], s[LOOP_PLACES], t[LOOP_ALL], field[LOOP_ALL];
  for (int i = 0; i < LOOP_WIDTH * MARGINAL_KNOTS; i++)
    knot[i] = height * sinh(0.3 * marginal_knot(i % MARGINAL_KNOTS));
  knot_spans(LOOP_WIDTH, MARGINAL_KNOTS, knot, span);
  for (int x = 0; x < LOOP_WIDTH; x++) {
    rate[x]     = 4 - 0.1 * x;
    exponent[x] = 0.06 * (x - 3);
    bend[x]     = 0.01 * (x - 2);
  }
  rng_normal(3, SCORIA_STREAM_REMAINDER, 1, 0, LOOP_ALL, t);
  rng_normal(3, SCORIA_STREAM_REMAINDER, 2, 0, LOOP_PLACES, s);
  for (int i = 0; i < LOOP_ALL; i++) t[i] *= 2;
  t[0]         = NAN;
  KnotField of = {.nx        = LOOP_WIDTH,
                  .knots     = MARGINAL_KNOTS,
                  .knot      = knot,
                  .rate      = rate,
                  .exponent  = exponent,
                  .bend      = bend,
                  .span      = span,
                  .reference = 2,
                  .sign      = -3};
  loop_field(&of, t, field);
  assert_true(isnan(field[0]));
  for (int i = 1; i < LOOP_ALL; i++) check_value(&of, i, t[i] * rate[i % LOOP_WIDTH], field[i]);
  of.s = s;
  loop_field(&of, t, field);
  assert_true(isnan(field[0]));
  for (int i = 1; i < LOOP_ALL; i++) {
    const int x    = i % LOOP_WIDTH;
    const double b = exponent[x] * s[i / LOOP_WIDTH], swell = (12 + 6 * b + b * b) / (12 - 6 * b + b * b),
                 q = t[i] * rate[x] * swell;
    check_value(&of, i, q / PetscClipInterval(1 + bend[x] * q, KNOT_LEAST, KNOT_MOST), field[i]);
  }
}

static void fields_of_scores_have_the_same_bits_at_every_level(void **state)
{
  (void)state;
  check_fields(8);   /* v differs by more than twice KNOT_NEAR from knot to knot, */
  check_fields(0.4); /* and by less, but for what is beyond the outer ones */
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(cells_are_functions_of_scores),
      cmocka_unit_test(coordinates_are_standard_normal),
      cmocka_unit_test(couplings_take_correlations_out),
      cmocka_unit_test(coupled_modes_have_their_correlation),
      cmocka_unit_test(impossible_correlations_are_damped),
      cmocka_unit_test(marginal_laws_are_reproduced),
      cmocka_unit_test(tails_follow_the_conditions),
      cmocka_unit_test(edges_that_part_the_conditions_are_told),
      cmocka_unit_test(scores_at_edges_are_ordered),
      cmocka_unit_test(decoding_is_inverted),
      cmocka_unit_test(shifts_and_reflections_act_on_coordinates),
      cmocka_unit_test(bits_are_the_same_on_any_number_of_ranks),
      cmocka_unit_test(laws_with_a_tilt_are_read),
      cmocka_unit_test(weights_take_out_the_chance_of_the_draws),
      cmocka_unit_test(bounds_are_kept),
      cmocka_unit_test(ends_of_a_condition_are_kept),
      cmocka_unit_test(ends_are_asked_for),
      cmocka_unit_test(standard_laws_have_mean_0_and_variance_1),
      cmocka_unit_test(fields_of_scores_have_the_same_bits_at_every_level),
  };
  return run_test_group(argc, argv, tests, sizeof tests / sizeof *tests, set_up, tear_down);
}
