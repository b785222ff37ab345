/* The rows of the ensemble, round by round: groups draw rows and solve them; whole rows go to the ranks that write
 * them, in nearly equal blocks; all write together.
 *
 * A round is a run of rows that are not in the file yet, dealt in order, so that it may be cut short at any chunk: what
 * has been dealt by then is the round, and the next one starts behind it.  A row depends on its number alone, so
 * neither who solved it nor where a round ended shows in the file. */
#include "generate.h"
#include <string.h>

/* Rows of a round per group, where solves are cheap: long enough to hide the write, short enough to stay in the cache.
 */
#define ROUND_ROWS 2048
/* And no more than this in memory; a group may hold twice as much, and as much again while rows are exchanged. */
#define ROUND_BYTES ((size_t)32 << 20)
/* Rows of the first round per group, dealt one by one as their cost is not known: fewer with many groups, as all draw
 * from one counter, and cut after KNOWN_ROWS of a group where they turn out too cheap for that. */
#define FIRST_ROWS 64
#define KNOWN_ROWS 4
/* Where solves are dear: a round is cut after so many seconds, or after so many solves of a group if they last longer,
 * as all groups wait at its end for one another's last solve; but what a kill may lose is bounded. */
#define ROUND_SECONDS 30.0
#define ROUND_SOLVES 100
#define ROUND_SECONDS_MOST 3600.0
/* Rows drawn at once, at most: neighbours share their condition, and with it the factor that porosities are drawn with.
 */
#define CHUNK_SECONDS 20e-3
#define CHUNK_ROWS 256
/* Chunks of a round per group, at least, however busy they keep the counter. */
#define ROUND_CHUNKS 4

typedef struct {
  ScoriaRun run; /* borrowed, as are the next four */
  ScoriaEnsemble ens;
  ScoriaFidelities relative; /* NULL: none */
  const ScoriaDatasetSpec *spec;
  GenerateDesign *design;
  Partial *out;
  const ScoriaGroups *groups;
  ScoriaDealer dealer; /* owned */
  ScoriaProgress bar;  /* owned */
  int64_t batch;       /* rows of a round per group */
  int64_t asked;       /* rows of a chunk, as the caller wants them; 0: as the counter does */
  int64_t smallest;    /* rows of a chunk, but for the last of a round, ... */
  int64_t largest;     /* ... and at most */
  int64_t rounds;
  int64_t made;                  /* rows in the file */
  ScoriaRows held;               /* owned: (2 batch) what this group has computed in this round ... */
  int64_t *where;                /* owned: (2 batch) ... and which rows they are */
  ScoriaRows block;              /* owned: (batch) what this rank writes */
  double *theta;                 /* owned: (CHUNK_ROWS, space.n) */
  double solving, idle, writing; /* [s] of this group, since the start */
  int64_t solved;                /* rows of this group, since the start */
} Generation;

void generate_tally(const ScoriaRows *rows, ScoriaSolveTally *tally)
{
  for (int64_t i = 0; i < rows->rows; i++) {
    if (!rows->done[i]) continue;
    tally->failed += rows->done[i] == SCORIA_ROW_FAILED;
    tally->retried += rows->done[i] == SCORIA_ROW_DONE && rows->attempts[i] > 1;
    tally->newton += rows->newton[i];
  }
}

/* How rows are dealt, for the model of scaling studies (jobs/scaling.awk). */
static PetscErrorCode LogDealing(const Generation *g)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaLog(g->run, "dealing",
                      "\"round_rows\":%lld,\"first_rows\":%d,\"known_rows\":%d,\"chunk_rows\":%d,\"chunk_seconds\":%g,"
                      "\"round_chunks\":%d,\"load\":%g",
                      (long long)g->batch, FIRST_ROWS, KNOWN_ROWS, CHUNK_ROWS, CHUNK_SECONDS, ROUND_CHUNKS, DEAL_LOAD));
  PetscFunctionReturn(0);
}

