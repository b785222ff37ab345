/* Fields of fresh solves: the fields of state of an ensemble. */
#include "scoria/draw.h"
#include <string.h>

#define CHUNK_ROWS 1024                 /* solved at once, at most */
#define CHUNK_BYTES ((int64_t)32 << 20) /* of their fields, at most, unless one row takes more */

typedef struct {
  ScoriaEnsemble ens; /* borrowed */
  ScoriaDatasetSpec spec;
  int64_t chunk;   /* rows solved at once */
  ScoriaRows rows; /* owned (chunk) */
  int channels;
  double *theta; /* owned (chunk, space.n) */
  uint64_t *id;  /* owned (chunk) */
} Pde;

static PetscErrorCode Draw(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  Pde *pde        = ctx;
  const int width = pde->spec.space.n, L = pde->spec.cells;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < PetscMin(n, pde->chunk); i++)
    memcpy(pde->theta + i * width, theta, (size_t)width * sizeof(double));
  for (int64_t base = 0; base < n; base += pde->chunk) {
    const int64_t number = PetscMin(pde->chunk, n - base);
    for (int64_t i = 0; i < number; i++) pde->id[i] = first + (uint64_t)(base + i);
    PetscCall(ScoriaEnsembleCompute(pde->ens, number, pde->theta, pde->id, NULL, &pde->rows));
    rows_pack(&pde->rows, 0, number, pde->channels, NULL, L, fields + base * pde->channels * L);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(void *ctx)
{
  Pde *pde = ctx;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRowsDestroy(&pde->rows));
  PetscCall(PetscFree2(pde->theta, pde->id));
  PetscCall(PetscFree(pde));
  PetscFunctionReturn(0);
}

static const ScoriaSourceKind source_of_pde = {.name = "pde", .draw = Draw, .destroy = Destroy};

PetscErrorCode ScoriaSourceOfPde(ScoriaEnsemble ens, ScoriaSource *source)
{
  const ScoriaGroups *groups  = ScoriaEnsembleGroups(ens);
  const ScoriaWorkers workers = {
      .all = {groups->comm, groups->index, groups->count}, .own = {groups->group, 0, 1}, .leads = groups_leads(groups)};
  const double *x;
  Pde *pde;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&pde));
  pde->ens = ens;
  PetscCall(ScoriaEnsembleSpec(ens, &pde->spec, &x));
  pde->channels     = spec_states(&pde->spec);
  const int64_t row = (int64_t)pde->spec.nfields * pde->spec.cells * (int64_t)sizeof(double);
  pde->chunk        = PetscClipInterval(CHUNK_BYTES / row, 1, CHUNK_ROWS);
  PetscCall(ScoriaRowsCreate(&pde->spec, pde->chunk, &pde->rows));
  PetscCall(PetscMalloc2(pde->chunk * pde->spec.space.n, &pde->theta, pde->chunk, &pde->id));
  ScoriaFieldShape shape = {.channels = pde->channels,
                            .cells    = pde->spec.cells,
                            .field    = pde->spec.field,
                            .x        = x,
                            .space    = &pde->spec.space,
                            .library  = ensemble_library(ens),
                            .float64  = pde->spec.float64};
  memcpy(shape.shape, pde->spec.shape, sizeof shape.shape);
  PetscCall(ScoriaSourceCreate(&source_of_pde, pde, &shape, &workers, source));
  PetscFunctionReturn(0);
}
