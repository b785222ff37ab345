/* Figures of compare.h5: bands and spread of the PDE, the model and the conditional Gaussian at held-out conditions,
 * and single realisations as fluctuations about the mean. */
#include "report_compare.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Heights in points: the strip of legend and titles, that of the axis of x, a panel, and between panels. */
#define STRIP 99
#define LEGEND 42 /* of the strip; below come two lines of a title */
#define AXIS 60
#define PANEL 201
#define GAP 39

static int grid_height(int rows)
{
  return STRIP + AXIS + rows * PANEL + (rows - 1) * GAP;
}

/* Panel (row, column) of a grid: 0 at the top left.  A graph of `rows` x `columns` panels under a strip for the legend.
 */
static PetscErrorCode Panel(ReportText *body, const ReportQuantity *along, int row, int column, int rows, int columns)
{
  const double left = 0.075, right = 0.985, gapx = 0.055, all = grid_height(rows);
  const double top = 1 - STRIP / all, bottom = AXIS / all, gapy = GAP / all;
  const double width  = (right - left - (columns - 1) * gapx) / columns;
  const double height = (top - bottom - (rows - 1) * gapy) / rows;
  const double x0 = left + column * (width + gapx), y1 = top - row * (height + gapy);
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", x0, x0 + width));
  PetscCall(ReportPrint(body, "set bmargin at screen %.4f\nset tmargin at screen %.4f\n", y1 - height, y1));
  if (row == rows - 1)
    PetscCall(ReportPrint(body, "set xlabel '%s' offset 0,0.3\nset format x '%%g'\n", along->axis));
  else
    PetscCall(ReportPrint(body, "set xlabel ''\nset format x ''\n"));
  PetscFunctionReturn(0);
}

int choose_conditions(const ReportCompare *cmp, int axis, int want, int64_t chosen[])
{
  const int n = (int)PetscMin(want, cmp->K);
  for (int i = 0; i < n; i++) {
    const int64_t rank = n == 1 ? cmp->K / 2 : llround((double)i * (double)(cmp->K - 1) / (n - 1));
    for (int64_t k = 0; k < cmp->K; k++) {
      int64_t below = 0; /* place of k in ascending order, ties by index */
      for (int64_t l = 0; l < cmp->K; l++) {
        const double a = cmp->theta[cmp->space.n * l + axis], b = cmp->theta[cmp->space.n * k + axis];
        below += a < b || (a == b && l < k);
      }
      if (below == rank) chosen[i] = k;
    }
  }
  return n;
}

static bool channel_whole(const ReportCompare *cmp, int channel)
{
  for (int s = 0; s < SCORIA_NCURVES; s++)
    if (!cmp->stat[SCORIA_VIEW_FIELD][SCORIA_FROM_PDE][channel][s] ||
        !cmp->stat[SCORIA_VIEW_FIELD][SCORIA_FROM_MODEL][channel][s])
      return false;
  return true;
}

static int drawn_channels(const ReportCompare *cmp, int channels[REPORT_FIELDS])
{
  int n = 0;
  for (int c = 0; c < cmp->nchannels && n < REPORT_FIELDS; c++)
    if (channel_whole(cmp, c)) channels[n++] = c;
  return n;
}

/* The order of a data file's columns, which the plot commands number. */
static const ScoriaFrom stat_columns[SCORIA_NFROM] = {SCORIA_FROM_PDE, SCORIA_FROM_MODEL, SCORIA_FROM_GAUSSIAN,
                                                      SCORIA_FROM_PDE_AGAIN};

PetscErrorCode ReportStatLines(ReportText *text, const ReportCompare *cmp, int view, int channel, double scale,
                               int64_t k)
{
  PetscFunctionBeginUser;
  const ScoriaField *field = &cmp->field[channel];
  for (int64_t i = 0; i < field_cells(field, (int)cmp->L); i++) {
    PetscCall(ReportPrint(text, "%.6g", cmp->x[field->centre[0] + i] * cmp->along.scale));
    for (int column = 0; column < SCORIA_NFROM; column++)
      for (int s = 0; s < SCORIA_NCURVES; s++) {
        const double *stat = cmp->stat[view][stat_columns[column]][channel][s];
        PetscCall(ReportPrint(text, " %.8g", stat ? stat[k * cmp->L + i] * scale : NAN));
      }
    PetscCall(ReportPrint(text, "\n"));
  }
  PetscFunctionReturn(0);
}

