/* Figures of dataset.h5 and train.jsonl: a few realisations, and the course of the training. */
#include "report_dataset.h"
#include "report_logs.h"
#include "report_words.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* -------------------------------------------------------------------------------------------------- realisations ----
 */

/* How a field is written, by the largest value among its draws. */
static void field_quantity(const ReportDataset *data, int f, ReportQuantity *q)
{
  double largest = 0;
  for (int s = 0; s < data->nshown; s++)
    for (int64_t i = 0; i < data->draws[s].rows * data->spec.cells; i++)
      largest = fmax(largest, fabs(data->draws[s].field[f][i])); /* not of a row that failed: it is NaN */
  report_quantity(data->spec.field[f].name, data->spec.field[f].unit, largest, q);
}

/* The porosity first: it is the cause, the fields of the state are what follows from it. */
static int drawn_fields(const ScoriaDatasetSpec *spec, int drawn[SCORIA_MAX_FIELDS])
{
  int n = 0;
  for (int f = 0; f < spec->nfields; f++)
    if (spec->field[f].latent && !strcmp(spec->field[f].name, "eps")) drawn[n++] = f;
  const int most = n + REPORT_FIELDS;
  for (int f = 0; f < spec->nfields && n < most; f++)
    if (field_is_state(&spec->field[f])) drawn[n++] = f;
  return n;
}

