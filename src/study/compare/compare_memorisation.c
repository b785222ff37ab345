/* Whether the model gives its training rows back: how far its samples are from the nearest of them, beside how far
 * fresh PDE fields at the same condition are.  Both are taken in the whitened coordinates that the network learns,
 * where fields of different conditions have one scale and where alone it can memorise. */
#include "compare.h"
#include <math.h>
#include <string.h>

#define TRAINING_ROWS 4096 /* at most: of the nearest training conditions, all their rows as far as that goes */
#define SAMPLES 500        /* of the model and of the PDE at a condition, at most */

/* Whether dataset.h5 is there, of the deck's law, and holds the model's channels. */
static PetscErrorCode FindDataset(ScoriaRun run, ScoriaDeck deck, const ScoriaFieldShape *shape, CompareMemory *mem)
{
  char path[PETSC_MAX_PATH_LEN], difference[512];
  const char *stored;
  bool there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, "dataset.h5", sizeof path, path));
  PetscCall(ScoriaFileExists(ScoriaRunComm(run), path, &there));
  if (!there) PetscFunctionReturn(0);
  PetscCall(ScoriaDatasetOpenProfiles(ScoriaRunComm(run), path, &mem->ds));
  PetscCall(ScoriaDatasetInfo(mem->ds, &mem->spec, NULL, &stored));
  PetscCall(ScoriaDeckDifference(deck, stored, SCORIA_OF_LAW, sizeof difference, difference));
  bool same = !*difference && mem->spec->cells == shape->cells && mem->spec->space.n == shape->space->n;
  for (int c = 0; c < shape->channels && same; c++) {
    mem->field[c] = field_find(mem->spec->nfields, mem->spec->field, shape->field[c].name);
    same          = mem->field[c] >= 0;
  }
  if (!same) PetscCall(ScoriaDatasetClose(&mem->ds));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareMemoryCreate(ScoriaRun run, ScoriaDeck deck, const ScoriaTrained *trained,
                                   const ScoriaFieldShape *shape, int64_t count, CompareMemory *mem)
{
  const int m = shape->channels * shape->cells;
  int R, rank, size;
  PetscFunctionBeginUser;
  PetscCall(FindDataset(run, deck, shape, mem));
  if (!mem->ds) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &size));
  mem->norm    = ScoriaModelNormaliser(trained->model);
  mem->twin    = &trained->twin;
  mem->samples = PetscMin(count, SAMPLES);
  PetscCall(ScoriaNormaliserSizes(mem->norm, NULL, NULL, &mem->r, &R));
  /* those that the model was trained on: the dataset may have grown since */
  const int64_t known = identity_rows(model_dataset(trained->model)), rows = known ? known : mem->spec->rows;
  PetscCall(ScoriaDatasetIdentity(run, mem->ds, rows, mem->dataset));
  mem->conditions = rows / mem->spec->realisations;
  PetscCall(
      ScoriaTrainingSplit(deck, mem->conditions, mem->spec->realisations, model_holdout(trained->model), &mem->split));
  mem->each = PetscMin(mem->spec->realisations, TRAINING_ROWS);
  mem->near = PetscMin(TRAINING_ROWS / mem->each, mem->conditions - mem->split.left_out);
  deal_block(mem->conditions, rank, size, &mem->first, &mem->number);
  PetscCall(PetscMalloc2(mem->number * mem->spec->space.n, &mem->theta, mem->number, &mem->distance));
  PetscCall(ScoriaDatasetReadTheta(mem->ds, mem->first, mem->number, mem->theta));
  PetscCall(ScoriaRowsCreate(mem->spec, mem->each, &mem->rows));
  const int64_t most = PetscMax(mem->each, SAMPLES);
  PetscCall(PetscMalloc5(most * m, &mem->fields, most * R, &mem->y, mem->near * mem->each * mem->r, &mem->train,
                         SAMPLES * mem->r, &mem->draws, mem->near, &mem->order));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareMemoryDestroy(CompareMemory *mem)
{
  PetscFunctionBeginUser;
  if (!mem->ds) PetscFunctionReturn(0);
  PetscCall(PetscFree5(mem->fields, mem->y, mem->train, mem->draws, mem->order));
  PetscCall(PetscFree2(mem->theta, mem->distance));
  PetscCall(ScoriaRowsDestroy(&mem->rows));
  PetscCall(ScoriaDatasetClose(&mem->ds));
  PetscFunctionReturn(0);
}