static PetscErrorCode Begin(Generation *g)
{
  const size_t row = sizeof(double) * (size_t)g->spec->cells * (size_t)g->spec->nfields;
  PetscFunctionBeginUser;
  g->groups   = ScoriaEnsembleGroups(g->ens);
  g->batch    = PetscClipInterval((int64_t)(ROUND_BYTES / row), 1, ROUND_ROWS);
  g->smallest = g->largest = PetscClipInterval(g->asked, 1, g->batch); /* until it is known what a solve costs */
  g->made                  = partial_has(g->out, 0, g->spec->rows);
  PetscCall(ScoriaRowsCreate(g->spec, 2 * g->batch, &g->held));
  PetscCall(ScoriaRowsCreate(g->spec, g->batch, &g->block));
  PetscCall(PetscMalloc2(2 * g->batch, &g->where, CHUNK_ROWS * g->spec->space.n, &g->theta));
  PetscCall(ScoriaDealerCreate(g->groups, &g->dealer));
  PetscCall(LogDealing(g));
  PetscCall(ScoriaProgressCreate(g->run, "generate", "solves", (double)g->spec->rows, &g->bar));
  PetscCall(ScoriaProgressFrom(g->bar, (double)g->made));
  PetscFunctionReturn(0);
}

static PetscErrorCode End(Generation *g)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaProgressDestroy(&g->bar));
  PetscCall(ScoriaDealerDestroy(&g->dealer));
  PetscCall(PetscFree2(g->where, g->theta));
  PetscCall(ScoriaRowsDestroy(&g->block));
  PetscCall(ScoriaRowsDestroy(&g->held));
  PetscFunctionReturn(0);
}

/* The next run of rows to be made, from *first on: number is 0 where there is none. */
static void next_round(const Generation *g, int64_t *first, int64_t *number)
{
  const int64_t begin = PetscMax(FIRST_ROWS, ROUND_ROWS / g->groups->count);
  const int64_t most  = g->groups->count * (g->rounds ? g->batch : PetscMin(begin, g->batch));
  partial_next(g->out, g->spec->rows, most, first, number);
}

/* From `seconds` of `rows` solves: rows of a chunk so that the one counter keeps up with all groups. */
static int64_t smallest_chunk(const Generation *g, double seconds, int64_t rows)
{
  if (g->asked) return PetscMin(g->asked, g->batch);
  return deal_smallest(g->groups->count, dealer_draw_seconds(g->dealer), seconds / (double)PetscMax(rows, 1),
                       PetscMax(g->batch / ROUND_CHUNKS, 1));
}

/* Whether this group wants the round to end; never before it has a row, so that every start gets on. */
static PetscErrorCode WantsEnd(const Generation *g, double began, bool *end)
{
  PetscFunctionBeginUser;
  *end = false;
  if (!g->held.rows) PetscFunctionReturn(0);
  const double limit =
      PetscClipInterval(ROUND_SOLVES * g->solving / (double)g->solved, ROUND_SECONDS, ROUND_SECONDS_MOST);
  if (wall_seconds() - began > limit || g->held.rows + g->largest > g->held.capacity)
    *end = true;
  else if (!g->rounds && g->held.rows >= KNOWN_ROWS && smallest_chunk(g, g->solving, g->solved) > g->smallest)
    *end = true;
  else
    PetscCall(ScoriaStopNoticed(g->run, end));
  PetscFunctionReturn(0);
}

/* Rows [start, start + count), count <= CHUNK_ROWS, behind those that the group holds. */
static PetscErrorCode SolveSome(Generation *g, int64_t start, int64_t count)
{
  const int n     = g->spec->space.n;
  ScoriaRows rows = rows_from(g->spec, &g->held, g->held.rows);
  uint64_t id[CHUNK_ROWS];
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < count; i++) {
    id[i]                      = generate_number(g->design, g->spec->first + start + i);
    g->where[g->held.rows + i] = start + i;
    PetscCall(GenerateTheta(g->design, g->spec->first + start + i, g->theta + i * n));
  }
  if (g->relative)
    PetscCall(ScoriaFidelitiesCompute(g->relative, 1, count, g->theta, id, &rows));
  else
    PetscCall(ScoriaEnsembleCompute(g->ens, count, g->theta, id, NULL, &rows));
  g->held.rows += count;
  g->solved += count;
  PetscFunctionReturn(0);
}

static PetscErrorCode SolveChunk(Generation *g, int64_t start, int64_t count)
{
  PetscFunctionBeginUser;
  for (int64_t done = 0; done < count; done += CHUNK_ROWS)
    PetscCall(SolveSome(g, start + done, PetscMin(count - done, CHUNK_ROWS)));
  PetscFunctionReturn(0);
}

