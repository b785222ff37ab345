/* import: units of the file beside those of the deck.  What the file says counts for what is in it, what the deck says
 * for what is made of it; a scale or an offset of the deck overrules both. */
#include "import.h"
#include "scoria/run_files.h"
#include "units.h"
#include <cJSON.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  const Import *im;
  ScoriaDeck deck; /* borrowed */
  cJSON *lines;    /* owned: what was said, for the report */
} UnitNotes;

static PetscErrorCode NoteUnit(UnitNotes *notes, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);
static PetscErrorCode NoteUnit(UnitNotes *notes, const char *format, ...)
{
  char line[512];
  va_list args;
  PetscFunctionBeginUser;
  va_start(args, format);
  PetscCall(PetscVSNPrintf(line, sizeof line, format, NULL, args));
  va_end(args);
  cJSON_AddItemToArray(notes->lines, cJSON_CreateString(line));
  PetscCall(ScoriaSay(notes->im->run, "  %s", line));
  PetscFunctionReturn(0);
}

/* From the unit of a column in the file to another; refused where nothing is known of the way.  Rank 0 asks. */
static PetscErrorCode Convert(const Import *im, const char *name, const char *of, const char *unit, bool *changed,
                              ImportColumn *c)
{
  static const char *const why[] = {[UNITS_DIFFER]  = "are units of different quantities, or convert by no factor",
                                    [UNITS_UNKNOWN] = "udunits2 does not know both",
                                    [UNITS_NO_LIBRARY] =
                                        "are spelled differently, and there is no udunits2 to convert by"};
  struct {
    int outcome;
    double scale, offset;
  } found = {UNITS_SAME, 1, 0};
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(im->comm, &rank));
  if (!rank) found.outcome = (int)units_conversion(of, unit, &found.scale, &found.offset);
  PetscCallMPI(MPI_Bcast(&found, (int)sizeof found, MPI_BYTE, 0, im->comm));
  if (found.outcome > UNITS_CONVERT)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: %s: in \"%s\" by the file, in \"%s\" by the deck, which %s; give the deck's scale and offset, "
                "scale: 1 where they mean the same%s",
                im->path, name, of, unit, why[found.outcome],
                !strcmp(of, "C") || !strcmp(unit, "C") ? " (C is the coulomb, degC the degree Celsius)" : "");
  *changed  = found.outcome == UNITS_CONVERT;
  c->scale  = found.scale;
  c->offset = found.offset;
  PetscFunctionReturn(0);
}

/* The file's own unit where the deck says neither unit nor factor. */
static PetscErrorCode TakeUnit(UnitNotes *notes, const char *name, const ImportColumn *c, size_t size, char unit[])
{
  const char *of = foreign_unit(notes->im->file, c->array);
  PetscFunctionBeginUser;
  if (!*of || !strcmp(of, "1")) PetscFunctionReturn(0);
  if (strlen(of) < size) {
    PetscCall(PetscStrncpy(unit, of, size));
    PetscCall(NoteUnit(notes, "%s: in %s, by the file's %s", name, of, foreign_unit_from(notes->im->file, c->array)));
  } else
    PetscCall(NoteUnit(notes, "%s: the file's units \"%s\" are longer than %zu characters and are left out", name, of,
                       size - 1));
  PetscFunctionReturn(0);
}

/* A field or a condition, in `unit` by the deck; "": it says none. */
static PetscErrorCode FitColumn(UnitNotes *notes, const char *name, ImportColumn *c, size_t size, char unit[])
{
  const char *of = foreign_unit(notes->im->file, c->array);
  bool changed;
  PetscFunctionBeginUser;
  if (c->scaled) PetscFunctionReturn(0);
  if (!*unit) {
    PetscCall(TakeUnit(notes, name, c, size, unit));
    PetscFunctionReturn(0);
  }
  if (!*of) {
    if (strcmp(unit, "1")) PetscCall(NoteUnit(notes, "%s: no unit in the file; taken as %s, by the deck", name, unit));
    PetscFunctionReturn(0);
  }
  PetscCall(Convert(notes->im, name, of, unit, &changed, c));
  if (changed)
    PetscCall(NoteUnit(notes, "%s: from %s to %s, by the file's %s: times %.12g, plus %.12g", name, of, unit,
                       foreign_unit_from(notes->im->file, c->array), c->scale, c->offset));
  PetscFunctionReturn(0);
}

/* Whether a list names a place, behind this sign, that is not 0: that is the same in any unit. */
static bool names_place(const char *list, char sign)
{
  for (const char *at = list ? strchr(list, sign) : NULL; at; at = strchr(at + 1, sign))
    if (strtod(at + 1, NULL) != 0) return true;
  return false;
}

/* Places along x in the deck are in metres: numbers of x must be, too, and nothing says whether they are. */
static PetscErrorCode RefusePlaces(const UnitNotes *notes, const char *name, const char *why)
{
  static const struct {
    const char *key;
    char sign; /* in front of a place; 0: a file with places */
  } keys[] = {{"sensors_at", ':'}, {"sensors_file", 0}, {"uq_probes", ':'}, {"uq_quantities", '['}, {"uq_exceed", '['}};
  PetscFunctionBeginUser;
  for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
    const char *list = NULL;
    bool there;
    PetscCall(ScoriaDeckHas(notes->deck, keys[i].key, &there));
    if (there) PetscCall(ScoriaDeckString(notes->deck, keys[i].key, &list));
    if (there && (!keys[i].sign || names_place(list, keys[i].sign)))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: %s: %s, and %s gives places in m: expected units in import.%s, {path: %s, units: um}, or m "
                  "where its numbers are in m",
                  notes->im->path, name, why, keys[i].key, name, notes->im->centre[0].path);
  }
  PetscFunctionReturn(0);
}

