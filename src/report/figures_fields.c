/* Figure of fields.h5: the first row of a problem in two or three dimensions, porosity and fields, and what the lateral
 * mean of a field leaves out. */
#include "report_dataset.h"
#include "scoria/run_files.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_VALUES ((int64_t)1 << 24) /* of one field in the file: it is read as a whole, on every rank */

/* ------------------------------------------------------------------------------------------------------ reading ----
 */

/* The plane of z in the middle of the first row of all (rows, nz, ny, nx), and the mean over y and z at each x. */
static PetscErrorCode TakeSlice(const double all[], const int64_t n[3], ReportSlice *slice)
{
  const int64_t plane = n[0] * n[1];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(plane, &slice->value));
  PetscCall(PetscArraycpy(slice->value, all + n[2] / 2 * plane, plane));
  PetscCall(PetscCalloc1(n[0], &slice->mean));
  for (int64_t i = 0; i < n[2] * plane; i++) slice->mean[i % n[0]] += all[i] / (double)(n[1] * n[2]);
  for (int64_t i = 0; i < plane; i++) slice->largest = fmax(slice->largest, fabs(slice->value[i]));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadSlices(ScoriaStore store, int64_t rows, ReportSlices *s)
{
  ScoriaField field[SCORIA_MAX_FIELDS];
  const int64_t values = rows * s->n[0] * s->n[1] * s->n[2];
  double *all;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetFields(store, &s->nfields, field));
  PetscCall(PetscMalloc1(values, &all));
  for (int f = 0; f < s->nfields; f++) {
    char name[SCORIA_NAME_SIZE + 16];
    file_field_path(field[f].name, sizeof name, name);
    PetscCall(ScoriaStoreGetReals(store, name, values, all));
    PetscCall(TakeSlice(all, s->n, &s->field[f]));
    report_quantity(field[f].name, field[f].unit, s->field[f].largest, &s->field[f].quantity);
    s->field[f].latent = field[f].latent;
  }
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* Extent along an axis of n cells, of which the first centre is x[0]. */
static PetscErrorCode ReadExtent(ScoriaStore store, const char *name, int64_t n, double *extent)
{
  double *x;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(n, &x));
  PetscCall(ScoriaStoreGetReals(store, name, n, x));
  *extent = x[0] + x[n - 1];
  PetscCall(PetscFree(x));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadTheta(ScoriaStore store, const ScoriaSpace *space, int64_t rows, double theta[])
{
  double *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(rows, &column));
  for (int i = 0; i < space->n; i++) {
    char name[SCORIA_NAME_SIZE + 16];
    file_condition_path(space->c[i].name, sizeof name, name);
    PetscCall(ScoriaStoreGetReals(store, name, rows, column));
    theta[i] = column[0];
  }
  PetscCall(PetscFree(column));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportSlicesRead(MPI_Comm comm, const char *path, const ScoriaSpace *space, ReportSlices *s)
{
  ScoriaStore store;
  int64_t dims[4];
  int rank;
  bool exists;
  PetscFunctionBeginUser;
  memset(s, 0, sizeof *s);
  PetscCall(ScoriaFileExists(comm, path, &exists));
  if (!exists) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreOpen(comm, path, "fields", &store));
  PetscCall(ScoriaStoreShape(store, "/fields/eps", 4, &rank, dims));
  if (rank != 4 || dims[0] < 1)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: expected /fields/eps of shape (rows, nz, ny, nx)", path);
  for (int a = 0; a < 3; a++) s->n[a] = dims[3 - a];
  if (s->n[1] > 1 && dims[0] * s->n[0] * s->n[1] * s->n[2] <= MOST_VALUES) {
    PetscCall(ReadSlices(store, dims[0], s));
    PetscCall(ReadExtent(store, scoria_file_axes[0], s->n[0], &s->extent[0]));
    PetscCall(ReadExtent(store, scoria_file_axes[1], s->n[1], &s->extent[1]));
    PetscCall(ReadTheta(store, space, dims[0], s->theta));
    s->extent[0] = space_length(space, s->theta, s->extent[0]);
  }
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportSlicesDestroy(ReportSlices *s)
{
  PetscFunctionBeginUser;
  for (int f = 0; f < s->nfields; f++) {
    PetscCall(PetscFree(s->field[f].value));
    PetscCall(PetscFree(s->field[f].mean));
  }
  memset(s, 0, sizeof *s);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ drawing ----
 */

/* x, y, value, value less lateral mean; one block per field. */
static PetscErrorCode SliceData(ReportFigures *figs, const ReportSlices *s, double scale)
{
  ReportText text = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# x, y, value, value less its lateral mean; a block per field\n"));
  for (int f = 0; f < s->nfields; f++) {
    const ReportSlice *slice = &s->field[f];
    for (int64_t j = 0; j < s->n[1]; j++)
      for (int64_t i = 0; i < s->n[0]; i++) {
        const double value = slice->value[j * s->n[0] + i];
        PetscCall(ReportPrint(&text, "%.6g %.6g %.7g %.6g\n",
                              scale * ((double)i + 0.5) * s->extent[0] / (double)s->n[0],
                              scale * ((double)j + 0.5) * s->extent[1] / (double)s->n[1], value * slice->quantity.scale,
                              (value - slice->mean[i]) * slice->quantity.scale));
      }
    PetscCall(ReportPrint(&text, "\n\n"));
  }
  PetscCall(ReportFiguresData(figs, "fields.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

#define WIDTH 1180.0
#define LEFT 62.0  /* of a panel, for its axis */
#define RIGHT 78.0 /* for its colours */
#define TOP 34.0   /* of a row, for its titles */
#define BELOW 26.0
#define FOOT 28.0 /* of the figure, for the axis of x */

typedef struct {
  int height;  /* of the figure in points */
  double w, h; /* of a panel */
} Layout;

static void lay_out(const ReportSlices *s, Layout *out)
{
  const double ratio = fmin(1.4, fmax(0.3, s->extent[1] / s->extent[0]));
  out->w             = fmin(WIDTH / s->nfields - LEFT - RIGHT, 420 / ratio);
  out->h             = out->w * ratio;
  out->height        = (int)lround(2 * (out->h + TOP + BELOW) + FOOT);
}

static PetscErrorCode SlicePanel(ReportText *body, const ReportSlices *s, const Layout *at, const ReportQuantity *along,
                                 int f, int row, int column)
{
  static const char *const palettes[] = {"0 '#f7f7f7', 1 '#252525'",
                                         "0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725'",
                                         "-1 '#2166ac', -0.5 '#92c5de', 0 '#f7f7f7', 0.5 '#f4a582', 1 '#b2182b'"};
  const ReportQuantity *q             = &s->field[f].quantity;
  const bool eps                      = s->field[f].latent && !strcmp(q->name, "eps");
  const double x0 = column * (at->w + LEFT + RIGHT) + LEFT, y1 = at->height - row * (at->h + TOP + BELOW) - TOP;
  double limit = 0;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < s->n[0] * s->n[1]; i++)
    limit = fmax(limit, fabs(s->field[f].value[i] - s->field[f].mean[i % s->n[0]]) * q->scale);
  PetscCall(
      ReportPrint(body, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", x0 / WIDTH, (x0 + at->w) / WIDTH));
  PetscCall(ReportPrint(body, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n", y1 / at->height,
                        (y1 - at->h) / at->height));
  PetscCall(ReportPrint(body, "set palette defined (%s)\n", palettes[row ? 2 : eps ? 0 : 1]));
  PetscCall(ReportPrint(body, row && limit > 0 ? "set cbrange [%g:%g]\n" : "set cbrange [*:*]\n", -limit, limit));
  PetscCall(ReportPrint(body, "set title '%s%s%s%s%s%s' offset 0,-0.5\n", eps ? "porosity " : "", q->label,
                        row ? " − lateral mean" : "", *q->unit ? "  [" : "", q->unit, *q->unit ? "]" : ""));
  const bool foot = row || eps, first = column == 0 || (row && column == 1);
  PetscCall(ReportPrint(body, "set xlabel '%s%s%s' offset 0,0.4\nset format x '%s'\n", foot ? "x  [" : "",
                        foot ? along->unit : "", foot ? "]" : "", foot ? "%g" : ""));
  PetscCall(ReportPrint(body, "set ylabel '%s%s%s' offset 1.2,0\n", first ? "y  [" : "", first ? along->unit : "",
                        first ? "]" : ""));
  PetscCall(ReportPrint(body, "plot 'data/fields.dat' index %d using 1:2:%d with image\n", f, row ? 4 : 3));
  PetscFunctionReturn(0);
}

/* The porosity first, then the fields; below each field, what varies laterally. */
static PetscErrorCode SlicePanels(ReportText *body, const ReportSlices *s, const Layout *at,
                                  const ReportQuantity *along)
{
  int column = 0;
  PetscFunctionBeginUser;
  for (int pass = 0; pass < 2; pass++)
    for (int f = 0; f < s->nfields; f++) {
      const bool state = !s->field[f].latent;
      if (state != (pass == 1)) continue;
      PetscCall(SlicePanel(body, s, at, along, f, 0, column));
      if (state) PetscCall(SlicePanel(body, s, at, along, f, 1, column));
      column++;
    }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawSlices(ReportFigures *figs, const ReportSlices *s, const ScoriaSpace *space)
{
  ReportText body = {0}, theta = {0};
  ReportQuantity along;
  Layout at;
  char caption[800];
  PetscFunctionBeginUser;
  if (s->nfields == 0) PetscFunctionReturn(0);
  report_quantity("x", "m", fmax(s->extent[0], s->extent[1]), &along);
  lay_out(s, &at);
  PetscCall(SliceData(figs, s, along.scale));
  PetscCall(ReportPrint(&body,
                        "set multiplot\nunset key\nset border 15 linewidth 0.5\nset xrange [0:%g]\nset yrange [0:%g]\n"
                        "set xtics out\nset ytics out\nset cbtics in scale 0.3\nset colorbox\n",
                        along.scale * s->extent[0], along.scale * s->extent[1]));
  PetscCall(SlicePanels(&body, s, &at, &along));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  for (int i = 0; i < space->n; i++)
    PetscCall(ReportPrint(&theta, "%s%s %.4g %s", i ? ", " : "", space->c[i].name, s->theta[i], space->c[i].unit));
  snprintf(caption, sizeof caption,
           "One solve of the training set (%.300s)%s: the random porosity, the fields that follow from it, and, below, "
           "what their lateral means, which the model learns, leave out.",
           theta.s ? theta.s : "", s->n[2] > 1 ? " in the plane in the middle of z" : "");
  PetscCall(ReportFiguresDraw(figs, "fields", (int)WIDTH, at.height, &body, "Whole fields of one solve", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscCall(ReportTextDestroy(&theta));
  PetscFunctionReturn(0);
}
