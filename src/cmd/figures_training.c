/* Figures of dataset.h5 and train.jsonl: a few realisations, and the course of the training. */
#include "report.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* -------------------------------------------------------------------------------------------------- realisations ----
 */

/* Label, unit and scale of a field; those of a known one are set in type. */
static void field_label(const ScoriaField *field, size_t size, char label[], double *scale)
{
  char name[64], unit[32];
  *scale = 1;
  for (int c = 0; c < REPORT_CHANNELS; c++)
    if (!strcmp(field->name, report_channels[c].name)) {
      snprintf(label, size, "%s  [%s]", report_channels[c].label, report_channels[c].unit);
      *scale = report_channels[c].scale;
      return;
    }
  if (!strcmp(field->name, "eps")) {
    snprintf(label, size, "porosity ε");
    return;
  }
  plain_label(field->name, sizeof name, name);
  plain_label(field->unit, sizeof unit, unit);
  snprintf(label, size, "%s  [%s]", name, unit);
}

/* x [um], then the draws; one block per field, fields outer, shown conditions inner. */
static PetscErrorCode DrawsData(ReportFigures *figs, const ReportDataset *data)
{
  ReportText text = {0};
  const int cells = data->spec.cells;
  char label[128];
  double scale;
  PetscFunctionBeginUser;
  for (int f = 0; f < data->spec.nfields; f++)
    for (int s = 0; s < data->nshown; s++) {
      field_label(&data->spec.field[f], sizeof label, label, &scale);
      for (int i = 0; i < cells; i++) {
        PetscCall(ReportPrint(&text, "%.6g", data->x[i] * 1e6));
        for (int64_t j = 0; j < data->draws[s].rows; j++)
          PetscCall(ReportPrint(&text, " %.7g", data->draws[s].field[f][j * cells + i] * scale));
        PetscCall(ReportPrint(&text, "\n"));
      }
      PetscCall(ReportPrint(&text, "\n\n"));
    }
  PetscCall(ReportFiguresData(figs, "draws.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

/* The porosity first: it is the cause, the fields are what follows from it. */
static int field_in_row(const ScoriaDatasetSpec *spec, int row)
{
  int eps = -1;
  for (int f = 0; f < spec->nfields; f++)
    if (!strcmp(spec->field[f].name, "eps")) eps = f;
  if (eps < 0) return row;
  if (row == 0) return eps;
  return row <= eps ? row - 1 : row;
}

PetscErrorCode ReportDrawDataset(ReportFigures *figs, const ReportDataset *data)
{
  ReportText body = {0};
  char label[128];
  double scale;
  PetscFunctionBeginUser;
  if (!data->present || data->nshown == 0) PetscFunctionReturn(0);
  const int rows = (int)PetscMin(data->spec.nfields, 3), columns = data->nshown;
  PetscCall(DrawsData(figs, data));
  PetscCall(ReportPrint(&body,
                        "set multiplot layout %d,%d columnsfirst margins 0.075,0.985,0.085,0.93 spacing 0.06,0.055\n"
                        "unset key\nset xrange [0:%g]\n",
                        rows, columns, 1e6 * (data->x[data->spec.cells - 1] + data->x[0])));
  for (int s = 0; s < columns; s++)
    for (int row = 0; row < rows; row++) {
      const int f     = field_in_row(&data->spec, row);
      const bool last = row == rows - 1;
      field_label(&data->spec.field[f], sizeof label, label, &scale);
      PetscCall(ReportPrint(&body, "set title \""));
      if (row == 0)
        PetscCall(ReportConditionTitle(&body, &data->spec.space, &data->theta[data->shown[s] * data->spec.space.n], 1));
      PetscCall(ReportPrint(&body, "\"\n"));
      PetscCall(ReportPrint(&body, "set xlabel '%s'\nset format x '%s'\nset ylabel '%s' offset 1,0\n",
                            last ? "x  [µm]" : "", last ? "%g" : "", s ? "" : label));
      PetscCall(ReportPrint(&body,
                            "plot for [j=2:%d] 'data/draws.dat' index %d using 1:j with lines linewidth 1.5 "
                            "linecolor rgb word('#0072B2 #D55E00 #009E73 #CC79A7 #000000', j - 1)\n",
                            (int)data->draws[s].rows + 1, f * data->nshown + s));
    }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  PetscCall(ReportFiguresDraw(
      figs, "draws", 1180, 200 * rows + 80, &body, "The training data: single solves",
      "Single solves of the training set: the random porosity on top and the fields that follow from it "
      "below, in matching colours, at a short, a medium and a long correlation length."));
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

/* Block 0: step, mean, least and largest training loss, learning rate, over bins of entries; block 1: step, validation.
 */
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
  PetscCall(ReportLegend(&body, legend.s));
  PetscCall(ReportPrint(&body,
                        "set xlabel 'training step'\nset xrange [0:%g]\nset lmargin at screen 0.07\n"
                        "set rmargin at screen 0.66\nset bmargin at screen 0.15\nset tmargin at screen 0.89\n%s"
                        "set ylabel 'denoising loss'\nplot %s\n",
                        train->step[train->n - 1], ratio > 20 ? "set logscale y\n" : "", plot.s));
  PetscCall(ReportPrint(&body, "unset logscale y\nset lmargin at screen 0.76\nset rmargin at screen 0.985\n"
                               "set ylabel 'learning rate'\nset yrange [0:*]\nset format y '%%g'\n"
                               "plot 'data/training.dat' index 0 using 1:5 with lines linestyle 1\nunset multiplot\n"));
  PetscCall(ReportFiguresDraw(
      figs, "training", 1180, 380, &body, "Training",
      "Loss of the training batches and of conditions kept out of the training; right, the learning rate."));
  PetscCall(ReportTextDestroy(&body));
  PetscCall(ReportTextDestroy(&plot));
  PetscCall(ReportTextDestroy(&legend));
  PetscFunctionReturn(0);
}
