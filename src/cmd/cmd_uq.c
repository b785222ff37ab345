/* uq: statistics of any number of fields, from the model or from fresh solves, with nothing kept of a single one.
 *
 * The samples of a condition are cut into tiles of TILE, dealt to the workers (ranks, or rank groups for the PDE) in
 * turn.  A sample depends on its number alone and sums are associative (stats.h), so that the answer is the same bits
 * on any number of ranks and after any number of starts. */
#include "uq.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define TILE 1024
#define PILOT_TILES 4 /* they fix the ranges of the histograms, and count like all others */

typedef struct {
  ScoriaRun run;
  ScoriaDeck deck;
  MPI_Comm comm;
  UqQuestion q;
  UqAnswer a;
  ScoriaModel model;            /* owned; NULL for the PDE */
  ScoriaEnsemble ens, twin_ens; /* owned */
  ScoriaTwin twin;
  ScoriaSamplerOptions sampler;
  ScoriaRows rows;     /* owned, PDE only */
  int worker, workers; /* which of how many this rank is, or works for */
  bool speaks;         /* what this rank draws counts: for the PDE, the first of a group */
  double *fields;      /* owned (TILE, m) */
  double *tile;        /* owned (TILE, columns) */
  double *pilot;       /* owned (PILOT_TILES TILE, columns) */
  double seconds[2];   /* this rank's: drawing, statistics */
  int64_t failed;      /* of the condition at work, this rank's since the last reduction */
  int64_t all_failed;  /* of the condition at work */
  ScoriaProgress bar;
  double saved; /* when the last checkpoint was written */
} Uq;

/* ------------------------------------------------------------------------------------------------ drawing ---- */

static PetscErrorCode DrawSolves(Uq *u, const double theta[], uint64_t id, int64_t n)
{
  const int L = u->q.cells, width = u->q.space->n;
  double thetas[TILE * SCORIA_MAX_CONDITIONS] = {0};
  uint64_t ids[TILE]                          = {0};
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < n; i++) {
    memcpy(thetas + i * width, theta, (size_t)width * sizeof(double));
    ids[i] = id + (uint64_t)i;
  }
  PetscCall(ScoriaEnsembleCompute(u->ens, n, thetas, ids, NULL, &u->rows));
  for (int64_t i = 0; i < n; i++)
    for (int c = 0; c < u->q.channels; c++)
      memcpy(u->fields + (i * u->q.channels + c) * L, u->rows.field[c] + i * L, (size_t)L * sizeof(double));
  PetscFunctionReturn(0);
}

/* Samples [first, first + n) of condition k, n <= TILE: fields and quantities, as rows (n, columns). */
static PetscErrorCode Draw(Uq *u, int k, int64_t first, int64_t n, double rows[])
{
  /* Numbers of their own: no training row, held-out row or sample of another command has them. */
  const uint64_t id   = (uint64_t)1 << 62 | (uint64_t)k << 40 | (uint64_t)first;
  const double *theta = u->q.theta + k * u->q.space->n, start = wall_seconds();
  PetscFunctionBeginUser;
  if (u->q.pde)
    PetscCall(DrawSolves(u, theta, id, n));
  else
    PetscCall(ScoriaModelSample(u->model, &u->twin, &u->sampler, theta, id, n, false, u->fields));
  const double drawn = wall_seconds();
  for (int64_t i = 0; i < n; i++) {
    const double *from = u->fields + i * u->q.m;
    double *to         = rows + i * u->a.columns;
    memcpy(to, from, (size_t)u->q.m * sizeof(double));
    quantities_take(u->q.nquantities, u->q.quantity, u->q.cells, from, to + u->q.m);
  }
  u->seconds[0] += drawn - start;
  u->seconds[1] += wall_seconds() - drawn;
  PetscFunctionReturn(0);
}

