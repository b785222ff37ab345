/* The model from dataset to file and back.  ranks: 2
 * The file alone must rebuild the denoiser: it is evaluated here a second time by plain loops in double from the arrays
 * stored. */
#include "score/model.h"
#include "score/net.h"
#include "testing.h"
#include "score/processes.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONDITIONS = 12, REALISATIONS = 30, CELLS = 10, CHANNELS = 2, POINTS = 300 };

static const char *const kinds[]       = {"modes", "cnn1d"};
static const ScoriaKey *const tables[] = {scoria_base_keys, scoria_score_keys, NULL};
static const ScoriaTwin no_twin        = {.reference = {NAN, NAN}};
static char directory[64];

static int world_rank(void)
{
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  return rank;
}

static const char *in_directory(const char *name)
{
  static char path[128];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  return path;
}

static int make_directory(void **state)
{
  (void)state;
  if (world_rank() == 0) {
    snprintf(directory, sizeof directory, "model_XXXXXX");
    if (!mkdtemp(directory)) return 1;
  }
  return MPI_Bcast(directory, sizeof directory, MPI_CHAR, 0, PETSC_COMM_WORLD);
}

static int remove_directory(void **state)
{
  char command[128];
  (void)state;
  MPI_Barrier(PETSC_COMM_WORLD);
  snprintf(command, sizeof command, "rm -rf -- %s", directory);
  return world_rank() == 0 ? system(command) : 0;
}

/* Two fields with a few skewed directions each, and a porosity; one row failed. */
static void fill_rows(const ScoriaDatasetSpec *spec, ScoriaRows *rows)
{
  rows->rows = spec->rows;
  for (int64_t i = 0; i < spec->rows; i++) {
    double g[4], u = -1 + 2.0 * (double)(i / REALISATIONS) / (CONDITIONS - 1);
    rng_normal(1, SCORIA_STREAM_SAMPLE, (uint64_t)i, 0, 4, g);
    rows->condition[0][i] = 0.5 * u + 1;
    for (int j = 0; j < CELLS; j++) {
      const double x = (j + 0.5) / CELLS, skewed = exp(0.4 * g[0]);
      rows->field[0][i * CELLS + j] = 5 + u + skewed * x + 0.3 * g[1] * cos(3 * x);
      rows->field[1][i * CELLS + j] = u * x + 0.2 * g[2] * x + 0.1 * g[3] * x * x + 0.1 * skewed;
      rows->field[2][i * CELLS + j] = 0.3;
    }
    rows->done[i]     = i == 17 ? SCORIA_ROW_FAILED : SCORIA_ROW_DONE;
    rows->reason[i]   = i == 17 ? -3 : 3;
    rows->newton[i]   = 2;
    rows->attempts[i] = 1;
    rows->residual[i] = 0;
    if (i == 17)
      for (int j = 0; j < CELLS; j++) rows->field[0][i * CELLS + j] = rows->field[1][i * CELLS + j] = NAN;
  }
}

static void make_dataset(ScoriaDataset *ds)
{
  const ScoriaDatasetSpec spec = {.rows         = CONDITIONS * REALISATIONS,
                                  .cells        = CELLS,
                                  .shape        = {CELLS, 1, 1},
                                  .nfields      = 3,
                                  .field        = {{"c", "mol m^-3", "concentration", false},
                                                   {"phi", "V", "potential", false},
                                                   {"eps", "", "porosity", true}},
                                  .space        = {1, {{"U0", "V", 0.5, 1.5, false}}},
                                  .realisations = REALISATIONS,
                                  .float64      = true};
  const ScoriaProvenance from  = {"dataset", "", 1, 1, 1, {.model = ""}};
  double x[CELLS];
  ScoriaRows rows;
  bool exists;
  CHECK(ScoriaFileExists(PETSC_COMM_WORLD, in_directory("dataset.h5"), &exists));
  if (!exists) {
    for (int j = 0; j < CELLS; j++) x[j] = 1e-6 * (j + 0.5);
    CHECK(ScoriaRowsCreate(&spec, spec.rows, &rows));
    fill_rows(&spec, &rows);
    if (world_rank() > 0) rows.rows = 0;
    CHECK(ScoriaDatasetCreate(PETSC_COMM_WORLD, in_directory("dataset.h5"), &spec, x, &from, ds));
    CHECK(ScoriaDatasetWrite(*ds, 0, &rows));
    CHECK(ScoriaDatasetFinish(ds));
    CHECK(ScoriaRowsDestroy(&rows));
  }
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, in_directory("dataset.h5"), ds));
}

