/* What the deck's keys decide.  A key that changes bytes and does not say so would let stale files pass as this deck's:
 * every key is changed in turn, and what is computed is compared with what it says it decides. */
#include "cmd/cmd.h"
#include "io/private.h"
#include "scoria/physics.h"
#include "score/model.h"
#include "testing.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define DECK "test_decides.yaml"
#define RUN "test_decides.run"
#define MOST_VALUES 10 /* that a key is changed to */

/* A deck in which many keys count. */
static const char base[] =
    "run: {dir: " RUN "}\n"
    "electrode: {set: chen2020_negative, g_sep: 1}\n"
    "porosity: {kernel: matern32}\n"
    "conditions: {U0: [0.1, 0.2], F_right: [5, 20], ell: [4e-6, 2e-5]}\n"
    "ensemble: {cells: [12], conditions: 16, realisations: 4}\n"
    "train: {steps: 4, batch: 32, micro_batches: 2, width: 8, embed: 8, modes: 3, all_modes: 5, degree_mean: 1, "
    "degree_scale: 1, validation: 0.25}\n"
    "sample: {steps: 3, count: 8}\n";

/* The deck with one key changed, or as it is; false where such a deck is refused. */
static bool open_deck(const char *key, const char *value, ScoriaDeck *deck)
{
  char option[SCORIA_NAME_SIZE + 1];
  ScoriaFailureReset();
  CHECK(PetscOptionsClear(NULL));
  if (key) {
    snprintf(option, sizeof option, "-%s", key);
    CHECK(PetscOptionsSetValue(NULL, option, value));
  }
  return !ScoriaDeckCreate(PETSC_COMM_WORLD, DECK, cmd_tables(), deck);
}

/* A deck may be refused as a user's error, or end the run at its limit; a choice without its row would be a defect. */
static bool refused(void)
{
  const ScoriaExit code = ScoriaFailureCode();
  assert_true(code == SCORIA_EXIT_INPUT || code == SCORIA_EXIT_CHECKPOINT);
  return false;
}

/* ------------------------------------------------------------------------------------------- other values of a key */

typedef struct {
  int n;
  char text[MOST_VALUES][256];
} Values;

static void add_number(const ScoriaKey *key, double number, Values *values)
{
  if (number < key->lo || number > key->hi || values->n == MOST_VALUES) return;
  snprintf(values->text[values->n++], sizeof values->text[0], "%.15g", number);
}

static void number_values(ScoriaDeck deck, const ScoriaKey *key, Values *values)
{
  double now = NAN;
  if (key->type == SCORIA_KEY_INT) {
    PetscInt integer = 0;
    bool set;
    CHECK(ScoriaDeckHas(deck, key->name, &set));
    CHECK(ScoriaDeckInt(deck, key->name, &integer));
    if (set) now = (double)integer;
    add_number(key, isnan(now) ? 3 : now + 1, values);
    if (!isnan(now)) add_number(key, now - 1, values);
    return;
  }
  CHECK(ScoriaDeckReal(deck, key->name, &now));
  if (!isnan(now)) {
    add_number(key, now != 0 ? 0.9 * now : 0.1, values);
    add_number(key, now != 0 ? 1.1 * now : -0.1, values);
    return;
  }
  for (double guess = 1e-5; guess < 1e5; guess *= 100) add_number(key, guess, values);
}

static void list_values(ScoriaDeck deck, const ScoriaKey *key, Values *values)
{
  double now[64];
  PetscInt n = 0, integers[64];
  if (key->type == SCORIA_KEY_INTS) {
    CHECK(ScoriaDeckInts(deck, key->name, 64, &n, integers));
    for (int i = 0; i < n; i++) now[i] = (double)integers[i] + 1;
  } else {
    CHECK(ScoriaDeckReals(deck, key->name, 64, &n, now));
    for (int i = 0; i < n; i++) now[i] *= 0.99;
  }
  if (n == 0) now[n++] = 1;
  char *text = values->text[values->n++];
  text[0]    = 0;
  for (int i = 0; i < n; i++) snprintf(text + strlen(text), 256 - strlen(text), "%s%.10g", i ? "," : "", now[i]);
}

