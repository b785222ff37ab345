/* What the report shows of a posterior of whole fields: in the plane of the first reading, means before and after the
 * readings, and what these have left of the standard deviation. */
#include "figures_plane.h"
#include "report_answers.h"
#include "scoria/results.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MEAN, SD };

/* --------------------------------------------------------------------------------------------------- reading ---- */

static PetscErrorCode ReadPlaces(ScoriaStore store, ReportPosterior *p)
{
  char path[64];
  int64_t dims[1];
  int rank;
  PetscFunctionBeginUser;
  for (int a = 0; a < 2; a++) {
    posterior_sensor_path(posterior_places[a], sizeof path, path);
    PetscCall(PetscCalloc1(p->sensors, &p->at[a]));
    PetscCall(ScoriaStoreShape(store, path, 1, &rank, dims));
    if (rank == 1 && dims[0] == p->sensors) PetscCall(ScoriaStoreGetReals(store, path, p->sensors, p->at[a]));
  }
  PetscFunctionReturn(0);
}

/* The cells along z that the first reading that has a place there is in; the middle where none has. */
static int64_t plane_index(const ReportPosterior *p, int64_t n, const double centre[])
{
  int64_t best = n / 2;
  for (int64_t i = 0; i < p->sensors; i++) {
    if (isnan(p->at[1][i])) continue;
    for (int64_t k = 0; k < n; k++)
      if (fabs(centre[k] - p->at[1][i]) < fabs(centre[best] - p->at[1][i])) best = k;
    break;
  }
  return best;
}