#define SHORT "steps: 30, width: 20, validation: 0.2"
#define CALIBRATED "steps: 500, width: 64, validation: 0.75"
#define LONG CALIBRATED ", calibrate: false"

/* more: steps, width, validation and further keys of section train; what the training keeps on its way is gone when it
 * is over, or left. */
static void train_and(const char *kind, const char *more, bool forget, ScoriaModel *model)
{
  char text[768];
  ScoriaDeck deck;
  ScoriaRun run;
  ScoriaDataset ds;
  snprintf(text, sizeof text,
           "run: {dir: %s, seed: 3}\ntrain: {network: %s, batch: 64, micro_batches: 3, depth: 2, "
           "embed: 12,"
           " kernel: 3, patch: 3, modes: 5, all_modes: 6, degree_mean: 1, degree_scale: 1, %s}\n",
           directory, kind, more);
  make_dataset(&ds);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &deck));
  CHECK(ScoriaRunCreate(PETSC_COMM_WORLD, deck, "train", &run));
  CHECK(ScoriaModelTrain(run, deck, ds, NULL, &no_twin, model));
  if (forget) CHECK(ScoriaModelTrained(run));
  CHECK(ScoriaRunDestroy(&run));
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(ScoriaDatasetClose(&ds));
}

static void train_with(const char *kind, const char *more, ScoriaModel *model)
{
  train_and(kind, more, true, model);
}

static void train(const char *kind, ScoriaModel *model)
{
  train_with(kind, SHORT, model);
}

/* Noisy points, and the denoiser there. */
static void denoise(ScoriaModel model, int n, float x[], float out[])
{
  const double theta[] = {0.8};
  ModelAt at;
  model_at(model, theta, &at);
  rng_normalf(9, SCORIA_STREAM_SAMPLE, 0, 0, n * model->spec.r, x);
  model_denoise(&at, n, x, 0.7, out);
}

/* --------------------------------------------------------------------------------------------- plain evaluation ----
 */

static double *stored(ScoriaStore store, const char *name)
{
  int rank;
  int64_t dims[4], count = 1;
  char path[64];
  snprintf(path, sizeof path, "/network/%s", name);
  CHECK(ScoriaStoreShape(store, path, 4, &rank, dims));
  assert_true(rank > 0);
  for (int k = 0; k < rank; k++) count *= dims[k];
  float *data  = malloc(sizeof *data * (size_t)count);
  double *real = malloc(sizeof *real * (size_t)count);
  CHECK(ScoriaStoreGetFloats(store, path, count, data));
  for (int64_t i = 0; i < count; i++) real[i] = (double)data[i];
  free(data);
  return real;
}

static double *stored_of(ScoriaStore store, const char *group, const char *name)
{
  char path[48];
  snprintf(path, sizeof path, "%s/%s", group, name);
  return stored(store, path);
}

/* out (n, nout) += sum over taps of in, shifted, times W; b where given. */
static void apply(ScoriaStore store, const char *group, const char *W, const char *b, int taps, int n, int nin,
                  int nout, const double in[], double out[])
{
  double *w = stored_of(store, group, W), *bias = stored_of(store, group, b);
  for (int t = 0; t < n; t++)
    for (int o = 0; o < nout; o++) {
      double sum = bias[o];
      for (int k = 0; k < taps; k++) {
        const int from = t + k - (taps - 1) / 2;
        for (int i = 0; from >= 0 && from < n && i < nin; i++) sum += in[from * nin + i] * w[(k * nin + i) * nout + o];
      }
      out[t * nout + o] += sum;
    }
  free(w);
  free(bias);
}

static void silu(int n, double x[])
{
  for (int i = 0; i < n; i++) x[i] = x[i] / (1 + exp(-x[i]));
}

