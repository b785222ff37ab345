/* infer: the readings, from the deck or from a file of lines "field x value sd". */
#include "infer.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_FILE ((size_t)1 << 20)

/* ---------------------------------------------------------------------------------------------------- the deck ---- */

/* "x", "x y", "x y z": the places of a reading. */
static const char *names_of_place(const InferSensors *sensors)
{
  static const char *const names[] = {"x", "x", "x y", "x y z"};
  return names[sensors->places];
}

void infer_place_text(const InferSensors *sensors, int i, const char *between, size_t size, char text[])
{
  const InferSensor *s  = &sensors->s[i];
  const double place[3] = {s->x, s->y, s->z};
  size_t used           = 0;
  for (int a = 0; a < sensors->places && used < size; a++)
    used += (size_t)snprintf(text + used, size - used, "%s%g", a ? between : "", place[a]);
}

/* The places of a reading, x first. */
static double *const *places_of(InferSensor *s, double *to[3])
{
  to[0] = &s->x;
  to[1] = &s->y;
  to[2] = &s->z;
  return to;
}

/* "c:40e-6"; of whole fields "c:40e-6:5e-4:5e-4". */
static PetscErrorCode ReadPlace(const char *word, const InferSensors *sensors, InferSensor *s)
{
  const char *colon = strchr(word, ':');
  double *all[3];
  int found = 0;
  PetscFunctionBeginUser;
  (void)places_of(s, all);
  bool good = colon && colon != word && colon - word < SCORIA_NAME_SIZE;
  for (const char *at = colon; good && at && *at; found++) {
    const size_t length = strcspn(at + 1, ":");
    double none;
    bool unit = false;
    good      = place_read(at + 1, length, found < 3 ? all[found] : &none, &unit);
    at += 1 + length;
    s->with_unit = s->with_unit || unit;
  }
  if (!good || found != sensors->places)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: at: found \"%s\", expected field:%s, numbers or with a unit, 40um", word,
                sensors->places == 1   ? "place"
                : sensors->places == 2 ? "x:y"
                                       : "x:y:z");
  snprintf(s->field, sizeof s->field, "%.*s", (int)(colon - word), word);
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadDeck(ScoriaDeck deck, InferSensors *sensors)
{
  const char *text = NULL;
  char word[128];
  double value[INFER_MAX_SENSORS], sd[INFER_MAX_SENSORS];
  PetscInt values = 0, sds = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "sensors_at", &text));
  PetscCall(ScoriaDeckReals(deck, "sensors_value", INFER_MAX_SENSORS, &values, value));
  PetscCall(ScoriaDeckReals(deck, "sensors_sd", INFER_MAX_SENSORS, &sds, sd));
  while (list_next_word(&text, sizeof word, word)) {
    if (sensors->n == INFER_MAX_SENSORS)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: at: \"%s\" is one too many, at most %d", word, INFER_MAX_SENSORS);
    sensors->s[sensors->n] = (InferSensor){0};
    PetscCall(ReadPlace(word, sensors, &sensors->s[sensors->n]));
    sensors->n++;
  }
  if (values != sensors->n || (sds != sensors->n && sds != 1))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "sensors: found %d places (at), %d values and %d standard deviations (sd), expected as many values as "
                "places, and as many sd, or one",
                sensors->n, (int)values, (int)sds);
  for (int i = 0; i < sensors->n; i++) {
    sensors->s[i].value = value[i];
    sensors->s[i].sd    = sd[sds > 1 ? i : 0];
  }
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- the file ---- */

/* One line without its comment; false where it is no reading.  words: how many it has; bad: the first that is no
 * number where one is expected, in the line; NULL: none. */
static bool parse_line(char *line, int places, int *words, const char **bad, InferSensor *s)
{
  double number[5]         = {0}, *place[3];
  char *save               = NULL;
  bool good                = true;
  line[strcspn(line, "#")] = 0;
  *words                   = 0;
  *bad                     = NULL;
  for (char *word = strtok_r(line, " \t,;\r", &save); word; word = strtok_r(NULL, " \t,;\r", &save), ++*words) {
    if (*words == 0) {
      good = strlen(word) < sizeof s->field;
      snprintf(s->field, sizeof s->field, "%.63s", word);
    } else if (*words < places + 3) {
      bool unit = false;
      if (!*bad && (!place_read(word, strlen(word), &number[*words - 1], &unit) || (unit && *words > places)))
        *bad = word;
      s->with_unit = s->with_unit || unit;
    }
  }
  (void)places_of(s, place);
  for (int a = 0; a < places; a++) *place[a] = number[a];
  s->value = number[places];
  s->sd    = number[places + 1];
  return good && !*bad && *words == places + 3;
}

