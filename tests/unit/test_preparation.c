/* Preparing a training: rows dealt to the ranks, normaliser and whitened rows.  ranks: 2 3 4
 * Beside the job every rank prepares the same by itself; both must be the same bits. */
#include "score/normaliser_fit.h"
#include "score/train_data.h"
#include "score/train_rows.h"
#include "row_dataset.h"
#include "testing.h"
#include <math.h>
#include <unistd.h>

enum { C = 2, L = 6, M = C * L, CONDITIONS = 700, REALISATIONS = 20, MODES = 4, ALL_MODES = 7 };

/* Calls that every rank takes part in, since the last reset: MPI's profiling interface lets them be counted. */
static int collectives, shared_reads;

#undef MPI_Allreduce /* macros of PETSc */
#undef MPI_Reduce
#undef MPI_Bcast
#undef MPI_Allgather
#undef MPI_Barrier

int MPI_Allreduce(const void *in, void *out, int n, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  collectives++;
  return PMPI_Allreduce(in, out, n, type, op, comm);
}

int MPI_Reduce(const void *in, void *out, int n, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm)
{
  collectives++;
  return PMPI_Reduce(in, out, n, type, op, root, comm);
}

int MPI_Bcast(void *data, int n, MPI_Datatype type, int root, MPI_Comm comm)
{
  collectives++;
  return PMPI_Bcast(data, n, type, root, comm);
}

int MPI_Allgather(const void *in, int n, MPI_Datatype type, void *out, int m, MPI_Datatype to, MPI_Comm comm)
{
  collectives++;
  return PMPI_Allgather(in, n, type, out, m, to, comm);
}

int MPI_Barrier(MPI_Comm comm)
{
  collectives++;
  return PMPI_Barrier(comm);
}

int MPI_File_read_at_all(MPI_File file, MPI_Offset at, void *data, int n, MPI_Datatype type, MPI_Status *status)
{
  shared_reads++;
  return PMPI_File_read_at_all(file, at, data, n, type, status);
}

static double solved; /* twins */

static PetscErrorCode solve_twin(void *ctx, const double theta[], double fields[])
{
  (void)ctx;
  solved++;
  for (int j = 0; j < M; j++) fields[j] = j < L ? 5 - exp(0.5 * theta[0]) : theta[0] * theta[0];
  return 0;
}

static const ScoriaTwin twin               = {.solve = solve_twin, .reference = {5, NAN}};
static const ScoriaNormaliserOptions usual = {MODES, ALL_MODES, 2, 2, true, true, false, false, 0, NULL};
static const int channel[C]                = {0, 1};

/* Every 50th row failed, and of condition 3 all but one. */
static void fill_rows(const void *ctx, ScoriaRows *rows)
{
  const int realisations = *(const int *)ctx;
  for (int64_t i = 0; i < rows->rows; i++) {
    const int64_t condition = i / realisations;
    const bool failed       = i % 50 == 9 || (condition == 3 && i % realisations > 0);
    autoregressive_row(rows, i, L, unit_of(condition % CONDITIONS, CONDITIONS));
    if (failed) rows->done[i] = SCORIA_ROW_FAILED;
  }
}

static void make_dataset(const char *path, int conditions, int realisations, bool float64)
{
  const ScoriaDatasetSpec spec = {.rows         = (int64_t)conditions * realisations,
                                  .cells        = L,
                                  .shape        = {L, 1, 1},
                                  .nfields      = C,
                                  .realisations = realisations,
                                  .float64      = float64,
                                  .field        = {{"c", "", "", false}, {"phi", "", "", false}},
                                  .space        = {1, {{"p", "", -1, 1, false}}}};
  write_row_dataset(path, &spec, fill_rows, &realisations);
}

/* A preparation as training makes it. */
typedef struct {
  MPI_Comm comm;
  NormProfile norm;
  TrainData train, valid;
  int64_t dropped, held; /* held: bytes, on this rank */
  int64_t slots;
  uint32_t digest[2];
} Prepared;

