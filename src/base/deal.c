/* Dealing: rank groups draw work as they get free (guided self-scheduling, Polychronopoulos and Kuck, 1987).
 *
 * The chunks of a round are a function of the round alone, so all that groups share is how many are drawn: a counter of
 * tickets in a window of rank 0, to which the leader of a group adds one by a passive-target fetch-and-add.  Each group
 * walks through the sequence of chunks to the one that its ticket stands for.
 *
 * The group of rank 0 draws nothing where it has to serve: where the network or a node's shared memory has atomics,
 * rank 0 takes no part in a draw; but Open MPI's fallback over point-to-point messages (osc/pt2pt, as over TCP between
 * nodes) answers only while rank 0 is inside an MPI call, from which a solve may keep it for seconds, and half of the
 * groups' time was lost waiting.  So this is tried out at the start; where it is so, and groups are three or more,
 * group 0 goes on to wait for the end of the round, inside MPI.
 *
 * One counter serves one draw after the other, so that it is busy for the share count * draw / (chunk * item) of the
 * time.  What a draw takes is measured at the start, by all groups at once; from that and the cost of an item the
 * caller gets the chunk below which the counter would be the limit (deal_smallest; figures in benchmarks/README.md). */
#include "scoria/phases.h"
#include <math.h>
#include <time.h>

/* Added to the counter, it puts every later ticket past the end; a group may do so only once a round, so sums fit. */
#define CUT ((int64_t)1 << 40)

/* The trial: rank 0 stays away from MPI for so long; a draw that takes half of it, at every try, has waited. */
#define AWAY_SECONDS 20e-3
#define TRIES 3

/* Draws of a group each time that their cost is measured: 2 * TRIES draws of 1 us by 10^5 groups take .6 s. */
#define DRAWS 2

struct ScoriaDealer_ {
  const ScoriaGroups *groups; /* borrowed */
  MPI_Win window;             /* owned; MPI_WIN_NULL with one group */
  int64_t alone;              /* the counter of one group */
  bool rests;                 /* this group draws nothing */
  double draw;                /* [s] of the counter's time that a draw takes; 0 with one group */
  int64_t first, number;      /* the round ... */
  int64_t smallest, largest;  /* ... and its chunks */
  int64_t ticket, at;         /* the next chunk of the walk, and its first item */
  int64_t end;                /* behind the last item that this group has drawn */
};

int64_t deal_chunk(int64_t remaining, int count, int64_t smallest, int64_t largest)
{
  const int64_t least = PetscMax(smallest, 1), most = PetscMax(largest, least);
  return PetscMin(PetscClipInterval(remaining / (2 * (int64_t)count), least, most), remaining);
}

int64_t deal_smallest(int count, double draw, double item, int64_t most)
{
  const double least = item > 0 ? ceil(count * draw / (DEAL_LOAD * item)) : 1;
  return least < (double)most ? PetscMax((int64_t)least, 1) : PetscMax(most, 1);
}

double dealer_draw_seconds(ScoriaDealer d)
{
  return d->draw;
}

/* The counter before `op` with `value`, on the leader of a group. */
static PetscErrorCode Count(ScoriaDealer d, MPI_Op op, int64_t value, int64_t *before)
{
  PetscFunctionBeginUser;
  if (d->window == MPI_WIN_NULL) {
    *before  = d->alone;
    d->alone = op == MPI_REPLACE ? value : d->alone + value;
    PetscFunctionReturn(0);
  }
  PetscCallMPI(MPI_Fetch_and_op(&value, before, MPI_INT64_T, 0, 0, op, d->window));
  PetscCallMPI(MPI_Win_flush(0, d->window));
  PetscFunctionReturn(0);
}

/* Whether a draw of any group waits for rank 0 to come back to MPI. */
static PetscErrorCode TryDraw(ScoriaDealer d, bool *waited)
{
  const struct timespec away = {.tv_nsec = (long)(1e9 * AWAY_SECONDS)};
  int64_t before;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Barrier(d->groups->comm));
  const double began = wall_seconds();
  if (d->groups->rank == 0)
    nanosleep(&away, NULL);
  else if (d->groups->group_rank == 0)
    PetscCall(Count(d, MPI_SUM, 1, &before));
  *waited = d->groups->rank > 0 && wall_seconds() - began > 0.5 * AWAY_SECONDS;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, waited, 1, MPI_C_BOOL, MPI_LOR, d->groups->comm));
  PetscFunctionReturn(0);
}

static PetscErrorCode ChooseServer(ScoriaDealer d)
{
  bool waited = true;
  PetscFunctionBeginUser;
  for (int i = 0; i < TRIES && waited; i++) PetscCall(TryDraw(d, &waited));
  if (waited && d->groups->index == 0) d->rests = true;
  PetscFunctionReturn(0);
}

/* The mean over groups of the time of their draws is that of all draws, where the counter is the limit: a group that
 * lost its processor meanwhile, as where ranks share cores, counts little. */
