/* Figures of whole fields: maps of mean, standard deviation and exceedance of the reference and the model, and their
 * difference; single draws of both; the law of a draw's largest and smallest value; lateral spectra. */
#include "report_maps.h"
#include "figures_plane.h"
#include "scoria/maps.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROWS 3

static void lay_out(const ReportMaps *maps, const ReportMappedField *field, int rows, ReportPlane *at)
{
  double end[2][2];
  at->rows = rows;
  for (int a = 0; a < 2; a++) cells_ends((int)field->n[a], field->centre[a], end[a]);
  for (int a = 0; a < 2; a++) report_axis(&maps->space, a, fmax(fabs(end[a][0]), fabs(end[a][1])), &at->along[a]);
  report_plane_lay_out(field->n, field->centre, space_thickness(&maps->space) >= 0, at);
}

/* ------------------------------------------------------------------------------------------------------- maps ---- */

static double difference(const ReportMappedField *field, ScoriaFrom s, ScoriaMap kind, int64_t plane, int64_t i)
{
  const double *reference = field->map[SCORIA_FROM_PDE], *of = field->map[s];
  const double d = of[kind * plane + i] - reference[kind * plane + i], sd = reference[SCORIA_MAP_SD * plane + i];
  return kind == SCORIA_MAP_EXCEED ? d : sd > 0 ? d / sd : 0;
}

/* Root of the mean square of the differences, over the map. */
static double rms(const ReportMappedField *field, ScoriaFrom s, ScoriaMap kind, int64_t plane)
{
  double sum = 0;
  if (!field->map[s]) return NAN;
  for (int64_t i = 0; i < plane; i++) sum += pow(difference(field, s, kind, plane, i), 2) / (double)plane;
  return sqrt(sum);
}