/* One block per condition, gnuplot's `index`. */
static PetscErrorCode StatData(ReportFigures *figs, const ReportCompare *cmp, int channel)
{
  ReportText text = {0};
  char file[64];
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# %s: x, then mean sd q025 q500 q975 of %s, model, Gaussian, %s again\n",
                        cmp->channel[channel].name, cmp->words->law, cmp->words->law));
  for (int64_t k = 0; k < cmp->K; k++) {
    PetscCall(ReportPrint(&text, "# "));
    PetscCall(ReportConditionTitle(&text, &cmp->space, &cmp->theta[cmp->space.n * k], 1));
    PetscCall(ReportPrint(&text, "\n"));
    PetscCall(ReportStatLines(&text, cmp, SCORIA_VIEW_FIELD, channel, cmp->channel[channel].scale, k));
    PetscCall(ReportPrint(&text, "\n\n"));
  }
  snprintf(file, sizeof file, "compare_%s.dat", cmp->channel[channel].name);
  PetscCall(ReportFiguresData(figs, file, &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

/* A grid of panels, rows channels, columns conditions; `plot` is the plot command for the data file f and its block k.
 */
static PetscErrorCode ConditionGrid(ReportText *body, const ReportCompare *cmp, int nch, const int channels[], int n,
                                    const int64_t chosen[], const char *prefix,
                                    PetscErrorCode (*legend)(ReportText *, const ReportWords *, double),
                                    const char *plot)
{
  char file[64];
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body, "set multiplot\n"));
  PetscCall(legend(body, cmp->words, 1 - (double)LEGEND / grid_height(nch)));
  PetscCall(ReportRangeX(body, &cmp->along, cmp->nchannels, cmp->field, (int)cmp->L, cmp->x));
  for (int row = 0; row < nch; row++)
    for (int column = 0; column < n; column++) {
      const ReportQuantity *q = &cmp->channel[channels[row]];
      PetscCall(Panel(body, &cmp->along, row, column, nch, n));
      PetscCall(ReportPrint(body, "set title \""));
      if (row == 0) PetscCall(ReportConditionTitle(body, &cmp->space, &cmp->theta[cmp->space.n * chosen[column]], 2));
      PetscCall(ReportPrint(body, "\" offset 0,-0.4\n"));
      if (column == 0)
        PetscCall(ReportPrint(body, "set ylabel '%s%s' offset 1,0\n", prefix, q->axis));
      else
        PetscCall(ReportPrint(body, "unset ylabel\n"));
      snprintf(file, sizeof file, "data/compare_%s.dat", q->name);
      PetscCall(ReportPrint(body, "f = '%s'\nk = %d\n%s", file, (int)chosen[column], plot));
    }
  PetscCall(ReportPrint(body, "unset multiplot\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportBandsLegend(ReportText *body, const ReportWords *words, double bottom)
{
  ReportText entries = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&entries,
                        "NaN with filledcurves linestyle 4 title '%s, central 95 %%', \\\n"
                        "     NaN with lines linestyle 1 title '%s, mean', \\\n"
                        "     NaN with lines linestyle 2 linewidth 1.5 title 'model, limits of 95 %%', \\\n"
                        "     NaN with lines linestyle 2 linewidth 2.5 dashtype (8,6) title 'model, mean'",
                        words->law, words->law));
  PetscCall(ReportLegendFrom(body, entries.s, bottom));
  PetscCall(ReportTextDestroy(&entries));
  PetscFunctionReturn(0);
}

/* What the standard deviations are of. */
static PetscErrorCode SpreadLegend(ReportText *body, const ReportWords *words, double bottom)
{
  ReportText entries = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&entries,
                        "NaN with lines linestyle 1 linewidth 3 title '%s', \\\n"
                        "     NaN with lines linestyle 2 dashtype (8,5) title 'model', \\\n"
                        "     NaN with lines linestyle 3 dashtype (2,4) title 'Gaussian baseline'",
                        words->law));
  PetscCall(ReportLegendFrom(body, entries.s, bottom));
  PetscCall(ReportTextDestroy(&entries));
  PetscFunctionReturn(0);
}

const char report_bands_plot[] = "plot f index k using 1:4:6 with filledcurves linestyle 4, \\\n"
                                 "     f index k using 1:2 with lines linestyle 1, \\\n"
                                 "     f index k using 1:9 with lines linestyle 2 linewidth 1.5, \\\n"
                                 "     f index k using 1:11 with lines linestyle 2 linewidth 1.5, \\\n"
                                 "     f index k using 1:7 with lines linestyle 2 linewidth 2.5 dashtype (8,6)\n";

/* What the conditions of all figures are spread over, so that they are the same ones in the same order. */
static int condition_axis(const ReportCompare *cmp)
{
  return PetscMax(0, shown_axis(&cmp->space, REPORT_LOAD));
}

