/* uq of several fidelities: what the deck asks for. */
#include "multilevel.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A name that no quantity has: the list of those there are, and the nearest. */
static PetscErrorCode RefuseName(const UqQuestion *q, const char *found)
{
  const char *known[UQ_MAX_QUANTITIES];
  char list[UQ_MAX_QUANTITIES * (SCORIA_NAME_SIZE + 2)] = "none", hint[SCORIA_NAME_SIZE + 32] = "";
  size_t used = 0;
  PetscFunctionBeginUser;
  for (int i = 0; i < q->nquantities; i++) {
    known[i] = q->quantity[i].name;
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", known[i]);
  }
  const char *nearest = text_nearest(found, q->nquantities, known);
  if (nearest) snprintf(hint, sizeof hint, " (did you mean \"%s\"?)", nearest);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: tolerance_for: found \"%s\"%s, expected names of quantities: %s", found, hint,
              list);
}

/* "NAME: NUMBER", of the quantity's unit, or "NAME: NUMBER %", of its mean; the name alone is left. */
static PetscErrorCode TakeOwn(char item[], double *own)
{
  char *colon = strchr(item, ':'), *end;
  PetscFunctionBeginUser;
  *own = 0;
  if (!colon) PetscFunctionReturn(0);
  *own             = strtod(colon + 1, &end);
  const bool found = end > colon + 1;
  while (*end == ' ') end++;
  const bool share = *end == '%';
  if (!found || end[share] || !(*own > 0) || !isfinite(*own))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: tolerance_for: found \"%s\", expected a quantity's name, with or without a positive number behind "
                "a colon, of its unit or, with a %% behind it, of its mean",
                item);
  if (share) *own *= -0.01;
  while (colon > item && colon[-1] == ' ') colon--;
  *colon = 0;
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsPromiseRead(ScoriaDeck deck, const UqQuestion *q, bool *means, bool aside[], double own[])
{
  const char *list = NULL;
  char name[UQ_ITEM];
  double number;
  bool some = false, bare = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckIs(deck, "uq_tolerance_of", "means", means));
  PetscCall(ScoriaDeckString(deck, "uq_tolerance_for", &list));
  for (int i = 0; i < q->nquantities; i++) {
    aside[i] = list || q->place[i];
    own[i]   = 0;
  }
  while (list_next_text(&list, sizeof name, name)) {
    int i = 0;
    PetscCall(TakeOwn(name, &number));
    while (i < q->nquantities && strcmp(q->quantity[i].name, name)) i++;
    if (i == q->nquantities) PetscCall(RefuseName(q, name));
    aside[i] = false;
    own[i]   = number;
    some     = some || number != 0;
    bare     = bare || number == 0;
  }
  if (some && q->automatic)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: tolerance_for: found numbers beside source auto, expected names alone, and "
                                   "uq_tolerance, which the sources are compared at");
  if (some && bare && !(q->tolerance > 0))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: tolerance_for: found names with and without a number, expected one behind each, "
                "or uq_tolerance too");
  PetscFunctionReturn(0);
}

/* The fidelity that screens draws, if the deck names one. */
static PetscErrorCode ReadScreen(ScoriaDeck deck, ScoriaFidelities all, const UqQuestion *q, LevelsOptions *o)
{
  const int K      = fidelities_number(all);
  const char *name = NULL;
  bool outer       = false;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "uq_screen", &name));
  if (!name) PetscFunctionReturn(0);
  for (int a = 1; a < K; a++)
    if (!fidelities_same(all, a) && !strcmp(name, fidelities_name(all, a))) o->screen = a;
  if (!o->screen)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: screen: found \"%s\", expected one of uq_fidelities but mirror", name);
  if (K == LEVELS_MODELS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: screen: found %d fidelities beside the deck's own, expected at most %d", K - 1,
                LEVELS_MODELS - 2);
  for (int i = 0; i < q->nprobabilities; i++)
    outer = outer || levels_is_outer(PetscMin(q->probability[i], 1 - q->probability[i]));
  if (!outer || o->means)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "uq: screen: found beside %s, expected quantiles up to 0.025 or from 0.975 to plan for",
                o->means ? "tolerance_of means" : "uq_quantiles that have no outer ones");
  if (strcmp(o->estimator->name, "mlblue"))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: screen: found beside estimator %s, expected mlblue", o->estimator->name);
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsOptionsRead(ScoriaDeck deck, ScoriaFidelities all, const UqQuestion *q, LevelsOptions *o)
{
  const int K    = fidelities_number(all);
  PetscInt pilot = 0, seed = 0, n = 0;
  int estimator = 0;
  PetscFunctionBeginUser;
  *o = (LevelsOptions){.budget = 0};
  PetscCall(ScoriaDeckRow(deck, "uq_estimator", scoria_estimators, sizeof *scoria_estimators, &estimator));
  PetscCall(ScoriaDeckInt(deck, "uq_pilot", &pilot));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaDeckReal(deck, "uq_budget", &o->budget));
  PetscCall(ScoriaDeckReals(deck, "uq_costs", LEVELS_MODELS, &n, o->cost));
  PetscCall(LevelsPromiseRead(deck, q, &o->means, o->aside, o->own));
  o->estimator = &scoria_estimators[estimator];
  o->pilot     = pilot;
  o->seed      = (uint64_t)seed;
  o->ncosts    = (int)n;
  PetscCall(ReadScreen(deck, all, q, o));
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
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: sobol: found %lld beside source %s, expected 0, or source pde or model",
                (long long)q->base, q->automatic ? "auto" : "multilevel");
  PetscFunctionReturn(0);
}