static int features(double v, int harmonics, double out[])
{
  out[0] = v;
  for (int k = 1; k <= harmonics; k++)
    out[2 * k - 1] = sin(k * PETSC_PI * v / 2), out[2 * k] = cos(k * PETSC_PI * v / 2);
  return 1 + 2 * harmonics;
}

enum { W = 20, E = 12, TOKENS = 4, MOST = 512 };

/* out = silu(film(h)) */
static void film(ScoriaStore store, const char *group, const double e[], int n, const double h[], double out[])
{
  double gb[2 * W] = {0};
  apply(store, group, "film/W", "film/b", 1, 1, E, 2 * W, e, gb);
  for (int t = 0; t < n; t++) {
    double mean = 0;
    for (int j = 0; j < W; j++) mean += h[t * W + j] * h[t * W + j] / W;
    for (int j = 0; j < W; j++) out[t * W + j] = (1 + gb[j]) * h[t * W + j] / sqrt(mean + 1e-6) + gb[W + j];
  }
  silu(n * W, out);
}

/* F of one row from the arrays in the file; tokens (n, P) in and out. */
static void plain_network(ScoriaStore store, int n, int taps, int P, const double tokens[], double lnsigma, double u,
                          double out[])
{
  double f[64], e1[E] = {0}, e[E] = {0}, h[TOKENS * W] = {0}, t[TOKENS * W], s[TOKENS * W];
  const int count = features(lnsigma / 4, 8, f);
  const int all   = count + features(u, 3, f + count);
  apply(store, "embed", "W1", "b1", 1, 1, all, E, f, e1);
  silu(E, e1);
  apply(store, "embed", "W2", "b2", 1, 1, E, E, e1, e);
  silu(E, e);
  apply(store, "in", "W", "b", 1, n, P, W, tokens, h);
  for (int block = 0; block < 2; block++) {
    const char *group = block ? "block1" : "block0";
    film(store, group, e, n, h, t);
    memset(s, 0, sizeof s);
    apply(store, group, "W1", "b1", taps, n, W, W, t, s);
    silu(n * W, s);
    apply(store, group, "W2", "b2", taps, n, W, W, s, h);
  }
  film(store, "out", e, n, h, t);
  apply(store, "out", "W", "b", 1, n, W, P, t, out);
}

/* x to F, by the grid where the network works on it. */
static void plain_F(ScoriaStore store, ScoriaModel m, const double x[], double lnsigma, double u, double F[])
{
  const int r = m->spec.r, patch = 3, P = CHANNELS * patch;
  double tokens[MOST] = {0}, out[MOST] = {0};
  if (strcmp(m->spec.kind, "modes") == 0) {
    plain_network(store, 1, 1, r, x, lnsigma, u, F);
    return;
  }
  const double *V = normaliser_basis(m->normaliser), scale = sqrt((double)CHANNELS * CELLS / r);
  for (int k = 0; k < r; k++)
    for (int i = 0; i < CHANNELS * CELLS; i++)
      tokens[i % CELLS / patch * P + i / CELLS * patch + i % CELLS % patch] +=
          scale * x[k] * V[k * CHANNELS * CELLS + i];
  plain_network(store, TOKENS, 3, P, tokens, lnsigma, u, out);
  for (int k = 0; k < r; k++)
    for (int i = 0; i < CHANNELS * CELLS; i++)
      F[k] += out[i % CELLS / patch * P + i / CELLS * patch + i % CELLS % patch] * V[k * CHANNELS * CELLS + i] / scale;
}

/* -------------------------------------------------------------------------------------------------------- tests ----
 */

