/* Figures of whole fields: maps of mean, standard deviation and exceedance of the reference and the model, and their
 * difference; single draws of both; the law of a draw's largest and smallest value; lateral spectra. */
#include "report_maps.h"
#include "scoria/maps.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 1180.0
#define LEFT 62.0  /* of a panel, for its axis */
#define RIGHT 84.0 /* for its colours */
#define TOP 34.0   /* of a row, for its titles */
#define BELOW 14.0
#define FOOT 46.0 /* of the figure, for the axis of x */
#define ROWS 3

static const char palette_values[] = "0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725'";
static const char palette_errors[] = "-1 '#2166ac', -0.5 '#92c5de', 0 '#f7f7f7', 0.5 '#f4a582', 1 '#b2182b'";

/* ------------------------------------------------------------------------------------------------------ layout ---- */

typedef struct {
  int rows, height;        /* of the figure in points */
  double w, h;             /* of a panel */
  double lo[2], hi[2];     /* along x, y, scaled */
  ReportQuantity along[2]; /* x, y */
} Layout;

static void lay_out(const ReportMaps *maps, int rows, Layout *at)
{
  double end[2][2];
  for (int a = 0; a < 2; a++) cells_ends((int)maps->n[a], maps->centre[a], end[a]);
  for (int a = 0; a < 2; a++) {
    report_axis(&maps->space, a, fmax(fabs(end[a][0]), fabs(end[a][1])), &at->along[a]);
    at->lo[a] = end[a][0] * at->along[a].scale;
    at->hi[a] = end[a][1] * at->along[a].scale;
  }
  /* a share and a length have none */
  const double ratio =
      space_thickness(&maps->space) >= 0 ? 1 : fmin(1.2, fmax(0.3, (end[1][1] - end[1][0]) / (end[0][1] - end[0][0])));
  at->rows   = rows;
  at->w      = WIDTH / 3 - LEFT - RIGHT;
  at->h      = at->w * ratio;
  at->height = (int)lround(rows * (at->h + TOP + BELOW) + FOOT);
}

static PetscErrorCode Begin(ReportText *body, const Layout *at)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body,
                        "set multiplot\nunset key\nset border 15 linewidth 0.5\nset xrange [%g:%g]\nset yrange "
                        "[%g:%g]\nset xtics out\nset ytics out\nset cbtics in scale 0.3\nset colorbox\n",
                        at->lo[0], at->hi[0], at->lo[1], at->hi[1]));
  PetscFunctionReturn(0);
}

