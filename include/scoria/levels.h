/* scoria/levels.h - the answer to a question of uq from several fidelities, and what it will take. */
#ifndef SCORIA_LEVELS_H
#define SCORIA_LEVELS_H

#include "bias.h"
#include "estimators.h"
#include "uq_question.h"

#define LEVELS_MODELS PLAN_MODELS

/* What the deck asks for. */
typedef struct {
  const ScoriaEstimator *estimator;
  int64_t pilot;
  double budget;                 /* [core s] of all conditions; 0: none */
  bool means;                    /* the tolerance is for means alone, */
  bool aside[UQ_MAX_QUANTITIES]; /* and not for these quantities */
  double own[UQ_MAX_QUANTITIES]; /* tolerances of theirs, of the quantity's unit, below 0 minus a share of its mean; 0:
                                    none */
  int screen;        /* member by whose values the deck's own solves for outer quantiles are sampled; 0: none; */
  uint64_t seed;     /* of that choice */
  const char *alone; /* name of a member whose own answers a forecast judges; NULL: none */
  int ncosts;
  double cost[LEVELS_MODELS]; /* [core s] of a solve of each member, where the deck says it */
} LevelsOptions;

/* What several fidelities work with; all borrowed. */
typedef struct {
  ScoriaRun run;
  ScoriaDeck deck;
  ScoriaSource source; /* the first of them */
  ScoriaFidelities all;
  bool passing; /* nothing of it is kept in the run directory, whose checkpoint belongs to a uq */
} LevelsAsked;

/* What is known of an answer beside its statistics.  The fidelities are in the order of their family: the first is what
 * is asked for. */
typedef struct {
  int n; /* of them */
  char name[LEVELS_MODELS][SCORIA_FIDELITY_NAME];
  const char *estimator;
  LevelsOptions asked;               /* that it is the answer to */
  double seconds[LEVELS_MODELS + 1]; /* core seconds measured; the last: of drawing the porosity */
  struct LevelsAnswer_ *at;          /* owned (conditions); NULL: nothing is known, as of one source */
  size_t kept_size;                  /* doubles per condition of what follows */
  double *kept; /* owned (conditions, kept_size): the pilot and the means of the groups (LevelsKept), or NULL */
} LevelsKnown;
PetscErrorCode LevelsKnownDestroy(LevelsKnown *known);
/* Whether errors at condition k are within what is promised, the larger of tolerance and what uq_count solves have. */
bool levels_kept_promise(const LevelsKnown *known, int k);

/* multilevel_run.c: the answer at all conditions, from the checkpoint on where the run directory has one, into what is
 * empty.  Collective. */
PetscErrorCode LevelsRun(const LevelsAsked *of, const UqQuestion *q, UqAnswer *a, LevelsKnown *known);

/* multilevel_options.c: what the deck says, for a family of fidelities. */
PetscErrorCode LevelsOptionsRead(ScoriaDeck deck, ScoriaFidelities all, const UqQuestion *q, LevelsOptions *o);
/* Of these, what the tolerance is for: means alone; which quantities it is not for, aside (nquantities): those that are
 * not named, where any are, or places; and own (nquantities). */
PetscErrorCode LevelsPromiseRead(ScoriaDeck deck, const UqQuestion *q, bool *means, bool aside[], double own[]);

/* multilevel_forecast.c: what an answer will take, as the pilot of the first condition has it. */
typedef struct {
  double solve; /* [core s] counted, of a solve of the first member with its porosity */
  double pilot; /* of all members' at one condition */
  double work;  /* of the plan at one condition, without its pilot */
  double draws; /* of the first member alone, at one condition, for the same errors */
  /* Work of many draws of the first member alone over that of a plan for one functional alone, without the pilot: the
   * mean, the SD, and the quantiles of the question; NAN where the quantity does not vary. */
  double gain[UQ_MAX_QUANTITIES][2 + UQ_MAX_QUANTILES];
  /* [core s] counted, of a solve of LevelsOptions.alone with its porosity; NAN: there is no such member */
  double alone;
  ScoriaBias bias[UQ_MAX_QUANTITIES][SCORIA_NESTIMATES]; /* of its own answers; NAN where the quantity does not vary */
} LevelsForecast;
/* The pilot stays in uq's checkpoint, from which LevelsRun goes on, and is taken from one that is there, unless it is
 * passing.  Collective. */
PetscErrorCode LevelsForecastMake(const LevelsAsked *of, const LevelsOptions *o, const UqQuestion *q,
                                  LevelsForecast *to);

/* multilevel_write.c: what uq.json, uq.h5 and the table have of it, beside what other sources give. */
void levels_add_json(cJSON *condition, const UqQuestion *q, const UqAnswer *a, const LevelsKnown *known, int k);
void levels_add_family(cJSON *root, const LevelsKnown *known);
PetscErrorCode LevelsPutStore(ScoriaStore store, const UqQuestion *q, const LevelsKnown *known);
PetscErrorCode LevelsSay(ScoriaRun run, const UqQuestion *q, const LevelsKnown *known);

#endif
