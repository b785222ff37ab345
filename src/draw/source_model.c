/* Fields of the model, and of its conditional Gaussian. */
#include "scoria/draw.h"

typedef struct {
  const ScoriaTrained *trained; /* borrowed */
  bool gaussian;
} Model;

static PetscErrorCode Draw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  const Model *m         = ctx;
  const ScoriaTrained *t = m->trained;
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelSample(t->model, &t->twin, &t->sampler, theta, first, n, m->gaussian, fields));
  PetscFunctionReturn(0);
}

static PetscErrorCode Transport(void *ctx, int64_t first, int64_t n, bool each, const double theta[],
                                const double latent[], double fields[])
{
  const Model *m         = ctx;
  const ScoriaTrained *t = m->trained;
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelTransport(t->model, &t->twin, &t->sampler, m->gaussian, first, n, each, theta, latent, fields));
  PetscFunctionReturn(0);
}

static PetscErrorCode Latents(void *ctx, int *number)
{
  const Model *m = ctx;
  PetscFunctionBeginUser;
  PetscCall(ScoriaNormaliserSizes(ScoriaModelNormaliser(m->trained->model), NULL, NULL, NULL, number));
  PetscFunctionReturn(0);
}

static PetscErrorCode Density(void *ctx, const ScoriaLikelihoodOptions *opt, int64_t first, int64_t n,
                              const uint64_t id[], const double theta[], const double fields[],
                              const ScoriaLogDensity *out)
{
  const Model *m         = ctx;
  const ScoriaTrained *t = m->trained;
  ScoriaLogDensity of    = *out;
  PetscFunctionBeginUser;
  if (m->gaussian) of.log_density = NULL;
  PetscCall(ScoriaModelLogDensity(t->model, &t->twin, opt, first, n, id, theta, fields, &of));
  if (m->gaussian) PetscCall(PetscArraycpy(out->log_density, out->gaussian, n));
  PetscFunctionReturn(0);
}

static int scores_each(void *ctx)
{
  return model_scores_each(((const Model *)ctx)->trained->model);
}

static PetscErrorCode Scores(void *ctx, const double theta[], int n, const int cell[], double mean[], double weight[])
{
  const ScoriaTrained *t = ((const Model *)ctx)->trained;
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelScores(t->model, &t->twin, theta, n, cell, mean, weight));
  PetscFunctionReturn(0);
}

static void values(void *ctx, int n, const int cell[], const double score[], double value[])
{
  model_values(((const Model *)ctx)->trained->model, n, cell, score, value);
}

static PetscErrorCode Destroy(void *ctx)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(ctx));
  PetscFunctionReturn(0);
}

static const ScoriaSourceKind source_of_model = {
    .name = "model", .draw = Draw, .destroy = Destroy, .transport = Transport, .latents = Latents, .density = Density};
static const ScoriaSourceKind source_of_gaussian = {.name        = "gaussian",
                                                    .draw        = Draw,
                                                    .destroy     = Destroy,
                                                    .singly      = true,
                                                    .transport   = Transport,
                                                    .latents     = Latents,
                                                    .density     = Density,
                                                    .scores_each = scores_each,
                                                    .scores      = Scores,
                                                    .values      = values};

PetscErrorCode ScoriaSourceOfModel(MPI_Comm comm, const ScoriaTrained *trained, bool gaussian, ScoriaSource *source)
{
  ScoriaFieldShape shape = {.space   = ScoriaModelSpace(trained->model),
                            .reach   = model_reach(trained->model),
                            .model   = model_identity(trained->model),
                            .float64 = ScoriaModelFloat64(trained->model)};
  ScoriaWorkers workers  = {.all = {.comm = comm}, .own = {PETSC_COMM_SELF, 0, 1}, .leads = true};
  Model *m;
  PetscFunctionBeginUser;
  gaussian = gaussian || model_is_gaussian(trained->model);
  PetscCall(PetscNew(&m));
  *m = (Model){trained, gaussian};
  PetscCallMPI(MPI_Comm_rank(comm, &workers.all.worker));
  PetscCallMPI(MPI_Comm_size(comm, &workers.all.workers));
  PetscCall(ScoriaModelFields(trained->model, &shape.channels, &shape.field, &shape.cells, &shape.x));
  model_shape(trained->model, shape.shape);
  PetscCall(ScoriaSourceCreate(gaussian ? &source_of_gaussian : &source_of_model, m, &shape, &workers, source));
  PetscFunctionReturn(0);
}
