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
  static const char *const names[] = {"x[ y[ z]]", "x", "x y", "x y z"};
  return names[sensors->places];
}

double infer_place(const InferSensors *sensors, int i, int axis)
{
  const InferSensor *s  = &sensors->s[i];
  const double place[3] = {s->x, s->y, s->z};
  return axis < s->places ? place[axis] : NAN;
}

void infer_sensor_text(const InferSensors *sensors, int i, const char *first, const char *between, size_t size,
                       char text[])
{
  size_t used = (size_t)snprintf(text, size, "%s", sensors->s[i].field);
  for (int a = 0; a < sensors->s[i].places && used < size; a++)
    used += (size_t)snprintf(text + used, size - used, "%s%g", a ? between : first, infer_place(sensors, i, a));
}

/* The places of a reading, x first. */
static double *const *places_of(InferSensor *s, double *to[3])
{
  to[0] = &s->x;
  to[1] = &s->y;
  to[2] = &s->z;
  return to;
}

/* "c:40e-6"; of whole fields "c:40e-6:5e-4:5e-4"; of imported ones as many as there are. */
static PetscErrorCode ReadPlace(const char *word, const InferSensors *sensors, InferSensor *s)
{
  static const char *const expected[] = {"place, field:x:y or field:x:y:z", "place", "x:y", "x:y:z"};
  const size_t name                   = strcspn(word, ":");
  double *all[3];
  int found = 0;
  PetscFunctionBeginUser;
  (void)places_of(s, all);
  bool good = name > 0 && name < SCORIA_NAME_SIZE;
  for (const char *at = word + name; good && *at; found++) {
    const size_t length = strcspn(at + 1, ":");
    double none;
    bool unit = false;
    good      = place_read(at + 1, length, found < 3 ? all[found] : &none, &unit);
    at += 1 + length;
    s->with_unit = s->with_unit || unit;
  }
  if (!good || (sensors->places ? found != sensors->places : found > 3))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: at: found \"%s\", expected field:%s, numbers or with a unit, 40um", word,
                expected[sensors->places]);
  s->places = found;
  snprintf(s->field, sizeof s->field, "%.*s", (int)name, word);
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

#define MOST_WORDS 6 /* field x y z value sd */

/* One line without its comment; false where it is no reading.  places: 0, as many as there are words for; words: how
 * many it has; bad: the first that is no number where one is expected, in the line; NULL: none. */
static bool parse_line(char *line, int places, int *words, const char **bad, InferSensor *s)
{
  double number[MOST_WORDS] = {0}, *place[3];
  char *save = NULL, *of[MOST_WORDS] = {NULL};
  line[strcspn(line, "#")] = 0;
  *words                   = 0;
  *bad                     = NULL;
  for (char *word = strtok_r(line, " \t,;\r", &save); word; word = strtok_r(NULL, " \t,;\r", &save), ++*words)
    if (*words < MOST_WORDS) of[*words] = word;
  s->places = places ? places : PetscClipInterval(*words - 3, 0, 3);
  for (int w = 1; w < PetscMin(*words, s->places + 3) && !*bad; w++) {
    bool unit = false;
    if (!place_read(of[w], strlen(of[w]), &number[w - 1], &unit) || (unit && w > s->places)) *bad = of[w];
    s->with_unit = s->with_unit || unit;
  }
  const bool good = *words > 0 && strlen(of[0]) < sizeof s->field;
  if (good) snprintf(s->field, sizeof s->field, "%s", of[0]);
  (void)places_of(s, place);
  for (int a = 0; a < s->places; a++) *place[a] = number[a];
  s->value = number[s->places];
  s->sd    = number[s->places + 1];
  return good && !*bad && *words == s->places + 3;
}

static PetscErrorCode ReadFile(MPI_Comm comm, const char *path, InferSensors *sensors)
{
  static const char *const counts[] = {"two to five", "three", "four", "five"};
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
                  path, number, found, counts[sensors->places], names_of_place(sensors),
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
  char number[32];
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1(size, &sensors->text));
  for (int i = 0; i < sensors->n; i++) {
    const InferSensor *s = &sensors->s[i];
    const double all[5]  = {s->x, s->y, s->z, s->value, s->sd};
    used += (size_t)snprintf(sensors->text + used, size - used, "%s", s->field);
    for (int k = 0; k < 5; k++) {
      if (k >= s->places && k < 3) continue;
      number_text(all[k], sizeof number, number);
      used += (size_t)snprintf(sensors->text + used, size - used, " %s", number);
    }
    used += (size_t)snprintf(sensors->text + used, size - used, "\n");
  }
  PetscFunctionReturn(0);
}

/* Fields of equations are those of the deck's grid; imported ones as their file has them. */
static PetscErrorCode CountPlaces(ScoriaDeck deck, InferSensors *sensors)
{
  PetscInt axes = 0, cells[3];
  int n[3]      = {1, 1, 1};
  bool whole, imported;
  PetscFunctionBeginUser;
  PetscCall(ScoriaImported(deck, &imported));
  PetscCall(ScoriaDeckBool(deck, "ensemble_whole_fields", &whole));
  PetscCall(ScoriaDeckInts(deck, "ensemble_cells", 3, &axes, cells));
  for (int a = 0; a < axes && whole; a++) n[a] = (int)cells[a];
  sensors->places   = imported ? 0 : infer_axes(n);
  sensors->periodic = !imported;
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

static PetscErrorCode FindField(InferSensor *s, int i, const ScoriaFieldShape *shape)
{
  char names[256] = "";
  PetscFunctionBeginUser;
  for (int c = 0; c < shape->channels; c++)
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", c ? ", " : "", shape->field[c].name);
  s->channel = field_find(shape->channels, shape->field, s->field);
  if (s->channel < 0)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: reading %d: found field \"%s\", expected one of %s", i + 1, s->field,
                names);
  PetscFunctionReturn(0);
}