/* Draws tile t of condition k (or takes it from the pilot) and adds it. */
static PetscErrorCode AddTile(Uq *u, int k, int64_t t, ScoriaSummary summary)
{
  const int64_t first = t * TILE, n = PetscMin(TILE, u->q.count - first);
  PetscFunctionBeginUser;
  if (t < PILOT_TILES)
    PetscCall(PetscArraycpy(u->tile, u->pilot + first * u->a.columns, n * u->a.columns));
  else
    PetscCall(Draw(u, k, first, n, u->tile));
  if (!u->speaks) PetscFunctionReturn(0);
  const double start = wall_seconds();
  const int64_t good = stats_keep_finite(n, u->a.columns, u->tile);
  u->failed += n - good;
  if (good) summary_add(summary, good, u->tile);
  u->seconds[1] += wall_seconds() - start;
  PetscFunctionReturn(0);
}

/* The first tiles of condition k, each worker drawing a share, on every rank; and a summary that fits them. */
static PetscErrorCode Pilot(Uq *u, int k, ScoriaSummary *summary)
{
  const int columns   = u->a.columns;
  const int64_t n     = PetscMin(PILOT_TILES * TILE, u->q.count);
  const UqQuestion *q = &u->q;
  double *good;
  int64_t first, number;
  PetscFunctionBeginUser;
  for (int i = 0; i < q->nquantities; i++)
    if (q->condition[i] >= 0) u->q.quantity[i].offset = q->theta[k * q->space->n + q->condition[i]];
  PetscCall(PetscArrayzero(u->pilot, n * columns));
  deal_block(n, u->worker, u->workers, &first, &number);
  for (int64_t at = first; at < first + number; at += TILE)
    PetscCall(Draw(u, k, at, PetscMin(TILE, first + number - at), u->pilot + at * columns));
  if (!u->speaks) PetscCall(PetscArrayzero(u->pilot, n * columns));
  /* Every row is one rank's and zero elsewhere: the sum is exact. */
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, u->pilot, (PetscMPIInt)(n * columns), MPI_DOUBLE, MPI_SUM, u->comm));
  PetscCall(PetscMalloc1(n * columns, &good));
  PetscCall(PetscArraycpy(good, u->pilot, n * columns));
  const int64_t left = stats_keep_finite(n, columns, good);
  if (left < 10)
    SCORIA_FAIL(SCORIA_EXIT_SOLVES, "uq: condition %d: %lld of the first %lld solves succeeded, expected at least 10",
                k, (long long)left, (long long)n);
  PetscCall(ScoriaSummaryCreate(&(ScoriaSummarySpec){columns, u->a.joint ? q->m : 0, q->nthresholds, q->threshold},
                                left, good, summary));
  PetscCall(PetscFree(good));
  PetscFunctionReturn(0);
}

static PetscErrorCode Reduce(Uq *u, ScoriaSummary summary)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSummaryReduce(summary, u->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &u->failed, 1, MPI_INT64_T, MPI_SUM, u->comm));
  u->all_failed += u->failed;
  u->failed = 0;
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------- checkpoints ---- */

static const char *const sections[] = {
    "run_seed", SCORIA_PROBLEM_SECTIONS "porosity", "conditions", SCORIA_ENSEMBLE_KEYS, "train", "sample", "uq", NULL};

/* int64 as two halves that doubles hold exactly. */
static PetscErrorCode PutIntegers(ScoriaStore store, const char *name, int64_t n, const int64_t value[])
{
  double *half;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * n, &half));
  for (int64_t i = 0; i < n; i++) {
    half[2 * i]     = (double)(value[i] >> 32);
    half[2 * i + 1] = (double)(value[i] & 0xffffffff);
  }
  PetscCall(ScoriaStorePutReals(store, name, 1, &(const int64_t){2 * n}, half, "", "high and low half of integers"));
  PetscCall(PetscFree(half));
  PetscFunctionReturn(0);
}

static PetscErrorCode GetIntegers(ScoriaStore store, const char *name, int64_t n, int64_t value[])
{
  double *half;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * n, &half));
  PetscCall(ScoriaStoreGetReals(store, name, 2 * n, half));
  for (int64_t i = 0; i < n; i++) value[i] = (int64_t)half[2 * i] * ((int64_t)1 << 32) + (int64_t)half[2 * i + 1];
  PetscCall(PetscFree(half));
  PetscFunctionReturn(0);
}

