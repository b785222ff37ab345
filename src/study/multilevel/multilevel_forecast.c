/* uq of several fidelities: what an answer will take, before it is made. */
#include "multilevel.h"
#include <math.h>
#include <string.h>

/* What the member that the options name would be by itself. */
static PetscErrorCode JudgeAlone(const Levels *l, LevelsForecast *to)
{
  const double *cost = l->known->at[l->k].cost;
  int member         = 0;
  PetscFunctionBeginUser;
  to->alone = NAN;
  while (member < l->K && (!l->o.alone || strcmp(fidelities_name(l->all, member), l->o.alone))) member++;
  if (member == l->K) PetscFunctionReturn(0);
  to->alone = cost[member] + cost[l->K];
  for (int i = 0; i < l->q->nquantities; i++) PetscCall(LevelsAlone(l, member, i, to->bias[i]));
  PetscFunctionReturn(0);
}

static PetscErrorCode DrawPilot(ScoriaRun run, Levels *l)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaProgressCreate(run, "forecast", "draws of the pilot", (double)l->o.pilot, &l->bar));
  PetscCall(ScoriaProgressFrom(l->bar, (double)l->pilot_done));
  l->forecast                 = true;
  const PetscErrorCode failed = LevelsPilot(l);
  PetscCall(ScoriaProgressUpdate(l->bar, (double)l->pilot_done, NULL));
  PetscCall(ScoriaProgressDestroy(&l->bar));
  PetscFunctionReturn(failed);
}

static PetscErrorCode Judge(const Levels *l, LevelsForecast *to)
{
  PetscFunctionBeginUser;
  *to = (LevelsForecast){.solve = levels_solve_cost(l),
                         .pilot = levels_pilot_cost(l),
                         .work  = levels_plan_cost(l),
                         .draws = levels_draws_alone(l)};
  for (int i = 0; i < l->q->nquantities; i++)
    for (int f = 0; f < 2 + l->q->nprobabilities; f++) to->gain[i][f] = levels_gain(l, i, f);
  PetscCall(JudgeAlone(l, to));
  PetscFunctionReturn(0);
}

/* Solves that fail need not end the program: all is given back before it is said. */
PetscErrorCode LevelsForecastMake(const LevelsAsked *of, const LevelsOptions *o, const UqQuestion *q,
                                  LevelsForecast *to)
{
  UqDraws draws;
  UqAnswer a;
  LevelsKnown known;
  Levels l;
  PetscFunctionBeginUser;
  PetscCall(UqAnswerCreate(q, &a));
  PetscCall(LevelsOpen(of, o, q, &a, &known, &draws, &l));
  if (!of->passing) PetscCall(LevelsRestore(&l));
  uq_draws_at(&draws, q->theta + l.k * q->space->n);
  const PetscErrorCode failed = DrawPilot(of->run, &l);
  if (failed && ScoriaFailureCode() != SCORIA_EXIT_SOLVES) PetscFunctionReturn(failed);
  if (!failed) PetscCall(Judge(&l, to));
  if (!failed && !of->passing) PetscCall(LevelsSave(&l));
  PetscCall(LevelsClose(&l));
  PetscCall(LevelsKnownDestroy(&known));
  PetscCall(UqAnswerDestroy(&a));
  PetscFunctionReturn(failed);
}