/* Single against double precision through some ten layers of values of order one: 1e-5. */
static void file_rebuilds_the_denoiser(void **state)
{
  const double sigma = 0.7, u = -0.4, root = sqrt(1 + sigma * sigma);
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    float x[8 * 5], D[8 * 5];
    double largest = 0;
    ScoriaModel model;
    ScoriaStore store;
    train(kinds[kind], &model);
    CHECK(ScoriaModelSave(model, PETSC_COMM_WORLD, in_directory(kinds[kind]), "run: {}\n"));
    denoise(model, 8, x, D);
    CHECK(ScoriaStoreOpen(PETSC_COMM_WORLD, in_directory(kinds[kind]), "model", &store));
    for (int i = 0; i < 8; i++) {
      double scaled[5], F[5] = {0};
      for (int k = 0; k < 5; k++) scaled[k] = (double)x[i * 5 + k] / root;
      plain_F(store, model, scaled, log(sigma), u, F);
      for (int k = 0; k < 5; k++) {
        const double plain = (double)x[i * 5 + k] / (root * root) + sigma / root * F[k];
        if (!(fabs((double)D[i * 5 + k] - plain) <= 1e-5))
          fail_msg("%s: D is %g, by plain loops %g", kinds[kind], (double)D[i * 5 + k], plain);
        largest = fmax(largest, fabs(F[k]));
      }
    }
    assert_true(largest > 1e-3); /* the network does say something */
    CHECK(ScoriaStoreClose(&store));
    CHECK(ScoriaModelDestroy(&model));
  }
}

/* Saved and loaded, a model is the same bits; a row of D is the same bits however many rows were asked for. */
static void loading_gives_the_same_bits(void **state)
{
  static float x[POINTS * 5], before[POINTS * 5], after[POINTS * 5];
  const ScoriaField *field;
  const double *position;
  const char *deck;
  int nchannels, cells;
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    ScoriaModel model, loaded;
    train(kinds[kind], &model);
    denoise(model, POINTS, x, before);
    CHECK(ScoriaModelSave(model, PETSC_COMM_WORLD, in_directory("again.h5"), "run: {seed: 3}\n"));
    CHECK(ScoriaModelLoad(PETSC_COMM_WORLD, in_directory("again.h5"), &loaded));
    denoise(loaded, POINTS, x, after);
    assert_memory_equal(before, after, sizeof before);
    denoise(loaded, 3, x, after);
    assert_memory_equal(before, after, sizeof before);
    CHECK(ScoriaModelFields(loaded, &nchannels, &field, &cells, &position));
    assert_true(nchannels == 2 && cells == CELLS && fabs(position[1] - 1.5e-6) < 1e-18);
    assert_string_equal(field[1].name, "phi");
    assert_string_equal(field[0].unit, "mol m^-3");
    CHECK(ScoriaModelDeck(loaded, &deck));
    assert_non_null(strstr(deck, "seed: 3"));
    assert_true(loaded->steps == 30 && loaded->seed == 3 && loaded->validation == model->validation);
    CHECK(ScoriaModelDestroy(&model));
    CHECK(ScoriaModelDestroy(&loaded));
    if (world_rank() == 0) assert_int_equal(unlink(in_directory("again.h5")), 0);
    MPI_Barrier(PETSC_COMM_WORLD);
  }
}

/* Other noise levels make other weights, and the file names them; a file that names none was trained with edm. */
static void the_file_names_the_process(void **state)
{
  static float x[POINTS * 5], edm[POINTS * 5], D[POINTS * 5];
  (void)state;
  for (const ScoriaProcessRow *row = scoria_processes; row->name; row++) {
    ScoriaModel model, loaded;
    char more[128];
    snprintf(more, sizeof more, SHORT ", process: %s", row->name);
    train_with("modes", more, &model);
    denoise(model, POINTS, x, row == scoria_processes ? edm : D);
    if (row != scoria_processes) assert_memory_not_equal(edm, D, sizeof D);
    for (int named = 0; named < 2; named++) {
      if (!named) model->process.row = NULL;
      CHECK(ScoriaModelSave(model, PETSC_COMM_WORLD, in_directory("process.h5"), "run: {}\n"));
      CHECK(ScoriaModelLoad(PETSC_COMM_WORLD, in_directory("process.h5"), &loaded));
      assert_ptr_equal(loaded->process.row, named ? row : NULL);
      CHECK(ScoriaModelDestroy(&loaded));
      model->process.row = row;
      if (world_rank() == 0) assert_int_equal(unlink(in_directory("process.h5")), 0);
      MPI_Barrier(PETSC_COMM_WORLD);
    }
    CHECK(ScoriaModelDestroy(&model));
  }
}

