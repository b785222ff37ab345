/* Whether the samples of a network that was trained for a short time on few rows are worth more than the Gaussian's.
 *
 * The validation loss averages over noise levels, all coordinates alike.  Where coordinates that carry nearly nothing
 * of the fields are functions of others, a network denoises these from those: it lowers their loss at low levels, also
 * where it counts by what they carry, and its samples are farther from the law than the Gaussian's
 * (benchmarks/few_rows.md).  So here the samples themselves are held against rows that were left out, by the energy
 * score
 *
 *   S(law, y) = E |Y - y| - E |Y - Y'| / 2,   Y, Y' of the law at the row's condition,
 *
 * whose mean over the rows is smallest for the law that they have (Gneiting and Raftery 2007), for both laws from the
 * same noise. */
#include "train_judge.h"
#include "samplers/samplers.h"
#include "train_few.h"
#include "train_rows.h"
#include "scoria/io.h"
#include <math.h>

enum {
  JUDGED_ROWS = 128, /* at most, spread over those left out */
  DRAWS       = MODEL_TILE
};

static const ScoriaSamplerOptions sampling = {
    .kind = "abm", .steps = 8, .sigma_max = 30, .sigma_min = 0.002, .power = 1};

/* Rows here, (rows, r + d), and buffers of one tile. */
typedef struct {
  int r, d;
  const float *worth;      /* borrowed (r); NULL: all 1 */
  float *row;              /* owned (JUDGED_ROWS, r + d) */
  float *noise, *y, *work; /* owned (DRAWS, r), (DRAWS, r), the sampler's */
} Judge;

static double distance(const Judge *j, const float a[], const float b[])
{
  double square = 0;
  for (int k = 0; k < j->r; k++) {
    const double gap = (double)a[k] - (double)b[k];
    square += (j->worth ? (double)j->worth[k] : 1) * gap * gap;
  }
  return sqrt(square / j->r);
}

/* The energy score of draws (DRAWS, r) at row y, each pair of them once. */
static double energy_score(const Judge *j, const float draws[], const float y[])
{
  double near = 0, apart = 0;
  for (int i = 0; i < DRAWS; i++) {
    const float *one = draws + i * j->r;
    near += distance(j, one, y);
    for (int l = 0; l < i; l++) apart += distance(j, one, draws + l * j->r);
  }
  return near / DRAWS - apart / ((double)DRAWS * (DRAWS - 1));
}

/* What the network lowers the score of a row by; the Gaussian's samples are the noise. */
static double gain_of_row(Judge *j, ScoriaModel m, int64_t number)
{
  const float *row         = j->row + number * (j->r + j->d);
  const uint64_t id[DRAWS] = {0};
  ScoriaSamplerOptions opt = sampling;
  ModelAt at               = {.model = m};
  const ScoriaDenoiser den = {j->r, &at, model_denoise};
  opt.process              = m->process.row;
  opt.noise                = j->noise;
  for (int k = 0; k < j->d; k++) at.u[k] = row[j->r + k];
  for (int i = 0; i < DRAWS; i++)
    rng_normalf(m->seed, SCORIA_STREAM_JUDGE, (uint64_t)(number * DRAWS + i), 0, j->r, j->noise + i * j->r);
  sampler_find(opt.kind)->run(&opt, &den, DRAWS, id, j->work, j->y);
  return energy_score(j, j->noise, row) - energy_score(j, j->y, row);
}

/* table (rows, 3) of rows that are spread over those left out: gain, row, a number that is one of its condition. */
static PetscErrorCode Fill(MPI_Comm comm, ScoriaModel m, const TrainData *valid, int64_t rows, Judge *j, double table[])
{
  int64_t of[JUDGED_ROWS], first, local;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  for (int64_t i = 0; i < rows; i++) of[i] = i * valid->rows / rows;
  PetscCall(TrainRowsFetch(comm, valid, j->r, j->d, rows, of, j->row));
  deal_block(rows, rank, size, &first, &local);
  for (int64_t i = first; i < first + local; i++) {
    const float *u   = j->row + i * (j->r + j->d) + j->r;
    table[3 * i]     = gain_of_row(j, m, i);
    table[3 * i + 1] = (double)of[i];
    table[3 * i + 2] = j->d ? (double)crc32c(0, u, sizeof *u * (size_t)j->d) : 0;
  }
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, 3 * rows, MPI_DOUBLE, table));
  PetscFunctionReturn(0);
}

PetscErrorCode TrainJudgeSamples(MPI_Comm comm, ScoriaModel m, const TrainData *valid, const float worth[],
                                 double *gain, double *sure)
{
  const int64_t rows = PetscMin(valid->rows, JUDGED_ROWS);
  const int r        = m->spec.r;
  Judge j            = {.r = r, .d = m->spec.d, .worth = worth};
  double *table;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc4(JUDGED_ROWS * (r + j.d), &j.row, DRAWS * r, &j.noise, DRAWS * r, &j.y,
                         sampler_work_floats(DRAWS, r), &j.work));
  PetscCall(PetscCalloc1(3 * rows, &table));
  PetscCall(Fill(comm, m, valid, rows, &j, table));
  PetscCall(TrainGainJudge(rows, table, gain, sure));
  PetscCall(PetscFree(table));
  PetscCall(PetscFree4(j.row, j.noise, j.y, j.work));
  PetscFunctionReturn(0);
}