static void choice_values(const ScoriaKey *key, Values *values)
{
  char words[SCORIA_CHOICES_SIZE];
  const char *at = words;
  key_choices(key, words);
  while (*at && values->n < MOST_VALUES) {
    const int length = (int)strcspn(at, " ");
    snprintf(values->text[values->n++], sizeof values->text[0], "%.*s", length, at);
    at += length + (at[length] == ' ');
  }
}

/* Values that the type of a key allows, most of them other than the one it has.  Texts are none: they name files. */
static void other_values(ScoriaDeck deck, const ScoriaKey *key, Values *values)
{
  double range[2] = {1, 2};
  values->n       = 0;
  switch (key->type) {
  case SCORIA_KEY_INT:
  case SCORIA_KEY_REAL:
    number_values(deck, key, values);
    break;
  case SCORIA_KEY_INTS:
  case SCORIA_KEY_REALS:
    list_values(deck, key, values);
    break;
  case SCORIA_KEY_RANGE:
    CHECK(ScoriaDeckRange(deck, key->name, range));
    snprintf(values->text[values->n++], sizeof values->text[0], "%.15g,%.15g", 1.01 * range[0], 0.99 * range[1]);
    break;
  case SCORIA_KEY_BOOL:
    snprintf(values->text[values->n++], sizeof values->text[0], "true");
    snprintf(values->text[values->n++], sizeof values->text[0], "false");
    break;
  case SCORIA_KEY_CHOICE:
    choice_values(key, values);
    break;
  default:
    break;
  }
}

/* ------------------------------------------------------------------------------------------------- what is computed */

/* CRC of the rows of two conditions as a dataset stores them; false where the deck allows none. */
static bool rows_of(ScoriaDeck deck, uint32_t *crc)
{
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaRows rows;
  const double *x;
  double theta[2 * SCORIA_MAX_CONDITIONS];
  *crc = 0;
  if (ScoriaEnsembleCreate(PETSC_COMM_WORLD, deck, &ens)) return refused();
  CHECK(ScoriaEnsembleSpec(ens, &spec, &x));
  const uint64_t ids[2]  = {1, (uint64_t)spec.realisations};
  const int64_t count    = spec.rows / spec.realisations;
  const int64_t shape[5] = {spec.rows, spec.realisations, spec.nfields, spec.float64, spec.space.n};
  for (int k = 0; k < 2; k++)
    if (ScoriaDesignTheta(ScoriaEnsembleDesign(ens), false, k, count, theta + k * spec.space.n)) return refused();
  CHECK(ScoriaRowsCreate(&spec, 2, &rows));
  CHECK(ScoriaEnsembleCompute(ens, 2, theta, ids, NULL, &rows));
  *crc = crc32c(*crc, shape, sizeof shape);
  *crc = crc32c(*crc, x, sizeof *x * (size_t)spec.cells);
  for (int c = 0; c < spec.space.n; c++) *crc = crc32c(*crc, rows.condition[c], 2 * sizeof(double));
  for (int f = 0; f < spec.nfields; f++) *crc = crc32c(*crc, rows.field[f], 2 * sizeof(double) * (size_t)spec.cells);
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaEnsembleDestroy(&ens));
  return true;
}

