/* uq: statistics of any number of fields, from the model or from fresh solves, with nothing kept of a single one; at
 * one or many conditions, and how much of the spread of each quantity every condition causes. */
#include "uq.h"
#include <stdio.h>
#include <string.h>

/* The fields to expect: the model's, or the ensemble's but the porosity. */
static PetscErrorCode OpenSource(Uq *u, ScoriaDatasetSpec *spec)
{
  PetscMPIInt rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(u->comm, &rank));
  PetscCallMPI(MPI_Comm_size(u->comm, &size));
  u->all    = (UqTeam){u->comm, rank, size};
  u->own    = (UqTeam){PETSC_COMM_SELF, 0, 1};
  u->speaks = true;
  if (!u->q.pde) {
    PetscCall(ScoriaModelOpen(u->run, u->deck, &u->model));
    PetscCall(ScoriaTwinCreate(u->deck, &u->twin_ens, &u->twin));
    PetscCall(ScoriaSamplerOpen(u->run, u->deck, &u->sampler));
    PetscCall(ScoriaModelFields(u->model, &u->q.channels, &u->q.field, &u->q.cells, &u->q.x));
    u->q.space = ScoriaModelSpace(u->model);
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaNeedEquations(u->deck, "uq: source pde", "give -uq_source model"));
  PetscCall(ScoriaEnsembleCreate(u->comm, u->deck, &u->ens));
  PetscCall(ScoriaEnsembleSpec(u->ens, spec, &u->q.x));
  PetscCall(ScoriaRowsCreate(spec, UQ_TILE, &u->rows));
  const ScoriaGroups *groups = ScoriaEnsembleGroups(u->ens);
  u->all                     = (UqTeam){u->comm, groups->index, groups->count};
  u->own                     = (UqTeam){groups->group, 0, 1};
  u->speaks                  = groups_leads(groups);
  PetscCall(ScoriaWarnOfRest(u->run, groups));
  u->q.cells = spec->cells;
  u->q.field = spec->field;
  u->q.space = &spec->space;
  while (u->q.channels < spec->nfields && field_is_state(spec->field[u->q.channels].name)) u->q.channels++;
  PetscFunctionReturn(0);
}

static PetscErrorCode Destroy(Uq *u)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(u->q.theta));
  PetscCall(PetscFree(u->a.value));
  PetscCall(PetscFree3(u->fields, u->part, u->pilot));
  PetscCall(ScoriaSobolDestroy(&u->sobol));
  if (u->q.pde) PetscCall(ScoriaRowsDestroy(&u->rows));
  PetscCall(ScoriaModelDestroy(&u->model));
  PetscCall(ScoriaEnsembleDestroy(&u->twin_ens));
  PetscCall(ScoriaEnsembleDestroy(&u->ens));
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
  const char *name = NULL;
  Uq u             = {.run = run, .deck = deck, .comm = ScoriaRunComm(run)};
  ScoriaDatasetSpec spec;
  PetscInt source = 0;
  bool complete;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "uq_file", &name));
  PetscCall(ScoriaJsonPath(name, sizeof json, json)); /* a name that cannot be, before the work */
  PetscCall(ScoriaCompleteStore(run, deck, name, "uq", uq_sections, &complete));
  if (complete) {
    PetscCall(UqForgetCheckpoints(run, deck));
    PetscFunctionReturn(0);
  }
  PetscCall(ScoriaDeckChoice(deck, "uq_source", &source));
  u.q.pde = source == 1;
  PetscCall(OpenSource(&u, &spec));
  PetscCall(UqQuestionRead(run, deck, &u.q));
  PetscCall(Answer(&u));
  PetscCall(UqSayTable(run, &u.q, &u.a));
  PetscCall(Write(&u, name));
  PetscCall(Destroy(&u));
  PetscFunctionReturn(0);
}