/* known: *p->norm is fitted already. */
static void prepare(MPI_Comm comm, const char *path, double memory, bool known, Prepared *p)
{
  ScoriaDataset ds;
  const ScoriaDatasetSpec *spec;
  NormData data;
  CHECK(ScoriaDatasetOpen(comm, path, &ds));
  CHECK(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  const int64_t conditions = spec->rows / spec->realisations;
  TrainSplit split         = train_split(conditions, 0.05, 7, NULL);
  train_split_rows(&split, conditions, spec->realisations, 0.05, 7);
  const NormInput in = {comm, NULL, ds, channel, &split, &twin, memory, NULL};
  p->comm            = comm;
  collectives = shared_reads = 0;
  if (!known) CHECK(ProfileCreate(ds, C, &twin, &usual, (void **)&p->norm));
  CHECK(NormDataCreate(&in, p->norm, known, 7, &data));
  if (!known) CHECK(NormFit(&data, &usual));
  CHECK(TrainDataCreate(&data, &p->train, &p->valid, &p->dropped));
  p->held  = (int64_t)(memory - data.room);
  p->slots = data.start[data.tiles.tiles];
  CHECK(TrainDataDigest(comm, &p->train, p->norm->r, 1, &p->digest[0]));
  CHECK(TrainDataDigest(comm, &p->valid, p->norm->r, 1, &p->digest[1]));
  CHECK(NormDataDestroy(&data));
  CHECK(ScoriaDatasetClose(&ds));
}

static void forget(Prepared *p)
{
  CHECK(ProfileDestroy(p->norm));
  CHECK(TrainDataDestroy(&p->train));
  CHECK(TrainDataDestroy(&p->valid));
}

static void same_doubles(int n, const double a[], const double b[])
{
  assert_memory_equal(a, b, (size_t)n * sizeof *a);
}

static void same_prepared(const Prepared *a, const Prepared *b)
{
  const NormProfile n = a->norm, m = b->norm;
  assert_true(n->R == m->R && n->K == m->K && n->mean.terms == m->mean.terms && n->scale.terms == m->scale.terms);
  same_doubles(n->mean.terms * M, n->mean_coef, m->mean_coef);
  same_doubles(n->scale.terms * M, n->scale_coef, m->scale_coef);
  same_doubles(n->R * M, n->V, m->V);
  same_doubles(n->scale.terms * n->R, n->D_coef, m->D_coef);
  same_doubles(n->mean.terms * n->R, n->mu_coef, m->mu_coef);
  same_doubles(n->phi.terms * n->K * n->K, n->phi_coef, m->phi_coef);
  same_doubles(n->scale.terms * n->R, n->d_coef, m->d_coef);
  assert_true(a->train.rows == b->train.rows && a->valid.rows == b->valid.rows && a->dropped == b->dropped);
  assert_true(a->digest[0] == b->digest[0] && a->digest[1] == b->digest[1]);
}

/* On all ranks or one, with the rows held, some held, none held, and with the normaliser known from before. */
static void bits_are_the_same_however_it_is_done(void **state)
{
  (void)state;
  for (int float64 = 0; float64 < 2; float64++) {
    Prepared alone, other;
    make_dataset("test_preparation.h5", CONDITIONS, REALISATIONS, float64);
    prepare(PETSC_COMM_SELF, "test_preparation.h5", 1e9, false, &alone);
    assert_true(alone.train.rows > 11000 && alone.valid.rows > 500);
    assert_true(alone.train.rows + alone.valid.rows + alone.dropped == CONDITIONS * REALISATIONS);
    for (int way = 0; way < 4; way++) {
      const double memory[] = {1e9, 1.5e5, 0, 0};
      other.norm            = alone.norm;
      prepare(PETSC_COMM_WORLD, "test_preparation.h5", memory[way], way == 3, &other);
      same_prepared(&alone, &other);
      if (way == 3) other.norm = NULL; /* it is alone's */
      forget(&other);
    }
    forget(&alone);
  }
}

/* A condition with more rows than a tile is done in parts, on any rank; as there are few, rows of every part are left
 * out, which are pieces too. */
static void large_conditions_are_split(void **state)
{
  Prepared alone, all;
  int64_t slots;
  (void)state;
  make_dataset("test_preparation_few.h5", 5, 5000, false);
  prepare(PETSC_COMM_SELF, "test_preparation_few.h5", 1e9, false, &alone);
  prepare(PETSC_COMM_WORLD, "test_preparation_few.h5", 1e9, false, &all);
  same_prepared(&alone, &all);
  assert_true(all.train.rows > 0 && all.train.rows + all.valid.rows + all.dropped == 5 * 5000);
  assert_true(all.valid.rows > 3 * 250 && all.valid.rows <= 5 * 250); /* a twentieth of the rows, less those failed */
  slots = all.slots;
  MPI_Allreduce(MPI_IN_PLACE, &slots, 1, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD);
  assert_int_equal(slots, 5 * 3 * 2); /* 5000 rows are three parts of at most 2048 */
  forget(&alone);
  forget(&all);
}

/* What the normaliser's own encoding says of a row of the file is among the rows of its condition: single precision of
 * w, some 1e-7 of it, over the smallest scales of the modes here, 1e-2. */
static void rows_are_those_of_the_normaliser(void **state)
{
  ScoriaDataset ds;
  ScoriaRows rows;
  const ScoriaDatasetSpec *spec;
  Prepared p;
  double fields[REALISATIONS * M], y[REALISATIONS * ALL_MODES];
  int64_t at = 0;
  (void)state;
  make_dataset("test_preparation.h5", CONDITIONS, REALISATIONS, false);
  prepare(PETSC_COMM_SELF, "test_preparation.h5", 1e9, false, &p);
  CHECK(ScoriaDatasetOpen(PETSC_COMM_SELF, "test_preparation.h5", &ds));
  CHECK(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  CHECK(ScoriaRowsCreate(spec, REALISATIONS, &rows));
  const TrainSplit split = train_split(CONDITIONS, 0.05, 7, NULL);
  double worst           = 0;
  for (int64_t condition = 10; condition < 60; condition++) { /* in the first tile, where all are fitted: in order */
    int n = 0;
    if (!train_keeps(&split, condition)) continue;
    CHECK(ScoriaDatasetRead(ds, condition * REALISATIONS, REALISATIONS, &rows));
    for (int i = 0; i < REALISATIONS; i++) {
      if (rows.done[i] != SCORIA_ROW_DONE) continue;
      for (int c = 0; c < C; c++) memcpy(fields + (n * C + c) * L, rows.field[c] + i * L, L * sizeof(double));
      n++;
    }
    CHECK(ProfileAt(p.norm, &twin, (const double[]){rows.condition[0][0]}));
    profile_encode(p.norm, n, fields, y);
    while (fabs((double)p.train.u[p.train.condition[at]] - rows.condition[0][0]) > 1e-6) at++;
    for (int i = 0; i < n; i++, at++)
      for (int k = 0; k < p.norm->r; k++)
        worst = fmax(worst, fabs((double)p.train.y[at * p.norm->r + k] - y[i * p.norm->R + k]));
  }
  printf("# coordinates differ by %.1e at most\n", worst);
  assert_true(worst > 0 && worst < 1e-4);
  CHECK(ScoriaRowsDestroy(&rows));
  CHECK(ScoriaDatasetClose(&ds));
  forget(&p);
}

/* The number of collective calls follows from the fit, not from rows, conditions or passes over a tile: about a dozen a
 * regression, whose steps may be a few more or less, and a few a pass.  Every twin is solved once. */
static void collectives_do_not_grow_with_rows(void **state)
{
  Prepared small, large;
  (void)state;
  make_dataset("test_preparation.h5", CONDITIONS, REALISATIONS, false);
  prepare(PETSC_COMM_WORLD, "test_preparation.h5", 1e9, false, &small);
  const int few = collectives;
  make_dataset("test_preparation_large.h5", 4 * CONDITIONS, REALISATIONS, false);
  solved = 0;
  prepare(PETSC_COMM_WORLD, "test_preparation_large.h5", 1e9, false, &large);
  const int many = collectives;
  MPI_Allreduce(MPI_IN_PLACE, &solved, 1, MPI_DOUBLE, MPI_SUM, PETSC_COMM_WORLD);
  printf("# %d collective calls, %d for four times as many conditions\n", few, many);
  assert_true(solved == 4 * CONDITIONS);
  assert_true(many < 160 && abs(many - few) <= 20);
  assert_int_equal(shared_reads, 0);
  forget(&small);
  forget(&large);
}

/* A rank holds its share of the rows and of the tables over conditions, and a tile more at most. */
static void memory_falls_with_ranks(void **state)
{
  Prepared p;
  int size;
  int64_t sum[2];
  (void)state;
  MPI_Comm_size(PETSC_COMM_WORLD, &size);
  make_dataset("test_preparation_large.h5", 4 * CONDITIONS, REALISATIONS, false);
  prepare(PETSC_COMM_WORLD, "test_preparation_large.h5", 1e9, false, &p);
  sum[0] = p.held, sum[1] = p.slots;
  MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_INT64_T, MPI_SUM, PETSC_COMM_WORLD);
  assert_int_equal(sum[0], (p.train.rows + p.valid.rows) * M * (int64_t)sizeof(float));
  assert_int_equal(sum[1], 4 * CONDITIONS);
  assert_true(p.held <= sum[0] / size + 2048 * M * (int64_t)sizeof(float));
  assert_true(p.slots <= sum[1] / size + 2048 / REALISATIONS);
  int rank;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  assert_true(p.train.start[rank + 1] - p.train.start[rank] <= p.train.rows / size + 2048);
  forget(&p);
}

/* Any rows, in any order, some twice: those that this rank alone would have. */
static void rows_are_fetched(void **state)
{
  enum { N = 500, WIDTH = MODES + 1 };
  static float here[N * WIDTH], there[N * WIDTH];
  int64_t row[N];
  Prepared alone, all;
  int rank;
  (void)state;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);
  make_dataset("test_preparation.h5", CONDITIONS, REALISATIONS, false);
  prepare(PETSC_COMM_SELF, "test_preparation.h5", 1e9, false, &alone);
  prepare(PETSC_COMM_WORLD, "test_preparation.h5", 1e9, false, &all);
  const int64_t n = N - 37 * rank;
  for (int64_t i = 0; i < n; i++) row[i] = (i * i * 7919 + rank * 31) % alone.train.rows;
  CHECK(TrainRowsFetch(PETSC_COMM_WORLD, &all.train, MODES, 1, n, row, there));
  CHECK(TrainRowsFetch(PETSC_COMM_SELF, &alone.train, MODES, 1, n, row, here));
  assert_memory_equal(here, there, (size_t)(n * WIDTH) * sizeof(float));
  forget(&alone);
  forget(&all);
}

