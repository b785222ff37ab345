/* What the report shows of a posterior of whole fields: in the plane of the first reading, means before and after the
 * readings, and what these have left of the standard deviation. */
#include "figures_plane.h"
#include "report_answers.h"
#include "scoria/results.h"
#include "scoria/run_files.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LARGEST_CELLS ((int64_t)1 << 26) /* of a field, all of which is read for a plane of it */

enum { MEAN, SD };

/* --------------------------------------------------------------------------------------------------- reading ---- */

static PetscErrorCode ReadAxes(ScoriaStore store, const char *path, ReportPosterior *p)
{
  int64_t dims[1];
  int rank;
  PetscFunctionBeginUser;
  for (int a = 0; a < 3; a++) {
    PetscCall(ScoriaStoreShape(store, scoria_file_axes[a], 1, &rank, dims));
    if (rank != 1 || dims[0] < 1 || dims[0] > LARGEST_CELLS)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: expected %s of one axis", path, scoria_file_axes[a]);
    p->n[a] = dims[0];
  }
  if ((double)p->n[0] * (double)p->n[1] * (double)p->n[2] > (double)LARGEST_CELLS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %lld x %lld x %lld cells", path, (long long)p->n[0], (long long)p->n[1],
                (long long)p->n[2]);
  for (int a = 0; a < 3; a++) {
    PetscCall(PetscMalloc1(p->n[a], &p->centre[a]));
    PetscCall(ScoriaStoreGetReals(store, scoria_file_axes[a], p->n[a], p->centre[a]));
  }
  PetscFunctionReturn(0);
}

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

/* The cells along z that the first reading is in. */
static int64_t plane_index(const ReportPosterior *p)
{
  int64_t best = 0;
  for (int64_t k = 1; k < p->n[2] && p->sensors; k++)
    if (fabs(p->centre[2][k] - p->at[1][0]) < fabs(p->centre[2][best] - p->at[1][0])) best = k;
  return best;
}