/* Whether a reading has as many places as its field, of n cells, has axes; a field of one value needs none. */
static PetscErrorCode CheckPlaces(const InferSensor *s, int i, const ScoriaFieldShape *shape, const int n[3])
{
  static const char *const expected[] = {"", "x", "x and y", "x, y and z"};
  const int axes                      = infer_axes(n);
  PetscFunctionBeginUser;
  if (s->places != axes && (s->places || !field_is_one_value(&shape->field[s->channel])))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: reading %d: found %d place%s, expected %s of %s", i + 1, s->places,
                s->places == 1 ? "" : "s", expected[axes], s->field);
  PetscFunctionReturn(0);
}

/* Along x, of n cells. */
static PetscErrorCode PlaceAlong(InferSensor *s, int i, const ScoriaFieldShape *shape, const int n[3])
{
  const ScoriaField *field = &shape->field[s->channel];
  const char *unit         = space_place_unit(shape->space, 0);
  const double *x          = shape->x + field->centre[0];
  const int cells          = n[0];
  double end[2];
  PetscFunctionBeginUser;
  cells_ends(cells, x, end);
  if (s->with_unit) PetscCall(ScoriaPlaceCheckUnit(shape->space, 0, "sensors: at", s->field));
  const double slack = 1e-4 * (end[1] - end[0]) / cells;
  if (s->x < end[0] - slack || s->x > end[1] + slack)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: reading %d: found x%s = %g%s, allowed %g to %g%s", i + 1,
                space_has_shares(shape->space, 0) ? " / L" : "", s->x, unit, end[0], end[1], unit);
  if (space_reads_as_metres(shape->space, cells, end, s->x))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: reading %d: found x = %g, a place in metres; %s", i + 1, s->x,
                space_places_text(shape->space));
  quantity_place(&s->at, cells, x, s->x);
  PetscFunctionReturn(0);
}

PetscErrorCode InferSensorsPlace(InferSensors *sensors, const ScoriaFieldShape *shape)
{
  const int along[3] = {shape->cells, 1, 1};
  int n[3];
  PetscFunctionBeginUser;
  for (int i = 0; i < sensors->n; i++) {
    InferSensor *s = &sensors->s[i];
    PetscCall(FindField(s, i, shape));
    field_shape(&shape->field[s->channel], along, n);
    PetscCall(CheckPlaces(s, i, shape, n));
    s->at = (ScoriaQuantity){.channel = s->channel, .factor = 1};
    if (s->places) PetscCall(PlaceAlong(s, i, shape, n));
  }
  PetscFunctionReturn(0);
}

/* Along y and z, and the cells about the place. */
static PetscErrorCode PlaceAmong(InferSensor *s, int i, const ScoriaFieldShape *shape, const int n[3], bool periodic)
{
  const ScoriaField *field = &shape->field[s->channel];
  const double *centres[3];
  double *place[3], end[2];
  PetscFunctionBeginUser;
  (void)places_of(s, place);
  for (int a = 0; a < 3; a++) centres[a] = field_centres(field, shape->shape, shape->x, a);
  for (int a = 1; a < s->places; a++) {
    if (n[a] == 1) continue;
    cells_ends(n[a], centres[a], end);
    const double slack = 1e-4 * (end[1] - end[0]) / n[a];
    if (!(*place[a] >= end[0] - slack && *place[a] <= end[1] + slack))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "sensors: reading %d: found %c = %g%s, allowed %g to %g%s", i + 1, "xyz"[a],
                  *place[a], space_place_unit(shape->space, a), end[0], end[1], space_place_unit(shape->space, a));
  }
  point_place(&s->point, n, centres, periodic, (const double[]){s->x, s->y, s->z});
  PetscFunctionReturn(0);
}

PetscErrorCode InferSensorsPlaceWhole(InferSensors *sensors, const ScoriaFieldShape *shape)
{
  int n[3];
  PetscFunctionBeginUser;
  for (int i = 0; i < sensors->n; i++) {
    InferSensor *s = &sensors->s[i];
    PetscCall(FindField(s, i, shape));
    field_shape(&shape->field[s->channel], shape->shape, n);
    PetscCall(CheckPlaces(s, i, shape, n));
    s->point = (ScoriaPoint){.n = 1, .weight = {1}};
    if (s->places) PetscCall(PlaceAlong(s, i, shape, n));
    if (s->places) PetscCall(PlaceAmong(s, i, shape, n, sensors->periodic));
    for (int k = 0; k < s->point.n; k++) s->point.cell[k] += s->channel * shape->cells;
  }
  PetscFunctionReturn(0);
}

int infer_axes(const int cells[3])
{
  return cells[2] > 1 ? 3 : cells[1] > 1 ? 2 : 1;
}

int infer_most_axes(const ScoriaFieldShape *shape)
{
  int most = 1, n[3];
  for (int c = 0; c < shape->channels; c++) {
    field_shape(&shape->field[c], shape->shape, n);
    most = PetscMax(most, infer_axes(n));
  }
  return most;
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