/* After tiles [0, tiles) of condition k and all of those before it. */
static PetscErrorCode Save(Uq *u, int k, int64_t tiles, ScoriaSummary summary)
{
  char path[PETSC_MAX_PATH_LEN], next[PETSC_MAX_PATH_LEN];
  const char *text;
  int64_t nsums, *sums, nextremes, size = (int64_t)u->a.size * u->q.conditions;
  double *extremes;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(Reduce(u, summary));
  summary_state(summary, &nsums, &sums, &nextremes, &extremes);
  PetscCall(ScoriaRunPath(u->run, "uq.ckpt", sizeof path, path));
  PetscCall(ScoriaRunPath(u->run, "uq.ckpt.next", sizeof next, next));
  PetscCall(ScoriaDeckText(u->deck, &text));
  PetscCall(ScoriaFileRemove(u->comm, next));
  PetscCall(ScoriaStoreCreate(u->comm, next, "checkpoint", text, &store));
  PetscCall(ScoriaStorePutInt(store, "condition", k));
  PetscCall(ScoriaStorePutInt(store, "tiles", tiles));
  PetscCall(ScoriaStorePutInt(store, "failed", u->all_failed));
  PetscCall(ScoriaStorePutReals(store, "/answer", 1, &size, u->a.value, "", "conditions that are finished"));
  PetscCall(PutIntegers(store, "/sums", nsums, sums));
  PetscCall(ScoriaStorePutReals(store, "/extremes", 1, &nextremes, extremes, "", ""));
  PetscCall(ScoriaStoreClose(&store));
  PetscCall(ScoriaFileRotate(u->comm, path));
  u->saved = wall_seconds();
  PetscFunctionReturn(0);
}

static PetscErrorCode RestoreFrom(Uq *u, ScoriaStore store, int *k, int64_t *tiles, ScoriaSummary *summary)
{
  int64_t condition, nsums, *sums, nextremes;
  double *extremes;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetInt(store, "condition", &condition));
  PetscCall(ScoriaStoreGetInt(store, "tiles", tiles));
  PetscCall(ScoriaStoreGetInt(store, "failed", &u->all_failed));
  PetscCall(ScoriaStoreGetReals(store, "/answer", (int64_t)u->a.size * u->q.conditions, u->a.value));
  *k = (int)condition;
  PetscCall(Pilot(u, *k, summary));
  summary_state(*summary, &nsums, &sums, &nextremes, &extremes);
  PetscCall(GetIntegers(store, "/sums", nsums, sums));
  PetscCall(ScoriaStoreGetReals(store, "/extremes", nextremes, extremes));
  PetscFunctionReturn(0);
}

/* From the newest checkpoint of this deck that is whole; from the beginning where there is none. */
static PetscErrorCode Restore(Uq *u, int *k, int64_t *tiles, ScoriaSummary *summary)
{
  static const char *const names[] = {"uq.ckpt", "uq.ckpt.previous"};
  char path[PETSC_MAX_PATH_LEN], difference[512];
  const char *stored;
  PetscFunctionBeginUser;
  *k     = 0;
  *tiles = 0;
  for (int i = 0; i < 2; i++) {
    ScoriaStore store = NULL;
    bool there;
    PetscCall(ScoriaRunPath(u->run, names[i], sizeof path, path));
    PetscCall(ScoriaFileExists(u->comm, path, &there));
    if (!there) continue;
    PetscErrorCode failed = ScoriaStoreOpen(u->comm, path, "checkpoint", &store);
    if (!failed) {
      PetscCall(ScoriaStoreDeck(store, &stored));
      PetscCall(ScoriaDeckDifference(u->deck, stored, sections, sizeof difference, difference));
      if (*difference)
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: of another deck (%s); choose another -run_dir or move the file away", path,
                    difference);
      failed = RestoreFrom(u, store, k, tiles, summary);
    }
    if (failed && ScoriaFailureCode() != SCORIA_EXIT_INPUT) PetscFunctionReturn(failed);
    PetscCall(ScoriaStoreClose(&store));
    if (!failed) {
      PetscCall(
          ScoriaSay(u->run, "  %s: going on at condition %d, sample %lld", path, *k + 1, (long long)*tiles * TILE));
      PetscFunctionReturn(0);
    }
    PetscCall(ScoriaSay(u->run, "  WARNING: %s; it is not used", ScoriaFailureLine()));
    ScoriaFailureReset();
    PetscCall(ScoriaSummaryDestroy(summary));
    *k     = 0;
    *tiles = 0;
  }
  PetscFunctionReturn(0);
}