static void wrong_shapes_are_refused(void **state)
{
  ScoriaModel model, loaded;
  (void)state;
  train("modes", &model);
  model->spec.width = 24; /* what the file says, not what it holds */
  CHECK(ScoriaModelSave(model, PETSC_COMM_WORLD, in_directory("wrong.h5"), "run: {}\n"));
  assert_int_not_equal(ScoriaModelLoad(PETSC_COMM_WORLD, in_directory("wrong.h5"), &loaded), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "/network/in/W"));
  ScoriaFailureReset();
  CHECK(ScoriaModelDestroy(&model));
}

/* Its weights mean nothing here. */
static void a_former_network_is_refused_by_name(void **state)
{
  ScoriaModel model, loaded;
  (void)state;
  train("modes", &model);
  strcpy(model->spec.kind, "waves");
  CHECK(ScoriaModelSave(model, PETSC_COMM_WORLD, in_directory("former.h5"), "run: {}\n"));
  assert_int_not_equal(ScoriaModelLoad(PETSC_COMM_WORLD, in_directory("former.h5"), &loaded), 0);
  assert_int_equal(ScoriaFailureCode(), SCORIA_EXIT_INPUT);
  assert_non_null(strstr(ScoriaFailureLine(), "its network is 'waves'"));
  assert_non_null(strstr(ScoriaFailureLine(), "-train_network modes"));
  ScoriaFailureReset();
  CHECK(ScoriaModelDestroy(&model));
}

/* The curve has one line per validation, each an object, ending at the last step. */
static void curve_is_written(void **state)
{
  char line[1024], last[1024] = "";
  ScoriaModel model;
  int lines = 0;
  (void)state;
  train("modes", &model);
  CHECK(ScoriaModelDestroy(&model));
  if (world_rank() > 0) return;
  FILE *file = fopen(in_directory("train.jsonl"), "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file) && !strstr(line, "\"kept_step\":")) {
    assert_true(line[0] == '{' && strstr(line, "\"validation\":"));
    strcpy(last, line);
    lines++;
  }
  assert_true(fgets(line, sizeof line, file) == NULL); /* what was kept is the last line */
  fclose(file);
  assert_int_equal(lines, 30);
  assert_non_null(strstr(last, "\"step\":30,"));
}

/* The lowest validation loss of train.jsonl and its step; steps: the last one there. */
static double lowest_of_curve(long long *step, long long *steps)
{
  char line[1024];
  double lowest = INFINITY;
  FILE *file    = fopen(in_directory("train.jsonl"), "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file) && !strstr(line, "\"kept_step\":")) {
    const double loss = atof(strstr(line, "\"validation\":") + strlen("\"validation\":"));
    assert_int_equal(sscanf(line, "{\"step\":%lld", steps), 1);
    if (loss < lowest) *step = *steps;
    lowest = fmin(lowest, loss);
  }
  fclose(file);
  return lowest;
}

/* 90 rows are memorised: the validation loss turns round early.  The model is that of its lowest point, which
 * eight digits of train.jsonl tell to 1e-7; with patience the training ends soon after it. */
static void overfitting_does_not_reach_the_model(void **state)
{
  ScoriaModel best, early, last;
  long long step = 0, steps = 0;
  (void)state;
  if (!on_one_rank()) return;
  train_with("modes", LONG ", patience: 0", &best);
  double lowest = lowest_of_curve(&step, &steps);
  assert_true(steps == 500 && best->steps == 500 && step < 400);
  assert_int_equal(best->kept, step);
  assert_true(fabs(best->validation - lowest) <= 1e-7);
  train_with("modes", LONG ", patience: 6", &early);
  lowest = lowest_of_curve(&step, &steps);
  assert_true(early->steps == steps && steps < 500 && early->kept == step);
  assert_true(fabs(early->validation - lowest) <= 1e-7 && early->validation <= best->validation + 1e-7);
  CHECK(ScoriaModelDestroy(&early));
  train_with("modes", LONG, &early); /* so few rows: patience is 10 */
  assert_true(early->steps < 500 && early->steps > steps && early->kept == step);
  assert_null(early->calibration.from); /* as asked; see what_has_ended_is_not_trained_again */
  train_with("modes", LONG ", keep: last", &last);
  assert_int_equal(last->kept, 500);
  if (!(last->validation > best->validation + 0.01))
    fail_msg("validation loss %g in the end, %g at best: nothing was memorised", last->validation, best->validation);
  CHECK(ScoriaModelDestroy(&best));
  CHECK(ScoriaModelDestroy(&early));
  CHECK(ScoriaModelDestroy(&last));
}