/* x, y, then mean, SD, exceedance, draws of the reference, the same of the model, then three differences. */
static PetscErrorCode MapData(ReportFigures *figs, const ReportMaps *maps, int f, const char *file,
                              const ReportPlane *at)
{
  const ReportMappedField *field = &maps->field[f];
  const int64_t plane            = field->n[0] * field->n[1];
  ReportText text                = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# x, y; mean, SD, exceedance, draws of the %s; the same of the model; differences\n",
                        maps->words->law));
  for (int64_t j = 0; j < field->n[1]; j++)
    for (int64_t i = 0; i < field->n[0]; i++) {
      const int64_t at_cell = report_plane_nearest(field->n[1], field->centre[1], j) * field->n[0] +
                              report_plane_nearest(field->n[0], field->centre[0], i);
      PetscCall(ReportPrint(&text, "%.6g %.6g", report_plane_pixel(at, 0, field->n[0], i),
                            report_plane_pixel(at, 1, field->n[1], j)));
      for (int side = 0; side < 2; side++)
        for (int m = 0; m < SCORIA_MAP_DRAWN + SCORIA_MAP_DRAWS; m++)
          PetscCall(ReportPrint(&text, " %.6g",
                                field->map[side ? SCORIA_FROM_MODEL : SCORIA_FROM_PDE][m * plane + at_cell] *
                                    (m == SCORIA_MAP_EXCEED ? 1 : field->quantity.scale)));
      for (int kind = 0; kind < SCORIA_MAP_DRAWN; kind++)
        PetscCall(ReportPrint(&text, " %.4g",
                              difference(field, SCORIA_FROM_MODEL, kind, plane, at_cell) *
                                  (kind == SCORIA_MAP_SD ? 100 : 1)));
      PetscCall(ReportPrint(&text, "\n"));
    }
  PetscCall(ReportFiguresData(figs, file, &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

/* Smallest and largest of maps [first, last] of reference and model. */
static void limits(const ReportMappedField *field, int first, int last, int64_t plane, double *lo, double *hi)
{
  *lo = INFINITY;
  *hi = -INFINITY;
  for (int side = 0; side < 2; side++)
    for (int64_t i = first * plane; i < (last + 1) * plane; i++) {
      const double v = field->map[side ? SCORIA_FROM_MODEL : SCORIA_FROM_PDE][i];
      *lo            = fmin(*lo, v);
      *hi            = fmax(*hi, v);
    }
}

static double largest_difference(const ReportMappedField *field, ScoriaMap kind, int64_t plane)
{
  double most = 0;
  for (int64_t i = 0; i < plane; i++) most = fmax(most, fabs(difference(field, SCORIA_FROM_MODEL, kind, plane, i)));
  return most;
}

static PetscErrorCode MapPanels(ReportText *body, const ReportMaps *maps, int f, const char *file,
                                const ReportPlane *at)
{
  static const char *const above[ROWS] = {"(model − %s) / SD", "model / %s − 1  [%%]", "model − %s"};
  const ReportMappedField *field       = &maps->field[f];
  const ReportQuantity *q              = &field->quantity;
  const int64_t plane                  = field->n[0] * field->n[1];
  const int values                     = SCORIA_MAP_DRAWN + SCORIA_MAP_DRAWS;
  char what[ROWS][192], title[256];
  double lo, hi;
  PetscFunctionBeginUser;
  snprintf(what[SCORIA_MAP_MEAN], sizeof what[0], "mean of %s", q->axis);
  snprintf(what[SCORIA_MAP_SD], sizeof what[0], "SD of %s", q->axis);
  snprintf(what[SCORIA_MAP_EXCEED], sizeof what[0], "P(%s > %.4g%s%s)", q->label, field->level * q->scale,
           *q->unit ? " " : "", q->unit);
  for (int kind = 0; kind < ROWS; kind++) {
    limits(field, kind, kind, plane, &lo, &hi);
    lo *= kind == SCORIA_MAP_EXCEED ? 1 : q->scale;
    hi *= kind == SCORIA_MAP_EXCEED ? 1 : q->scale;
    for (int side = 0; side < 2; side++) {
      snprintf(title, sizeof title, "%s, %s", side ? "model" : maps->words->law, what[kind]);
      PetscCall(ReportPlanePanel(body, at, kind, side, file, 3 + side * values + kind, title, false, lo, hi, NULL));
    }
    const double most = largest_difference(field, kind, plane) * (kind == SCORIA_MAP_SD ? 100 : 1);
    snprintf(title, sizeof title, above[kind], maps->words->law);
    PetscCall(ReportPlanePanel(body, at, kind, 2, file, 3 + 2 * values + kind, title, true, -most, most, NULL));
  }
  PetscFunctionReturn(0);
}

/* What the rows are of: one condition, or many. */
static PetscErrorCode Where(const ReportMaps *maps, const ReportMappedField *field, ReportText *text)
{
  PetscFunctionBeginUser;
  if (maps->conditions > 1) {
    PetscCall(ReportPrint(text,
                          "%.0f rows held back from training at %d conditions, all together, and of the model a draw "
                          "at the condition of each",
                          maps->rows[SCORIA_FROM_PDE], (int)maps->conditions));
  } else {
    PetscCall(ReportPrint(text, "%.0f fields of each at the first held-out condition (", maps->rows[SCORIA_FROM_PDE]));
    for (int i = 0; i < maps->space.n; i++) {
      const ScoriaCondition *c = &maps->space.c[i];
      ReportQuantity q;
      char value[32];
      report_condition(c, maps->theta[i], 4, &q, sizeof value, value);
      const char *unit = q.scale > 1 ? q.unit : strcmp(c->unit, "1") ? c->unit : ""; /* m to um: no exponents */
      PetscCall(ReportPrint(text, "%s%.32s = %s%s%.24s", i ? ", " : "", c->name, value, *unit ? " " : "", unit));
    }
    PetscCall(ReportPrint(text, ")"));
  }
  if (field->planes > 1) PetscCall(ReportPrint(text, ", in the plane in the middle of z"));
  PetscFunctionReturn(0);
}

/* What differences of two samples of one law would be: measured, or of that many rows. */
static PetscErrorCode MapCaption(const ReportMaps *maps, int f, size_t size, char caption[])
{
  const ReportMappedField *field = &maps->field[f];
  const int64_t plane            = field->n[0] * field->n[1];
  const bool floor               = field->map[SCORIA_FROM_PDE_AGAIN] != NULL;
  const double n                 = maps->rows[SCORIA_FROM_PDE];
  ReportText where               = {0};
  PetscFunctionBeginUser;
  PetscCall(Where(maps, field, &where));
  snprintf(caption, size,
           "Left and middle: %.320s. Right: differences; their rms over the map is %.3f SD for the mean and %.1f %% "
           "for the SD. "
           "Of %s %.3f SD and %.1f %%: less cannot be seen. The level that is exceeded is that which 5 %% of the "
           "values of the %s exceed.",
           where.s, rms(field, SCORIA_FROM_MODEL, SCORIA_MAP_MEAN, plane),
           100 * rms(field, SCORIA_FROM_MODEL, SCORIA_MAP_SD, plane),
           floor ? maps->words->two : "two normal samples of that size it would be",
           floor ? rms(field, SCORIA_FROM_PDE_AGAIN, SCORIA_MAP_MEAN, plane) : sqrt(2 / n),
           100 * (floor ? rms(field, SCORIA_FROM_PDE_AGAIN, SCORIA_MAP_SD, plane) : sqrt(1 / n)), maps->words->law);
  PetscCall(ReportTextDestroy(&where));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ draws ---- */

static PetscErrorCode DrawSlices(ReportFigures *figs, const ReportMaps *maps, int f, const char *file)
{
  const ReportMappedField *field = &maps->field[f];
  const int values               = SCORIA_MAP_DRAWN + SCORIA_MAP_DRAWS;
  ReportText body                = {0};
  char name[24], title[256], caption[512];
  double lo, hi;
  ReportPlane at;
  PetscFunctionBeginUser;
  lay_out(maps, field, 2, &at);
  limits(field, SCORIA_MAP_DRAWN, values - 1, field->n[0] * field->n[1], &lo, &hi);
  PetscCall(ReportPlaneBegin(&body, &at));
  for (int side = 0; side < 2; side++)
    for (int d = 0; d < SCORIA_MAP_DRAWS; d++) {
      snprintf(title, sizeof title, "%s, %s", side ? "model" : maps->words->law, field->quantity.axis);
      PetscCall(ReportPlanePanel(&body, &at, side, d, file, 3 + side * values + SCORIA_MAP_DRAWN + d, title, false,
                                 lo * field->quantity.scale, hi * field->quantity.scale, NULL));
    }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  snprintf(name, sizeof name, "slices%d", f + 1);
  snprintf(title, sizeof title, "Single fields: %.60s", field->quantity.name);
  snprintf(
      caption, sizeof caption,
      "Single fields of the %s, above, and of the model at the same condition%s, below%s. They are independent draws: "
      "they should look alike, not coincide.",
      maps->words->law, maps->conditions > 1 ? "s" : "", field->planes > 1 ? ", in the plane in the middle of z" : "");
  PetscCall(ReportFiguresDraw(figs, name, (int)REPORT_WIDTH, at.height, &body, title, caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawMaps(ReportFigures *figs, const ReportMaps *maps)
{
  char name[24], file[32], title[96], caption[800];
  ReportPlane at;
  PetscFunctionBeginUser;
  for (int f = 0; f < maps->nfields; f++) {
    ReportText body = {0};
    if (maps->field[f].flat) continue;
    lay_out(maps, &maps->field[f], ROWS, &at);
    snprintf(name, sizeof name, "maps%d", f + 1);
    snprintf(file, sizeof file, "maps%d.dat", f + 1);
    PetscCall(MapData(figs, maps, f, file, &at));
    PetscCall(ReportPlaneBegin(&body, &at));
    PetscCall(MapPanels(&body, maps, f, file, &at));
    PetscCall(ReportPrint(&body, "unset multiplot\n"));
    snprintf(title, sizeof title, "Maps of whole fields: %.60s", maps->field[f].quantity.name);
    PetscCall(MapCaption(maps, f, sizeof caption, caption));
    PetscCall(ReportFiguresDraw(figs, name, (int)REPORT_WIDTH, at.height, &body, title, caption));
    PetscCall(ReportTextDestroy(&body));
    PetscCall(DrawSlices(figs, maps, f, file));
  }
  PetscFunctionReturn(0);
}