/* Between two rounds of tiles: a checkpoint when it is time, or when the run is to stop. */
static PetscErrorCode Pause(Uq *u, int k, int64_t tiles, ScoriaSummary summary)
{
  double minutes = 5;
  bool stop;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckReal(u->deck, "run_checkpoint_minutes", &minutes));
  int due = wall_seconds() - u->saved > 60 * minutes;
  PetscCallMPI(MPI_Bcast(&due, 1, MPI_INT, 0, u->comm));
  PetscCall(ScoriaStopAsked(u->run, &stop));
  if (due || stop) PetscCall(Save(u, k, tiles, summary));
  if (stop)
    PetscCall(ScoriaStopped(u->run, "%lld samples of condition %d of %d are kept", (long long)tiles * TILE, k + 1,
                            u->q.conditions));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------- all of it ---- */

/* Condition k from tile `done` on.  Whether all is known is asked after 4, 8, 16, ... tiles: the same places whatever
 * the ranks. */
static PetscErrorCode OneCondition(Uq *u, int k, int64_t done, ScoriaSummary summary)
{
  const int64_t tiles = (u->q.count + TILE - 1) / TILE;
  int64_t look        = PILOT_TILES;
  PetscFunctionBeginUser;
  while (u->q.tolerance > 0 && look <= done) look *= 2;
  while (done < tiles) {
    const int64_t end =
        PetscMin(PetscMin(done + u->workers, tiles), u->q.tolerance > 0 ? PetscMax(look, done + 1) : tiles);
    if (done + u->worker < end) PetscCall(AddTile(u, k, done + u->worker, summary));
    done = end;
    PetscCall(
        ScoriaProgressUpdate(u->bar, (double)k * (double)u->q.count + (double)PetscMin(done * TILE, u->q.count), NULL));
    if (u->q.tolerance > 0 && done == look) {
      PetscCall(Reduce(u, summary));
      if (uq_known(&u->q, summary)) break;
      look *= 2;
    }
    if (done < tiles) PetscCall(Pause(u, k, done, summary));
  }
  PetscCall(Reduce(u, summary));
  PetscCall(UqAnswerFill(&u->q, &u->a, k, u->all_failed, summary));
  PetscFunctionReturn(0);
}

static PetscErrorCode AllConditions(Uq *u)
{
  ScoriaSummary summary = NULL;
  int64_t done;
  int first;
  PetscFunctionBeginUser;
  u->saved = wall_seconds();
  PetscCall(Restore(u, &first, &done, &summary));
  PetscCall(ScoriaProgressCreate(u->run, "uq", "fields", (double)u->q.count * u->q.conditions, &u->bar));
  PetscCall(ScoriaProgressFrom(u->bar, (double)first * (double)u->q.count + (double)done * TILE));
  for (int k = first; k < u->q.conditions; k++) {
    if (!summary) PetscCall(Pilot(u, k, &summary));
    PetscCall(OneCondition(u, k, done, summary));
    PetscCall(ScoriaSummaryDestroy(&summary));
    u->all_failed = done = 0;
  }
  PetscCall(ScoriaProgressDestroy(&u->bar));
  PetscCallMPI(MPI_Allreduce(u->seconds, u->a.seconds, 2, MPI_DOUBLE, MPI_SUM, u->comm));
  PetscFunctionReturn(0);
}