/* A dataset of fields that move with one condition. */
static void make_dataset(void)
{
  enum { CONDITIONS = 16, REALISATIONS = 12, CELLS = 6 };
  const ScoriaDatasetSpec spec = {.rows         = CONDITIONS * REALISATIONS,
                                  .cells        = CELLS,
                                  .shape        = {CELLS, 1, 1},
                                  .nfields      = 2,
                                  .realisations = REALISATIONS,
                                  .float64      = true,
                                  .field        = {{"c", "", ""}, {"phi", "", ""}},
                                  .space        = {1, {{"p", "", -1, 1, false}}}};
  const ScoriaProvenance from  = {.kind = "dataset", .deck = base, .seed = 1, .ranks = 1, .group_size = 1};
  const double x[CELLS]        = {0, 1, 2, 3, 4, 5};
  ScoriaDataset ds;
  ScoriaRows rows;
  CHECK(ScoriaRowsCreate(&spec, spec.rows, &rows));
  rows.rows = spec.rows;
  for (int64_t i = 0; i < spec.rows; i++) {
    double z[2 * CELLS];
    const double u = -1 + 2.0 * (double)(i / REALISATIONS) / (CONDITIONS - 1);
    rng_normal(1, SCORIA_STREAM_POROSITY, (uint64_t)i, 0, 2 * CELLS, z);
    for (int j = 0; j < CELLS; j++) {
      rows.field[0][i * CELLS + j] = 50 + 5 * u + exp(0.3 * u) * (z[0] + z[1] * j) + 0.1 * z[2 + j];
      rows.field[1][i * CELLS + j] = u * u + z[1] - z[2] * j;
    }
    rows.condition[0][i] = u;
    rows.done[i]         = SCORIA_ROW_DONE;
  }
  (void)unlink("test_decides.h5");
  CHECK(ScoriaDatasetCreate(PETSC_COMM_WORLD, "test_decides.h5", &spec, x, &from, &ds));
  CHECK(ScoriaDatasetWrite(ds, 0, &rows));
  CHECK(ScoriaDatasetFinish(&ds));
  CHECK(ScoriaRowsDestroy(&rows));
}

/* CRCs of the weights that are trained, and of what the model draws. */
static bool model_of(ScoriaDeck deck, uint32_t crc[2])
{
  static const ScoriaTwin no_twin = {.reference = {0, NAN}};
  const double theta[]            = {0.3};
  double fields[4 * 12];
  ScoriaRun run;
  ScoriaDataset ds;
  ScoriaModel model;
  ScoriaSamplerOptions opt;
  assert_int_equal(system("rm -rf " RUN), 0);
  if (ScoriaRunCreate(PETSC_COMM_WORLD, deck, "train", &run)) return refused();
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, "test_decides.h5", &ds));
  const bool trained = !ScoriaModelTrain(run, deck, ds, NULL, &no_twin, &model);
  if (trained) {
    crc[0] = crc32c(0, net_parameters(model->net), sizeof(float) * (size_t)net_parameter_count(model->net));
    crc[0] = crc32c(crc[0], normaliser_basis(model->normaliser), sizeof(double) * 12);
    if (model->tuned) crc[0] = crc32c(crc[0], model->tuned, sizeof(float) * (size_t)net_parameter_count(model->net));
    crc[1] = crc[0] + 1;
    if (!ScoriaModelChoose(model, deck, "model.h5") && !ScoriaSamplerFromDeck(deck, &opt)) {
      CHECK(ScoriaModelSample(model, &no_twin, &opt, theta, 5, 4, false, fields));
      crc[1] = crc32c(0, fields, sizeof fields);
    }
    CHECK(ScoriaModelDestroy(&model));
  }
  CHECK(ScoriaRunDestroy(&run));
  CHECK(ScoriaDatasetClose(&ds));
  return trained || refused();
}

/* --------------------------------------------------------------------------------------------------------- tests */

static void every_key_says_what_it_decides(void **state)
{
  (void)state;
  for (const ScoriaKey *const *table = cmd_tables(); *table; table++)
    for (const ScoriaKey *key = *table; key->name; key++) {
      if (!key->decides) fail_msg("%s: says nothing of what it decides (SCORIA_DECIDES_...)", key->name);
      for (const ScoriaKey *const *other = cmd_tables(); *other; other++)
        for (const ScoriaKey *same = *other; same->name; same++)
          if (!strcmp(key->name, same->name) && key->decides != same->decides)
            fail_msg("%s: two tables differ in what it decides", key->name);
    }
}