PetscErrorCode ReportDrawBands(ReportFigures *figs, const ReportCompare *cmp)
{
  ReportText body = {0};
  int channels[REPORT_FIELDS];
  int64_t chosen[REPORT_COLUMNS];
  char caption[800], counts[160], drawn[64];
  PetscFunctionBeginUser;
  const int nch = drawn_channels(cmp, channels);
  if (nch == 0) PetscFunctionReturn(0);
  for (int c = 0; c < nch; c++) PetscCall(StatData(figs, cmp, channels[c]));
  compare_counts(cmp, sizeof counts, counts);
  const int axis = condition_axis(cmp), n = choose_conditions(cmp, axis, REPORT_COLUMNS, chosen);
  PetscCall(ConditionGrid(&body, cmp, nch, channels, n, chosen, "", ReportBandsLegend, report_bands_plot));
  report_fields_drawn(nch, cmp->nchannels, sizeof drawn, drawn);
  snprintf(caption, sizeof caption,
           "Mean and central 95 %% band of %s (grey band, full line) against those of the model's "
           "samples (blue, mean dashed) at %d of the %d held-out conditions, which no training step has seen.%s The "
           "conditions are spread evenly over %.64s; they were not picked by their error.%s",
           cmp->words->fresh, n, (int)cmp->K, counts, cmp->space.c[axis].name, drawn);
  PetscCall(ReportFiguresDraw(figs, "bands", 1180, grid_height(nch), &body,
                              "Predicted uncertainty at held-out conditions", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawSpread(ReportFigures *figs, const ReportCompare *cmp)
{
  ReportText body = {0};
  int channels[REPORT_FIELDS];
  int64_t chosen[REPORT_COLUMNS];
  char caption[512], counts[160];
  PetscFunctionBeginUser;
  const int nch = drawn_channels(cmp, channels);
  if (nch == 0) PetscFunctionReturn(0);
  compare_counts(cmp, sizeof counts, counts);
  const int axis = condition_axis(cmp), n = choose_conditions(cmp, axis, REPORT_COLUMNS, chosen);
  PetscCall(ConditionGrid(&body, cmp, nch, channels, n, chosen, "SD of ", SpreadLegend,
                          "set yrange [0:*]\n"
                          "plot f index k using 1:3 with lines linestyle 1 linewidth 3, \\\n"
                          "     f index k using 1:8 with lines linestyle 2 dashtype (8,5), \\\n"
                          "     f index k using 1:13 with lines linestyle 3 dashtype (2,4)\n"));
  snprintf(caption, sizeof caption,
           "Standard deviation of the fields over %s: %s against the model and against the "
           "Gaussian baseline, the model without its network, at %d of the %d held-out conditions, spread evenly over "
           "%.64s.%s",
           cmp->words->over, cmp->words->fresh, n, (int)cmp->K, cmp->space.c[axis].name, counts);
  PetscCall(ReportFiguresDraw(figs, "spread", 1180, grid_height(nch), &body, "Standard deviation along x", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ realisations ---- */

/* Whose realisations are drawn, side by side. */
static const ScoriaFrom single[2] = {SCORIA_FROM_PDE, SCORIA_FROM_MODEL};

/* Columns: x, then each example minus the PDE mean at that condition; one block per condition. */
static PetscErrorCode ExampleData(ReportFigures *figs, const ReportCompare *cmp, ScoriaFrom side, int channel)
{
  ReportText text          = {0};
  const double scale       = cmp->channel[channel].scale;
  const ScoriaField *field = &cmp->field[channel];
  char file[64];
  PetscFunctionBeginUser;
  for (int64_t k = 0; k < cmp->K; k++) {
    for (int64_t i = 0; i < field_cells(field, (int)cmp->L); i++) {
      const double mean = cmp->stat[SCORIA_VIEW_FIELD][SCORIA_FROM_PDE][channel][SCORIA_CURVE_MEAN][k * cmp->L + i];
      PetscCall(ReportPrint(&text, "%.6g", cmp->x[field->centre[0] + i] * cmp->along.scale));
      for (int64_t e = 0; e < cmp->examples; e++)
        PetscCall(ReportPrint(&text, " %.6g",
                              scale * (cmp->example[side][channel][(k * cmp->examples + e) * cmp->L + i] - mean)));
      PetscCall(ReportPrint(&text, "\n"));
    }
    PetscCall(ReportPrint(&text, "\n\n"));
  }
  snprintf(file, sizeof file, "examples_%s_%s.dat", scoria_from[side].group, cmp->channel[channel].name);
  PetscCall(ReportFiguresData(figs, file, &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

/* The largest fluctuation of a channel at a condition, both sides: the common scale of their two panels. */
static double fluctuation_limit(const ReportCompare *cmp, int channel, int64_t k)
{
  double limit = 0;
  for (int s = 0; s < 2; s++)
    for (int64_t e = 0; e < cmp->examples; e++)
      for (int64_t i = 0; i < cmp->L; i++) {
        const double mean = cmp->stat[SCORIA_VIEW_FIELD][SCORIA_FROM_PDE][channel][SCORIA_CURVE_MEAN][k * cmp->L + i];
        const double d    = fabs(cmp->example[single[s]][channel][(k * cmp->examples + e) * cmp->L + i] - mean);
        if (d > limit) limit = d;
      }
  return limit > 0 ? 1.08 * limit * cmp->channel[channel].scale : 1;
}

static PetscErrorCode FluctuationPanel(ReportText *body, const ReportCompare *cmp, int row, int rows, int channel,
                                       int column, int64_t k)
{
  const ReportQuantity *q = &cmp->channel[channel];
  const ScoriaFrom side   = single[column % 2];
  const bool model        = side == SCORIA_FROM_MODEL;
  const double limit      = fluctuation_limit(cmp, channel, k);
  PetscFunctionBeginUser;
  PetscCall(Panel(body, &cmp->along, row, column, rows, 4));
  PetscCall(ReportPrint(body, "set yrange [%g:%g]\n", -limit, limit));
  PetscCall(ReportPrint(body, "set title \""));
  if (row == 0) {
    PetscCall(ReportPrint(body, "{/:Bold %s}\\n", cmp->words->title[side]));
    PetscCall(ReportConditionTitle(body, &cmp->space, &cmp->theta[cmp->space.n * k], 2));
  }
  PetscCall(ReportPrint(body, "\" offset 0,-0.4\n"));
  if (column == 0)
    PetscCall(ReportPrint(body, "set ylabel '%s − mean%s'\n", q->label, q->axis + strlen(q->label)));
  else
    PetscCall(ReportPrint(body, "unset ylabel\n"));
  PetscCall(ReportPrint(body,
                        "plot for [j=2:%d] 'data/examples_%s_%s.dat' index %d using 1:j with lines linewidth 1.3 "
                        "linecolor rgb word('%s', 1 + j %% 4) notitle\n",
                        (int)cmp->examples + 1, scoria_from[side].group, q->name, (int)k,
                        model ? "#0072B2 #56B4E9 #00406B #2E8FD0" : "#000000 #8A8A8A #4A4A4A #B0B0B0"));
  PetscFunctionReturn(0);
}

/* Channels of which both sides have examples. */
static int example_channels(const ReportCompare *cmp, int channels[REPORT_FIELDS])
{
  int all[REPORT_FIELDS], n = 0;
  const int drawn = drawn_channels(cmp, all);
  for (int c = 0; c < drawn; c++)
    if (cmp->example[SCORIA_FROM_PDE][all[c]] && cmp->example[SCORIA_FROM_MODEL][all[c]]) channels[n++] = all[c];
  return n;
}

PetscErrorCode ReportDrawFluctuations(ReportFigures *figs, const ReportCompare *cmp)
{
  ReportText body = {0};
  int channels[REPORT_FIELDS];
  int64_t chosen[2];
  char caption[512];
  PetscFunctionBeginUser;
  const int rows = example_channels(cmp, channels);
  if (rows == 0) PetscFunctionReturn(0);
  for (int s = 0; s < 2; s++)
    for (int row = 0; row < rows; row++) PetscCall(ExampleData(figs, cmp, single[s], channels[row]));
  const int axis = condition_axis(cmp), n = choose_conditions(cmp, axis, 2, chosen);
  PetscCall(ReportPrint(&body, "set multiplot\nunset key\nset xzeroaxis linecolor rgb '#999999'\n"));
  PetscCall(ReportRangeX(&body, &cmp->along, cmp->nchannels, cmp->field, (int)cmp->L, cmp->x));
  for (int row = 0; row < rows; row++)
    for (int column = 0; column < 2 * n; column++)
      PetscCall(FluctuationPanel(&body, cmp, row, rows, channels[row], column, chosen[column / 2]));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  snprintf(caption, sizeof caption,
           "Single realisations of the %s (greys) and of the model (blues) minus the mean of the %s, at the held-out "
           "conditions with the smallest and the largest %.64s. The two are independent draws: they should look alike, "
           "not coincide.",
           cmp->words->law, cmp->words->law, cmp->space.c[axis].name);
  PetscCall(ReportFiguresDraw(figs, "fluctuations", 1180, grid_height(rows), &body, "Single realisations", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}
