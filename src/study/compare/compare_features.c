/* compare of whole fields: rows become features a few at a time, so that only a few whole rows are in memory. */
#include "compare.h"
#include "scoria/phases.h"
#include <math.h>

/* The normals of the directions, beside which the rest is small, within run_memory. */
static PetscErrorCode CheckMemory(ScoriaDeck deck, const ScoriaFeaturesSpec *spec)
{
  const int *n        = spec->grid.n;
  const double values = (double)spec->channels * n[0] * n[1] * n[2];
  const double need   = values * spec->directions * sizeof(float);
  double allowed;
  PetscFunctionBeginUser;
  PetscCall(ScoriaMemoryOfDeck(deck, &allowed));
  PetscCall(ScoriaMemoryCheck(need, allowed, "fewer compare_directions", "%d directions of whole fields of %.0f values",
                              spec->directions, values));
  PetscFunctionReturn(0);
}

static ScoriaFeaturesGrid grid_of(const ScoriaField *field, const int shape[3], const double x[])
{
  ScoriaFeaturesGrid grid;
  field_shape(field, shape, grid.n);
  for (int a = 0; a < 3; a++) {
    double end[2];
    cells_ends(grid.n[a], field_centres(field, shape, x, a), end);
    grid.length[a] = end[1] - end[0];
  }
  grid.x = field_centres(field, shape, x, 0);
  return grid;
}

PetscErrorCode CompareFeaturesCreate(ScoriaDeck deck, int channels, const ScoriaField field[], const int shape[3],
                                     const double x[], ScoriaFeatures *features)
{
  const ScoriaField largest = {.cells = 0};
  ScoriaFeaturesGrid own[SCORIA_MAX_FIELDS];
  PetscInt seed = 0, directions = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDeckInt(deck, "compare_directions", &directions));
  for (int c = 0; c < channels; c++) own[c] = grid_of(&field[c], shape, x);
  const ScoriaFeaturesSpec spec = {.channels   = channels,
                                   .grid       = grid_of(&largest, shape, x),
                                   .own        = fields_differ(channels, field) ? own : NULL,
                                   .directions = (int)directions,
                                   .seed       = (uint64_t)seed};
  PetscCall(CheckMemory(deck, &spec));
  PetscCall(ScoriaFeaturesCreate(&spec, features));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- batches ---- */

PetscErrorCode CompareBatchCreate(const ScoriaFieldShape *shape, CompareBatch *batch)
{
  const int64_t m = (int64_t)shape->channels * shape->cells;
  PetscFunctionBeginUser;
  batch->rows = PetscMax(COMPARE_BATCH_BYTES / (int64_t)(m * sizeof(double)), 1);
  PetscCall(PetscMalloc1((size_t)(batch->rows * m), &batch->buffer));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareBatchDestroy(CompareBatch *batch)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(batch->buffer));
  PetscFunctionReturn(0);
}

static int kept_size(const CompareKept *kept)
{
  return features_size(kept->features) + numbers_count(kept->numbers);
}

static void keep(const CompareKept *kept, const double theta[], const double whole[], double row[])
{
  const int n = numbers_count(kept->numbers);
  features_take(kept->features, whole, row);
  if (n) numbers_take(kept->numbers, theta, 1, whole, n, row + features_size(kept->features));
}

PetscErrorCode CompareDrawFeatures(ScoriaSource of, const CompareKept *kept, const CompareBatch *batch,
                                   const double theta[], uint64_t first, int64_t n, int64_t most, double rows[])
{
  const ScoriaFieldShape *shape = source_shape(of);
  const size_t m = (size_t)shape->channels * shape->cells, size = (size_t)kept_size(kept);
  PetscFunctionBeginUser;
  for (int64_t at = 0; at < most; at += batch->rows) {
    const int64_t number = PetscClipInterval(n - at, 0, batch->rows);
    PetscCall(ScoriaSourceDraw(of, theta, first + (uint64_t)at, number, batch->buffer));
    if (!source_workers(of)->leads) continue;
    phase_begin(SCORIA_PHASE_MEASURE);
    for (int64_t i = 0; i < number; i++) {
      const double *whole = batch->buffer + i * m;
      double *row         = rows + (at + i) * size;
      if (isfinite(whole[0]))
        keep(kept, theta, whole, row);
      else
        for (size_t k = 0; k < size; k++) row[k] = NAN;
    }
    phase_end(SCORIA_PHASE_MEASURE, (double)number);
  }
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------- source of features ---- */

typedef struct {
  ScoriaSource of; /* borrowed, as is what is kept */
  CompareKept kept;
  CompareBatch batch; /* owned */
} OfFeatures;

static PetscErrorCode DrawFeatures(void *ctx, const double theta[], uint64_t first, int64_t n, double fields[])
{
  OfFeatures *s = ctx;
  PetscFunctionBeginUser;
  PetscCall(CompareDrawFeatures(s->of, &s->kept, &s->batch, theta, first, n, n, fields));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyFeatures(void *ctx)
{
  OfFeatures *s = ctx;
  PetscFunctionBeginUser;
  PetscCall(CompareBatchDestroy(&s->batch));
  PetscCall(PetscFree(s));
  PetscFunctionReturn(0);
}

static const ScoriaSourceKind source_features = {.name = "features", .draw = DrawFeatures, .destroy = DestroyFeatures};

PetscErrorCode CompareSourceOfFeatures(ScoriaSource of, const CompareKept *kept, ScoriaSource *source)
{
  ScoriaFieldShape shape = *source_shape(of);
  OfFeatures *s;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&s));
  *s = (OfFeatures){.of = of, .kept = *kept};
  PetscCall(CompareBatchCreate(&shape, &s->batch));
  shape.channels = 1;
  shape.cells = shape.shape[0] = kept_size(kept);
  shape.shape[1] = shape.shape[2] = 1;
  PetscCall(ScoriaSourceCreate(&source_features, s, &shape, source_workers(of), source));
  PetscFunctionReturn(0);
}
