/* Which rows of an imported dataset are held back from training.  A tenth of the conditions, unless the deck says
 * otherwise, but enough for a verdict; one of each of as many regions of the conditions' ranges that hold equally many,
 * and none at an end of a range, beyond which the model would extrapolate. */
#include "holdout.h"
#include "scoria/run_files.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

enum {
  LEAST_CONDITIONS = 4,       /* of a verdict */
  LEAST_ROWS       = 100,     /* of a verdict: an SD from so many is known to 7 % */
  FEW_CONDITIONS   = 8,       /* fewer spare none: rows of each are held back */
  FEW_ROWS         = 8,       /* of a condition: fewer spare none */
  MOST_SHARE       = 4,       /* a fourth of them at most, unless the deck asks for more */
  MOST             = 4096,    /* conditions: more would not sharpen the verdict, but cost the training */
  SPREAD           = 1 << 16, /* conditions: of more, those drawn at random are spread well enough */
};

/* Keys of the permutations that choose among conditions, and among the rows of a condition. */
static const uint64_t of_conditions = UINT64_MAX - 2, of_rows = UINT64_MAX - 3;

static int ascending(const void *a, const void *b)
{
  const int64_t p = *(const int64_t *)a, q = *(const int64_t *)b;
  return (p > q) - (p < q);
}

/* None, where they and their rows of each are too few for any verdict: training has better use for them. */
static int64_t if_judged(int64_t number, int64_t each)
{
  return number * each < SCORIA_HOLDOUT_LEAST ? 0 : number;
}

int64_t holdout_number(int64_t conditions, int64_t realisations, double share)
{
  if (conditions < FEW_CONDITIONS || share <= 0) return 0;
  const int64_t asked = (int64_t)ceil(share * (double)conditions - 1e-9);
  const int64_t least = PetscMax(LEAST_CONDITIONS, (LEAST_ROWS + realisations - 1) / realisations);
  const int64_t most  = PetscMax(asked, conditions / MOST_SHARE);
  return if_judged(PetscMin(PetscMin(PetscMax(asked, least), most), PetscMin(MOST, conditions - 1)), realisations);
}

int64_t holdout_typical(const ScoriaDatasetSpec *spec, int64_t failed)
{
  const int64_t conditions = spec->rows / spec->realisations;
  return 2 * failed > spec->rows ? PetscMax(1, (spec->rows - failed) / conditions) : spec->realisations;
}

int64_t holdout_rows(int64_t conditions, int64_t realisations, double share)
{
  if (conditions < 1 || conditions >= FEW_CONDITIONS || realisations < FEW_ROWS || share <= 0) return 0;
  const int64_t asked = (int64_t)ceil(share * (double)realisations - 1e-9);
  const int64_t least = (LEAST_ROWS + conditions - 1) / conditions;
  const int64_t most  = PetscMax(asked, realisations / MOST_SHARE);
  return if_judged(PetscMin(PetscMin(PetscMax(asked, least), most), PetscMin(MOST * LEAST_ROWS, realisations - 1)),
                   conditions);
}

/* ------------------------------------------------------------------------------------------------------ spread ---- */

typedef struct {
  double key; /* coordinate along which they are sorted */
  int64_t condition;
} Candidate;

static int by_key(const void *a, const void *b)
{
  const Candidate *p = a, *q = b;
  if (p->key != q->key) return p->key < q->key ? -1 : 1;
  return (p->condition > q->condition) - (p->condition < q->condition);
}

/* The coordinate along which n candidates spread most. */
static int widest(int d, const double u[], int64_t n, const Candidate c[])
{
  int axis    = 0;
  double most = -1;
  for (int k = 0; k < d; k++) {
    double lo = INFINITY, hi = -INFINITY;
    for (int64_t i = 0; i < n; i++) {
      lo = fmin(lo, u[c[i].condition * d + k]);
      hi = fmax(hi, u[c[i].condition * d + k]);
    }
    if (hi - lo > most) {
      most = hi - lo;
      axis = k;
    }
  }
  return axis;
}

/* One of each of `want` regions of n candidates, cut in two along the widest coordinate again and again. */
static void take_regions(int d, const double u[], const ScoriaShuffle *order, int64_t n, Candidate c[], int64_t want,
                         int64_t **out)
{
  if (want < 1) return;
  if (want == 1) {
    int64_t best = 0;
    for (int64_t i = 1; i < n; i++)
      if (rng_shuffled(order, c[i].condition) < rng_shuffled(order, c[best].condition)) best = i;
    *(*out)++ = c[best].condition;
    return;
  }
  const int axis       = widest(d, u, n, c);
  const int64_t before = want / 2, cut = n * before / want;
  for (int64_t i = 0; i < n; i++) c[i].key = u[c[i].condition * d + axis];
  qsort(c, (size_t)n, sizeof *c, by_key);
  take_regions(d, u, order, cut, c, before, out);
  take_regions(d, u, order, n - cut, c + cut, want - before, out);
}

