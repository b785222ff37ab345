/* A source of fields, whatever its kind: who draws which share, and how long it takes. */
#include "scoria/draw.h"
#include "scoria/phases.h"

struct ScoriaSource_ {
  const ScoriaSourceKind *kind; /* borrowed */
  void *ctx;                    /* owned */
  ScoriaFieldShape shape;
  ScoriaWorkers workers;
  double seconds;
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

/* Every rank's share to the owner, in the order of the ranks. */
static PetscErrorCode Gather(MPI_Comm comm, int width, int64_t number, const double share[], int owner, double fields[])
{
  int mine = (int)number, size, *counts, *starts;
  MPI_Datatype row;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(PetscMalloc2(size, &counts, size, &starts));
  PetscCallMPI(MPI_Type_contiguous(width, MPI_DOUBLE, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  PetscCallMPI(MPI_Allgather(&mine, 1, MPI_INT, counts, 1, MPI_INT, comm));
  for (int r = 0, at = 0; r < size; at += counts[r++]) starts[r] = at;
  PetscCallMPI(MPI_Gatherv(share, mine, row, fields, counts, starts, row, owner, comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscCall(PetscFree2(counts, starts));
  PetscFunctionReturn(0);
}

/* This rank's share, in rounds.  What one worker meets alone, all fail with. */
static PetscErrorCode DrawShare(ScoriaSource source, ScoriaPace *pace, const char *kept, const double theta[],
                                uint64_t first, int64_t number, int64_t most, double share[])
{
  const int width = source->shape.channels * source->shape.cells;
  PetscFunctionBeginUser;
  for (int64_t base = 0, step; base < most; base += step) {
    PetscCall(ScoriaPaceMeet(pace, kept));
    step                  = pace->step;
    const int64_t n       = PetscMax(0, PetscMin(step, number - base));
    PetscErrorCode failed = 0;
    if (n) failed = ScoriaSourceDraw(source, theta, first + (uint64_t)base, n, share + base * width);
    PetscCall(ScoriaAgreeFailed(source->workers.all.comm, failed));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSourceGather(ScoriaSource source, ScoriaPace *pace, const char *kept, const double theta[],
                                  uint64_t first, int64_t n, int owner, double share[], double fields[])
{
  const ScoriaTeam *all = &source->workers.all;
  const int width       = source->shape.channels * source->shape.cells;
  const int64_t most    = (n + all->workers - 1) / all->workers;
  int64_t start, number;
  PetscFunctionBeginUser;
  deal_block(n, all->worker, all->workers, &start, &number);
  PetscCall(DrawShare(source, pace, kept, theta, first + (uint64_t)start, number, most, share));
  if (!source->workers.leads) number = 0; /* the leader hands in its group's fields */
  phase_begin(SCORIA_PHASE_GATHER);
  PetscCall(Gather(all->comm, width, number, share, owner, fields));
  phase_bytes((double)(number * width) * sizeof *fields);
  phase_end(SCORIA_PHASE_GATHER, (double)number);
  PetscFunctionReturn(0);
}
