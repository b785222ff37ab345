/* ranks: 2 3
 * Datasets on their way, of rows that are known and of no solve: shards become one, what an interrupted start has left
 * is not done again, and rows of a file come sorted by their conditions. */
#include "cmd/cmd.h"
#include "data/generate.h"
#include "unit/io_files.h"

enum { CONDITIONS = 8, REALISATIONS = 3, ROWS = CONDITIONS * REALISATIONS, SHARDS = 3 };

typedef struct {
  ScoriaDeck deck;
  ScoriaRun run;
  ScoriaEnsemble ens; /* for what a dataset of the deck is; nothing is solved */
  ScoriaDatasetSpec spec;
  const double *x;
} Study;

/* name: of the run directory; least: porosity, by which decks differ. */
static void open_study(Study *s, const char *name, double least)
{
  char text[PETSC_MAX_PATH_LEN + 256];
  snprintf(text, sizeof text,
           "run: {dir: %s}\n"
           "porosity: {min: %g, max: 0.6}\n"
           "conditions: {T_right: [280, 320], q_left: [100, 600], ell: [0.005, 0.025]}\n"
           "ensemble: {problem: heat, cells: [7], conditions: %d, realisations: %d, float64: true}\n",
           in_scratch(name), least, CONDITIONS, REALISATIONS);
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, cmd_tables(), &s->deck));
  CHECK(ScoriaRunCreate(PETSC_COMM_WORLD, s->deck, "test", &s->run));
  CHECK(ScoriaEnsembleCreate(PETSC_COMM_WORLD, s->deck, &s->ens));
  CHECK(ScoriaEnsembleSpec(s->ens, &s->spec, &s->x));
  assert_int_equal(s->spec.rows, ROWS);
}

static void close_study(Study *s)
{
  CHECK(ScoriaEnsembleDestroy(&s->ens));
  CHECK(ScoriaRunDestroy(&s->run));
  CHECK(ScoriaDeckDestroy(&s->deck));
}

/* Rows [first, first + number) of the dataset into ds, a block each rank; `offset`: the first row of ds. */
static void put_rows(const Study *s, int64_t offset, int64_t first, int64_t number, ScoriaDataset ds)
{
  int64_t mine, count;
  ScoriaRows rows;
  deal_block(number, world_rank(), world_size(), &mine, &count);
  CHECK(ScoriaRowsCreate(&s->spec, number, &rows));
  rows.rows = count;
  for (int64_t i = 0; i < count; i++) fill_row(&s->spec, first + mine + i, &rows, i);
  CHECK(ScoriaDatasetWrite(ds, first + mine - offset, &rows));
  CHECK(ScoriaRowsDestroy(&rows));
}

/* Every number of every row, on every rank. */
static void check_rows(const Study *s, const char *path)
{
  ScoriaDataset ds;
  ScoriaRows rows, expected;
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, path, &ds));
  CHECK(ScoriaRowsCreate(&s->spec, ROWS, &rows));
  CHECK(ScoriaRowsCreate(&s->spec, 1, &expected));
  CHECK(ScoriaDatasetRead(ds, 0, ROWS, &rows));
  for (int64_t row = 0; row < ROWS; row++) {
    const ScoriaRows found = rows_from(&s->spec, &rows, row);
    fill_row(&s->spec, row, &expected, 0);
    for (int f = 0; f < s->spec.nfields; f++)
      for (int i = 0; i < s->spec.cells; i++) /* of a row that failed a file has no fields */
        assert_true(expected.done[0] == SCORIA_ROW_DONE ? found.field[f][i] == expected.field[f][i]
                                                        : isnan(found.field[f][i]));
    for (int c = 0; c < s->spec.space.n; c++) assert_true(found.condition[c][0] == expected.condition[c][0]);
    assert_true(found.done[0] == expected.done[0] && found.reason[0] == expected.reason[0] &&
                found.newton[0] == expected.newton[0] && found.residual[0] == expected.residual[0]);
  }
  CHECK(ScoriaRowsDestroy(&expected));
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaDatasetClose(&ds));
}