static PetscErrorCode ReadFile(MPI_Comm comm, const char *path, InferSensors *sensors)
{
  static const char *const counts[] = {"", "three", "four", "five"};
  const int places                  = sensors->places;
  char *text                        = NULL, *next, found[96];
  const char *bad;
  int number = 0, words;
  PetscFunctionBeginUser;
  PetscCall(ScoriaTextRead(comm, path, LARGEST_FILE, "lines of readings", &text));
  for (char *line = text; line; line = next) {
    InferSensor s = {0};
    next          = strchr(line, '\n');
    if (next) *next++ = 0;
    number++;
    const bool good = parse_line(line, sensors->places, &words, &bad, &s);
    if (words == 0) continue;
    if (bad)
      snprintf(found, sizeof found, "\"%.60s\", which is no number", bad);
    else
      snprintf(found, sizeof found, "%d word%s", words, words == 1 ? "" : "s");
    if (!good)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: line %d: found %s, expected a field and %s numbers: field %s value sd%s",
                  path, number, found, counts[places], names_of_place(sensors),
                  sensors->n == 0 && bad ? " (a heading begins with #)" : "");
    if (!(s.sd > 0))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: line %d: found sd %g, expected a positive one", path, number, s.sd);
    if (sensors->n == INFER_MAX_SENSORS)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: line %d: one too many, at most %d", path, number, INFER_MAX_SENSORS);
    sensors->s[sensors->n++] = s;
  }
  PetscCall(PetscFree(text));
  if (sensors->n == 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found no reading, expected lines: field %s value sd", path,
                names_of_place(sensors));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------------- both ---- */

static PetscErrorCode Describe(InferSensors *sensors)
{
  const size_t size = (size_t)sensors->n * (SCORIA_NAME_SIZE + 160) + 1;
  size_t used       = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(size, &sensors->text));
  for (int i = 0; i < sensors->n; i++) {
    const InferSensor *s = &sensors->s[i];
    char number[5][32]   = {""};
    const double all[5]  = {s->x, s->y, s->z, s->value, s->sd};
    for (int k = 0; k < 5; k++)
      if (k < sensors->places || k > 2) number_text(all[k], sizeof number[k], number[k]);
    used += (size_t)snprintf(sensors->text + used, size - used, "%s %s%s%s%s%s %s %s\n", s->field, number[0],
                             sensors->places > 1 ? " " : "", number[1], sensors->places > 2 ? " " : "", number[2],
                             number[3], number[4]);
  }
  PetscFunctionReturn(0);
}

/* Whole fields are those of the deck's grid. */
static PetscErrorCode CountPlaces(ScoriaDeck deck, InferSensors *sensors)
{
  PetscInt axes = 0, cells[3];
  int n[3]      = {1, 1, 1};
  bool whole;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckBool(deck, "ensemble_whole_fields", &whole));
  PetscCall(ScoriaDeckInts(deck, "ensemble_cells", 3, &axes, cells));
  for (int a = 0; a < axes && whole; a++) n[a] = (int)cells[a];
  sensors->places = infer_axes(n);
  PetscFunctionReturn(0);
}

PetscErrorCode InferSensorsRead(MPI_Comm comm, ScoriaDeck deck, InferSensors *sensors)
{
  static const char *const keys[] = {"sensors_at", "sensors_value", "sensors_sd"};
  const char *path                = NULL;
  bool listed                     = false;
  PetscFunctionBeginUser;
  PetscCall(CountPlaces(deck, sensors));
  PetscCall(ScoriaDeckString(deck, "sensors_file", &path));
  for (int i = 0; i < 3 && !listed; i++) {
    PetscCall(ScoriaDeckHas(deck, keys[i], &listed));
    if (listed && path) SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: file: found %s beside it; give one of them", keys[i]);
  }
  if (!listed && !path)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "infer: found no readings, expected sensors: {at: [phi:0], value: [-0.1], sd: "
                                   "[0.002]} or -sensors_file FILE");
  if (path)
    PetscCall(ReadFile(comm, path, sensors));
  else
    PetscCall(ReadDeck(deck, sensors));
  PetscCall(Describe(sensors));
  PetscFunctionReturn(0);
}

