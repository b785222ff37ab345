/* What several fidelities of the PDE would take for quantities of another study, which compares with them. */
#include "multilevel.h"
#include "scoria/uq_parts.h"
#include <math.h>
#include <string.h>

#define MANY 1000000 /* draws in place of a tolerance: the gain is that of many */

static const double outer = 0.975; /* as of SCORIA_ESTIMATE_Q975 */

static void ask(int n, const ScoriaQuantity quantity[], const int offset[], UqQuestion *q)
{
  q->count          = MANY;
  q->nprobabilities = 1;
  q->probability[0] = outer;
  q->nquantities    = n;
  for (int i = 0; i < n; i++) {
    q->quantity[i]  = quantity[i];
    q->condition[i] = offset[i];
  }
}

static PetscErrorCode Options(ScoriaDeck deck, const char *command, const char *key, ScoriaFidelities all,
                              LevelsOptions *o)
{
  const int least = 2 * fidelities_number(all) + 6;
  PetscInt pilot  = 0;
  int best        = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, key, &pilot));
  if (pilot > 0 && pilot < least)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: pilot: found %d draws, expected 0 or at least %d for %d fidelities", command,
                (int)pilot, least, fidelities_number(all));
  while (strcmp(scoria_estimators[best].name, "mlblue")) best++;
  *o = (LevelsOptions){.estimator = &scoria_estimators[best], .pilot = pilot};
  PetscFunctionReturn(0);
}

/* Solves that fail tell nothing of what the others would take. */
static PetscErrorCode PassOver(ScoriaRun run, PetscErrorCode failed)
{
  PetscFunctionBeginUser;
  if (ScoriaFailureCode() != SCORIA_EXIT_SOLVES) PetscFunctionReturn(failed);
  PetscCall(ScoriaSay(run, "  WARNING: several fidelities are not weighed: %s", ScoriaFailureLine()));
  ScoriaFailureReset();
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaForecastMake(ScoriaRun run, ScoriaDeck deck, const char *command, const char *key,
                                  ScoriaEnsemble ens, ScoriaSource source, const double theta[], int n,
                                  const ScoriaQuantity quantity[], const int offset[], ScoriaForecast *forecast)
{
  UqQuestion q   = {.pde = true, .multilevel = true, .conditions = 1};
  LevelsAsked of = {.run = run, .deck = deck, .source = source, .passing = true};
  LevelsOptions o;
  LevelsForecast f;
  char label[64];
  PetscFunctionBeginUser;
  forecast->pilot = NAN;
  for (int i = 0; i < SCORIA_MAX_DECK_QUANTITIES; i++)
    for (int e = 0; e < SCORIA_NESTIMATES; e++) forecast->gain[i][e] = NAN;
  PetscCall(PetscSNPrintf(label, sizeof label, "%s: fidelities", command));
  PetscCall(ScoriaFidelitiesOfPde(deck, ens, label, NULL, &of.all));
  PetscCall(Options(deck, command, key, of.all, &o));
  if (o.pilot > 0) {
    uq_take_shape(&q, source_shape(source));
    ask(n, quantity, offset, &q);
    PetscCall(PetscMalloc1(q.space->n, &q.theta));
    PetscCall(PetscArraycpy(q.theta, theta, q.space->n));
    const PetscErrorCode failed = LevelsForecastMake(&of, &o, &q, &f);
    PetscCall(UqQuestionDestroy(&q));
    if (failed)
      PetscCall(PassOver(run, failed));
    else {
      forecast->pilot = f.pilot / f.solve;
      for (int i = 0; i < q.nquantities; i++) PetscCall(PetscArraycpy(forecast->gain[i], f.gain[i], SCORIA_NESTIMATES));
    }
  }
  PetscCall(ScoriaFidelitiesDestroy(&of.all));
  PetscFunctionReturn(0);
}