/* x, then the draws; one block per field, fields outer, shown conditions inner. */
static PetscErrorCode DrawsData(ReportFigures *figs, const ReportDataset *data)
{
  ReportText text = {0};
  const int cells = data->spec.cells;
  PetscFunctionBeginUser;
  for (int f = 0; f < data->spec.nfields; f++)
    for (int s = 0; s < data->nshown; s++) {
      ReportQuantity q;
      field_quantity(data, f, &q);
      for (int i = 0; i < field_cells(&data->spec.field[f], cells); i++) {
        PetscCall(ReportPrint(&text, "%.6g", data->x[data->spec.field[f].centre[0] + i] * data->along.scale));
        for (int64_t j = 0; j < data->draws[s].rows; j++)
          PetscCall(ReportPrint(&text, " %.7g", data->draws[s].field[f][j * cells + i] * q.scale));
        PetscCall(ReportPrint(&text, "\n"));
      }
      PetscCall(ReportPrint(&text, "\n\n"));
    }
  PetscCall(ReportFiguresData(figs, "draws.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

static PetscErrorCode DrawsPanel(ReportText *body, const ReportDataset *data, int s, int f, bool first, bool last)
{
  double theta[SCORIA_MAX_CONDITIONS];
  ReportQuantity q;
  PetscFunctionBeginUser;
  field_quantity(data, f, &q);
  for (int i = 0; i < data->spec.space.n; i++) theta[i] = data->draws[s].condition[i][0];
  PetscCall(ReportPrint(body, "set title \""));
  if (first) PetscCall(ReportConditionTitle(body, &data->spec.space, theta, data->spec.space.n > 3 ? 2 : 1));
  PetscCall(ReportPrint(body, "\"\nset xlabel '"));
  if (last) PetscCall(ReportPrint(body, "%s", data->along.axis));
  PetscCall(ReportPrint(body, "'\nset format x '%s'\nset ylabel '", last ? "%g" : ""));
  const bool porosity = !field_is_state(&data->spec.field[f]);
  if (!s) PetscCall(ReportPrint(body, "%s%s", porosity && first ? "porosity " : "", q.axis));
  PetscCall(ReportPrint(body,
                        "' offset 1,0\nplot for [j=2:%d] 'data/draws.dat' index %d using 1:j with lines linewidth 1.5 "
                        "linecolor rgb word('#0072B2 #D55E00 #009E73 #CC79A7 #000000', j - 1)\n",
                        (int)data->draws[s].rows + 1, f * data->nshown + s));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawDataset(ReportFigures *figs, const ReportDataset *data)
{
  ReportText body = {0};
  int drawn[SCORIA_MAX_FIELDS];
  char caption[512], title[64];
  PetscFunctionBeginUser;
  if (!data->present || data->nshown == 0) PetscFunctionReturn(0);
  const ReportWords *words = report_words(*data->spec.source);
  const int rows = drawn_fields(&data->spec, drawn), columns = data->nshown, height = 200 * rows + 90;
  PetscCall(DrawsData(figs, data));
  PetscCall(ReportPrint(&body,
                        "set multiplot layout %d,%d columnsfirst margins 0.085,0.985,%.4f,%.4f spacing 0.06,%.4f\n"
                        "unset key\n",
                        rows, columns, 68.0 / height, 1 - 48.0 / height, 38.0 / height));
  PetscCall(ReportRangeX(&body, &data->along, data->spec.nfields, data->spec.field, data->spec.cells, data->x));
  for (int s = 0; s < columns; s++)
    for (int row = 0; row < rows; row++) PetscCall(DrawsPanel(&body, data, s, drawn[row], row == 0, row == rows - 1));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  snprintf(caption, sizeof caption, "%s, in matching colours%s%.64s. %d of %lld realisations at each.", words->some,
           columns > 1 ? ", at a small, a medium and a large " : "",
           columns > 1 ? data->spec.space.c[data->axis].name : "", (int)data->draws[0].rows,
           (long long)data->spec.realisations);
  snprintf(title, sizeof title, "The training data: single %ss", words->one);
  PetscCall(ReportFiguresDraw(figs, "draws", 1180, height, &body, title, caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ training ----
 */

#define BINS 300 /* points of the curve: about as many as a page can show */

/* Mean of the finite values in [first, last); NaN when there is none. */
static double mean_of(const double values[], int64_t first, int64_t last)
{
  double sum = 0;
  int64_t n  = 0;
  for (int64_t i = first; i < last; i++)
    if (isfinite(values[i])) {
      sum += values[i];
      n++;
    }
  return n ? sum / (double)n : NAN;
}

static void range_of(const double values[], int64_t first, int64_t last, double *lo, double *hi)
{
  *lo = *hi = NAN;
  for (int64_t i = first; i < last; i++) {
    if (!(values[i] >= *lo)) *lo = isfinite(values[i]) ? values[i] : *lo;
    if (!(values[i] <= *hi)) *hi = isfinite(values[i]) ? values[i] : *hi;
  }
}

/* Block 0: step, mean, least and largest training loss, learning rate, over bins of entries; block 1: step, validation;
 * block 2: the same of the model. */
static PetscErrorCode TrainingData(ReportFigures *figs, const ReportTraining *train, int64_t *validations,
                                   double *ratio)
{
  ReportText text    = {0};
  const int64_t bins = PetscMin(BINS, train->n);
  double least = INFINITY, most = -INFINITY;
  PetscFunctionBeginUser;
  PetscCall(
      ReportPrint(&text, "# step, training loss: mean, least, largest, learning rate; then step, validation loss\n"));
  for (int64_t b = 0; b < bins; b++) {
    const int64_t first = b * train->n / bins, last = (b + 1) * train->n / bins;
    const double mean = mean_of(train->loss, first, last);
    double lo, hi;
    range_of(train->loss, first, last, &lo, &hi);
    PetscCall(ReportPrint(&text, "%.9g %.8g %.8g %.8g %.8g\n", mean_of(train->step, first, last), mean, lo, hi,
                          mean_of(train->lr, first, last)));
    least = fmin(least, lo);
    most  = fmax(most, hi);
  }
  *ratio = least > 0 ? most / least : 1;
  PetscCall(ReportPrint(&text, "\n\n"));
  *validations = 0;
  for (int64_t i = 0; i < train->n; i++)
    if (isfinite(train->validation[i])) {
      PetscCall(ReportPrint(&text, "%.9g %.8g\n", train->step[i], train->validation[i]));
      ++*validations;
    }
  if (isfinite(train->kept_step)) PetscCall(ReportPrint(&text, "\n\n%.9g %.8g\n", train->kept_step, train->kept_loss));
  PetscCall(ReportFiguresData(figs, "training.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

/* The curves of the loss: into `plot` with their data, into `legend` with their names. */
static PetscErrorCode LossCurves(const ReportTraining *train, bool validations, ReportText *plot, ReportText *legend)
{
  static const char *const range = "filledcurves linestyle 4", *const mean = "lines linestyle 1 linewidth 1.5";
  static const char *const held     = "linespoints linestyle 2 pointtype 7 pointsize 0.5";
  static const char *const gaussian = "lines linestyle 3 dashtype (8,5)";
  const double baseline             = train->baseline[train->n - 1];
  PetscFunctionBeginUser;
  if (train->n > BINS) {
    PetscCall(ReportPrint(plot, "'data/training.dat' index 0 using 1:3:4 with %s, ", range));
    PetscCall(ReportPrint(legend, "NaN with %s title 'training, range', ", range));
  }
  PetscCall(ReportPrint(plot, "'data/training.dat' index 0 using 1:2 with %s", mean));
  PetscCall(ReportPrint(legend, "NaN with %s title 'training'", mean));
  if (validations) {
    PetscCall(ReportPrint(plot, ", 'data/training.dat' index 1 using 1:2 with %s", held));
    PetscCall(ReportPrint(legend, ", NaN with %s title 'validation'", held));
  }
  if (isfinite(train->kept_step)) {
    PetscCall(
        ReportPrint(plot, ", 'data/training.dat' index 2 using 1:2 with points linestyle 2 pointtype 6 pointsize 1.6"));
    PetscCall(ReportPrint(legend, ", NaN with points linestyle 2 pointtype 6 pointsize 1.6 title 'kept'"));
  }
  if (isfinite(baseline)) {
    PetscCall(ReportPrint(plot, ", %g with %s", baseline, gaussian));
    PetscCall(ReportPrint(legend, ", NaN with %s title 'Gaussian baseline, validation'", gaussian));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawTraining(ReportFigures *figs, const ReportTraining *train)
{
  ReportText body = {0}, plot = {0}, legend = {0};
  int64_t validations = 0;
  double ratio        = 1;
  PetscFunctionBeginUser;
  if (train->n < 2) PetscFunctionReturn(0);
  PetscCall(TrainingData(figs, train, &validations, &ratio));
  PetscCall(LossCurves(train, validations > 0, &plot, &legend));
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(ReportLegendFrom(&body, legend.s, 0.88));
  PetscCall(ReportPrint(&body,
                        "set xlabel 'training step' offset 0,0.3\nset xrange [0:%g]\nset lmargin at screen 0.07\n"
                        "set rmargin at screen 0.66\nset bmargin at screen 0.17\nset tmargin at screen 0.89\n%s"
                        "set ylabel 'denoising loss'\nplot %s\n",
                        train->step[train->n - 1], ratio > 20 ? "set logscale y\n" : "", plot.s));
  PetscCall(ReportPrint(&body,
                        "unset logscale y\nset lmargin at screen 0.76\nset rmargin at screen 0.985\n"
                        "set xtics 0,%g\nset ylabel 'learning rate'\nset yrange [0:*]\nset format y '%%g'\n"
                        "plot 'data/training.dat' index 0 using 1:5 with lines linestyle 1\nunset multiplot\n",
                        train->step[train->n - 1] / 2));
  PetscCall(ReportFiguresDraw(
      figs, "training", 1180, 380, &body, "Loss and learning rate",
      "Left: denoising loss of the training batches against that of conditions kept out of the training; the Gaussian "
      "baseline is the loss without the network, the circle the step "
      "whose model is kept. Right: the learning rate."));
  PetscCall(ReportTextDestroy(&body));
  PetscCall(ReportTextDestroy(&plot));
  PetscCall(ReportTextDestroy(&legend));
  PetscFunctionReturn(0);
}