/* all: cells along x, of fields that have no axis of their own. */
static PetscErrorCode PlaceAlong(InferSensors *sensors, const ScoriaFieldShape *shape, int all)
{
  const int channels       = shape->channels;
  const ScoriaField *field = shape->field;
  const char *unit         = space_place_unit(shape->space, 0);
  char names[256]          = "";
  double end[2];
  PetscFunctionBeginUser;
  for (int c = 0; c < channels; c++)
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", c ? ", " : "", field[c].name);
  for (int i = 0; i < sensors->n; i++) {
    InferSensor *s = &sensors->s[i];
    s->channel     = field_find(channels, field, s->field);
    if (s->channel < 0)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: reading %d: found field \"%s\", expected one of %s", i + 1, s->field,
                  names);
    const int cells = field_cells(&field[s->channel], all);
    const double *x = shape->x + field[s->channel].centre[0];
    cells_ends(cells, x, end);
    if (s->with_unit) PetscCall(ScoriaPlaceCheckUnit(shape->space, 0, "sensors: at", s->field));
    const double slack = 1e-4 * (end[1] - end[0]) / cells;
    if (s->x < end[0] - slack || s->x > end[1] + slack)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: reading %d: found x%s = %g%s, allowed %g to %g%s", i + 1,
                  space_has_shares(shape->space, 0) ? " / L" : "", s->x, unit, end[0], end[1], unit);
    if (space_reads_as_metres(shape->space, cells, end, s->x))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: reading %d: found x = %g, a place in metres; %s", i + 1, s->x,
                  space_places_text(shape->space));
    s->at = (ScoriaQuantity){.channel = s->channel, .factor = 1};
    quantity_place(&s->at, cells, x, s->x);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode InferSensorsPlace(InferSensors *sensors, const ScoriaFieldShape *shape)
{
  PetscFunctionBeginUser;
  PetscCall(PlaceAlong(sensors, shape, shape->cells));
  PetscFunctionReturn(0);
}

PetscErrorCode InferSensorsPlaceWhole(InferSensors *sensors, const ScoriaFieldShape *shape)
{
  const double *x                = shape->x;
  const double *const centres[3] = {x, x + shape->shape[0], x + shape->shape[0] + shape->shape[1]};
  double *place[3], end[2];
  PetscFunctionBeginUser;
  PetscCall(PlaceAlong(sensors, shape, shape->shape[0]));
  for (int i = 0; i < sensors->n; i++) {
    InferSensor *s = &sensors->s[i];
    (void)places_of(s, place);
    for (int a = 1; a < sensors->places; a++) {
      cells_ends(shape->shape[a], centres[a], end);
      if (!(*place[a] >= end[0] && *place[a] <= end[1]))
        SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: reading %d: found %c = %g%s, allowed %g to %g%s", i + 1, "xyz"[a],
                    *place[a], space_place_unit(shape->space, a), end[0], end[1], space_place_unit(shape->space, a));
    }
    point_place(&s->point, shape->shape, centres, true, (const double[]){s->x, s->y, s->z});
    for (int k = 0; k < s->point.n; k++) s->point.cell[k] += s->channel * shape->cells;
  }
  PetscFunctionReturn(0);
}

int infer_axes(const int cells[3])
{
  return cells[2] > 1 ? 3 : cells[1] > 1 ? 2 : 1;
}

/* Whether two texts say the same words and numbers, however these are written: files of earlier versions have more
 * digits. */
static bool same_readings(const char *a, const char *b)
{
  while (*a && *b) {
    char *end[2];
    const double number[2] = {strtod(a, &end[0]), strtod(b, &end[1])};
    if (end[0] != a && end[1] != b) {
      if (number[0] != number[1]) return false;
      a = end[0];
      b = end[1];
    } else if (*a++ != *b++)
      return false;
  }
  return *a == *b;
}

/* The deck names a file of readings, whose lines may have changed since. */
PetscErrorCode InferSensorsCheck(const InferSensors *sensors, const char *path, ScoriaStore store)
{
  const size_t size = 2 * strlen(sensors->text) + 256 * INFER_MAX_SENSORS;
  char *stored;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(size, &stored));
  PetscCall(ScoriaStoreGetText(store, INFER_SENSORS, size, stored));
  const bool same = same_readings(stored, sensors->text);
  PetscCall(PetscFree(stored));
  if (!same)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: made from other readings; nothing is overwritten: choose another -infer_file or move the file "
                "away",
                path);
  PetscFunctionReturn(0);
}
