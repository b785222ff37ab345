/* Figure of imported profiles that are judged together: their residuals along x, rows of all held-back conditions
 * against as many draws of the model and of its Gaussian. */
#include "report_compare.h"
#include <stdio.h>

#define HEAD 62 /* points above the panels */

static bool is_there(const ReportCompare *cmp, int channel)
{
  for (int side = 0; side < SCORIA_NFROM; side++)
    for (int s = 0; s < SCORIA_NCURVES; s++)
      if (!cmp->stat[SCORIA_VIEW_FIELD][side][channel][s]) return false;
  return true;
}

/* Of the model limits and mean, of the Gaussian and of the rows once more the limits. */
static PetscErrorCode Legend(ReportText *body, const ReportWords *words, double bottom)
{
  ReportText entries = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&entries,
                        "NaN with filledcurves linestyle 4 title '%s, 95 %%', \\\n"
                        "     NaN with lines linestyle 1 title '%s, mean', \\\n"
                        "     NaN with lines linecolor rgb '#777777' dashtype (2,4) title 'drawn again', \\\n"
                        "     NaN with lines linestyle 2 linewidth 1.5 title 'model, 95 %%', \\\n"
                        "     NaN with lines linestyle 2 linewidth 2.5 dashtype (8,6) title 'model, mean', \\\n"
                        "     NaN with lines linestyle 3 dashtype (6,5) title 'Gaussian, 95 %%'",
                        words->law, words->law));
  PetscCall(ReportLegendFrom(body, entries.s, bottom));
  PetscCall(ReportTextDestroy(&entries));
  PetscFunctionReturn(0);
}

static PetscErrorCode Data(ReportFigures *figs, const ReportCompare *cmp, int channel)
{
  ReportText text = {0};
  char file[96];
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# residuals of %s: x, then mean sd q025 q500 q975 of %s, model, Gaussian, %s again\n",
                        cmp->channel[channel].name, cmp->words->law, cmp->words->law));
  PetscCall(ReportStatLines(&text, cmp, SCORIA_VIEW_FIELD, channel, 1, 0));
  snprintf(file, sizeof file, "residuals_%s.dat", cmp->channel[channel].name);
  PetscCall(ReportFiguresData(figs, file, &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

static PetscErrorCode PlotPanel(ReportText *body, const ReportCompare *cmp, int channel)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body,
                        "set ylabel '%s, residual / SD' offset 1,0\nf = 'data/residuals_%s.dat'\nk = 0\n%s"
                        "",
                        cmp->channel[channel].label, cmp->channel[channel].name,
                        "plot f using 1:4:6 with filledcurves linestyle 4, \\\n"
                        "     0 with lines linecolor rgb '#444444' linewidth 0.5, \\\n"
                        "     f using 1:2 with lines linestyle 1, \\\n"
                        "     f using 1:19 with lines linecolor rgb '#777777' dashtype (2,4), \\\n"
                        "     f using 1:21 with lines linecolor rgb '#777777' dashtype (2,4), \\\n"
                        "     f using 1:9 with lines linestyle 2 linewidth 1.5, \\\n"
                        "     f using 1:11 with lines linestyle 2 linewidth 1.5, \\\n"
                        "     f using 1:7 with lines linestyle 2 linewidth 2.5 dashtype (8,6), \\\n"
                        "     f using 1:14 with lines linestyle 3 dashtype (6,5), \\\n"
                        "     f using 1:16 with lines linestyle 3 dashtype (6,5)\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawResiduals(ReportFigures *figs, const ReportCompare *cmp)
{
  ReportText body = {0};
  int n           = 0, channel[REPORT_FIELDS];
  char caption[640], drawn[64];
  PetscFunctionBeginUser;
  for (int c = 0; c < cmp->nchannels && n < REPORT_FIELDS && cmp->K == 1 && cmp->good; c++)
    if (is_there(cmp, c)) channel[n++] = c;
  if (!n) PetscFunctionReturn(0);
  const int height = report_fields_height(n, HEAD);
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(Legend(&body, cmp->words, 1 - 28.0 / height));
  PetscCall(ReportRangeX(&body, &cmp->along, cmp->nchannels, cmp->field, (int)cmp->L, cmp->x));
  PetscCall(ReportPrint(&body, "set xlabel '%s' offset 0,0.3\n", cmp->along.axis));
  for (int i = 0; i < n; i++) {
    PetscCall(Data(figs, cmp, channel[i]));
    PetscCall(ReportFieldPanel(&body, i, n, HEAD));
    PetscCall(PlotPanel(&body, cmp, channel[i]));
  }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  report_fields_drawn(n, cmp->nchannels, sizeof drawn, drawn);
  snprintf(
      caption, sizeof caption,
      "Mean and central 95 %% band of the residuals of %.0f rows that no training step has seen (grey, black) and of "
      "as many draws of the model (blue) and of its Gaussian (limits, orange): every value minus the model's mean, "
      "over its standard deviation, at the row's own condition. Drawn again: limits of a bootstrap sample of the "
      "rows, which differ by chance alone.%s",
      cmp->good[SCORIA_FROM_PDE], drawn);
  PetscCall(
      ReportFiguresDraw(figs, "residuals", REPORT_WIDTH, height, &body, "Residuals of what was held back", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}
