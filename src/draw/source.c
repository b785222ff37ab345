/* A source of fields, whatever its kind: who draws which share, and how long it takes. */
#include "scoria/draw.h"
#include "scoria/phases.h"

struct ScoriaSource_ {
  const ScoriaSourceKind *kind; /* borrowed */
  void *ctx;                    /* owned */
  ScoriaFieldShape shape;
  ScoriaWorkers workers;
  double seconds;
  ScoriaProgress bar; /* borrowed; NULL: none */
  double from, span;
};

PetscErrorCode ScoriaSourceCreate(const ScoriaSourceKind *kind, void *ctx, const ScoriaFieldShape *shape,
                                  const ScoriaWorkers *workers, ScoriaSource *source)
{
  PetscFunctionBeginUser;
  PetscCall(PetscNew(source));
  **source = (struct ScoriaSource_){.kind = kind, .ctx = ctx, .shape = *shape, .workers = *workers};
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSourceDestroy(ScoriaSource *source)
{
  PetscFunctionBeginUser;
  if (!*source) PetscFunctionReturn(0);
  PetscCall((*source)->kind->destroy((*source)->ctx));
  PetscCall(PetscFree(*source));
  PetscFunctionReturn(0);
}

const ScoriaFieldShape *source_shape(ScoriaSource source)
{
  return &source->shape;
}

const ScoriaWorkers *source_workers(ScoriaSource source)
{
  return &source->workers;
}

const char *source_name(ScoriaSource source)
{
  return source->kind->name;
}

bool source_draws_singly(ScoriaSource source)
{
  return source->kind->singly;
}

void source_show(ScoriaSource source, ScoriaProgress bar, double from, double span)
{
  source->bar  = bar;
  source->from = from;
  source->span = span;
}

double source_seconds(ScoriaSource source)
{
  return source->seconds;
}

const ScoriaRows *source_rows(ScoriaSource source)
{
  return source->kind->rows ? source->kind->rows(source->ctx) : NULL;
}

PetscErrorCode ScoriaSourceDraw(ScoriaSource source, const double theta[], uint64_t first, int64_t n, double fields[])
{
  const double start = wall_seconds();
  PetscFunctionBeginUser;
  PetscCall(source->kind->draw(source->ctx, theta, first, n, fields));
  source->seconds += wall_seconds() - start;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSourceLatents(ScoriaSource source, int *number)
{
  PetscFunctionBeginUser;
  PetscCall(source->kind->latents(source->ctx, number));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSourceTransport(ScoriaSource source, int64_t first, int64_t n, bool each, const double theta[],
                                     const double latent[], double fields[])
{
  PetscFunctionBeginUser;
  PetscCall(source->kind->transport(source->ctx, first, n, each, theta, latent, fields));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSourceDensity(ScoriaSource source, const ScoriaLikelihoodOptions *opt, int64_t first, int64_t n,
                                   const uint64_t id[], const double theta[], const double fields[],
                                   const ScoriaLogDensity *out)
{
  PetscFunctionBeginUser;
  PetscCall(source->kind->density(source->ctx, opt, first, n, id, theta, fields, out));
  PetscFunctionReturn(0);
}

int source_scores_each(ScoriaSource source)
{
  return source->kind->scores_each ? source->kind->scores_each(source->ctx) : 0;
}

PetscErrorCode ScoriaSourceScores(ScoriaSource source, const double theta[], int n, const int cell[], double mean[],
                                  double weight[])
{
  PetscFunctionBeginUser;
  PetscCall(source->kind->scores(source->ctx, theta, n, cell, mean, weight));
  PetscFunctionReturn(0);
}

void source_values(ScoriaSource source, int n, const int cell[], const double score[], double value[])
{
  source->kind->values(source->ctx, n, cell, score, value);
}

/* Shares of `mine` rows of every one of k conditions, which follow each other, to ranks owner + j, there in the order
 * of the ranks. */
static PetscErrorCode Exchange(MPI_Comm comm, int width, int k, int mine, const double share[], int owner,
                               double fields[])
{
  int rank, size, *rows, *out, *out_at, *in, *in_at;
  MPI_Datatype row;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscCalloc5(size, &rows, size, &out, size, &out_at, size, &in, size, &in_at));
  PetscCallMPI(MPI_Type_contiguous(width, MPI_DOUBLE, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, rows, 1, MPI_INT, comm));
  for (int j = 0; j < k; j++) {
    out[owner + j]    = mine;
    out_at[owner + j] = j * mine;
  }
  for (int r = 0, at = 0; r < size && rank >= owner && rank < owner + k; at += rows[r++]) {
    in[r]    = rows[r];
    in_at[r] = at;
  }
  PetscCallMPI(MPI_Alltoallv(share, out, out_at, row, fields, in, in_at, row, comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(PetscFree5(rows, out, out_at, in, in_at));
  PetscFunctionReturn(0);
}

/* Rows [at, at + n) of this rank's, of which every condition has `number`: they may be of several conditions. */
static PetscErrorCode DrawSome(ScoriaSource source, const double theta[][SCORIA_MAX_CONDITIONS], const uint64_t first[],
                               int64_t number, int64_t at, int64_t n, double share[])
{
  const int width = source->shape.channels * source->shape.cells;
  PetscFunctionBeginUser;
  for (int64_t end = at + n, part; at < end; at += part) {
    const int64_t j = at / number, i = at % number;
    part = PetscMin(number - i, end - at);
    PetscCall(ScoriaSourceDraw(source, theta[j], first[j] + (uint64_t)i, part, share + at * width));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSourceGather(ScoriaSource source, ScoriaPace *pace, const char *kept, int k,
                                  const double theta[][SCORIA_MAX_CONDITIONS], const uint64_t first[], int64_t n,
                                  int owner, double share[], double fields[])
{
  const ScoriaTeam *all = &source->workers.all;
  const int width       = source->shape.channels * source->shape.cells;
  const int64_t most    = k * ((n + all->workers - 1) / all->workers);
  int64_t start, number;
  uint64_t *from;
  PetscFunctionBeginUser;
  PetscCheck(k <= all->workers, all->comm, PETSC_ERR_ARG_OUTOFRANGE, "%d conditions for %d workers", k, all->workers);
  deal_block(n, all->worker, all->workers, &start, &number);
  PetscCall(PetscMalloc1(k, &from));
  for (int j = 0; j < k; j++) from[j] = first[j] + (uint64_t)start;
  for (int64_t base = 0, step; base < most; base += step) {
    PetscErrorCode failed = 0; /* what one worker meets alone, all fail with */
    PetscCall(ScoriaPaceMeet(pace, kept));
    step            = pace->step;
    const int64_t m = PetscMax(0, PetscMin(step, k * number - base));
    if (m) failed = DrawSome(source, theta, from, number, base, m, share);
    PetscCall(ScoriaAgreeFailed(all->comm, failed));
    if (source->bar)
      PetscCall(ScoriaProgressUpdate(
          source->bar, source->from + source->span * (double)PetscMin(base + step, most) / (double)most, NULL));
  }
  PetscCall(PetscFree(from));
  if (!source->workers.leads) number = 0; /* the leader hands in its group's fields */
  phase_begin(SCORIA_PHASE_GATHER);
  PetscCall(Exchange(all->comm, width, k, (int)number, share, owner, fields));
  phase_bytes((double)(k * number * width) * sizeof *fields);
  phase_end(SCORIA_PHASE_GATHER, (double)(k * number));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaExpectProfiles(const ScoriaFieldShape *shape, const char *command)
{
  const int *n = shape->shape;
  PetscFunctionBeginUser;
  if (n[1] > 1 || n[2] > 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: the model is of whole fields, %d x %d x %d cells, expected profiles along x",
                command, n[0], n[1], n[2]);
  PetscFunctionReturn(0);
}