/* Conditions that are at no end of a coordinate of more than two values, or all where these are too few. */
static int64_t find_inside(int d, const double u[], int64_t conditions, int64_t want, Candidate c[])
{
  double lo[SCORIA_MAX_CONDITIONS], hi[SCORIA_MAX_CONDITIONS];
  int64_t n = 0;
  for (int k = 0; k < d; k++) {
    lo[k] = INFINITY;
    hi[k] = -INFINITY;
    for (int64_t i = 0; i < conditions; i++) {
      lo[k] = fmin(lo[k], u[i * d + k]);
      hi[k] = fmax(hi[k], u[i * d + k]);
    }
  }
  for (int k = 0; k < d; k++) {
    bool between = false;
    for (int64_t i = 0; i < conditions && !between; i++) between = u[i * d + k] > lo[k] && u[i * d + k] < hi[k];
    if (!between) lo[k] = -INFINITY, hi[k] = INFINITY;
  }
  for (int64_t i = 0; i < conditions; i++) {
    bool inside = true;
    for (int k = 0; k < d; k++) inside = inside && u[i * d + k] > lo[k] && u[i * d + k] < hi[k];
    if (inside) c[n++] = (Candidate){0, i};
  }
  if (n >= want) return n;
  for (int64_t i = 0; i < conditions; i++) c[i] = (Candidate){0, i};
  return conditions;
}

PetscErrorCode HoldoutSpread(int d, const double u[], int64_t conditions, int64_t number, uint64_t seed,
                             int64_t chosen[])
{
  int64_t *next = chosen;
  ScoriaShuffle order;
  Candidate *c;
  PetscFunctionBeginUser;
  rng_shuffle(seed, SCORIA_STREAM_VALIDATION, of_conditions, conditions, &order);
  PetscCall(PetscMalloc1(conditions, &c));
  const int64_t n = find_inside(d, u, conditions, number, c);
  take_regions(d, u, &order, n, c, number, &next);
  qsort(chosen, (size_t)number, sizeof *chosen, ascending);
  PetscCall(PetscFree(c));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ choice ---- */

/* Unit coordinates (conditions, space.n) of all conditions, on every rank. */
static PetscErrorCode ReadUnits(MPI_Comm comm, ScoriaDataset ds, const ScoriaSpace *space, int64_t conditions,
                                double u[])
{
  int64_t first, number;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  deal_block(conditions, rank, size, &first, &number);
  PetscCall(PetscArrayzero(u, conditions * space->n));
  PetscCall(ScoriaDatasetReadTheta(ds, first, number, u + first * space->n));
  for (int64_t i = first; i < first + number; i++) {
    double unit[SCORIA_MAX_CONDITIONS];
    space_to_unit(space, u + i * space->n, unit);
    for (int k = 0; k < space->n; k++) u[i * space->n + k] = unit[k];
  }
  PetscCall(ScoriaReduceMany(comm, MPI_SUM, conditions * space->n, MPI_DOUBLE, u));
  PetscFunctionReturn(0);
}

/* The conditions: spread over their ranges, or where there are very many the first of a permutation. */
static PetscErrorCode ChooseConditions(MPI_Comm comm, ScoriaDataset ds, uint64_t seed, ScoriaHoldout *h)
{
  const ScoriaDatasetSpec *spec;
  double *u;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  PetscCall(PetscMalloc1(h->number, &h->condition));
  if (h->conditions > SPREAD) {
    ScoriaShuffle order;
    rng_shuffle(seed, SCORIA_STREAM_VALIDATION, of_conditions, h->conditions, &order);
    for (int64_t i = 0; i < h->number; i++) h->condition[i] = rng_shuffled(&order, i);
    qsort(h->condition, (size_t)h->number, sizeof *h->condition, ascending);
    PetscFunctionReturn(0);
  }
  PetscCall(PetscMalloc1(h->conditions * spec->space.n + 1, &u));
  PetscCall(ReadUnits(comm, ds, &spec->space, h->conditions, u));
  PetscCall(HoldoutSpread(spec->space.n, u, h->conditions, h->number, seed, h->condition));
  PetscCall(PetscFree(u));
  PetscFunctionReturn(0);
}

PetscErrorCode HoldoutOrder(uint64_t seed, ScoriaHoldout *h)
{
  int64_t n = 0;
  PetscFunctionBeginUser;
  if (!h->rows) PetscFunctionReturn(0);
  rng_shuffle(seed, SCORIA_STREAM_VALIDATION, of_rows, h->realisations, &h->order);
  PetscCall(PetscMalloc1(h->rows, &h->row));
  for (int64_t r = 0; r < h->realisations; r++)
    if (rng_shuffled(&h->order, r) < h->rows) h->row[n++] = r;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaHoldoutChoose(MPI_Comm comm, ScoriaDeck deck, ScoriaDataset ds, ScoriaHoldout *h)
{
  const ScoriaDatasetSpec *spec;
  double share  = 0;
  PetscInt seed = 0;
  int64_t failed, each;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDatasetInfo(ds, &spec, NULL, NULL));
  *h = (ScoriaHoldout){.conditions = spec->rows / spec->realisations, .realisations = spec->realisations};
  if (!*spec->source) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckReal(deck, "import_holdout", &share));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDatasetCountFailed(ds, &failed));
  each      = holdout_typical(spec, failed);
  h->number = holdout_number(h->conditions, each, share);
  h->rows   = holdout_rows(h->conditions, h->realisations, share);
  if (h->number) PetscCall(ChooseConditions(comm, ds, (uint64_t)seed, h));
  PetscCall(HoldoutOrder((uint64_t)seed, h));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaHoldoutDestroy(ScoriaHoldout *h)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(h->condition));
  PetscCall(PetscFree(h->row));
  PetscFunctionReturn(0);
}

