/* uq: statistics of any number of fields, from the model or from fresh solves, with nothing kept of a single one; at
 * one or many conditions, and how much of the spread of each quantity every condition causes. */
#include "uq.h"
#include <stdio.h>
#include <string.h>

/* The source of fields that the deck names, and what is behind it. */
typedef struct {
  ScoriaTrained trained; /* owned; of the model */
  ScoriaEnsemble ens;    /* owned; of the PDE */
  ScoriaSource source;   /* owned */
} Opened;

static PetscErrorCode OpenSource(ScoriaRun run, ScoriaDeck deck, bool pde, Opened *o)
{
  PetscFunctionBeginUser;
  if (pde) {
    PetscCall(ScoriaNeedEquations(deck, "uq: source pde", "give -uq_source model"));
    PetscCall(ScoriaEnsembleCreate(ScoriaRunComm(run), deck, &o->ens));
    PetscCall(ScoriaWarnOfRest(run, ScoriaEnsembleGroups(o->ens)));
    PetscCall(ScoriaSourceOfPde(o->ens, &o->source));
  } else {
    PetscCall(ScoriaTrainedOpen(run, deck, &o->trained));
    PetscCall(ScoriaSourceOfModel(ScoriaRunComm(run), &o->trained, false, &o->source));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CloseSource(Opened *o)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceDestroy(&o->source));
  PetscCall(ScoriaTrainedClose(&o->trained));
  PetscCall(ScoriaEnsembleDestroy(&o->ens));
  PetscFunctionReturn(0);
}

static void take_source(Uq *u, ScoriaSource source)
{
  const ScoriaFieldShape *shape = source_shape(source);
  const ScoriaWorkers *workers  = source_workers(source);
  u->source                     = source;
  u->all                        = workers->all;
  u->own                        = workers->own;
  u->leads                      = workers->leads;
  u->q.channels                 = shape->channels;
  u->q.cells                    = shape->cells;
  u->q.field                    = shape->field;
  u->q.x                        = shape->x;
  u->q.space                    = shape->space;
}

static PetscErrorCode Destroy(Uq *u)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(u->q.theta));
  PetscCall(PetscFree(u->a.value));
  PetscCall(PetscFree3(u->fields, u->part, u->pilot));
  PetscCall(ScoriaSobolDestroy(&u->sobol));
  PetscFunctionReturn(0);
}

/* From the checkpoint, if there is one, to the whole answer. */
static PetscErrorCode Answer(Uq *u)
{
  int64_t done;
  int k;
  PetscFunctionBeginUser;
  PetscCall(UqAnswerCreate(&u->q, &u->a));
  PetscCall(PetscMalloc3(UQ_TILE * u->q.m, &u->fields, UQ_PART * u->a.columns, &u->part,
                         UQ_PILOT_TILES * UQ_TILE * u->a.columns, &u->pilot));
  u->team  = u->all;
  u->saved = wall_seconds();
  PetscCall(UqRestore(u, &k, &done));
  const bool conditions_done = k == u->q.conditions;
  PetscCall(UqConditions(u, k, done));
  PetscCall(UqSensitivityRun(u, conditions_done ? done : 0));
  PetscCall(UqSeconds(u, u->a.seconds));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(Uq *u, const char *name)
{
  char path[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(u->run, name, sizeof path, path));
  PetscCall(ScoriaJsonPath(path, sizeof json, json));
  PetscCall(ScoriaDeckText(u->deck, &text));
  PetscCall(UqWriteJson(&u->q, &u->a, u->comm, json));
  PetscCall(UqWriteStore(&u->q, &u->a, u->comm, path, text)); /* last: it marks the answer as complete */
  PetscCall(ScoriaSay(u->run, "  wrote %s and %s", path, json));
  PetscCall(ScoriaRunPath(u->run, "uq.ckpt", sizeof path, path));
  PetscCall(ScoriaFileForget(u->comm, path));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaUq(ScoriaRun run, ScoriaDeck deck)
{
  char json[PETSC_MAX_PATH_LEN];
  const char *name = NULL, *file = NULL;
  Uq u            = {.run = run, .deck = deck, .comm = ScoriaRunComm(run)};
  Opened opened   = {.source = NULL};
  PetscInt source = 0;
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
  PetscCall(ScoriaDeckChoice(deck, "uq_source", &source));
  u.q.pde = source == 1;
  PetscCall(OpenSource(run, deck, u.q.pde, &opened));
  take_source(&u, opened.source);
  PetscCall(ScoriaMadeFromShape(source_shape(opened.source), &u.q.made));
  if (file) PetscCall(ScoriaSourceNow(u.comm, file, NULL, 0, u.q.made.file));
  PetscCall(UqQuestionRead(run, deck, &u.q));
  PetscCall(Answer(&u));
  PetscCall(UqSayTable(run, &u.q, &u.a));
  PetscCall(Write(&u, name));
  PetscCall(Destroy(&u));
  PetscCall(CloseSource(&opened));
  PetscFunctionReturn(0);
}