static PetscErrorCode ReadPlane(ScoriaStore store, ReportPosterior *p, ScoriaPosteriorSide side, int f, int what)
{
  const int64_t *n = p->mapped[f].n, size = n[0] * n[1];
  char name[SCORIA_NAME_SIZE + 32];
  double *all, **map = &p->mapped[f].map[side][what];
  PetscFunctionBeginUser;
  posterior_path(side, POSTERIOR_FIELDS, p->field[f].name, what == SD ? SCORIA_POSTERIOR_SD : SCORIA_POSTERIOR_MEAN,
                 sizeof name, name);
  PetscCall(PetscMalloc1(size * n[2], &all));
  PetscCall(PetscMalloc1(size, map));
  PetscCall(ScoriaStoreGetReals(store, name, size * n[2], all));
  PetscCall(PetscArraycpy(*map, all + p->mapped[f].plane * size, size));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* Where the map of a field is. */
static void place_map(ReportPosterior *p, int f)
{
  int n[3];
  field_shape(&p->field[f], p->shape, n);
  for (int a = 0; a < 3; a++) {
    p->mapped[f].n[a]      = n[a];
    p->mapped[f].centre[a] = p->x + (field_centres(&p->field[f], p->shape, p->x, a) - p->x);
  }
  p->mapped[f].plane = plane_index(p, n[2], p->mapped[f].centre[2]);
  p->mapped[f].flat  = field_is_one_value(&p->field[f]) || n[0] < 2 || n[1] < 2;
}

PetscErrorCode ReportPosteriorPlaneRead(ScoriaStore store, ReportPosterior *p)
{
  char unit[16] = "", axis[SCORIA_NAME_SIZE + 1];
  PetscFunctionBeginUser;
  PetscCall(ReadPlaces(store, p));
  for (int f = 0; f < p->nfields; f++) {
    double largest = 0;
    place_map(p, f);
    if (p->mapped[f].flat) continue;
    const int64_t *n = p->mapped[f].n;
    for (int side = 0; side < 2; side++)
      for (int what = 0; what < 2; what++) PetscCall(ReadPlane(store, p, side, f, what));
    for (int64_t i = 0; i < n[0] * n[1]; i++) largest = fmax(largest, fabs(p->mapped[f].map[SCORIA_PRIOR][MEAN][i]));
    report_quantity(p->field[f].name, p->field[f].unit, largest, &p->quantity[f]);
    if (*unit) continue;
    snprintf(axis, sizeof axis, "/%s", field_axis(&p->field[f], 1));
    PetscCall(ScoriaStoreUnit(store, axis, sizeof unit, unit));
    report_axis_x(unit, p->mapped[f].centre[1][n[1] - 1], &p->across);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportPosteriorPlaneDestroy(ReportPosterior *p)
{
  PetscFunctionBeginUser;
  for (int a = 0; a < 2; a++) PetscCall(PetscFree(p->at[a]));
  for (int f = 0; f < p->nfields; f++)
    for (int side = 0; side < 2; side++)
      for (int what = 0; what < 2; what++) PetscCall(PetscFree(p->mapped[f].map[side][what]));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- figures ---- */

/* Standard deviation after the readings over that before; 1 where there was none. */
static double left_over(const ReportPosterior *p, int f, int64_t i)
{
  const double before = p->mapped[f].map[SCORIA_PRIOR][SD][i], after = p->mapped[f].map[SCORIA_POSTERIOR][SD][i];
  return before > 0 ? after / before : 1;
}

/* x, y, both means, and what is left of the SD. */
static PetscErrorCode PlaneData(ReportFigures *figs, const ReportPosterior *p, const ReportPlane *at, int f,
                                const char *file)
{
  const int64_t *n    = p->mapped[f].n;
  const double *mean0 = p->mapped[f].map[SCORIA_PRIOR][MEAN], *mean1 = p->mapped[f].map[SCORIA_POSTERIOR][MEAN],
               scale = p->quantity[f].scale;
  ReportText text    = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# x, y; mean before, mean after, SD after over SD before\n"));
  for (int64_t j = 0; j < n[1]; j++)
    for (int64_t i = 0; i < n[0]; i++) {
      const int64_t cell = report_plane_nearest(n[1], p->mapped[f].centre[1], j) * n[0] +
                           report_plane_nearest(n[0], p->mapped[f].centre[0], i);
      PetscCall(ReportPrint(&text, "%.6g %.6g %.6g %.6g %.4g\n", report_plane_pixel(at, 0, n[0], i),
                            report_plane_pixel(at, 1, n[1], j), mean0[cell] * scale, mean1[cell] * scale,
                            left_over(p, f, cell)));
    }
  PetscCall(ReportFiguresData(figs, file, &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

/* Whether reading i is in the plane that is shown of its field: within half the distance of planes. */
static bool is_in_plane(const ReportPosterior *p, int f, int64_t i)
{
  const int64_t n = p->mapped[f].n[2];
  const double *z = p->mapped[f].centre[2];
  return n < 2 || fabs(p->at[1][i] - z[p->mapped[f].plane]) <= 0.5001 * fabs(z[1] - z[0]);
}

static PetscErrorCode SensorData(ReportFigures *figs, const ReportPosterior *p)
{
  ReportText text = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# x, y, field, in the plane\n"));
  for (int64_t i = 0; i < p->sensors; i++) {
    const int f = (int)lround(p->sensor[3][i]);
    PetscCall(ReportPrint(&text, "%.6g %.6g %d %d\n", p->sensor[0][i] * p->along.scale, p->at[0][i] * p->across.scale,
                          f, f >= 0 && f < p->nfields && is_in_plane(p, f, i)));
  }
  PetscCall(ReportFiguresData(figs, "posterior_sensors.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

static PetscErrorCode Row(ReportText *body, const ReportPosterior *p, const ReportPlane *at, int row, int f,
                          const char *file)
{
  const ReportQuantity *q = &p->quantity[f];
  char over[640], title[160];
  double lo = INFINITY, hi = -INFINITY;
  PetscFunctionBeginUser;
  for (int side = 0; side < 2; side++)
    for (int64_t i = 0; i < p->mapped[f].n[0] * p->mapped[f].n[1]; i++) {
      lo = fmin(lo, p->mapped[f].map[side][MEAN][i] * q->scale);
      hi = fmax(hi, p->mapped[f].map[side][MEAN][i] * q->scale);
    }
  snprintf(over, sizeof over,
           ", 'data/posterior_sensors.dat' using 1:($3 == %d && $4 == 1 ? $2 : NaN) with points pointtype 7 "
           "pointsize 1.2 linecolor rgb 'white', 'data/posterior_sensors.dat' using 1:($3 == %d && $4 == 1 ? $2 : NaN) "
           "with points pointtype 7 pointsize 0.8 linecolor rgb '#D55E00', 'data/posterior_sensors.dat' using 1:($3 == "
           "%d && $4 == 0 ? $2 : NaN) with points pointtype 6 pointsize 0.8 linewidth 1.5 linecolor rgb '#D55E00'",
           f, f, f);
  PetscCall(ReportPrint(body, "set xrange [%g:%g]\nset yrange [%g:%g]\n", at->lo[0], at->hi[0], at->lo[1], at->hi[1]));
  snprintf(title, sizeof title, "before: mean of %s", q->axis);
  PetscCall(ReportPlanePanel(body, at, row, 0, file, 3, title, false, lo, hi, NULL));
  snprintf(title, sizeof title, "after: mean of %s", q->axis);
  PetscCall(ReportPlanePanel(body, at, row, 1, file, 4, title, false, lo, hi, over));
  snprintf(title, sizeof title, "SD of %s, after / before", q->label);
  PetscCall(ReportPlanePanel(body, at, row, 2, file, 5, title, false, 0, 1, over));
  PetscFunctionReturn(0);
}

static PetscErrorCode Caption(const ReportFigures *figs, const ReportPosterior *p, int first, int flat, size_t size,
                              char caption[])
{
  char plane[96] = "", others[128] = "";
  PetscFunctionBeginUser;
  if (p->mapped[first].n[2] > 1)
    snprintf(plane, sizeof plane, "In the plane z = %.4g %.16s of the first reading: m",
             p->mapped[first].centre[2][p->mapped[first].plane] * p->across.scale, p->across.unit);
  if (flat)
    snprintf(others, sizeof others, " Of %d more, which are profiles or single values, posterior.h5 has the same.",
             flat);
  snprintf(caption, size,
           "%sean of the fields before and after %lld readings, and how much of the standard deviation these have left "
           "(0: nothing is unknown, 1: they tell nothing). Readings of the field in question: filled where they lie in "
           "the plane, open where elsewhere along z.%s%s",
           *plane ? plane : "M", (long long)p->sensors, others, figs->imported ? "" : " The porosity is not known.");
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawPosteriorPlane(ReportFigures *figs, const ReportPosterior *p)
{
  ReportPlane at  = {.along = {p->along, p->across}}, own;
  ReportText body = {0};
  int first = -1, flat = 0, row = 0;
  char caption[900], file[32];
  PetscFunctionBeginUser;
  for (int f = 0; f < p->nfields; f++) {
    flat += p->mapped[f].flat;
    if (!p->mapped[f].flat && first < 0) first = f;
  }
  if (first < 0) PetscFunctionReturn(0);
  at.rows = PetscMin(p->nfields - flat, REPORT_FIELDS);
  report_plane_lay_out(p->mapped[first].n, p->mapped[first].centre, *p->along.unit == 0, &at);
  PetscCall(SensorData(figs, p));
  PetscCall(ReportPlaneBegin(&body, &at));
  for (int f = first; f < p->nfields && row < at.rows; f++) {
    if (p->mapped[f].flat) continue;
    own = at;
    report_plane_lay_out(p->mapped[f].n, p->mapped[f].centre, *p->along.unit == 0, &own);
    own.h      = at.h; /* panels are of one size */
    own.height = at.height;
    snprintf(file, sizeof file, "posterior%d.dat", row + 1);
    PetscCall(PlaneData(figs, p, &own, f, file));
    PetscCall(Row(&body, p, &own, row++, f, file));
  }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  PetscCall(Caption(figs, p, first, flat, sizeof caption, caption));
  PetscCall(ReportFiguresDraw(figs, "posterior", (int)REPORT_WIDTH, at.height, &body,
                              "Whole fields inferred from readings", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}