/* Column `value` of a data file in colours from lo to hi. */
static PetscErrorCode Panel(ReportText *body, const Layout *at, int row, int column, const char *file, int value,
                            const char *title, bool error, double lo, double hi)
{
  const double x0 = column * (at->w + LEFT + RIGHT) + LEFT, y1 = at->height - row * (at->h + TOP + BELOW) - TOP;
  const bool foot = row == at->rows - 1, first = column == 0;
  PetscFunctionBeginUser;
  PetscCall(
      ReportPrint(body, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", x0 / WIDTH, (x0 + at->w) / WIDTH));
  PetscCall(ReportPrint(body, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n", y1 / at->height,
                        (y1 - at->h) / at->height));
  PetscCall(ReportPrint(body, "set palette defined (%s)\n", error ? palette_errors : palette_values));
  PetscCall(ReportPrint(body, lo < hi ? "set cbrange [%g:%g]\n" : "set cbrange [*:*]\n", lo, hi));
  PetscCall(ReportPrint(body, "set title '%s' offset 0,-0.5\n", title));
  PetscCall(ReportPrint(body, "set xlabel '%s%s%s' offset 0,0.4\nset format x '%s'\n", foot ? "x  [" : "",
                        foot ? at->along[0].unit : "", foot ? "]" : "", foot ? "%g" : ""));
  PetscCall(ReportPrint(body, "set ylabel '%s%s%s' offset 1.2,0\n", first ? "y  [" : "", first ? at->along[1].unit : "",
                        first ? "]" : ""));
  PetscCall(ReportPrint(body, "plot 'data/%s' using 1:2:%d with image\n", file, value));
  PetscFunctionReturn(0);
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

/* The cell whose centre is nearest to the i-th of n places evenly spaced between lo and hi: images have even pixels. */
static int64_t nearest(int64_t n, const double centre[], int64_t i)
{
  const double place = centre[0] + (centre[n - 1] - centre[0]) * (double)i / (double)PetscMax(1, n - 1);
  int64_t best       = 0;
  for (int64_t k = 1; k < n; k++)
    if (fabs(centre[k] - place) < fabs(centre[best] - place)) best = k;
  return best;
}

/* x, y, then mean, SD, exceedance, draws of the reference, the same of the model, then three differences. */
static PetscErrorCode MapData(ReportFigures *figs, const ReportMaps *maps, int f, const char *file, const Layout *at)
{
  const ReportMappedField *field = &maps->field[f];
  const int64_t plane            = maps->n[0] * maps->n[1];
  const double dx = (at->hi[0] - at->lo[0]) / (double)maps->n[0], dy = (at->hi[1] - at->lo[1]) / (double)maps->n[1];
  ReportText text = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# x, y; mean, SD, exceedance, draws of the %s; the same of the model; differences\n",
                        maps->words->law));
  for (int64_t j = 0; j < maps->n[1]; j++)
    for (int64_t i = 0; i < maps->n[0]; i++) {
      const int64_t at_cell =
          nearest(maps->n[1], maps->centre[1], j) * maps->n[0] + nearest(maps->n[0], maps->centre[0], i);
      PetscCall(
          ReportPrint(&text, "%.6g %.6g", at->lo[0] + ((double)i + 0.5) * dx, at->lo[1] + ((double)j + 0.5) * dy));
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

static PetscErrorCode MapPanels(ReportText *body, const ReportMaps *maps, int f, const char *file, const Layout *at)
{
  static const char *const above[ROWS] = {"(model − %s) / SD", "model / %s − 1  [%%]", "model − %s"};
  const ReportMappedField *field       = &maps->field[f];
  const ReportQuantity *q              = &field->quantity;
  const int64_t plane                  = maps->n[0] * maps->n[1];
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
      PetscCall(Panel(body, at, kind, side, file, 3 + side * values + kind, title, false, lo, hi));
    }
    const double most = largest_difference(field, kind, plane) * (kind == SCORIA_MAP_SD ? 100 : 1);
    snprintf(title, sizeof title, above[kind], maps->words->law);
    PetscCall(Panel(body, at, kind, 2, file, 3 + 2 * values + kind, title, true, -most, most));
  }
  PetscFunctionReturn(0);
}

/* What the rows are of: one condition, or many. */
static PetscErrorCode Where(const ReportMaps *maps, ReportText *text)
{
  PetscFunctionBeginUser;
  if (maps->conditions > 1) {
    PetscCall(ReportPrint(text,
                          "%.0f rows held back from training at %d conditions, all together, and of the model a draw "
                          "at the condition of each",
                          maps->rows[SCORIA_FROM_PDE], (int)maps->conditions));
  } else {
    PetscCall(ReportPrint(text, "%.0f fields of each at the first held-out condition (", maps->rows[SCORIA_FROM_PDE]));
    for (int i = 0; i < maps->space.n; i++)
      PetscCall(ReportPrint(text, "%s%.32s %.4g %.16s", i ? ", " : "", maps->space.c[i].name, maps->theta[i],
                            strcmp(maps->space.c[i].unit, "1") ? maps->space.c[i].unit : ""));
    PetscCall(ReportPrint(text, ")"));
  }
  if (maps->planes > 1) PetscCall(ReportPrint(text, ", in the plane in the middle of z"));
  PetscFunctionReturn(0);
}

/* What differences of two samples of one law would be: measured, or of that many rows. */
static PetscErrorCode MapCaption(const ReportMaps *maps, int f, size_t size, char caption[])
{
  const ReportMappedField *field = &maps->field[f];
  const int64_t plane            = maps->n[0] * maps->n[1];
  const bool floor               = field->map[SCORIA_FROM_PDE_AGAIN] != NULL;
  const double n                 = maps->rows[SCORIA_FROM_PDE];
  ReportText where               = {0};
  PetscFunctionBeginUser;
  PetscCall(Where(maps, &where));
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
  Layout at;
  PetscFunctionBeginUser;
  lay_out(maps, 2, &at);
  limits(field, SCORIA_MAP_DRAWN, values - 1, maps->n[0] * maps->n[1], &lo, &hi);
  PetscCall(Begin(&body, &at));
  for (int side = 0; side < 2; side++)
    for (int d = 0; d < SCORIA_MAP_DRAWS; d++) {
      snprintf(title, sizeof title, "%s, %s", side ? "model" : maps->words->law, field->quantity.axis);
      PetscCall(Panel(&body, &at, side, d, file, 3 + side * values + SCORIA_MAP_DRAWN + d, title, false,
                      lo * field->quantity.scale, hi * field->quantity.scale));
    }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  snprintf(name, sizeof name, "slices%d", f + 1);
  snprintf(title, sizeof title, "Single fields: %.60s", field->quantity.name);
  snprintf(
      caption, sizeof caption,
      "Single fields of the %s, above, and of the model at the same condition%s, below%s. They are independent draws: "
      "they should look alike, not coincide.",
      maps->words->law, maps->conditions > 1 ? "s" : "", maps->planes > 1 ? ", in the plane in the middle of z" : "");
  PetscCall(ReportFiguresDraw(figs, name, (int)WIDTH, at.height, &body, title, caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawMaps(ReportFigures *figs, const ReportMaps *maps)
{
  char name[24], file[32], title[96], caption[800];
  Layout at;
  PetscFunctionBeginUser;
  for (int f = 0; f < maps->nfields; f++) {
    ReportText body = {0};
    if (maps->field[f].one_value) continue;
    lay_out(maps, ROWS, &at);
    snprintf(name, sizeof name, "maps%d", f + 1);
    snprintf(file, sizeof file, "maps%d.dat", f + 1);
    PetscCall(MapData(figs, maps, f, file, &at));
    PetscCall(Begin(&body, &at));
    PetscCall(MapPanels(&body, maps, f, file, &at));
    PetscCall(ReportPrint(&body, "unset multiplot\n"));
    snprintf(title, sizeof title, "Maps of whole fields: %.60s", maps->field[f].quantity.name);
    PetscCall(MapCaption(maps, f, sizeof caption, caption));
    PetscCall(ReportFiguresDraw(figs, name, (int)WIDTH, at.height, &body, title, caption));
    PetscCall(ReportTextDestroy(&body));
    PetscCall(DrawSlices(figs, maps, f, file));
  }
  PetscFunctionReturn(0);
}
