/* uq of several fidelities: what the deck asks for. */
#include "multilevel.h"
#include <string.h>

/* The quantities that the tolerance is for: those that are named, or all but places. */
static PetscErrorCode ReadFor(ScoriaDeck deck, const UqQuestion *q, LevelsOptions *o)
{
  const char *list = NULL;
  char name[UQ_ITEM];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "uq_tolerance_for", &list));
  for (int i = 0; i < q->nquantities; i++) o->aside[i] = list || q->place[i];
  while (list_next_text(&list, sizeof name, name)) {
    int i = 0;
    while (i < q->nquantities && strcmp(q->quantity[i].name, name)) i++;
    if (i == q->nquantities)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: tolerance_for: found \"%s\", expected names of quantities, as %s", name,
                  q->nquantities ? q->quantity[0].name : "those of uq_quantities");
    o->aside[i] = false;
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsOptionsRead(ScoriaDeck deck, ScoriaFidelities all, const UqQuestion *q, LevelsOptions *o)
{
  const int K    = fidelities_number(all);
  PetscInt pilot = 0, n = 0;
  int estimator = 0;
  PetscFunctionBeginUser;
  *o = (LevelsOptions){.budget = 0};
  PetscCall(ScoriaDeckRow(deck, "uq_estimator", scoria_estimators, sizeof *scoria_estimators, &estimator));
  PetscCall(ScoriaDeckInt(deck, "uq_pilot", &pilot));
  PetscCall(ScoriaDeckReal(deck, "uq_budget", &o->budget));
  PetscCall(ScoriaDeckIs(deck, "uq_tolerance_of", "means", &o->means));
  PetscCall(ScoriaDeckReals(deck, "uq_costs", LEVELS_MODELS, &n, o->cost));
  PetscCall(ReadFor(deck, q, o));
  o->estimator = &scoria_estimators[estimator];
  o->pilot     = pilot;
  o->ncosts    = (int)n;
  if (n && n != K)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: costs: found %d numbers, expected %d: of the deck's solve and of each of uq_fidelities", (int)n,
                K);
  if (pilot < 2 * K + 6)
    SCORIA_FAIL(
        SCORIA_EXIT_INPUT,
        "uq: pilot: found %d draws, expected at least %d: the covariance of %d fidelities is estimated from them",
        (int)pilot, 2 * K + 6, K);
  if (q->base)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: sobol: found %lld beside source multilevel, expected 0, or source pde or model",
                (long long)q->base);
  PetscFunctionReturn(0);
}
