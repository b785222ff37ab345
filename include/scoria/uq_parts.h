/* scoria/uq_parts.h - what uq knows of a deck's numbers and of the cost of estimates, for other studies. */
#ifndef SCORIA_UQ_PARTS_H
#define SCORIA_UQ_PARTS_H

#include "fidelity.h"

/* The numbers of a field that the deck defines for uq beside the quantities of interest: probes, expressions, and those
 * of events. */
typedef struct ScoriaNumbers_ *ScoriaNumbers;

/* Of fields of that shape.  What the deck has wrong is a user error.  Collective. */
PetscErrorCode ScoriaNumbersOfDeck(ScoriaDeck deck, const ScoriaFieldShape *shape, ScoriaNumbers *numbers);
PetscErrorCode ScoriaNumbersDestroy(ScoriaNumbers *numbers); /* none (NULL): nothing is done */
int numbers_count(ScoriaNumbers numbers);
const ScoriaQuantity *numbers_quantity(ScoriaNumbers numbers, int i); /* name, unit and description; borrowed */
/* The first `most` of them, values (n, most) of n fields at theta; NaN where a field has none.  Local. */
void numbers_take(ScoriaNumbers numbers, const double theta[], int64_t n, const double fields[], int most,
                  double values[]);

/* What several fidelities would take, from a pilot. */
typedef struct {
  double pilot;                                               /* of the pilot, in units of solves; NaN: none was made */
  double gain[SCORIA_MAX_DECK_QUANTITIES][SCORIA_NESTIMATES]; /* over plain Monte Carlo; NaN: not known */
} ScoriaForecast;

/* For estimates of n quantities at theta, offset: the condition whose value is a quantity's offset, -1: none.  The
 * pilot has as many draws as the deck's `key` says, 0: none.  Where too many of these fail, that is said and nothing is
 * known.  `command` names the study in messages.  Collective. */
PetscErrorCode ScoriaForecastMake(ScoriaRun run, ScoriaDeck deck, const char *command, const char *key,
                                  ScoriaEnsemble ens, ScoriaSource source, const double theta[], int n,
                                  const ScoriaQuantity quantity[], const int offset[], ScoriaForecast *forecast);

#endif
