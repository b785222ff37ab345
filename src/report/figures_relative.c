/* One condition at large, in one row of panels: the deck's own sample condition where there is one.  A channel that
 * fluctuates as a whole by more than it varies along x (the potential of an electrode under a given current) would be
 * a flat line in a wide band: it is drawn minus its value in the first cell. */
#include "report_compare.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEAD 75 /* points above the panels */

/* ------------------------------------------------------------------------------------------ what is shown ---- */

static const double *get_stat(const ReportView *view, int i, int side, int s)
{
  const double *stat = view->cmp->stat[view->view[i]][side][view->channel[i]][s];
  return stat + view->k * view->cmp->L;
}

static bool is_whole(const ReportCompare *cmp, int channel)
{
  for (int v = 0; v < SCORIA_NVIEWS; v++)
    for (int side = 0; side < SCORIA_NFROM; side++)
      for (int s = 0; s < SCORIA_NCURVES; s++)
        if (!cmp->stat[v][side][channel][s]) return false;
  return true;
}

static double mean_range(const ReportCompare *cmp, int channel, int64_t k)
{
  const double *mean = cmp->stat[SCORIA_VIEW_FIELD][SCORIA_FROM_PDE][channel][SCORIA_CURVE_MEAN] + k * cmp->L;
  double lo = mean[0], hi = mean[0];
  for (int64_t i = 1; i < cmp->L; i++) {
    lo = fmin(lo, mean[i]);
    hi = fmax(hi, mean[i]);
  }
  return hi - lo;
}

static double first_sd(const ReportCompare *cmp, int channel, int64_t k)
{
  return cmp->stat[SCORIA_VIEW_FIELD][SCORIA_FROM_PDE][channel][SCORIA_CURVE_SD][k * cmp->L];
}

/* The unit follows from what is drawn: millivolts of a potential of volts. */
static void describe_channel(ReportView *view, int i)
{
  const ReportCompare *cmp = view->cmp;
  const int c              = view->channel[i];
  double largest           = 0;
  for (int64_t j = 0; j < cmp->L; j++)
    largest = fmax(largest, fmax(fabs(get_stat(view, i, SCORIA_FROM_PDE, SCORIA_CURVE_Q025)[j]),
                                 fabs(get_stat(view, i, SCORIA_FROM_PDE, SCORIA_CURVE_Q975)[j])));
  report_quantity(cmp->field[c].name, cmp->field[c].unit, largest, &view->quantity[i]);
}

/* "φ − φ(0)  [mV]", as enhanced text. */
static void view_label(const ReportView *view, int i, size_t size, char label[])
{
  const ReportQuantity *q = &view->quantity[i];
  if (view->view[i] == SCORIA_VIEW_RELATIVE)
    snprintf(label, size, "%s − %s(0)%s", q->label, q->label, q->axis + strlen(q->label));
  else
    snprintf(label, size, "%s", q->axis);
}

void report_view(const ReportCompare *heldout, const ReportCompare *sample, ReportView *view)
{
  int64_t chosen[REPORT_COLUMNS];
  bool relative            = false;
  const ReportCompare *cmp = sample->K ? sample : heldout;
  *view                    = (ReportView){.cmp = cmp, .sample = sample->K > 0};
  if (!cmp->K || !cmp->good) return;
  choose_conditions(cmp, PetscMax(0, shown_axis(&cmp->space, REPORT_LOAD)), REPORT_COLUMNS, chosen);
  view->k = chosen[0];
  for (int c = 0; c < cmp->nchannels && view->n < REPORT_FIELDS; c++) {
    if (!is_whole(cmp, c)) continue;
    const int i      = view->n++;
    view->channel[i] = c;
    view->view[i] =
        first_sd(cmp, c, view->k) > 3 * mean_range(cmp, c, view->k) ? SCORIA_VIEW_RELATIVE : SCORIA_VIEW_FIELD;
    relative = relative || view->view[i] == SCORIA_VIEW_RELATIVE;
    describe_channel(view, i);
  }
  if (!view->sample && !relative) view->n = 0;
}

/* ----------------------------------------------------------------------------------------------- figure ---- */