static PetscErrorCode MeasureDraw(ScoriaDealer d)
{
  int64_t before;
  PetscFunctionBeginUser;
  for (int i = 0; i < TRIES; i++) {
    PetscCallMPI(MPI_Barrier(d->groups->comm));
    const double began = wall_seconds();
    for (int k = 0; k < DRAWS && groups_leads(d->groups) && !d->rests; k++) PetscCall(Count(d, MPI_SUM, 1, &before));
    int64_t sum = (int64_t)(groups_leads(d->groups) && !d->rests ? 1e9 * (wall_seconds() - began) : 0);
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_INT64_T, MPI_SUM, d->groups->comm));
    const double draw = 1e-9 * (double)sum / DRAWS / ((double)d->groups->count * d->groups->count);
    d->draw           = i ? PetscMin(d->draw, draw) : draw;
  }
  PetscFunctionReturn(0);
}

/* Whether all ranks of the job share memory. */
static PetscErrorCode OnOneNode(const ScoriaGroups *groups, bool *one)
{
  MPI_Comm node;
  int size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_split_type(groups->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  PetscCallMPI(MPI_Comm_size(node, &size));
  PetscCallMPI(MPI_Comm_free(&node));
  *one = size == groups->size; /* the same on every rank: they are all on it, or nobody sees all of them */
  PetscFunctionReturn(0);
}

/* In shared memory where there is some: asked for by name, a draw takes a microsecond; of its own accord Open MPI takes
 * its component for networks, which gives up the processor to whoever else wants it at every draw. */
static PetscErrorCode CreateCounter(ScoriaDealer d)
{
  const MPI_Aint size = d->groups->rank == 0 ? sizeof(int64_t) : 0;
  void *counter; /* belongs to the window */
  bool one = false;
  PetscFunctionBeginUser;
  PetscCall(OnOneNode(d->groups, &one));
  PetscCallMPI((one ? MPI_Win_allocate_shared : MPI_Win_allocate)(size, sizeof(int64_t), MPI_INFO_NULL, d->groups->comm,
                                                                  &counter, &d->window));
  PetscCallMPI(MPI_Win_lock_all(MPI_MODE_NOCHECK, d->window));
  if (!one && d->groups->count > 2) PetscCall(ChooseServer(d));
  PetscCall(MeasureDraw(d));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDealerCreate(const ScoriaGroups *groups, ScoriaDealer *dealer)
{
  ScoriaDealer d;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&d));
  d->groups = groups;
  d->window = MPI_WIN_NULL;
  d->rests  = groups->index == groups->count;
  if (groups->count > 1) PetscCall(CreateCounter(d));
  *dealer = d;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDealerDestroy(ScoriaDealer *dealer)
{
  PetscFunctionBeginUser;
  if (!*dealer) PetscFunctionReturn(0);
  if ((*dealer)->window != MPI_WIN_NULL) {
    PetscCallMPI(MPI_Win_unlock_all((*dealer)->window));
    PetscCallMPI(MPI_Win_free(&(*dealer)->window));
  }
  PetscCall(PetscFree(*dealer));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDealerOpen(ScoriaDealer d, int64_t first, int64_t number, int64_t smallest, int64_t largest)
{
  int64_t before;
  PetscFunctionBeginUser;
  d->first    = first;
  d->number   = number;
  d->smallest = smallest;
  d->largest  = largest;
  d->ticket   = 0;
  d->at       = 0;
  d->end      = 0;
  if (d->groups->rank == 0) PetscCall(Count(d, MPI_REPLACE, 0, &before));
  if (d->groups->count > 1) PetscCallMPI(MPI_Barrier(d->groups->comm));
  PetscFunctionReturn(0);
}

static int64_t chunk_here(const struct ScoriaDealer_ *d)
{
  return deal_chunk(d->number - d->at, d->groups->count, d->smallest, d->largest);
}

/* Walks to the chunk of `ticket`; past the end, count is 0. */
static void walk(ScoriaDealer d, int64_t ticket, int64_t *start, int64_t *count)
{
  while (d->ticket < ticket && d->at < d->number) {
    d->at += chunk_here(d);
    d->ticket++;
  }
  *start = d->first + d->at;
  *count = chunk_here(d);
  if (*count) d->end = d->at + *count;
}

PetscErrorCode ScoriaDealerDraw(ScoriaDealer d, bool cut, int64_t *start, int64_t *count)
{
  int64_t ticket = CUT;
  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_DEAL);
  if (d->groups->group_rank == 0 && !d->rests) {
    PetscCall(Count(d, MPI_SUM, cut ? CUT : 1, &ticket));
    if (cut) ticket = CUT;
  }
  if (d->groups->group_size > 1) PetscCallMPI(MPI_Bcast(&ticket, 1, MPI_INT64_T, 0, d->groups->group));
  walk(d, ticket, start, count);
  phase_end(SCORIA_PHASE_DEAL, 0);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaDealerClose(ScoriaDealer d, int64_t *drawn)
{
  PetscFunctionBeginUser;
  *drawn = d->end; /* tickets are drawn in order: what lies below the last item drawn has been drawn too */
  phase_begin(SCORIA_PHASE_DEAL);
  if (d->groups->size > 1) PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, drawn, 1, MPI_INT64_T, MPI_MAX, d->groups->comm));
  phase_end(SCORIA_PHASE_DEAL, d->groups->rank == 0 ? (double)*drawn : 0);
  PetscFunctionReturn(0);
}