/* A stored deck is told from one of another value exactly where the result hangs on the key. */
static void a_changed_key_is_told_where_it_decides(void **state)
{
  static const unsigned results[] = {SCORIA_OF_LAW,        SCORIA_OF_IMPORTED, SCORIA_OF_GROWING,    SCORIA_OF_DATASET,
                                     SCORIA_OF_SPLIT,      SCORIA_OF_TRAINING, SCORIA_OF_NORMALISER, SCORIA_OF_MODEL,
                                     SCORIA_OF_LIKELIHOOD, SCORIA_OF_COMPARE,  SCORIA_OF_SAMPLES,    SCORIA_OF_UQ,
                                     SCORIA_OF_POSTERIOR,  SCORIA_OF_REFINED,  SCORIA_OF_CHEAP,      SCORIA_OF_TRAINED};
  ScoriaDeck deck, changed;
  const char *text, *other;
  char difference[512];
  int told = 0;
  (void)state;
  assert_true(open_deck(NULL, NULL, &deck));
  CHECK(ScoriaDeckText(deck, &text));
  for (const ScoriaKey *const *table = cmd_tables(); *table; table++)
    for (const ScoriaKey *key = *table; key->name; key++) {
      Values values;
      if (key->type == SCORIA_KEY_STRING || key->type == SCORIA_KEY_TEXTS || key->type == SCORIA_KEY_WORDS)
        values = (Values){1, {"other"}};
      else
        other_values(deck, key, &values);
      for (int v = 0, differs = 0; v < values.n && !differs; v++) {
        if (!open_deck(key->name, values.text[v], &changed)) continue;
        CHECK(ScoriaDeckText(changed, &other));
        differs = strcmp(text, other);
        for (size_t r = 0; r < sizeof results / sizeof *results && differs; r++) {
          CHECK(ScoriaDeckDifference(changed, text, results[r], sizeof difference, difference));
          if ((strstr(difference, key->name) != NULL) != ((key->decides & results[r]) != 0))
            fail_msg("%s, result %zu: \"%s\"", key->name, r, difference);
          told += *difference != 0;
        }
        CHECK(ScoriaDeckDestroy(&changed));
      }
    }
  assert_true(told > 500);
  CHECK(ScoriaDeckDestroy(&deck));
}

/* Changes every key of a room's tables, which are all that it can read; `compute` gives n CRCs, each of which only keys
 * of decides[i] may change. */
static int change_every_key(const ScoriaKey *const tables[], int n, const unsigned decides[],
                            bool (*compute)(ScoriaDeck deck, uint32_t crc[]))
{
  uint32_t before[2], after[2];
  ScoriaDeck deck, changed;
  int effective = 0;
  assert_true(open_deck(NULL, NULL, &deck));
  assert_true(compute(deck, before));
  for (const ScoriaKey *const *table = tables; *table; table++)
    for (const ScoriaKey *key = *table; key->name; key++) {
      Values values;
      bool counts = false;
      other_values(deck, key, &values);
      for (int v = 0; v < values.n && !counts; v++) {
        if (!open_deck(key->name, values.text[v], &changed)) continue;
        if (compute(changed, after))
          for (int i = 0; i < n; i++) {
            counts = counts || after[i] != before[i];
            if (after[i] != before[i] && !(key->decides & decides[i]))
              fail_msg("%s: %s changes bytes, but it does not say that it decides them", key->name, values.text[v]);
          }
        CHECK(ScoriaDeckDestroy(&changed));
      }
      effective += counts;
    }
  CHECK(ScoriaDeckDestroy(&deck));
  return effective;
}

static void what_changes_rows_decides_the_dataset(void **state)
{
  static const unsigned decides[]                = {SCORIA_OF_DATASET};
  const ScoriaKey *tables[16]                    = {scoria_base_keys, scoria_io_keys, scoria_physics_keys};
  tables[3 + problem_key_tables(12, tables + 3)] = NULL;
  (void)state;
  assert_true(change_every_key(tables, 1, decides, rows_of) > 25);
}

static void what_changes_a_model_decides_it(void **state)
{
  static const unsigned decides[]        = {SCORIA_OF_MODEL, SCORIA_OF_SAMPLES};
  static const ScoriaKey *const tables[] = {scoria_base_keys, scoria_io_keys, scoria_score_keys, NULL};
  (void)state;
  make_dataset();
  assert_true(change_every_key(tables, 2, decides, model_of) > 25);
  assert_int_equal(system("rm -rf " RUN " test_decides.h5"), 0);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_key_says_what_it_decides), cmocka_unit_test(a_changed_key_is_told_where_it_decides),
      cmocka_unit_test(what_changes_rows_decides_the_dataset), cmocka_unit_test(what_changes_a_model_decides_it)};
  FILE *out = fopen(DECK, "w");
  if (!out) return 1;
  fputs(base, out);
  fclose(out);
  return run_test_program(argc, argv, tests, sizeof tests / sizeof *tests);
}