/* Rows that are dealt to the ranks train the same weights as rows that are all here. */
static void dealt_rows_train_the_same_weights(void **state)
{
  const ScoriaNetSpec spec = {
      .kind = "modes", .r = MODES, .d = 1, .width = 16, .depth = 1, .embed = 8, .channels = C, .cells = L};
  const TrainOptions opt = {.steps   = 300, /* two epochs and more; rows for 256 steps are fetched at once */
                            .batch   = 100,
                            .micro   = 6,
                            .process = {-0.2, 1},
                            .seed    = 5,
                            .adam    = {3e-3, 0.1, 0.9, 0.99, 1e-8, 1, {0.07}}};
  Prepared alone, all;
  Trainer one, job;
  TrainStep a, b;
  double loss[2], baseline[2];
  (void)state;
  make_dataset("test_preparation.h5", CONDITIONS, REALISATIONS, false);
  prepare(PETSC_COMM_SELF, "test_preparation.h5", 1e9, false, &alone);
  prepare(PETSC_COMM_WORLD, "test_preparation.h5", 1e9, false, &all);
  CHECK(TrainerCreate(PETSC_COMM_SELF, &spec, &opt, &alone.train, &one));
  CHECK(TrainerCreate(PETSC_COMM_WORLD, &spec, &opt, &all.train, &job));
  for (int64_t step = 0; step < opt.steps; step++) {
    CHECK(TrainerStep(one, &a));
    CHECK(TrainerStep(job, &b));
    assert_true(a.loss == b.loss && a.norm == b.norm);
  }
  const size_t bytes = sizeof(float) * (size_t)net_parameter_count(trainer_net(one));
  assert_memory_equal(net_parameters(trainer_net(one)), net_parameters(trainer_net(job)), bytes);
  for (int twice = 0; twice < 2; twice++) {
    CHECK(TrainerValidate(one, trainer_average(one, 0), &alone.valid, 2000, &loss[0], &baseline[0], NULL));
    CHECK(TrainerValidate(job, trainer_average(job, 0), &all.valid, 2000, &loss[1], &baseline[1], NULL));
    assert_true(loss[0] == loss[1] && baseline[0] == baseline[1]);
  }
  CHECK(TrainerDestroy(&one));
  CHECK(TrainerDestroy(&job));
  forget(&alone);
  forget(&all);
}

int main(int argc, char **argv)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bits_are_the_same_however_it_is_done),
      cmocka_unit_test(large_conditions_are_split),
      cmocka_unit_test(rows_are_those_of_the_normaliser),
      cmocka_unit_test(collectives_do_not_grow_with_rows),
      cmocka_unit_test(memory_falls_with_ranks),
      cmocka_unit_test(rows_are_fetched),
      cmocka_unit_test(dealt_rows_train_the_same_weights),
  };
  return run_test_program(argc, argv, tests, sizeof tests / sizeof tests[0]);
}
