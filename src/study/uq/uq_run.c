/* uq: statistics of any number of fields, from the model or from fresh solves, with nothing kept of a single one; at
 * one or many conditions, and how much of the spread of each quantity every condition causes. */
#include "study/multilevel/multilevel.h"
#include <stdio.h>
#include <string.h>

/* The source of fields that the deck names, and what is behind it. */
typedef struct {
  ScoriaTrained trained; /* owned; of the model */
  ScoriaEnsemble ens;    /* owned; of the PDE */
  ScoriaSource source;   /* owned */
  ScoriaFidelities all;  /* owned; of source multilevel */
} Opened;

static PetscErrorCode OpenSource(ScoriaRun run, ScoriaDeck deck, const UqQuestion *q, Opened *o)
{
  const char *list = NULL;
  PetscFunctionBeginUser;
  if (q->pde) {
    PetscCall(
        ScoriaNeedEquations(deck, q->multilevel ? "uq: source multilevel" : "uq: source pde", "give -uq_source model"));
    PetscCall(ScoriaChainCheckDatasetLibrary(run, deck));
    PetscCall(ScoriaEnsembleCreate(ScoriaRunComm(run), deck, &o->ens));
    PetscCall(ScoriaWarnOfRest(run, ScoriaEnsembleGroups(o->ens)));
    PetscCall(ScoriaSourceOfPde(o->ens, &o->source));
    PetscCall(ScoriaDeckString(deck, "uq_fidelities", &list));
    if (q->multilevel) PetscCall(ScoriaFidelitiesOfPde(deck, o->ens, "uq: fidelities", list, &o->all));
  } else {
    PetscCall(ScoriaTrainedOpen(run, deck, &o->trained));
    PetscCall(ScoriaSourceOfModel(ScoriaRunComm(run), &o->trained, false, &o->source));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseSource(Opened *o)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaFidelitiesDestroy(&o->all));
  PetscCall(ScoriaSourceDestroy(&o->source));
  PetscCall(ScoriaTrainedClose(&o->trained));
  PetscCall(ScoriaEnsembleDestroy(&o->ens));
  PetscFunctionReturn(0);
}

void uq_take_shape(UqQuestion *q, const ScoriaFieldShape *shape)
{
  q->channels = shape->channels;
  q->cells    = shape->cells;
  q->m        = shape->channels * shape->cells;
  for (int a = 0; a < 3; a++) q->n[a] = PetscMax(shape->shape[a], 1);
  q->whole = q->n[1] > 1 || q->n[2] > 1;
  if (!q->whole) q->n[0] = q->cells;
  q->tile  = q->whole ? PetscClipInterval(UQ_TILE_BYTES / (int)sizeof(double) / q->m, UQ_LEAST_TILE, UQ_TILE) : UQ_TILE;
  q->part  = PetscMin(q->tile, UQ_PART);
  q->field = shape->field;
  q->x     = shape->x;
  q->space = shape->space;
}

PetscErrorCode UqRun(ScoriaRun run, ScoriaDeck deck, ScoriaSource source, const UqQuestion *q, UqAnswer *a)
{
  const ScoriaWorkers *workers = source_workers(source);
  UqDraws draws;
  UqTiles tiles;
  UqBlocks blocks = {.draws = &draws, .all = workers->all, .leads = workers->leads};
  UqKeeper keeper = {.run = run, .deck = deck, .a = a, .tiles = &tiles, .blocks = &blocks, .saved = wall_seconds()};
  int64_t done;
  int k;
  PetscFunctionBeginUser;
  PetscCall(UqDrawsCreate(q, source, &draws));
  PetscCall(UqTilesCreate(&draws, a, &tiles));
  PetscCall(UqRestore(&keeper, &k, &done));
  const bool conditions_done = k == q->conditions;
  PetscCall(UqConditions(&tiles, &keeper, a, k, done));
  PetscCall(UqSensitivityRun(&blocks, &keeper, &a->sobol, conditions_done ? done : 0));
  PetscCall(UqSeconds(&keeper, a->seconds));
  PetscCall(UqCheckModel(&keeper, q, a));
  PetscCall(ScoriaSobolDestroy(&blocks.sobol));
  PetscCall(UqTilesDestroy(&tiles));
  PetscCall(UqDrawsDestroy(&draws));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(ScoriaRun run, ScoriaDeck deck, const char *name, const UqQuestion *q, const UqAnswer *a)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  char path[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaJsonPath(path, sizeof json, json));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(UqWriteJson(q, a, comm, json));
  PetscCall(UqWriteStore(q, a, comm, path, text)); /* last: it marks the answer as complete */
  PetscCall(ScoriaSay(run, "  wrote %s and %s", path, json));
  PetscCall(ScoriaCheckpointRemove(run, UQ_CHECKPOINT));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaUq(ScoriaRun run, ScoriaDeck deck)
{
  char json[PETSC_MAX_PATH_LEN];
  const char *name = NULL, *file = NULL;
  UqQuestion q = {.count = 0};
  UqAnswer a;
  Opened opened = {.source = NULL};
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "uq_file", &name));
  PetscCall(ScoriaJsonPath(name, sizeof json, json)); /* a name that cannot be, before the work */
  PetscCall(ScoriaDeckString(deck, "uq_conditions", &file));
  PetscCall(ScoriaCompleteStore(run, deck, name, "uq", SCORIA_OF_UQ, file, &complete));
  if (complete) {
    PetscCall(UqForgetCheckpoints(run, deck));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaDeckIs(deck, "uq_source", "pde", &q.pde));
  PetscCall(ScoriaDeckIs(deck, "uq_source", "multilevel", &q.multilevel));
  q.pde = q.pde || q.multilevel;
  PetscCall(OpenSource(run, deck, &q, &opened));
  uq_take_shape(&q, source_shape(opened.source));
  PetscCall(ScoriaMadeFromShape(source_shape(opened.source), &q.made));
  if (file) PetscCall(ScoriaSourceNow(ScoriaRunComm(run), file, NULL, 0, q.made.file));
  PetscCall(UqQuestionRead(run, deck, &q));
  PetscCall(UqCheckMemory(deck, &q));
  PetscCall(UqAnswerCreate(&q, &a));
  if (q.multilevel)
    PetscCall(LevelsRun(run, deck, opened.source, opened.all, &q, &a));
  else
    PetscCall(UqRun(run, deck, opened.source, &q, &a));
  if (!q.pde) PetscCall(UqTailsRead(run, deck, &q, &a));
  PetscCall(UqSayTable(run, &q, &a));
  PetscCall(Write(run, deck, name, &q, &a));
  PetscCall(UqAnswerDestroy(&a));
  PetscCall(UqQuestionDestroy(&q));
  PetscCall(CloseSource(&opened));
  PetscFunctionReturn(0);
}
