/* Phases: a stack of those in progress, of which the top one's clock runs. */
#include "scoria/phases.h"
#include "phase_rows.h"
#include <stdlib.h>

#define PHASE_DEPTH 16

static const ScoriaPhaseRow phase_rows[SCORIA_PHASES] = {
    [SCORIA_PHASE_OTHER]    = {"other", "calls", "replicated", "none", "what lies in no phase"},
    [SCORIA_PHASE_DRAW]     = {"draw", "rows", "parallel", "none", "porosity fields drawn"},
    [SCORIA_PHASE_SOLVE]    = {"solve", "rows", "parallel", "double", "solves of the equations, and their profiles"},
    [SCORIA_PHASE_DEAL]     = {"deal", "rows", "deal", "none", "waiting for work, and for others at a round's end"},
    [SCORIA_PHASE_EXCHANGE] = {"exchange", "rows", "alltoall", "none", "rows to the ranks that write or train on them"},
    [SCORIA_PHASE_WRITE]    = {"write", "rows", "file", "write", "rows to a file"},
    [SCORIA_PHASE_READ]     = {"read", "rows", "file", "read", "rows from a file, their checksums compared"},
    [SCORIA_PHASE_NORMALISER] = {"normaliser", "rows", "parallel", "double", "fit of the normaliser, without reading"},
    [SCORIA_PHASE_WHITEN]     = {"whiten", "rows", "parallel", "none", "rows to whitened coordinates, without reading"},
    [SCORIA_PHASE_STEP]       = {"step", "rows", "parallel", "single", "gradients of the micro-batches of a step"},
    [SCORIA_PHASE_ALLREDUCE]  = {"allreduce", "steps", "allreduce", "none", "sum of gradients, and the wait for it"},
    [SCORIA_PHASE_UPDATE]     = {"update", "steps", "replicated", "double", "optimiser and averages of a step"},
    [SCORIA_PHASE_VALIDATE]   = {"validate", "rows", "parallel", "single", "validation losses"},
    [SCORIA_PHASE_CHECKPOINT] = {"checkpoint", "calls", "serial", "none", "checkpoints of a training"},
    [SCORIA_PHASE_SAMPLE]     = {"sample", "fields", "parallel", "single", "fields of the model, decoded"},
    [SCORIA_PHASE_STATISTICS] = {"statistics", "fields", "parallel", "double", "fields added to streamed statistics"},
    [SCORIA_PHASE_REDUCE]     = {"reduce", "calls", "allreduce", "none", "statistics brought together over ranks"},
    [SCORIA_PHASE_GATHER]     = {"gather", "fields", "gather", "none", "fields to the rank that compares them"},
    [SCORIA_PHASE_MEASURE] = {"measure", "fields", "parallel", "none", "quantities and features of fields to compare"},
    [SCORIA_PHASE_COMPARE] = {"compare", "conditions", "parallel", "none", "measures between ensembles"},
    [SCORIA_PHASE_LIKELIHOOD] = {"likelihood", "fields", "parallel", "none", "log densities"},
    [SCORIA_PHASE_INFER]      = {"infer", "stages", "parallel", "none", "particles moved, without their fields"},
    [SCORIA_PHASE_REFINE]     = {"refine", "rows", "parallel", "none", "porosities fitted, without their solves"},
    [SCORIA_PHASE_REPORT]     = {"report", "calls", "serial", "none", "figures and page"},
};

static struct {
  ScoriaPhaseCount count[SCORIA_PHASES];
  ScoriaPhase stack[PHASE_DEPTH]; /* in progress; stack[0] is SCORIA_PHASE_OTHER */
  int depth;                      /* of stack */
  double began, mark, elapsed;    /* [s] the command; the last change of phase; the whole command */
  PetscLogDouble flops;           /* at the last change */
  PetscLogEvent event[SCORIA_PHASES];
  bool registered;
} now;

/* What has passed since the last change goes to the phase on top. */
static void settle(void)
{
  ScoriaPhaseCount *top = &now.count[now.stack[now.depth]];
  const double time     = wall_seconds();
  PetscLogDouble flops  = 0;
  (void)PetscGetFlops(&flops);
  top->seconds += time - now.mark;
  top->flops += flops - now.flops;
  now.mark  = time;
  now.flops = flops;
}

void phase_begin(ScoriaPhase phase)
{
  settle();
  if (now.registered) (void)PetscLogEventBegin(now.event[phase], 0, 0, 0, 0);
  if (now.depth + 1 == PHASE_DEPTH) abort(); /* a defect: some phase does not end */
  now.stack[++now.depth] = phase;
}

void phase_end(ScoriaPhase phase, double items)
{
  settle();
  if (now.registered) (void)PetscLogEventEnd(now.event[phase], 0, 0, 0, 0);
  now.count[phase].calls++;
  now.count[phase].items += items;
  if (now.depth > 0) now.depth--;
}

