/* Places in decks and on command lines: numbers, or numbers with a unit of length behind them, "40um". */
#include "scoria/data.h"
#include "units.h"
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double length_in_metres(const char *unit)
{
  static const struct {
    const char *name;
    double factor;
  } known[] = {{"m", 1},     {"meter", 1},     {"metre", 1},      {"meters", 1},        {"metres", 1},
               {"km", 1e3},  {"cm", 1e-2},     {"mm", 1e-3},      {"um", 1e-6},         {"µm", 1e-6},
               {"μm", 1e-6}, {"micron", 1e-6}, {"microns", 1e-6}, {"micrometer", 1e-6}, {"nm", 1e-9}};
  double scale, offset;
  for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
    if (!strcmp(known[i].name, unit)) return known[i].factor;
  const UnitsOutcome outcome = units_conversion(unit, "m", &scale, &offset);
  return outcome == UNITS_SAME ? 1 : outcome == UNITS_CONVERT && offset == 0 ? scale : 0;
}

bool place_read(const char *text, size_t length, double *place, bool *with_unit)
{
  char word[64], *end;
  if (length >= sizeof word) return false;
  snprintf(word, sizeof word, "%.*s", (int)length, text);
  *place = strtod(word, &end);
  if (end == word || !isfinite(*place)) return false;
  while (isspace((unsigned char)*end)) end++;
  *with_unit          = *end;
  const double factor = *with_unit ? length_in_metres(end) : 1;
  if (!(factor > 0)) return false;
  const double inverse = round(1 / factor); /* 50um is the very number 5e-5 */
  if (factor < 1 && fabs(inverse * factor - 1) < 1e-12)
    *place /= inverse;
  else
    *place *= factor;
  return true;
}

PetscErrorCode ScoriaPlaceCheckUnit(const ScoriaSpace *space, int axis, const char *key, const char *text)
{
  PetscFunctionBeginUser;
  if (space_has_shares(space, axis))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: \"%s\": found a place with a unit; the thickness is a condition, and places are shares of it: "
                "expected x / L, from 0 to 1",
                key, text);
  if (space->lengths_unknown)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: \"%s\": found a place with a unit, but nothing said what unit x of the imported file is in: "
                "expected import.x: {path: /x, units: um}, and the file imported anew, or a number as those of the "
                "file",
                key, text);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaPlacesWarn(ScoriaRun run, ScoriaDeck deck, const ScoriaSpace *space, const char *command)
{
  bool strict = false;
  PetscFunctionBeginUser;
  if (!space->lengths_unknown) PetscFunctionReturn(0);
  PetscCall(ScoriaDeckBool(deck, "strict", &strict));
  if (strict)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: places are given, and nothing said what unit x of the imported file is in: expected import.x: "
                "{path: /x, units: um}, and the file imported anew",
                command);
  PetscCall(ScoriaSay(run,
                      "  WARNING: places are taken in the numbers of the imported file: nothing said what unit its "
                      "x is in (import.x: {path: /x, units: um})"));
  PetscFunctionReturn(0);
}
