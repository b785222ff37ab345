/* uq: statistics of any number of fields, from the model or from fresh solves, with nothing kept of a single one; at
 * one or many conditions, and how much of the spread of each quantity every condition causes. */
#include "uq.h"
#include <stdio.h>
#include <string.h>

PetscErrorCode UqResultCreate(const UqQuestion *q, UqResult *r)
{
  PetscFunctionBeginUser;
  *r = (UqResult){.choice = NULL};
  PetscCall(UqAnswerCreate(q, &r->a));
  PetscFunctionReturn(0);
}

PetscErrorCode UqResultDestroy(UqResult *r)
{
  PetscFunctionBeginUser;
  PetscCall(UqAnswerDestroy(&r->a));
  PetscCall(LevelsKnownDestroy(&r->levels));
  PetscCall(PetscFree(r->check));
  PetscCall(PetscFree(r->tails));
  PetscCall(PetscFree(r->biases));
  PetscFunctionReturn(0);
}

PetscErrorCode UqRun(ScoriaRun run, ScoriaDeck deck, ScoriaSource source, const UqQuestion *q, UqResult *r)
{
  const ScoriaWorkers *workers = source_workers(source);
  UqDraws draws;
  UqTiles tiles;
  UqBlocks blocks = {.draws = &draws, .all = workers->all, .leads = workers->leads};
  UqKeeper keeper = {.run = run, .deck = deck, .a = &r->a, .tiles = &tiles, .blocks = &blocks, .saved = wall_seconds()};
  int64_t done;
  int k;
  PetscFunctionBeginUser;
  PetscCall(UqDrawsCreate(q, source, &draws));
  PetscCall(UqTilesCreate(&draws, &r->a, &tiles));
  PetscCall(UqRestore(&keeper, &k, &done));
  const bool conditions_done = k == q->conditions;
  PetscCall(UqConditions(&tiles, &keeper, &r->a, k, done));
  PetscCall(UqSensitivityRun(&blocks, &keeper, &r->sobol, conditions_done ? done : 0));
  PetscCall(UqSeconds(&keeper, r->a.seconds));
  PetscCall(UqCheckModel(&keeper, q, &r->a, &r->check));
  PetscCall(ScoriaSobolDestroy(&blocks.sobol));
  PetscCall(UqTilesDestroy(&tiles));
  PetscCall(UqDrawsDestroy(&draws));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(ScoriaRun run, ScoriaDeck deck, const char *name, const UqQuestion *q, const UqResult *r)
{
  const MPI_Comm comm = ScoriaRunComm(run);
  char path[PETSC_MAX_PATH_LEN], json[PETSC_MAX_PATH_LEN];
  const char *text;
  PetscFunctionBeginUser;
  PetscCall(ScoriaRunPath(run, name, sizeof path, path));
  PetscCall(ScoriaJsonPath(path, sizeof json, json));
  PetscCall(ScoriaDeckText(deck, &text));
  PetscCall(UqWriteJson(q, r, comm, json));
  PetscCall(UqWriteStore(q, r, comm, path, text)); /* last: it marks the answer as complete */
  PetscCall(ScoriaSay(run, "  wrote %s and %s", path, json));
  PetscCall(ScoriaCheckpointRemove(run, UQ_CHECKPOINT));
  PetscCall(ScoriaCheckpointRemove(run, UQ_CHOICE));
  PetscFunctionReturn(0);
}

/* The answer to q, which says from what, by the source's deck, into the file that the run's deck names; of a choice
 * that the answer overturns nothing is written. */
static PetscErrorCode AnswerTo(ScoriaRun run, ScoriaDeck deck, ScoriaDeck of_source, UqQuestion *q, UqChoice *choice,
                               bool *again)
{
  const char *name = NULL;
  UqOpened opened;
  UqResult r;
  PetscFunctionBeginUser;
  *again = false;
  PetscCall(ScoriaDeckString(deck, "uq_file", &name));
  PetscCall(UqOpen(run, of_source, q, &opened));
  PetscCall(UqResultCreate(q, &r));
  r.choice = choice;
  if (q->multilevel)
    PetscCall(LevelsRun(&(LevelsAsked){run, of_source, opened.source, opened.all, false}, q, &r.a, &r.levels));
  else
    PetscCall(UqRun(run, of_source, opened.source, q, &r));
  if (choice) PetscCall(UqChooseAgain(run, deck, q, &r.a, r.check, choice, again));
  if (!*again) {
    if (!q->pde) PetscCall(UqTailsRead(run, of_source, q, &r.tails));
    if (!q->pde)
      PetscCall(UqBiasesRead(run, of_source, q, q->gaussian || model_is_gaussian(opened.trained.model), &r.biases));
    PetscCall(UqSayTable(run, q, &r));
    PetscCall(Write(run, deck, name, q, &r));
  }
  PetscCall(UqResultDestroy(&r));
  PetscCall(UqClose(q, &opened));
  PetscFunctionReturn(0);
}

/* By the cheapest way that is right. */
static PetscErrorCode Automatic(ScoriaRun run, ScoriaDeck deck)
{
  UqChoice choice;
  ScoriaDeck own;
  bool again = true;
  PetscFunctionBeginUser;
  PetscCall(UqChoose(run, deck, &choice));
  while (again) {
    UqQuestion q = {.automatic  = true,
                    .pde        = uq_way_solves(choice.chosen),
                    .multilevel = choice.chosen == UQ_WAY_MULTILEVEL,
                    .gaussian   = choice.chosen == UQ_WAY_GAUSSIAN};
    PetscCall(UqSayChoice(run, &choice));
    PetscCall(ScoriaDeckOfFile(run, deck, "model.h5", q.pde ? 0 : SCORIA_SAID_BY_MODEL, &own));
    PetscCall(AnswerTo(run, deck, q.pde ? deck : own, &q, &choice, &again));
    PetscCall(ScoriaDeckDestroy(&own));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaUq(ScoriaRun run, ScoriaDeck deck)
{
  char json[PETSC_MAX_PATH_LEN];
  const char *name = NULL, *file = NULL;
  UqQuestion q = {.count = 0};
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
  PetscCall(ScoriaDeckIs(deck, "uq_source", "auto", &q.automatic));
  PetscCall(ScoriaDeckIs(deck, "uq_source", SCORIA_SOURCE_PDE, &q.pde));
  PetscCall(ScoriaDeckIs(deck, "uq_source", SCORIA_SOURCE_MULTILEVEL, &q.multilevel));
  q.pde = q.pde || q.multilevel;
  if (q.automatic)
    PetscCall(Automatic(run, deck));
  else
    PetscCall(AnswerTo(run, deck, deck, &q, NULL, &complete));
  PetscFunctionReturn(0);
}
