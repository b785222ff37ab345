/* What several fidelities of the PDE would take for the quantities that compare judges the model by. */
#include "compare.h"
#include "study/multilevel/multilevel.h"
#include <math.h>
#include <string.h>

#define MANY 1000000 /* draws in place of a tolerance: the gain is that of many */

static const double outer = 0.975; /* as of SCORIA_ESTIMATE_Q975 */

static void ask(const CompareQuantities *quantities, UqQuestion *q)
{
  q->count          = MANY;
  q->nprobabilities = 1;
  q->probability[0] = outer;
  q->nquantities    = quantities->n;
  for (int i = 0; i < quantities->n; i++) {
    q->quantity[i]  = quantities->quantity[i];
    q->condition[i] = quantities->offset[i];
  }
}

static PetscErrorCode Options(ScoriaDeck deck, ScoriaFidelities all, LevelsOptions *o)
{
  const int least = 2 * fidelities_number(all) + 6;
  PetscInt pilot  = 0;
  int best        = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "compare_pilot", &pilot));
  if (pilot > 0 && pilot < least)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare: pilot: found %d draws, expected 0 or at least %d for %d fidelities",
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

PetscErrorCode CompareForecast(ScoriaRun run, ScoriaDeck deck, ScoriaEnsemble ens, ScoriaSource source,
                               const double theta[], const CompareQuantities *quantities, CompareCost *cost)
{
  UqQuestion q   = {.pde = true, .multilevel = true, .conditions = 1};
  LevelsAsked of = {.run = run, .deck = deck, .source = source, .passing = true};
  LevelsOptions o;
  LevelsForecast f;
  PetscFunctionBeginUser;
  cost->pilot = NAN;
  for (int i = 0; i < SCORIA_MAX_DECK_QUANTITIES; i++)
    for (int e = 0; e < SCORIA_NESTIMATES; e++) cost->gain[i][e] = NAN;
  PetscCall(ScoriaFidelitiesOfPde(deck, ens, "compare: fidelities", NULL, &of.all));
  PetscCall(Options(deck, of.all, &o));
  if (o.pilot > 0) {
    uq_take_shape(&q, source_shape(source));
    ask(quantities, &q);
    PetscCall(PetscMalloc1(q.space->n, &q.theta));
    PetscCall(PetscArraycpy(q.theta, theta, q.space->n));
    const PetscErrorCode failed = LevelsForecastMake(&of, &o, &q, &f);
    PetscCall(UqQuestionDestroy(&q));
    if (failed)
      PetscCall(PassOver(run, failed));
    else {
      cost->pilot = f.pilot / f.solve;
      for (int i = 0; i < q.nquantities; i++) PetscCall(PetscArraycpy(cost->gain[i], f.gain[i], SCORIA_NESTIMATES));
    }
  }
  PetscCall(ScoriaFidelitiesDestroy(&of.all));
  PetscFunctionReturn(0);
}