/* Learned coordinates (returned number, r) of n fields at theta; those that are not finite are left out. */
static PetscErrorCode Encode(CompareMemory *mem, const double theta[], int64_t n, const double fields[], double out[],
                             int64_t *kept)
{
  int R;
  PetscFunctionBeginUser;
  *kept = 0;
  PetscCall(ScoriaNormaliserSizes(mem->norm, NULL, NULL, NULL, &R));
  PetscCall(ScoriaNormaliserAt(mem->norm, mem->twin, theta));
  normaliser_encode(mem->norm, n, fields, mem->y);
  for (int64_t i = 0; i < n; i++) {
    bool good = true;
    for (int k = 0; k < mem->r; k++) good = good && isfinite(mem->y[i * R + k]);
    if (good) memcpy(out + (*kept)++ * mem->r, mem->y + i * R, sizeof(double) * (size_t)mem->r);
  }
  PetscFunctionReturn(0);
}

/* mem->order on `owner`: the conditions nearest to theta in unit coordinates.  Collective. */
static PetscErrorCode FindNear(MPI_Comm comm, CompareMemory *mem, const double theta[], int owner)
{
  const ScoriaSpace *space = &mem->spec->space;
  double u[SCORIA_MAX_CONDITIONS], v[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  space_to_unit(space, theta, u);
  for (int64_t k = 0; k < mem->number; k++) {
    mem->distance[k] = 0;
    space_to_unit(space, mem->theta + k * space->n, v);
    if (split_leaves_out(&mem->split, mem->first + k)) mem->distance[k] = INFINITY;
    for (int i = 0; i < space->n; i++) mem->distance[k] += (u[i] - v[i]) * (u[i] - v[i]);
  }
  PetscCall(ScoriaSmallest(comm, mem->first, mem->number, mem->distance, (int)mem->near, owner, mem->order));
  PetscFunctionReturn(0);
}

/* Into mem->fields, those of the rows read of a condition that were learned from; how many. */
static int64_t pack_learned(CompareMemory *mem, const ScoriaFieldShape *shape, int64_t condition)
{
  const size_t m = (size_t)shape->channels * (size_t)shape->cells;
  int64_t number = 0;
  for (int64_t i = 0; i < mem->each; i++)
    if (split_learns(&mem->split, condition * mem->spec->realisations + i))
      rows_pack(&mem->rows, i, 1, shape->channels, mem->field, shape->cells, mem->fields + (size_t)number++ * m);
  return number;
}

/* Learned coordinates of the training rows that are near, where `mine`; `failed` is this rank's own.  Collective. */
static PetscErrorCode ReadNear(CompareMemory *mem, const ScoriaFieldShape *shape, bool mine, int64_t *n,
                               PetscErrorCode *failed)
{
  const int64_t each = mem->each;
  PetscFunctionBeginUser;
  *n      = 0;
  *failed = 0;
  for (int64_t j = 0; j < mem->near; j++) {
    const int64_t k = mine ? mem->order[j] : 0;
    double theta[SCORIA_MAX_CONDITIONS];
    int64_t kept = 0;
    PetscCall(ScoriaDatasetRead(mem->ds, k * mem->spec->realisations, mine ? each : 0, &mem->rows));
    if (!mine || *failed) continue;
    const int64_t learned = pack_learned(mem, shape, k);
    for (int i = 0; i < shape->space->n; i++) theta[i] = mem->rows.condition[i][0];
    *failed = Encode(mem, theta, learned, mem->fields, mem->train + *n * mem->r, &kept);
    *n += kept;
  }
  PetscFunctionReturn(0);
}

/* On the owner: one condition beside `rows` training rows, of which mem->train holds the coordinates. */
static PetscErrorCode MeasureMemory(CompareMemory *mem, double *const fields[SCORIA_NFROM], int64_t rows, Comparison *c)
{
  static const int sources[2] = {SCORIA_FROM_MODEL, SCORIA_FROM_PDE};
  double nearest[2][SAMPLES];
  int64_t n[2] = {0, 0};
  PetscFunctionBeginUser;
  c->memory = (ScoriaMemorisation){NAN, NAN, NAN};
  for (int s = 0; s < 2; s++) {
    PetscCall(Encode(mem, c->theta, mem->samples, fields[sources[s]], mem->draws, &n[s]));
    if (rows) PetscCall(ScoriaNearest(n[s], mem->draws, rows, mem->train, mem->r, nearest[s]));
  }
  if (rows && n[0] && n[1]) PetscCall(ScoriaMemorisationTake(n[0], nearest[0], n[1], nearest[1], &c->memory));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareMemorise(CompareDraws *draws, CompareMemory *mem, ComparisonSet *set, int base, int chunk,
                               const double theta[][SCORIA_MAX_CONDITIONS])
{
  const bool mine = draws->rank < chunk;
  PetscErrorCode failed;
  int64_t rows;
  PetscFunctionBeginUser;
  if (!mem->ds) PetscFunctionReturn(0);
  for (int owner = 0; owner < chunk; owner++) PetscCall(FindNear(draws->comm, mem, theta[owner], owner));
  PetscCall(ReadNear(mem, &set->shape, mine, &rows, &failed));
  if (mine && !failed) failed = MeasureMemory(mem, draws->gathered, rows, compare_condition(set, base + draws->rank));
  PetscCall(ScoriaAgreeFailed(draws->comm, failed));
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------- writing ---- */

/* Mean over the conditions; how many have a value. */
static int pool(const ComparisonSet *set, const CompareMemory *mem, ScoriaMemorisation *pooled)
{
  int n   = 0;
  *pooled = (ScoriaMemorisation){0, 0, 0};
  for (int k = 0; k < set->held && mem->ds; k++) {
    const ScoriaMemorisation *one = &set->c[k].memory;
    if (isnan(one->share_nearer)) continue;
    pooled->median_ratio += one->median_ratio;
    pooled->share_nearer += one->share_nearer;
    pooled->share_expected += one->share_expected;
    n++;
  }
  if (!n) return 0;
  pooled->median_ratio /= n;
  pooled->share_nearer /= n;
  pooled->share_expected /= n;
  return n;
}

void compare_add_memorisation(cJSON *root, const ComparisonSet *set, const CompareMemory *mem)
{
  ScoriaMemorisation pooled;
  const int n = pool(set, mem, &pooled);
  if (!n) {
    cJSON_AddNullToObject(root, COMPARE_MEMORISATION);
    return;
  }
  /* the limit comes from as many PDE fields as there are samples: twice the binomial variance */
  const double share = pooled.share_expected, variance = 2 * share * (1 - share) / (double)(n * mem->samples);
  const ScoriaNearestRows found = {.median_ratio        = pooled.median_ratio,
                                   .share_nearer        = pooled.share_nearer,
                                   .share_expected      = share,
                                   .share_se            = sqrt(variance),
                                   .training_conditions = mem->near,
                                   .training_rows       = mem->near * mem->each,
                                   .samples             = mem->samples};
  members_add(cJSON_AddObjectToObject(root, COMPARE_MEMORISATION), scoria_nearest_members, &found);
}

PetscErrorCode CompareSayMemorisation(ScoriaRun run, const ComparisonSet *set, const CompareMemory *mem)
{
  const char *fresh = set->imported ? "held-back rows" : "PDE fields";
  ScoriaMemorisation pooled;
  PetscFunctionBeginUser;
  if (pool(set, mem, &pooled))
    PetscCall(
        ScoriaSay(run,
                  "  nearest training row: %.3f times as far as for %s; %.2f %% of samples nearer than nearly all "
                  "%s (%.2f %% without memorisation)",
                  pooled.median_ratio, fresh, 100 * pooled.share_nearer, fresh, 100 * pooled.share_expected));
  PetscFunctionReturn(0);
}