/* Deals rows from `first` on; this group's are in `held` afterwards.  Progress is what is dealt to all groups. */
static PetscErrorCode SolveRound(Generation *g, int64_t first, int64_t number, int64_t *drawn)
{
  const double began = wall_seconds();
  double now         = began;
  int64_t start, count = 1;
  PetscFunctionBeginUser;
  g->held.rows = 0;
  PetscCall(ScoriaDealerOpen(g->dealer, first, number, g->smallest, g->largest));
  while (count) {
    bool end;
    PetscCall(WantsEnd(g, began, &end));
    PetscCall(ScoriaDealerDraw(g->dealer, end, &start, &count));
    const double got = wall_seconds();
    g->idle += got - now;
    if (count) PetscCall(ScoriaProgressUpdate(g->bar, (double)(g->made + start - first), NULL));
    if (count) PetscCall(SolveChunk(g, start, count));
    now = wall_seconds();
    g->solving += now - got;
  }
  PetscCall(ScoriaDealerClose(g->dealer, drawn));
  g->idle += wall_seconds() - now;
  PetscFunctionReturn(0);
}

static PetscErrorCode WriteRound(Generation *g, int64_t first, int64_t number, ScoriaSolveTally *tally)
{
  const double began = wall_seconds();
  int64_t at;
  PetscFunctionBeginUser;
  if (g->groups->group_rank) g->held.rows = 0; /* the leader gives for its group */
  PetscCall(ScoriaRowsExchange(ScoriaRunComm(g->run), g->spec, &g->held, g->where, first, number, &at, &g->block));
  PetscCall(ScoriaDatasetWrite(g->out->ds, at, &g->block));
  generate_tally(&g->block, tally);
  g->made += number;
  g->rounds++;
  PetscCall(ScoriaProgressUpdate(g->bar, (double)g->made, NULL));
  g->writing += wall_seconds() - began;
  PetscFunctionReturn(0);
}

/* Chunks of the next round: from what a solve has cost so far, summed in whole nanoseconds so that every rank gets the
 * same. */
static PetscErrorCode ChooseChunk(Generation *g)
{
  int64_t sum[2] = {(int64_t)(1e9 * g->solving), g->solved};
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, 2, MPI_INT64_T, MPI_SUM, ScoriaRunComm(g->run)));
  const int64_t fit = (int64_t)(1e9 * CHUNK_SECONDS) * sum[1] / PetscMax(sum[0], 1);
  g->smallest       = smallest_chunk(g, 1e-9 * (double)sum[0], sum[1]);
  g->largest        = PetscMax(g->smallest, PetscClipInterval(fit, 1, PetscMin(CHUNK_ROWS, g->batch)));
  PetscFunctionReturn(0);
}

static PetscErrorCode MeasureShares(const Generation *g, double seconds, ScoriaSolveShares *shares)
{
  const bool leads  = groups_leads(g->groups);
  double mean[2]    = {leads ? g->idle / seconds : 0, leads ? g->writing / seconds : 0};
  shares->idle_most = mean[0];
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, mean, 2, MPI_DOUBLE, MPI_SUM, ScoriaRunComm(g->run)));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &shares->idle_most, 1, MPI_DOUBLE, MPI_MAX, ScoriaRunComm(g->run)));
  shares->idle = mean[0] / g->groups->count;
  shares->io   = mean[1] / g->groups->count;
  PetscFunctionReturn(0);
}

PetscErrorCode GenerateRows(ScoriaRun run, ScoriaEnsemble ens, ScoriaFidelities relative, const ScoriaDatasetSpec *spec,
                            GenerateDesign *design, int64_t smallest, Partial *out, ScoriaCost cost,
                            ScoriaSolveTally *tally, ScoriaSolveShares *shares)
{
  Generation g = {
      .run = run, .ens = ens, .relative = relative, .spec = spec, .design = design, .out = out, .asked = smallest};
  const double began = wall_seconds();
  int64_t first      = 0, number, drawn;
  bool stop          = false;
  PetscFunctionBeginUser;
  PetscCall(Begin(&g));
  PetscCall(ScoriaWarnOfRest(run, g.groups));
  for (next_round(&g, &first, &number); number && !stop; next_round(&g, &first, &number)) {
    PetscCall(SolveRound(&g, first, number, &drawn));
    PetscCall(WriteRound(&g, first, drawn, tally));
    PetscCall(ChooseChunk(&g));
    PetscCall(ScoriaStopAsked(run, &stop));
    PetscCall(ScoriaCostKeep(cost, stop));
    first += drawn;
  }
  PetscCall(MeasureShares(&g, wall_seconds() - began, shares));
  PetscCall(End(&g));
  if (number) PetscCall(PartialStop(run, out, g.made));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, tally, 3, MPI_INT64_T, MPI_SUM, ScoriaRunComm(run)));
  PetscFunctionReturn(0);
}
