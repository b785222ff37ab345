/* scoria/uq_parts.h - what uq knows of a deck's numbers and of the cost of estimates, for other studies. */
#ifndef SCORIA_UQ_PARTS_H
#define SCORIA_UQ_PARTS_H

#include "bias.h"
#include "fidelity.h"

/* The numbers of a field that uq knows.  Of profiles those that the deck defines for it beside the quantities of
 * interest: probes, expressions, and those of events.  Of whole fields all that uq asks of every field, and behind them
 * the deck's own. */
typedef struct ScoriaNumbers_ *ScoriaNumbers;

/* Of fields of that shape.  What the deck has wrong is a user error.  Collective. */
PetscErrorCode ScoriaNumbersOfDeck(ScoriaDeck deck, const ScoriaFieldShape *shape, ScoriaNumbers *numbers);
PetscErrorCode ScoriaNumbersDestroy(ScoriaNumbers *numbers); /* none (NULL): nothing is done */
int numbers_count(ScoriaNumbers numbers);
int numbers_own(ScoriaNumbers numbers);                               /* of these, the last: the deck's own */
const ScoriaQuantity *numbers_quantity(ScoriaNumbers numbers, int i); /* name, unit and description; borrowed */
bool numbers_place(ScoriaNumbers numbers, int i);                     /* a place along an axis: one of a few values */
/* The first `most` of them, values (n, most) of n fields at theta; NaN where a field has none.  Local. */
void numbers_take(ScoriaNumbers numbers, const double theta[], int64_t n, const double fields[], int most,
                  double values[]);

/* What several fidelities would take, from a pilot. */
#define SCORIA_FORECAST_QUANTITIES 64
typedef struct {
  double pilot;                                               /* of the pilot, in units of solves; NaN: none was made */
  double gain[SCORIA_FORECAST_QUANTITIES][SCORIA_NESTIMATES]; /* over plain Monte Carlo; NaN: not known */
  double columns; /* of independent columns alone, in units of solves; NaN: there are none, and no biases of theirs */
  ScoriaBias columns_bias[SCORIA_FORECAST_QUANTITIES][SCORIA_NESTIMATES];
} ScoriaForecast;

/* What it is for: estimates of n quantities at theta, offset: the condition whose value is a quantity's offset, -1:
 * none.  Of whole fields, of all numbers of `numbers` in place of these.  `command` names the study in messages, key is
 * that of the deck's number of the pilot's draws, 0: none. */
typedef struct {
  const char *command, *key;
  ScoriaEnsemble ens; /* all borrowed */
  ScoriaSource source;
  const double *theta;
  int n;
  const ScoriaQuantity *quantity;
  const int *offset;
  ScoriaNumbers numbers; /* NULL: of profiles */
} ScoriaForecastOf;

/* Where too many of the pilot's draws fail, that is said and nothing is known.  Collective. */
PetscErrorCode ScoriaForecastMake(ScoriaRun run, ScoriaDeck deck, const ScoriaForecastOf *of, ScoriaForecast *forecast);

#endif
