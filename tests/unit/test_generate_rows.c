/* ranks: 2 3 4
 * generate deals rows in chunks of any size: who solved a row, in what chunk and in which round, does not show in it.
 */
#include "data/generate.h"
#include "physics/electrode/electrode.h"
#include "unit/io_files.h"

#define NX 12
#define REALISATIONS 3
#define ROWS (REALISATIONS * 430) /* several chunks of the largest size below, and a rest */

static const char format[]             = "run: {dir: %s}\n"
                                         "electrode: {set: chen2020_negative, state: ocp, bruggeman_D: 1.8}\n"
                                         "conditions: {U0: [0.1, 0.25], F_right: [5, 20], ell: [4.26e-6, 21.3e-6]}\n"
                                         "ensemble: {cells: [12], conditions: 430, realisations: 3, float64: true}\n";

static const ScoriaKey *const tables[] = {scoria_base_keys, electrode_keys, scoria_physics_keys, NULL};

/* All rows as one rank alone computes them, one by one. */
static void compute_alone(ScoriaDeck deck, ScoriaRows *rows)
{
  ScoriaDatasetSpec spec;
  ScoriaEnsemble alone;
  GenerateDesign design;
  const double *x;
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, &alone));
  CHECK(ScoriaEnsembleSpec(alone, &spec, &x));
  assert_int_equal(spec.rows, ROWS);
  CHECK(GenerateDesignOpen(ScoriaEnsembleDesign(alone), &spec, &design));
  CHECK(ScoriaRowsCreate(&spec, ROWS, rows));
  for (int64_t i = 0; i < ROWS; i++) {
    ScoriaRows one    = rows_from(&spec, rows, i);
    const uint64_t id = (uint64_t)i;
    double theta[SCORIA_MAX_CONDITIONS];
    CHECK(GenerateTheta(&design, i, theta));
    CHECK(ScoriaEnsembleCompute(alone, 1, theta, &id, NULL, &one));
  }
  rows->rows = ROWS;
  CHECK(ScoriaEnsembleDestroy(&alone));
}

/* The dataset as all ranks make it, in chunks of at least `smallest` rows (0: as the solves ask for). */
static void generate(ScoriaRun run, ScoriaDeck deck, int64_t smallest, const char *path, ScoriaRows *rows)
{
  ScoriaEnsemble ens;
  ScoriaDatasetSpec spec;
  ScoriaProvenance from;
  Partial out = {0};
  ScoriaCost cost;
  ScoriaSolveTally tally = {0};
  ScoriaSolveShares shares;
  GenerateDesign design;
  ScoriaDataset ds;
  const double *x;
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_WORLD, deck, &ens));
  CHECK(ScoriaEnsembleSpec(ens, &spec, &x));
  CHECK(GenerateDesignOpen(ScoriaEnsembleDesign(ens), &spec, &design));
  CHECK(ScoriaProvenanceOfRun(run, deck, "dataset", 1, &from));
  CHECK(ScoriaDatasetCreate(PETSC_COMM_WORLD, path, &spec, x, &from, &out.ds));
  CHECK(ScoriaCostBegin(run, "dataset.h5", false, &cost));
  CHECK(GenerateRows(run, ens, NULL, &spec, &design, smallest, &out, cost, &tally, &shares));
  CHECK(PartialFinish(&out));
  CHECK(ScoriaCostEnd(&cost));
  CHECK(ScoriaEnsembleDestroy(&ens));
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  CHECK(ScoriaRowsCreate(&spec, ROWS, rows));
  CHECK(ScoriaDatasetRead(ds, 0, ROWS, rows));
  CHECK(ScoriaDatasetClose(&ds));
}

static void check_same(const ScoriaRows *found, const ScoriaRows *expected)
{
  for (int f = 0; f < SCORIA_MAX_FIELDS && expected->field[f]; f++)
    assert_memory_equal(found->field[f], expected->field[f], sizeof(double) * ROWS * NX);
  for (int c = 0; c < SCORIA_MAX_CONDITIONS && expected->condition[c]; c++)
    assert_memory_equal(found->condition[c], expected->condition[c], sizeof(double) * ROWS);
  assert_memory_equal(found->done, expected->done, sizeof *found->done * ROWS);
  assert_memory_equal(found->newton, expected->newton, sizeof *found->newton * ROWS);
  assert_memory_equal(found->residual, expected->residual, sizeof *found->residual * ROWS);
}

/* 300 rows are more than are solved at once; 1 is what a first round has. */
static void chunks_do_not_show(void **state)
{
  static const int64_t smallest[] = {0, 1, 7, 300};
  char text[sizeof format + sizeof scratch];
  ScoriaDeck deck;
  ScoriaRun run;
  ScoriaRows expected, found;
  (void)state;
  snprintf(text, sizeof text, format, scratch);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, tables, &deck));
  CHECK(ScoriaRunCreate(PETSC_COMM_WORLD, deck, "test", &run));
  compute_alone(deck, &expected);
  for (size_t i = 0; i < sizeof smallest / sizeof *smallest; i++) {
    char name[32];
    snprintf(name, sizeof name, "chunks-%d.h5", (int)smallest[i]);
    generate(run, deck, smallest[i], in_scratch(name), &found);
    check_same(&found, &expected);
    CHECK(ScoriaRowsDestroy(&found));
  }
  CHECK(ScoriaRowsDestroy(&expected));
  CHECK(ScoriaRunDestroy(&run));
  CHECK(ScoriaDeckDestroy(&deck));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(chunks_do_not_show, scratch_make, scratch_remove),
  };

  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