static bool log_has(const char *text)
{
  char line[4096];
  bool found = false;
  FILE *file = fopen(in_directory("log.jsonl"), "r");
  assert_non_null(file);
  while (fgets(line, sizeof line, file)) found = found || strstr(line, text);
  fclose(file);
  return found;
}

/* A training that is broken off behind its last step, where it is calibrated, goes on from there, though its patience
 * ended it before train_steps; and to the same bits. */
static void what_has_ended_is_not_trained_again(void **state)
{
  ScoriaModel broken, whole;
  char resumed[64];
  (void)state;
  train_and("modes", CALIBRATED, false, &broken);
  assert_int_equal(access(in_directory("train.ckpt"), F_OK), 0);
  snprintf(resumed, sizeof resumed, "\"event\":\"resume\",\"step\":%lld}", (long long)broken->steps);
  assert_true(broken->steps < 500 && !log_has(resumed));
  train_with("modes", CALIBRATED, &whole);
  assert_true(log_has(resumed) && access(in_directory("train.ckpt"), F_OK));
  assert_true(whole->steps == broken->steps && whole->kept == broken->kept && whole->loss == broken->loss);
  assert_memory_equal(net_parameters(whole->net), net_parameters(broken->net),
                      sizeof(float) * (size_t)net_parameter_count(whole->net));
  const Calibration *c = &whole->calibration, *other = &broken->calibration;
  assert_true(c->from && c->poly.terms == other->poly.terms);
  const size_t bytes = sizeof(double) * (size_t)(c->poly.terms * 2 * c->r);
  assert_memory_equal(c->from, other->from, bytes);
  assert_memory_equal(c->to, other->to, bytes);
  CHECK(ScoriaModelDestroy(&broken));
  CHECK(ScoriaModelDestroy(&whole));
}

/* As any other, by which the report forgets the model before it. */
static void a_model_without_a_network_is_logged(void **state)
{
  ScoriaModel model;
  (void)state;
  train_with("modes", "steps: 0, width: 20, validation: 0.2", &model);
  assert_true(model_is_gaussian(model) && log_has("\"event\":\"kept\",\"adopted\":\"gaussian\""));
  CHECK(ScoriaModelDestroy(&model));
}

static void choose(ScoriaModel model, const char *text)
{
  ScoriaDeck deck;
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &deck));
  CHECK(ScoriaModelChoose(model, deck, "model.h5"));
  CHECK(ScoriaDeckDestroy(&deck));
}

/* A calibration, whatever it maps to. */
static void calibrate(ScoriaModel model)
{
  int levels[SCORIA_MAX_CONDITIONS];
  for (int j = 0; j < model->spec.d; j++) levels[j] = 1;
  CHECK(NormPolyCreate(model->spec.d, 0, levels, &model->calibration.poly));
  CHECK(CalibrationSetUp(model->spec.d, model->spec.r, &model->calibration));
}

/* A model of two lengths gives that of either, to the bit, and says which widths it cannot give.  Its calibration is
 * that of the width that was trained. */