static void make_shard(const Study *s, const char *dir, int shard)
{
  ScoriaDatasetSpec spec = s->spec;
  ScoriaProvenance from;
  ScoriaDataset ds;
  char path[PETSC_MAX_PATH_LEN];
  deal_block(ROWS, shard - 1, SHARDS, &spec.first, &spec.rows);
  spec.whole = ROWS;
  snprintf(path, sizeof path, SCORIA_SHARD_DIRECTORY, dir, shard, SHARDS);
  if (!world_rank()) assert_int_equal(mkdir(path, 0777), 0);
  MPI_Barrier(PETSC_COMM_WORLD);
  snprintf(path + strlen(path), sizeof path - strlen(path), "/%s", SHARD_FILE);
  CHECK(ScoriaProvenanceOfRun(s->run, s->deck, "shard", 1, &from));
  CHECK(ScoriaDatasetCreate(PETSC_COMM_WORLD, path, &spec, s->x, &from, &ds));
  put_rows(s, spec.first, spec.first, spec.rows, ds);
  CHECK(ScoriaDatasetFinish(&ds));
}

static void shards_become_one(void **state)
{
  char dir[PETSC_MAX_PATH_LEN];
  ScoriaMade made;
  Study s;
  (void)state;
  open_study(&s, "merged", 0.1);
  snprintf(dir, sizeof dir, "%s", in_scratch("merged"));
  make_shard(&s, dir, 1);
  make_shard(&s, dir, 3);
  expect_failure(ScoriaMerge(s.run, s.deck, &made), SCORIA_EXIT_INPUT, "not there: rows 8 to 15 are missing", NULL);
  make_shard(&s, dir, 2);
  CHECK(ScoriaMerge(s.run, s.deck, &made));
  assert_int_equal(made.shards, SHARDS);
  check_rows(&s, made.path);
  CHECK(ScoriaMerge(s.run, s.deck, &made));
  assert_true(made.complete);
  close_study(&s);
}

static void count_rows(void *ctx, int64_t first, const ScoriaRows *rows)
{
  (void)first;
  for (int64_t i = 0; i < rows->rows; i++) *(int64_t *)ctx += rows->done[i] != 0;
}

/* The beginning and a few rows behind it are there; the rest is what is asked for. */
static void what_is_there_is_not_done_again(void **state)
{
  enum { BEGUN = 10, LATER = 15, LATER_ROWS = 4 };
  const char *path = in_scratch("begun/dataset.h5");
  int64_t seen = 0, first = 0, number, done = 0;
  ScoriaProvenance from;
  Partial out;
  Study s, other;
  (void)state;
  open_study(&s, "begun", 0.1);
  CHECK(ScoriaProvenanceOfRun(s.run, s.deck, "dataset", 1, &from));
  CHECK(PartialBegin(s.run, s.deck, path, false, &s.spec, s.x, &from, SCORIA_OF_DATASET, NULL, NULL, &out));
  put_rows(&s, 0, 0, BEGUN, out.ds);
  put_rows(&s, 0, LATER, LATER_ROWS, out.ds);
  CHECK(ScoriaDatasetClose(&out.ds));
  CHECK(ScoriaIntervalsDestroy(&out.there));

  open_study(&other, "other", 0.12);
  expect_failure(
      PartialBegin(other.run, other.deck, path, false, &s.spec, s.x, &from, SCORIA_OF_DATASET, NULL, NULL, &out),
      SCORIA_EXIT_INPUT, "begun by another deck", "porosity_min");
  CHECK(ScoriaDatasetClose(&out.ds));
  close_study(&other);

  CHECK(PartialBegin(s.run, s.deck, path, false, &s.spec, s.x, &from, SCORIA_OF_DATASET, count_rows, &seen, &out));
  MPI_Allreduce(MPI_IN_PLACE, &seen, 1, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD);
  assert_int_equal(seen, BEGUN + LATER_ROWS);
  assert_int_equal(partial_has(&out, 0, ROWS), BEGUN + LATER_ROWS);
  for (partial_next(&out, ROWS, ROWS, &first, &number); number; partial_next(&out, ROWS, ROWS, &first, &number)) {
    assert_int_equal(partial_has(&out, first, number), 0);
    put_rows(&s, 0, first, number, out.ds);
    first += number;
    done += number;
  }
  assert_int_equal(done, ROWS - BEGUN - LATER_ROWS);
  CHECK(PartialFinish(&out));
  check_rows(&s, path);
  close_study(&s);
}

