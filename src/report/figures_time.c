/* Figure of a dataset of states at several times: whether the state is steady.  Profiles of the first field over all
 * other conditions and porosities, at a few times or in a few bins of the range of times. */
#include "report_dataset.h"
#include "scoria/stats.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define BINS 6
#define MAX_TIMES 8 /* with more, times are taken as a range */

typedef struct {
  double lo, hi; /* [s] */
  int64_t rows, conditions;
  double *mean, *sd, *low, *high; /* (cells); low, high: the central 95 % */
} TimeBin;

/* Distinct times among the conditions, ascending; 0 when there are more than MAX_TIMES. */
static int distinct_times(const ReportDataset *data, double times[MAX_TIMES])
{
  int n = 0;
  for (int64_t k = 0; k < data->listed; k++) {
    const double t = data->times[k];
    int at         = 0;
    while (at < n && times[at] < t) at++;
    if (at < n && times[at] <= t) continue;
    if (n == MAX_TIMES) return 0;
    memmove(times + at + 1, times + at, (size_t)(n++ - at) * sizeof *times);
    times[at] = t;
  }
  return n;
}

/* Bins of single times, evenly spread over those that there are, or of equal parts of the range. */
static int lay_bins(const ReportDataset *data, TimeBin bin[BINS])
{
  const ScoriaCondition *c = &data->spec.space.c[data->time];
  double times[MAX_TIMES];
  const int found = distinct_times(data, times), n = found ? (int)PetscMin(BINS, found) : BINS;
  for (int b = 0; b < n; b++)
    if (found)
      bin[b].lo = bin[b].hi = times[n == 1 ? 0 : b * (found - 1) / (n - 1)];
    else {
      bin[b].lo = c->lo + (c->hi - c->lo) * b / n;
      bin[b].hi = c->lo + (c->hi - c->lo) * (b + 1) / n;
    }
  return n;
}

static bool in_bin(const TimeBin *bin, double t)
{
  return t >= bin->lo && t <= bin->hi;
}

/* Statistics of the rows in one bin; rows (kept, cells) and column (kept) are scratch. */
static PetscErrorCode FillBin(const ReportDataset *data, double rows[], double column[], TimeBin *bin)
{
  const int cells = data->spec.cells;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc4(cells, &bin->mean, cells, &bin->sd, cells, &bin->low, cells, &bin->high));
  for (int64_t r = 0; r < data->kept; r++) {
    const double *from = data->row + r * (cells + 1);
    if (in_bin(bin, from[cells])) PetscCall(PetscArraycpy(rows + bin->rows++ * cells, from, cells));
  }
  for (int64_t k = 0; k < data->listed; k++) bin->conditions += data->every * in_bin(bin, data->times[k]);
  if (bin->rows < 2) PetscFunctionReturn(0);
  stats_moments(bin->rows, cells, rows, bin->mean, bin->sd);
  for (int j = 0; j < cells; j++) {
    for (int64_t r = 0; r < bin->rows; r++) column[r] = rows[r * cells + j];
    stats_sort(bin->rows, column);
    bin->low[j]  = stats_quantile(bin->rows, column, 0.025);
    bin->high[j] = stats_quantile(bin->rows, column, 0.975);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode FillBins(const ReportDataset *data, int *n, TimeBin bin[BINS])
{
  double *rows, *column;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(data->kept * data->spec.cells, &rows, data->kept, &column));
  for (int b = 0; b < *n; b++) PetscCall(FillBin(data, rows, column, &bin[b]));
  PetscCall(PetscFree2(rows, column));
  for (int b = 0; b < *n; b++)
    if (bin[b].rows < 2) *n = 0; /* too few rows for a figure */
  PetscFunctionReturn(0);
}

/* Where the mean moves most between two bins, and by how much in units of the later one's SD. */
static double largest_move(const TimeBin *from, const TimeBin *to, int cells, int *cell)
{
  double most = 0;
  *cell       = 0;
  for (int j = 0; j < cells; j++) {
    const double moved = to->sd[j] > 0 ? fabs(to->mean[j] - from->mean[j]) / to->sd[j] : 0;
    if (moved > most) {
      most  = moved;
      *cell = j;
    }
  }
  return most;
}