/* The fields to expect: the model's, or the ensemble's but the porosity. */
static PetscErrorCode OpenSource(Uq *u, ScoriaDatasetSpec *spec)
{
  PetscMPIInt rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(u->comm, &rank));
  PetscCallMPI(MPI_Comm_size(u->comm, &size));
  u->worker  = rank;
  u->workers = size;
  u->speaks  = true;
  if (!u->q.pde) {
    PetscCall(CmdLoadModel(u->run, u->deck, &u->model));
    PetscCall(CmdTwinCreate(u->deck, &u->twin_ens, &u->twin));
    PetscCall(CmdSampler(u->run, u->deck, &u->sampler));
    PetscCall(ScoriaModelFields(u->model, &u->q.channels, &u->q.field, &u->q.cells, &u->q.x));
    u->q.space = ScoriaModelSpace(u->model);
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaEnsembleCreate(u->comm, u->deck, &u->ens));
  PetscCall(ScoriaEnsembleSpec(u->ens, spec, &u->q.x));
  PetscCall(ScoriaRowsCreate(spec, TILE, &u->rows));
  const ScoriaGroups *groups = ScoriaEnsembleGroups(u->ens);
  u->worker                  = groups->index;
  u->workers                 = groups->count;
  u->speaks                  = groups->group_rank == 0;
  u->q.cells                 = spec->cells;
  u->q.field                 = spec->field;
  u->q.space                 = &spec->space;
  while (u->q.channels < spec->nfields && field_is_state(spec->field[u->q.channels].name)) u->q.channels++;
  PetscFunctionReturn(0);
}

/* FILE.h5 -> FILE.json */
static PetscErrorCode JsonPath(const char *store, size_t size, char json[])
{
  PetscFunctionBeginUser;
  PetscCall(PetscStrncpy(json, store, size - 5));
  char *dot = strrchr(json, '.');
  if (dot && !strchr(dot, '/')) *dot = 0;
  strcat(json, ".json");
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Uq *u)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(u->q.theta));
  PetscCall(PetscFree(u->a.value));
  PetscCall(PetscFree3(u->fields, u->tile, u->pilot));
  if (u->q.pde) PetscCall(ScoriaRowsDestroy(&u->rows));
  PetscCall(ScoriaModelDestroy(&u->model));
  PetscCall(ScoriaEnsembleDestroy(&u->twin_ens));
  PetscCall(ScoriaEnsembleDestroy(&u->ens));
  PetscFunctionReturn(0);
}

PetscErrorCode CommandUq(ScoriaRun run, ScoriaDeck deck)
{
  char path[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *name = NULL, *text;
  Uq u             = {.run = run, .deck = deck, .comm = ScoriaRunComm(run)};
  ScoriaDatasetSpec spec;
  PetscInt source = 0;
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "uq"));
  PetscCall(ScoriaDeckString(deck, "uq_file", &name));
  PetscCall(CmdStoreComplete(run, deck, name, "uq", sections, &complete));
  if (complete) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckChoice(deck, "uq_source", &source));
  u.q.pde = source == 1;
  PetscCall(OpenSource(&u, &spec));
  PetscCall(UqQuestionRead(run, deck, &u.q));
  PetscCall(UqAnswerCreate(&u.q, &u.a));
  PetscCall(
      PetscMalloc3(TILE * u.q.m, &u.fields, TILE * u.a.columns, &u.tile, PILOT_TILES * TILE * u.a.columns, &u.pilot));
  PetscCall(AllConditions(&u));
  PetscCall(UqSayTable(run, &u.q, &u.a));
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(JsonPath(path, sizeof json, json));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(UqWriteJson(&u.q, &u.a, u.comm, json));
  PetscCall(UqWriteStore(&u.q, &u.a, u.comm, path, text)); /* last: it marks the answer as complete */
  PetscCall(ScoriaSay(run, "  wrote %s and %s", path, json));
  PetscCall(ScoriaRunPath(run, "uq.ckpt", sizeof path, path));
  PetscCall(ScoriaFileForget(u.comm, path));
  PetscCall(Destroy(&u));
  PetscFunctionReturn(0);
}