static PetscErrorCode ViewData(ReportFigures *figs, const ReportView *view, int i)
{
  ReportText text = {0};
  char file[96], label[256];
  PetscFunctionBeginUser;
  view_label(view, i, sizeof label, label);
  PetscCall(ReportPrint(&text, "# %s: x, then mean sd q025 q500 q975 of %s, model, Gaussian, %s again\n", label,
                        view->cmp->words->law, view->cmp->words->law));
  PetscCall(ReportStatLines(&text, view->cmp, view->view[i], view->channel[i], view->quantity[i].scale, view->k));
  snprintf(file, sizeof file, "relative_%s.dat", view->quantity[i].name);
  PetscCall(ReportFiguresData(figs, file, &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

static PetscErrorCode ViewPanel(ReportText *body, const ReportView *view, int i)
{
  const ReportQuantity *q = &view->quantity[i], *along = &view->cmp->along;
  char label[256];
  PetscFunctionBeginUser;
  PetscCall(ReportFieldPanel(body, i, view->n, HEAD));
  PetscCall(ReportPrint(body, "set xlabel '%s' offset 0,0.3\n", along->axis));
  view_label(view, i, sizeof label, label);
  PetscCall(ReportPrint(body, "set ylabel '%s' offset 1,0\n", label));
  PetscCall(ReportPrint(body, "f = 'data/relative_%s.dat'\nk = 0\n%s", q->name, report_bands_plot));
  PetscFunctionReturn(0);
}

/* What the two sides are, and why a channel is drawn minus its first cell. */
static void write_caption(const ReportView *view, size_t size, char caption[])
{
  const ReportCompare *cmp = view->cmp;
  const double *good       = cmp->good + view->k * SCORIA_NFROM;
  const char *where =
      view->sample ? "the sample condition of the deck, apart from the held-out ones" : "one held-out condition";
  size_t n =
      (size_t)snprintf(caption, size,
                       "Mean and central 95 %% band at %s: %.0f fields of the %s (grey band, full line), %.0f of "
                       "the model (blue, mean dashed).",
                       where, good[0], cmp->words->law, good[2]);
  for (int i = 0; i < view->n && n < size; i++) {
    const int c              = view->channel[i];
    const ScoriaField *field = &cmp->field[c];
    if (view->view[i] == SCORIA_VIEW_FIELD) continue;
    n += (size_t)snprintf(caption + n, size - n,
                          " %.32s is drawn minus its own value in the first cell: as a whole it fluctuates from "
                          "%s with an SD of %.2g %.16s, its mean varies along x by %.2g %.16s only.",
                          field->name, cmp->words->from_one, first_sd(cmp, c, view->k), field->unit,
                          mean_range(cmp, c, view->k), field->unit);
  }
}

PetscErrorCode ReportDrawRelative(ReportFigures *figs, const ReportView *view)
{
  ReportText body = {0};
  char caption[800];
  PetscFunctionBeginUser;
  if (!view->n) PetscFunctionReturn(0);
  const ReportCompare *cmp = view->cmp;
  const int height         = report_fields_height(view->n, HEAD);
  for (int i = 0; i < view->n; i++) PetscCall(ViewData(figs, view, i));
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(ReportBandsLegend(&body, cmp->words, 1 - 28.0 / height));
  PetscCall(ReportRangeX(&body, &cmp->along, cmp->nchannels, cmp->field, (int)cmp->L, cmp->x));
  PetscCall(ReportPrint(&body, "set label 1 \""));
  PetscCall(ReportConditionTitle(&body, &cmp->space, &cmp->theta[cmp->space.n * view->k], 1));
  PetscCall(ReportPrint(&body, "\" at screen 0.5,%.4f center\n", 1 - 50.0 / height));
  for (int i = 0; i < view->n; i++) {
    PetscCall(ViewPanel(&body, view, i));
    PetscCall(ReportPrint(&body, "unset label 1\n"));
  }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  write_caption(view, sizeof caption, caption);
  PetscCall(ReportFiguresDraw(figs, "relative", 1180, height, &body,
                              view->sample ? "The sample condition" : "One condition at large", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ table ---- */

static PetscErrorCode TableRows(const ReportView *view, int i, ReportText *html)
{
  static const int sides[] = {SCORIA_FROM_PDE, SCORIA_FROM_PDE_AGAIN, SCORIA_FROM_MODEL},
                   stats[] = {SCORIA_CURVE_MEAN, SCORIA_CURVE_SD};
  const ReportCompare *cmp = view->cmp;
  char label[256];
  PetscFunctionBeginUser;
  view_label(view, i, sizeof label, label);
  for (int quarter = 1; quarter <= 4; quarter++) {
    const ScoriaField *field = &cmp->field[view->channel[i]];
    const int64_t cells = field_cells(field, (int)cmp->L), j = PetscMin(quarter * cells / 4, cells - 1);
    PetscCall(ReportPrint(html, "<tr><td>"));
    PetscCall(ReportEnhanced(html, label));
    PetscCall(ReportPrint(html, "</td><td class=\"n\">%.4g</td>", cmp->x[field->centre[0] + j] * cmp->along.scale));
    for (int column = 0; column < 6; column++)
      PetscCall(ReportPrint(html, "<td class=\"n\">%#.4g</td>",
                            view->quantity[i].scale * get_stat(view, i, sides[column % 3], stats[column / 3])[j]));
    PetscCall(ReportPrint(html, "</tr>\n"));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportRelativeTable(const ReportView *view, ReportText *html)
{
  const char *law  = view->n ? view->cmp->words->law : "";
  ReportText title = {0};
  bool headed      = false;
  PetscFunctionBeginUser;
  for (int i = 0; i < view->n; i++) {
    if (view->view[i] == SCORIA_VIEW_FIELD) continue;
    if (!headed)
      PetscCall(ReportPrint(html,
                            "<div class=\"scroll\"><table>\n<thead><tr><th>%s</th><th class=\"n\">%s%s%s%s</th>"
                            "<th class=\"n\">mean, %s</th><th class=\"n\">%s again</th><th "
                            "class=\"n\">model</th><th class=\"n\">SD, %s</th><th class=\"n\">%s again</th>"
                            "<th class=\"n\">model</th></tr></thead>\n<tbody>\n",
                            view->sample ? "at the sample condition" : "at this condition", view->cmp->along.label,
                            *view->cmp->along.unit ? " [" : "", view->cmp->along.unit,
                            *view->cmp->along.unit ? "]" : "", law, law, law, law));
    headed = true;
    PetscCall(TableRows(view, i, html));
  }
  if (headed) {
    PetscCall(ReportConditionTitle(&title, &view->cmp->space, &view->cmp->theta[view->cmp->space.n * view->k], 1));
    PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n<p class=\"note\">"));
    PetscCall(ReportEnhanced(html, title.s));
    PetscCall(ReportPrint(html, ". %s again: a second, independent sample.</p>\n", law));
  }
  PetscCall(ReportTextDestroy(&title));
  PetscFunctionReturn(0);
}