/* Block b: x, mean, low, high of bin b; the last block: time, mean, low, high in one cell. */
static PetscErrorCode TimeData(ReportFigures *figs, const ReportDataset *data, int n, const TimeBin bin[], int cell,
                               double scale)
{
  const ScoriaField *field = &data->spec.field[data->channel];
  ReportText text          = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# x, mean, 2.5 %%, 97.5 %%; a block per time; then time and the same in one cell\n"));
  for (int b = 0; b < n; b++) {
    for (int j = 0; j < field_cells(field, data->spec.cells); j++)
      PetscCall(ReportPrint(&text, "%.6g %.7g %.7g %.7g\n", data->x[field->centre[0] + j] * data->along.scale,
                            bin[b].mean[j] * scale, bin[b].low[j] * scale, bin[b].high[j] * scale));
    PetscCall(ReportPrint(&text, "\n\n"));
  }
  for (int b = 0; b < n; b++)
    PetscCall(ReportPrint(&text, "%.6g %.7g %.7g %.7g\n", 0.5 * (bin[b].lo + bin[b].hi), bin[b].mean[cell] * scale,
                          bin[b].low[cell] * scale, bin[b].high[cell] * scale));
  PetscCall(ReportFiguresData(figs, "times.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

static PetscErrorCode TimePanels(ReportText *body, const ReportDataset *data, int n, const TimeBin bin[], int cell,
                                 const ReportQuantity *q)
{
  ReportText legend = {0}, band = {0}, mean = {0};
  const double ratio = bin[n - 1].lo / bin[0].hi;
  PetscFunctionBeginUser;
  for (int b = 0; b < n; b++) {
    PetscCall(ReportPrint(&band,
                          "%s'data/times.dat' index %d using 1:3:4 with filledcurves fillstyle transparent solid 0.13 "
                          "noborder linecolor rgb word(colours, %d)",
                          b ? ", " : "plot ", b, b + 1));
    PetscCall(ReportPrint(
        &mean, ", 'data/times.dat' index %d using 1:2 with lines linewidth 2 linecolor rgb word(colours, %d)", b,
        b + 1));
    PetscCall(ReportPrint(&legend, "%sNaN with lines linewidth 2 linecolor rgb word(colours, %d) title '",
                          b ? ", " : "", b + 1));
    PetscCall(ReportPrint(&legend, bin[b].lo < bin[b].hi ? "%.4g to %.4g s'" : "%.4g s'", bin[b].lo, bin[b].hi));
  }
  PetscCall(ReportPrint(body, "colours = '#0B3C6F #0072B2 #009E73 #E69F00 #D55E00 #8C1D40'\nset multiplot\n"));
  PetscCall(ReportLegend(body, legend.s));
  PetscCall(ReportPrint(body,
                        "set bmargin at screen 0.17\nset tmargin at screen 0.89\nset lmargin at screen 0.075\nset "
                        "rmargin at screen 0.60\nset xlabel '%s'\n",
                        data->along.axis));
  PetscCall(ReportRangeX(body, &data->along, 1, &data->spec.field[data->channel], data->spec.cells, data->x));
  PetscCall(ReportPrint(body, "set ylabel '%s'\n%s%s\n", q->axis, band.s, mean.s));
  PetscCall(ReportPrint(body,
                        "set lmargin at screen 0.69\nset rmargin at screen 0.985\nset xlabel 't  [s]'\n%s"
                        "set xrange [%s:%g]\nset ylabel '%s  at x = %.3g %s'\n",
                        ratio > 20 ? "set logscale x\n" : "", ratio > 20 ? "*" : "0", 1.05 * bin[n - 1].hi, q->axis,
                        data->x[data->spec.field[data->channel].centre[0] + cell] * data->along.scale,
                        data->along.unit));
  PetscCall(ReportPrint(body,
                        "plot 'data/times.dat' index %d using 1:3:4 with filledcurves linestyle 4, '' index %d using "
                        "1:2 with linespoints linestyle 1 pointtype 7\nunset multiplot\n",
                        n, n));
  PetscCall(ReportTextDestroy(&band));
  PetscCall(ReportTextDestroy(&mean));
  PetscCall(ReportTextDestroy(&legend));
  PetscFunctionReturn(0);
}

/* How far the mean is from that at the last time, bin by bin.  Over a sample of conditions it is known to
 * SD / sqrt(conditions) or better. */
static void times_caption(const ReportDataset *data, int n, const TimeBin bin[], size_t size, char caption[])
{
  const TimeBin *last = &bin[n - 1];
  double moved = 0, error = 0;
  int cell;
  int at = snprintf(caption, size,
                    "Mean and central 95 %% band of %.64s in the training set, over all other conditions and "
                    "porosities, at increasing times; right, in the cell where the mean changes most. Distance from "
                    "the mean at the last time, in standard deviations:",
                    data->spec.field[data->channel].name);
  for (int b = 0; b < n - 1; b++) {
    moved = largest_move(&bin[b], last, data->spec.cells, &cell);
    error = sqrt(1.0 / (double)bin[b].conditions + 1.0 / (double)last->conditions);
    at += snprintf(caption + at, size - (size_t)at, " %.4g s %.2g%s", 0.5 * (bin[b].lo + bin[b].hi), moved,
                   b + 2 < n ? "," : "");
  }
  snprintf(caption + at, size - (size_t)at, " (error of sampling at most %.2g). %s.", error,
           moved > 3 * error ? "The state is not steady"
           : error > 0.1     ? "Too few conditions to tell whether the last state is steady"
                             : "Between the last two, sampling explains what there is: the last state is steady as far "
                               "as that shows");
}

PetscErrorCode ReportDrawTimes(ReportFigures *figs, const ReportDataset *data)
{
  TimeBin bin[BINS] = {0};
  ReportText body   = {0};
  ReportQuantity q;
  char caption[800];
  double largest = 0;
  int cell;
  PetscFunctionBeginUser;
  if (!data->present || data->time < 0 || data->kept == 0) PetscFunctionReturn(0);
  const int bins = lay_bins(data, bin);
  int n          = bins;
  PetscCall(FillBins(data, &n, bin));
  if (n > 1) {
    const ScoriaField *field = &data->spec.field[data->channel];
    largest_move(&bin[0], &bin[n - 1], data->spec.cells, &cell);
    for (int j = 0; j < data->spec.cells; j++) largest = fmax(largest, fabs(bin[n - 1].mean[j]));
    report_quantity(field->name, field->unit, largest, &q);
    PetscCall(TimeData(figs, data, n, bin, cell, q.scale));
    PetscCall(TimePanels(&body, data, n, bin, cell, &q));
    times_caption(data, n, bin, sizeof caption, caption);
    PetscCall(ReportFiguresDraw(figs, "times", 1180, 400, &body, "Profiles against time", caption));
  }
  for (int b = 0; b < bins; b++) PetscCall(PetscFree4(bin[b].mean, bin[b].sd, bin[b].low, bin[b].high));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}