/* Rows 10 i + k, at conditions that take turns; one of them is no number. */
static void rows_of_a_file_are_sorted(void **state)
{
  enum { N = 6, L = 5, BAD = 4 };
  static const double p[N] = {2, 1, 2, 1, 1, 2};
  const int64_t dims[2] = {N, L}, cells = L;
  double u[N * L], x[L];
  int last = -1, seen = 0;
  char text[3 * PETSC_MAX_PATH_LEN];
  ScoriaStore store;
  ScoriaDeck deck;
  ScoriaRun run;
  ScoriaMade made;
  ScoriaDataset ds;
  ScoriaRows rows;
  (void)state;
  for (int i = 0; i < N * L; i++) u[i] = 10 * (i / L) + i % L;
  u[BAD * L + 2] = NAN;
  for (int k = 0; k < L; k++) x[k] = x_at(k);
  CHECK(ScoriaStoreCreate(PETSC_COMM_WORLD, in_scratch("given.h5"), "given", "", &store));
  CHECK(ScoriaStorePutReals(store, "/u", 2, dims, u, "V", "field"));
  CHECK(ScoriaStorePutReals(store, "/p", 1, dims, p, "", "condition"));
  CHECK(ScoriaStorePutReals(store, "/x", 1, &cells, x, "m", "centres"));
  CHECK(ScoriaStoreClose(&store));
  snprintf(text, sizeof text,
           "run: {dir: %s}\nimport: {file: %s, fields: [u=/u], conditions: [p=/p], x: /x, units: [u=V]}\n",
           in_scratch("imported"), in_scratch("given.h5"));
  CHECK(ScoriaDeckCreateFromText(PETSC_COMM_WORLD, text, cmd_tables(), &deck));
  CHECK(ScoriaRunCreate(PETSC_COMM_WORLD, deck, "test", &run));
  CHECK(ScoriaImport(run, deck, &made));
  assert_true(made.failed == 1 && made.lacking == 0);
  assert_true(made.spec.rows == N && made.spec.realisations == N / 2 && made.spec.cells == L);
  CHECK(ScoriaDatasetOpen(PETSC_COMM_WORLD, made.path, &ds));
  CHECK(ScoriaRowsCreate(&made.spec, N, &rows));
  CHECK(ScoriaDatasetRead(ds, 0, N, &rows));
  for (int row = 0; row < N; row++) {
    const bool failed = rows.done[row] == SCORIA_ROW_FAILED; /* it has no fields, and is known by being that one */
    const int from    = failed ? BAD : (int)(rows.field[0][row * L] / 10);
    assert_true(rows.condition[0][row] == p[from]);
    assert_true(row % (N / 2) == 0 || from > last);
    for (int k = 0; k < L; k++) assert_true(failed || rows.field[0][row * L + k] == 10 * from + k);
    seen += 1 << from;
    last = from;
  }
  assert_int_equal(seen, (1 << N) - 1);
  assert_true(rows.condition[0][0] != rows.condition[0][N / 2]);
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaDatasetClose(&ds));
  CHECK(ScoriaRunDestroy(&run));
  CHECK(ScoriaDeckDestroy(&deck));
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(shards_become_one),
                                     cmocka_unit_test(what_is_there_is_not_done_again),
                                     cmocka_unit_test(rows_of_a_file_are_sorted)};
  return run_test_group(argc, argv, tests, sizeof tests / sizeof *tests, scratch_make, scratch_remove);
}