static void width_is_chosen_afterwards(void **state)
{
  static float x[8 * 5], direct[8 * 5], chosen[8 * 5];
  ScoriaModel one, two;
  ScoriaDeck deck;
  (void)state;
  train_with("modes", SHORT ", ema: 0.08, keep: last", &one);
  train_with("modes", SHORT ", ema: [0.12, 0.08], keep: last", &two);
  assert_true(two->width >= 0.08 && two->width <= 0.12 && two->kept == 30);
  denoise(one, 8, x, direct);
  CHECK(ScoriaModelSave(two, PETSC_COMM_WORLD, in_directory("two.h5"), "run: {}\n"));
  CHECK(ScoriaModelDestroy(&two));
  CHECK(ScoriaModelLoad(PETSC_COMM_WORLD, in_directory("two.h5"), &two));
  calibrate(two);
  choose(two, "sample: {ema: 0.08}\n");
  assert_null(two->calibration.from);
  denoise(two, 8, x, chosen);
  assert_memory_equal(direct, chosen, sizeof direct);
  choose(two, "sample: {ema: 0.1}\n");
  denoise(two, 8, x, chosen);
  assert_memory_not_equal(direct, chosen, sizeof direct);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, "sample: {ema: 0.01}\n", tables, &deck));
  assert_int_not_equal(ScoriaModelChoose(two, deck, "model.h5"), 0);
  assert_non_null(strstr(ScoriaFailureLine(), "model.h5: the averages there rebuild one of relative width 0.01"));
  ScoriaFailureReset();
  assert_int_not_equal(ScoriaModelChoose(one, deck, "model.h5"), 0);
  assert_non_null(strstr(ScoriaFailureLine(), "model.h5: holds one average of the weights only"));
  ScoriaFailureReset();
  CHECK(ScoriaDeckDestroy(&deck));
  CHECK(ScoriaModelDestroy(&one));
  CHECK(ScoriaModelDestroy(&two));
}

/* Tuning leaves the weights of the training alone, and its own are found again in the file, by their sampler alone. A
 * distilled network draws what it was distilled from, whose calibration it keeps. */
static void tuned_weights_are_kept(const char *kind, const char *other)
{
  static float x[8 * 5], direct[8 * 5], again[8 * 5];
  char extra[80], own[64], message[128], file[32];
  ScoriaModel plain, tuned;
  ScoriaDeck deck;
  snprintf(extra, sizeof extra, SHORT ", %s_steps: 10", kind);
  snprintf(own, sizeof own, "sample: {sampler: %s}\n", kind);
  snprintf(file, sizeof file, "%s.h5", kind);
  train_with("modes", SHORT, &plain);
  train_with("modes", extra, &tuned);
  denoise(plain, 8, x, direct);
  denoise(tuned, 8, x, again);
  assert_memory_equal(direct, again, sizeof direct);
  calibrate(tuned);
  choose(tuned, own);
  assert_int_equal(tuned->calibration.from != NULL, !strcmp(kind, "distilled"));
  denoise(tuned, 8, x, direct);
  assert_memory_not_equal(direct, again, sizeof direct);
  CHECK(ScoriaModelDestroy(&tuned));
  train_with("modes", extra, &tuned);
  CHECK(ScoriaModelSave(tuned, PETSC_COMM_WORLD, in_directory(file), "run: {}\n"));
  CHECK(ScoriaModelDestroy(&tuned));
  CHECK(ScoriaModelLoad(PETSC_COMM_WORLD, in_directory(file), &tuned));
  choose(tuned, own);
  denoise(tuned, 8, x, again);
  assert_memory_equal(direct, again, sizeof direct);
  for (int i = 0; i < 2; i++) { /* without any, and with those of the other */
    const char *asked = i ? other : kind;
    snprintf(own, sizeof own, "sample: {sampler: %s}\n", asked);
    snprintf(message, sizeof message, "model.h5: holds no weights for sampler %s", asked);
    CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, own, tables, &deck));
    assert_int_not_equal(ScoriaModelChoose(i ? tuned : plain, deck, "model.h5"), 0);
    assert_non_null(strstr(ScoriaFailureLine(), message));
    ScoriaFailureReset();
    CHECK(ScoriaDeckDestroy(&deck));
  }
  CHECK(ScoriaModelDestroy(&plain));
  CHECK(ScoriaModelDestroy(&tuned));
}

static void tuned_weights_are_kept_beside(void **state)
{
  (void)state;
  tuned_weights_are_kept("consistency", "distilled");
  tuned_weights_are_kept("distilled", "consistency");
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(file_rebuilds_the_denoiser, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(loading_gives_the_same_bits, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(the_file_names_the_process, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(wrong_shapes_are_refused, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(a_former_network_is_refused_by_name, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(curve_is_written, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(overfitting_does_not_reach_the_model, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(width_is_chosen_afterwards, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(tuned_weights_are_kept_beside, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(what_has_ended_is_not_trained_again, make_directory, remove_directory),
      cmocka_unit_test_setup_teardown(a_model_without_a_network_is_logged, make_directory, remove_directory),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