bool holdout_has_condition(const ScoriaHoldout *h, int64_t condition)
{
  return h->number && bsearch(&condition, h->condition, (size_t)h->number, sizeof condition, ascending);
}

bool holdout_has(const ScoriaHoldout *h, int64_t row)
{
  if (!h->realisations) return false; /* nothing is held back */
  if (h->rows) return rng_shuffled(&h->order, row % h->realisations) < h->rows;
  return holdout_has_condition(h, row / h->realisations);
}

int64_t holdout_conditions(const ScoriaHoldout *h)
{
  return h->rows ? h->conditions : h->number;
}

/* Which condition of the dataset the k-th is that has held-back rows. */
static int64_t condition_of(const ScoriaHoldout *h, int64_t k)
{
  return h->rows ? k : h->condition[k];
}

int64_t holdout_each(const ScoriaHoldout *h)
{
  return h->rows ? h->rows : h->number ? h->realisations : 0;
}

int64_t holdout_row(const ScoriaHoldout *h, int64_t k, int64_t i)
{
  return condition_of(h, k) * h->realisations + (h->rows ? h->row[i] : i);
}

/* ------------------------------------------------------------------------------------------------ model.h5 ---- */

PetscErrorCode HoldoutSave(const ScoriaHoldout *h, ScoriaStore store)
{
  double *list;
  PetscFunctionBeginUser;
  if (!h->number && !h->rows) PetscFunctionReturn(0);
  PetscCall(ScoriaStorePutInt(store, "holdout_of_conditions", h->conditions));
  PetscCall(ScoriaStorePutInt(store, "holdout_of_realisations", h->realisations));
  PetscCall(ScoriaStorePutInt(store, MODEL_HOLDOUT_ROWS, h->rows));
  if (!h->number) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(h->number, &list));
  for (int64_t i = 0; i < h->number; i++) list[i] = (double)h->condition[i];
  PetscCall(ScoriaStorePutReals(store, MODEL_HOLDOUT, 1, &h->number, list, "1",
                                "conditions of the dataset that were held back from training, counted from 0"));
  PetscCall(ScoriaStorePutAxes(store, MODEL_HOLDOUT, "held"));
  PetscCall(PetscFree(list));
  PetscFunctionReturn(0);
}

/* The list of a file: ascending numbers of conditions. */
static PetscErrorCode LoadList(ScoriaStore store, const char *path, ScoriaHoldout *h)
{
  int rank;
  int64_t dims[4];
  double *list;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, MODEL_HOLDOUT, 4, &rank, dims));
  if (rank < 0) PetscFunctionReturn(0);
  if (rank != 1 || dims[0] >= h->conditions)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: " MODEL_HOLDOUT " is no list of fewer than %lld conditions", path,
                (long long)h->conditions);
  h->number = dims[0];
  PetscCall(PetscMalloc1(h->number, &list));
  PetscCall(PetscMalloc1(h->number, &h->condition));
  PetscCall(ScoriaStoreGetReals(store, MODEL_HOLDOUT, h->number, list));
  bool good = true;
  for (int64_t i = 0; i < h->number && good; i++) {
    good = list[i] >= 0 && list[i] < (double)h->conditions && (!i || list[i] > list[i - 1]);
    if (good) h->condition[i] = (int64_t)list[i];
  }
  PetscCall(PetscFree(list));
  if (!good) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: " MODEL_HOLDOUT ": expected ascending numbers of conditions", path);
  PetscFunctionReturn(0);
}

PetscErrorCode HoldoutLoad(ScoriaStore store, const char *path, uint64_t seed, ScoriaHoldout *h)
{
  bool there;
  PetscFunctionBeginUser;
  *h = (ScoriaHoldout){0};
  PetscCall(ScoriaStoreHas(store, MODEL_HOLDOUT_ROWS, &there));
  if (!there) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreGetInt(store, "holdout_of_conditions", &h->conditions));
  PetscCall(ScoriaStoreGetInt(store, "holdout_of_realisations", &h->realisations));
  PetscCall(ScoriaStoreGetInt(store, MODEL_HOLDOUT_ROWS, &h->rows));
  if (h->conditions < 1 || h->realisations < 1 || h->rows < 0 || h->rows >= PetscMax(h->realisations, 2))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: holds back %lld of %lld rows of %lld conditions, which no training does", path,
                (long long)h->rows, (long long)h->realisations, (long long)h->conditions);
  PetscCall(HoldoutOrder(seed, h));
  PetscCall(LoadList(store, path, h));
  PetscFunctionReturn(0);
}