/* Cell centres become metres.  Here the deck's unit is that of the file's numbers, as its scale is.  unknown: becomes
 * true where nothing says it. */
static PetscErrorCode FitCentre(UnitNotes *notes, const char *name, ImportColumn *c, bool *unknown)
{
  const Import *im    = notes->im;
  const char *of      = foreign_unit(im->file, c->array);
  const double factor = *of ? length_in_metres(of) : 0;
  PetscFunctionBeginUser;
  if (*c->unit && *of && !units_same(c->unit, of) && factor != length_in_metres(c->unit))
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: %s: in \"%s\" by the file, in \"%s\" by the deck; leave the deck's unit out, or give scale, the "
                "factor to m, in its place",
                im->path, name, of, c->unit);
  if (c->scaled || factor == 1) PetscFunctionReturn(0);
  if (!strcmp(name, import_grid_names[0]) && !(factor > 0))
    PetscCall(RefusePlaces(notes, name, *of ? "its unit in the file is no length" : "no unit in the file or the deck"));
  if (!(factor > 0)) *unknown = true;
  if (!*of)
    PetscCall(
        NoteUnit(notes, "WARNING: %s: no unit in the file and none in the deck; its numbers stand as they are", name));
  else if (factor > 0) {
    c->scale = factor;
    PetscCall(NoteUnit(notes, "%s: from %s to m, by the file's %s", name, of, foreign_unit_from(im->file, c->array)));
  } else
    PetscCall(NoteUnit(
        notes, "WARNING: %s: its %s says \"%s\", no length; its numbers stand as they are, as no scale is given", name,
        foreign_unit_from(im->file, c->array), of));
  PetscFunctionReturn(0);
}

/* Centres of a field's own, of which neither file nor deck says the unit: as those of the set. */
static PetscErrorCode FitOwn(UnitNotes *notes, const char *field, int d, ImportColumn *c, bool *unknown)
{
  const ImportColumn *all = &notes->im->centre[d];
  char name[SCORIA_NAME_SIZE + 8];
  PetscFunctionBeginUser;
  snprintf(name, sizeof name, "%s: %s", field, import_grid_names[d]);
  if (c->scaled || *foreign_unit(notes->im->file, c->array)) {
    PetscCall(FitCentre(notes, name, c, unknown));
    PetscFunctionReturn(0);
  }
  c->scale  = all->scale;
  c->offset = all->offset;
  PetscCall(NoteUnit(notes, "%s: no unit in the file and none in the deck; taken as that of import.%s, times %g to m",
                     name, import_grid_names[d], c->scale));
  PetscFunctionReturn(0);
}

static PetscErrorCode SayPacking(const Import *im, const char *name, const ImportColumn *c)
{
  const char *packing = foreign_packing(im->file, c->array);
  PetscFunctionBeginUser;
  if (*packing) PetscCall(ScoriaSay(im->run, "  %s: attributes of the file applied: %s", name, packing));
  PetscFunctionReturn(0);
}

static PetscErrorCode Fit(UnitNotes *notes, Import *im)
{
  PetscFunctionBeginUser;
  im->spec.space.lengths_unknown = !*im->centre[0].path;
  for (int d = 0; d < im->grid && *im->centre[0].path; d++) {
    PetscCall(FitCentre(notes, import_grid_names[d], &im->centre[d], &im->spec.space.lengths_unknown));
    PetscCall(SayPacking(im, import_grid_names[d], &im->centre[d]));
  }
  for (int f = 0; f < im->spec.nfields; f++) {
    ScoriaField *field = &im->spec.field[f];
    PetscCall(SayPacking(im, field->name, &im->field[f]));
    PetscCall(FitColumn(notes, field->name, &im->field[f], sizeof field->unit, field->unit));
    for (int d = 0; d < im->grid; d++)
      if (*im->own[f][d].path)
        PetscCall(FitOwn(notes, field->name, d, &im->own[f][d], &im->spec.space.lengths_unknown));
  }
  for (int k = 0; k < im->spec.space.n; k++) {
    ScoriaCondition *c = &im->spec.space.c[k];
    if (im->condition[k].array < 0) continue;
    PetscCall(SayPacking(im, c->name, &im->condition[k]));
    PetscCall(FitColumn(notes, c->name, &im->condition[k], sizeof c->unit, c->unit));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ImportUnits(ScoriaDeck deck, Import *im)
{
  UnitNotes notes = {.im = im, .deck = deck, .lines = cJSON_CreateArray()};
  PetscFunctionBeginUser;
  const PetscErrorCode failed = Fit(&notes, im);
  char *text                  = cJSON_PrintUnformatted(notes.lines);
  cJSON_Delete(notes.lines);
  if (!failed && text) PetscCall(ScoriaLog(im->run, LOG_UNITS, "\"" LOG_LINES "\":%s", text));
  cJSON_free(text);
  PetscFunctionReturn(failed);
}