void phase_bytes(double bytes)
{
  now.count[now.stack[now.depth]].bytes += bytes;
}

ScoriaPhaseCount phase_count(ScoriaPhase phase)
{
  return now.count[phase];
}

static PetscErrorCode Register(void)
{
  PetscClassId class;
  char name[64];
  PetscFunctionBeginUser;
  if (now.registered) PetscFunctionReturn(0);
  PetscCall(PetscClassIdRegister("scoria", &class));
  for (int p = 1; p < SCORIA_PHASES; p++) {
    PetscCall(PetscSNPrintf(name, sizeof name, "scoria_%s", phase_rows[p].name));
    PetscCall(PetscLogEventRegister(name, class, &now.event[p]));
  }
  now.registered = true;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaPhasesBegin(const char *command)
{
  PetscLogStage stage = -1;
  PetscFunctionBeginUser;
  PetscCall(Register());
  PetscCall(PetscLogStageGetId(command, &stage));
  if (stage < 0) PetscCall(PetscLogStageRegister(command, &stage));
  PetscCall(PetscLogStagePush(stage));
  PetscCall(PetscArrayzero(now.count, SCORIA_PHASES));
  now.depth = 0;
  now.began = now.mark = wall_seconds();
  PetscCall(PetscGetFlops(&now.flops));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaPhasesEnd(void)
{
  PetscFunctionBeginUser;
  while (now.depth > 0) phase_end(now.stack[now.depth], 0);
  settle();
  now.elapsed = now.mark - now.began;
  PetscCall(PetscLogStagePop());
  PetscFunctionReturn(0);
}

/* Nodes of the communicator: ranks that are the first of theirs. */
static PetscErrorCode CountNodes(MPI_Comm comm, int *nodes)
{
  MPI_Comm node;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &node));
  PetscCallMPI(MPI_Comm_rank(node, &rank));
  PetscCallMPI(MPI_Comm_free(&node));
  *nodes = rank == 0;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, nodes, 1, MPI_INT, MPI_SUM, comm));
  PetscFunctionReturn(0);
}

/* Seconds of a phase on this rank; behind the last phase, of the command. */
static double seconds_of(int p)
{
  return p < SCORIA_PHASES ? now.count[p].seconds : now.elapsed;
}

enum { MOST = 0, LESS, EXTREMES };                          /* LESS: the least, with its sign changed */
enum { SECONDS = 0, CALLS, ITEMS, BYTES, FLOPS, SUMMANDS }; /* over ranks */

PetscErrorCode ScoriaPhasesLog(ScoriaRun run, const char *command)
{
  double extreme[SCORIA_PHASES + 1][EXTREMES], sum[SCORIA_PHASES + 1][SUMMANDS];
  MPI_Comm comm = ScoriaRunComm(run);
  int size, nodes;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(CountNodes(comm, &nodes));
  for (int p = 0; p <= SCORIA_PHASES; p++) {
    const ScoriaPhaseCount c   = p < SCORIA_PHASES ? now.count[p] : (ScoriaPhaseCount){.calls = 1};
    extreme[p][MOST]           = seconds_of(p);
    extreme[p][LESS]           = -seconds_of(p);
    const double own[SUMMANDS] = {seconds_of(p), c.calls, c.items, c.bytes, c.flops};
    PetscCall(PetscArraycpy(sum[p], own, SUMMANDS));
  }
  const int last = SCORIA_PHASES + 1;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, extreme, last * EXTREMES, MPI_DOUBLE, MPI_MAX, comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, last * SUMMANDS, MPI_DOUBLE, MPI_SUM, comm));
  for (int p = 0; p <= SCORIA_PHASES; p++) {
    static const ScoriaPhaseRow all = {"elapsed", "commands", "sum", "none", ""};
    const ScoriaPhaseRow *row       = p < SCORIA_PHASES ? &phase_rows[p] : &all;
    if (p > 0 && sum[p][CALLS] == 0) continue;
    PetscCall(ScoriaLog(
        run, "phase",
        "\"of\":\"%s\",\"phase\":\"%s\",\"model\":\"%s\",\"roof\":\"%s\",\"ranks\":%d,\"nodes\":%d,\"seconds\":%.6f,"
        "\"mean\":%.6f,\"least\":%.6f,\"calls\":%.0f,\"items\":%.0f,\"unit\":\"%s\",\"bytes\":%.6g,"
        "\"flops\":%.6g",
        command, row->name, row->model, row->roof, size, nodes, extreme[p][MOST], sum[p][SECONDS] / size,
        -extreme[p][LESS], sum[p][CALLS], sum[p][ITEMS], row->unit, sum[p][BYTES], sum[p][FLOPS]));
  }
  PetscFunctionReturn(0);
}