static PetscErrorCode ReadPlane(ScoriaStore store, const ReportPosterior *p, ScoriaPosteriorSide side, int f, int what,
                                double **plane)
{
  const int64_t size = p->n[0] * p->n[1];
  char name[SCORIA_NAME_SIZE + 32];
  double *all;
  PetscFunctionBeginUser;
  posterior_path(side, POSTERIOR_FIELDS, p->field[f].name, what == SD ? SCORIA_POSTERIOR_SD : SCORIA_POSTERIOR_MEAN,
                 sizeof name, name);
  PetscCall(PetscMalloc1(size * p->n[2], &all));
  PetscCall(PetscMalloc1(size, plane));
  PetscCall(ScoriaStoreGetReals(store, name, size * p->n[2], all));
  PetscCall(PetscArraycpy(*plane, all + plane_index(p) * size, size));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportPosteriorPlaneRead(ScoriaStore store, const char *path, ReportPosterior *p)
{
  char unit[16];
  PetscFunctionBeginUser;
  PetscCall(ReadAxes(store, path, p));
  PetscCall(ReadPlaces(store, p));
  PetscCall(ScoriaStoreUnit(store, scoria_file_axes[1], sizeof unit, unit));
  report_axis_x(unit, p->centre[1][p->n[1] - 1], &p->across);
  p->z = p->centre[2][plane_index(p)];
  for (int f = 0; f < PetscMin(p->nfields, REPORT_FIELDS); f++) {
    double largest = 0;
    for (int side = 0; side < 2; side++)
      for (int what = 0; what < 2; what++) PetscCall(ReadPlane(store, p, side, f, what, &p->plane[side][what][f]));
    for (int64_t i = 0; i < p->n[0] * p->n[1]; i++) largest = fmax(largest, fabs(p->plane[SCORIA_PRIOR][MEAN][f][i]));
    report_quantity(p->field[f].name, p->field[f].unit, largest, &p->quantity[f]);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportPosteriorPlaneDestroy(ReportPosterior *p)
{
  PetscFunctionBeginUser;
  for (int a = 0; a < 3; a++) PetscCall(PetscFree(p->centre[a]));
  for (int a = 0; a < 2; a++) PetscCall(PetscFree(p->at[a]));
  for (int side = 0; side < 2; side++)
    for (int what = 0; what < 2; what++)
      for (int f = 0; f < SCORIA_MAX_FIELDS; f++) PetscCall(PetscFree(p->plane[side][what][f]));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- figures ---- */

/* Standard deviation after the readings over that before; 1 where there was none. */
static double left_over(const ReportPosterior *p, int f, int64_t i)
{
  const double before = p->plane[SCORIA_PRIOR][SD][f][i], after = p->plane[SCORIA_POSTERIOR][SD][f][i];
  return before > 0 ? after / before : 1;
}

/* x, y, and of every field both means and what is left of the SD. */
static PetscErrorCode PlaneData(ReportFigures *figs, const ReportPosterior *p, const ReportPlane *at, int fields)
{
  ReportText text = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# x, y; of every field mean before, mean after, SD after over SD before\n"));
  for (int64_t j = 0; j < p->n[1]; j++)
    for (int64_t i = 0; i < p->n[0]; i++) {
      const int64_t cell =
          report_plane_nearest(p->n[1], p->centre[1], j) * p->n[0] + report_plane_nearest(p->n[0], p->centre[0], i);
      PetscCall(ReportPrint(&text, "%.6g %.6g", report_plane_pixel(at, 0, p->n[0], i),
                            report_plane_pixel(at, 1, p->n[1], j)));
      for (int f = 0; f < fields; f++)
        PetscCall(ReportPrint(&text, " %.6g %.6g %.4g", p->plane[SCORIA_PRIOR][MEAN][f][cell] * p->quantity[f].scale,
                              p->plane[SCORIA_POSTERIOR][MEAN][f][cell] * p->quantity[f].scale, left_over(p, f, cell)));
      PetscCall(ReportPrint(&text, "\n"));
    }
  PetscCall(ReportFiguresData(figs, "posterior.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

/* x, y, the field, and whether it is in the plane: within half the distance of planes. */
static PetscErrorCode SensorData(ReportFigures *figs, const ReportPosterior *p)
{
  const double half = p->n[2] > 1 ? 0.5001 * fabs(p->centre[2][1] - p->centre[2][0]) : INFINITY;
  ReportText text   = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# x, y, field, in the plane\n"));
  for (int64_t i = 0; i < p->sensors; i++)
    PetscCall(ReportPrint(&text, "%.6g %.6g %d %d\n", p->sensor[0][i] * p->along.scale, p->at[0][i] * p->across.scale,
                          (int)lround(p->sensor[3][i]), fabs(p->at[1][i] - p->z) <= half));
  PetscCall(ReportFiguresData(figs, "posterior_sensors.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

static PetscErrorCode Row(ReportText *body, const ReportPosterior *p, const ReportPlane *at, int f)
{
  const ReportQuantity *q = &p->quantity[f];
  char over[640], title[160];
  double lo = INFINITY, hi = -INFINITY;
  PetscFunctionBeginUser;
  for (int side = 0; side < 2; side++)
    for (int64_t i = 0; i < p->n[0] * p->n[1]; i++) {
      lo = fmin(lo, p->plane[side][MEAN][f][i] * q->scale);
      hi = fmax(hi, p->plane[side][MEAN][f][i] * q->scale);
    }
  snprintf(over, sizeof over,
           ", 'data/posterior_sensors.dat' using 1:($3 == %d && $4 == 1 ? $2 : NaN) with points pointtype 7 "
           "pointsize 1.2 linecolor rgb 'white', 'data/posterior_sensors.dat' using 1:($3 == %d && $4 == 1 ? $2 : NaN) "
           "with points pointtype 7 pointsize 0.8 linecolor rgb '#D55E00', 'data/posterior_sensors.dat' using 1:($3 == "
           "%d && $4 == 0 ? $2 : NaN) with points pointtype 6 pointsize 0.8 linewidth 1.5 linecolor rgb '#D55E00'",
           f, f, f);
  snprintf(title, sizeof title, "before: mean of %s", q->axis);
  PetscCall(ReportPlanePanel(body, at, f, 0, "posterior.dat", 3 + 3 * f, title, false, lo, hi, NULL));
  snprintf(title, sizeof title, "after: mean of %s", q->axis);
  PetscCall(ReportPlanePanel(body, at, f, 1, "posterior.dat", 4 + 3 * f, title, false, lo, hi, over));
  snprintf(title, sizeof title, "SD of %s, after / before", q->label);
  PetscCall(ReportPlanePanel(body, at, f, 2, "posterior.dat", 5 + 3 * f, title, false, 0, 1, over));
  PetscFunctionReturn(0);
}

static PetscErrorCode Caption(const ReportFigures *figs, const ReportPosterior *p, size_t size, char caption[])
{
  char plane[96] = "";
  PetscFunctionBeginUser;
  if (p->n[2] > 1)
    snprintf(plane, sizeof plane, "In the plane z = %.4g %.16s of the first reading: m", p->z * p->across.scale,
             p->across.unit);
  snprintf(caption, size,
           "%sean of the fields before and after %lld readings, and how much of the standard deviation these have left "
           "(0: nothing is unknown, 1: they tell nothing). Readings of the field in question: filled where they lie in "
           "the plane, open where elsewhere along z.%s",
           *plane ? plane : "M", (long long)p->sensors, figs->imported ? "" : " The porosity is not known.");
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawPosteriorPlane(ReportFigures *figs, const ReportPosterior *p)
{
  const int fields = PetscMin(p->nfields, REPORT_FIELDS);
  ReportPlane at   = {.rows = fields, .along = {p->along, p->across}};
  ReportText body  = {0};
  char caption[800];
  PetscFunctionBeginUser;
  report_plane_lay_out(p->n, p->centre, *p->along.unit == 0, &at);
  PetscCall(PlaneData(figs, p, &at, fields));
  PetscCall(SensorData(figs, p));
  PetscCall(ReportPlaneBegin(&body, &at));
  for (int f = 0; f < fields; f++) PetscCall(Row(&body, p, &at, f));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  PetscCall(Caption(figs, p, sizeof caption, caption));
  PetscCall(ReportFiguresDraw(figs, "posterior", (int)REPORT_WIDTH, at.height, &body,
                              "Whole fields inferred from readings", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}
