/* What uq.json holds: a table of the quantities of interest, and their histograms, condition by condition. */
#include "report_answers.h"
#include "scoria/uq_result.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define SHOWN_CONDITIONS 6   /* curves with a colour and a name in one panel: as many as the eye keeps apart */
#define DRAWN_CONDITIONS 200 /* all others in grey, up to so many */
#define LEGEND_BOTTOM 0.85   /* of the figure's height: three lines of a legend, and its exponents */
#define SHOWN_QUANTITIES 4
#define SHOWN_ROWS 24 /* conditions in the table */

static const cJSON *conditions_of(const cJSON *uq)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(uq, UQ_CONDITIONS);
  return cJSON_IsArray(list) ? list : NULL;
}

static const cJSON *quantities_of(const cJSON *condition)
{
  return cJSON_GetObjectItemCaseSensitive(condition, UQ_QUANTITIES);
}

/* --------------------------------------------------------------------------------------------------- table ---- */

/* A value with its standard error, both to the second digit of the error. */
static PetscErrorCode Cell(ReportText *html, double value, double error)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(html, "<td class=\"n\">"));
  if (!isfinite(value))
    PetscCall(ReportPrint(html, "&ndash;"));
  else if (isfinite(error) && error > 0) {
    const int decimals = (int)PetscMax(0, PetscMin(12, 1 - floor(log10(error))));
    PetscCall(ReportPrint(html, "%.*f&nbsp;&plusmn;&nbsp;%.*f", decimals, value, decimals, error));
  } else
    PetscCall(ReportPrint(html, "%.6g", value));
  PetscCall(ReportPrint(html, "</td>"));
  PetscFunctionReturn(0);
}

/* How a quantity is written, from its value at the ends of its law; its name stays that of uq. */
static void uq_quantity(const cJSON *quantity, ReportQuantity *q)
{
  const cJSON *quantile;
  ScoriaUqQuantity what;
  ScoriaUqMoments moments;
  ScoriaUqQuantile at;
  members_take(quantity, scoria_uq_quantity_members, &what);
  members_take(quantity, scoria_uq_moment_members, &moments);
  double largest = fabs(moments.mean);
  cJSON_ArrayForEach(quantile, cJSON_GetObjectItemCaseSensitive(quantity, UQ_QUANTILES))
  {
    members_take(quantile, scoria_uq_quantile_members, &at);
    largest = fmax(largest, fabs(at.value));
  }
  report_quantity(quantity->string, what.unit ? what.unit : "", largest, q);
}

/* The lowest and the highest quantile. */
static void uq_ends(const cJSON *quantity, ScoriaUqQuantile ends[2])
{
  const cJSON *quantiles = cJSON_GetObjectItemCaseSensitive(quantity, UQ_QUANTILES);
  const int last         = cJSON_GetArraySize(quantiles) - 1;
  members_take(cJSON_GetArrayItem(quantiles, 0), scoria_uq_quantile_members, &ends[0]);
  members_take(cJSON_GetArrayItem(quantiles, last), scoria_uq_quantile_members, &ends[1]);
}

/* Of the first condition of a list that is not empty. */
static int64_t uq_samples(const cJSON *list)
{
  ScoriaUqCondition first;
  members_take(list->child, scoria_uq_condition_members, &first);
  return first.samples;
}

static const char *uq_source(const cJSON *uq)
{
  const char *source = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(uq, UQ_SOURCE));
  if (source && !strcmp(source, SCORIA_SOURCE_MULTILEVEL)) return "PDE, of several fidelities";
  if (source && !strcmp(source, SCORIA_SOURCE_GAUSSIAN)) return "model's Gaussian";
  return source && !strcmp(source, SCORIA_SOURCE_PDE) ? "PDE" : "model";
}

/* Of the mean, by compare, in SDs. */
static PetscErrorCode BiasCell(ReportText *html, const cJSON *quantity)
{
  ScoriaUqBias bias;
  PetscFunctionBeginUser;
  members_take(cJSON_GetObjectItemCaseSensitive(quantity, UQ_BIAS), scoria_uq_bias_members, &bias);
  if (isnan(bias.mean_bias_upper) && isfinite(bias.mean_bias_se))
    PetscCall(ReportPrint(html, "<td class=\"n\">%+.2g &plusmn;%.2g</td>", bias.mean_bias, bias.mean_bias_se));
  else if (isnan(bias.mean_bias_upper))
    PetscCall(ReportPrint(html, "<td class=\"n\">not checked</td>"));
  else if (isnan(bias.mean_bias))
    PetscCall(ReportPrint(html, "<td class=\"n\">(&lt;%.2g)</td>", bias.mean_bias_upper));
  else
    PetscCall(ReportPrint(html, "<td class=\"n\">%+.2g (&lt;%.2g)</td>", bias.mean_bias, bias.mean_bias_upper));
  PetscFunctionReturn(0);
}

static PetscErrorCode QuantityRow(ReportText *html, const cJSON *quantity, bool compared)
{
  ScoriaUqMoments moments;
  ScoriaUqQuantile ends[2];
  ReportQuantity q;
  PetscFunctionBeginUser;
  uq_quantity(quantity, &q);
  uq_ends(quantity, ends);
  members_take(quantity, scoria_uq_moment_members, &moments);
  PetscCall(ReportPrint(html, "<tr><td><code>"));
  PetscCall(ReportEscape(html, quantity->string));
  PetscCall(ReportPrint(html, "</code></td><td class=\"u\">"));
  PetscCall(ReportEnhanced(html, q.unit));
  PetscCall(ReportPrint(html, "</td>"));
  PetscCall(Cell(html, q.scale * moments.mean, q.scale * moments.mean_se));
  PetscCall(Cell(html, q.scale * moments.sd, q.scale * moments.sd_se));
  for (int i = 0; i < 2; i++) PetscCall(Cell(html, q.scale * ends[i].value, q.scale * ends[i].se));
  if (compared) PetscCall(BiasCell(html, quantity));
  PetscCall(ReportPrint(html, "</tr>\n"));
  PetscFunctionReturn(0);
}

/* What was never so has a probability below the upper end. */
static PetscErrorCode EventRow(ReportText *html, const cJSON *event, bool model)
{
  const double checked = json_number(event, UQ_CHECKED);
  ScoriaUqExceedance e;
  char unit[40], interval[64];
  PetscFunctionBeginUser;
  members_take(event, scoria_uq_exceedance_members, &e);
  PetscCall(ReportPrint(html, "<tr><td><code>"));
  PetscCall(ReportEscape(html, e.event ? e.event : e.field));
  PetscCall(ReportPrint(html, "</code></td><td class=\"u\">"));
  unit_label(e.unit && strcmp(e.unit, "1") ? e.unit : "", sizeof unit, unit); /* not of earlier releases */
  PetscCall(ReportEnhanced(html, unit));
  PetscCall(ReportPrint(html, "</td><td class=\"n\">%.4g</td>", e.probability));
  if (isfinite(e.high95)) /* which releases before did not write */
  {
    uq_interval_text(e.low95, e.high95, sizeof interval, interval);
    PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", interval));
  } else
    PetscCall(ReportPrint(html, "<td class=\"n\">&ndash;</td>"));
  if (model && checked < 1)
    PetscCall(ReportPrint(html, "<td class=\"n\">%.2g</td>", checked));
  else if (model)
    PetscCall(ReportPrint(html, "<td class=\"n\">%s</td>", checked >= 1 ? "nowhere" : "not checked"));
  PetscCall(ReportPrint(html, "</tr>\n"));
  PetscFunctionReturn(0);
}

/* A line that names the condition, over all columns. */
static PetscErrorCode ConditionLine(ReportText *html, const ScoriaSpace *space, const cJSON *list,
                                    const cJSON *condition, int columns)
{
  ReportText theta = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportTheta(space, list, condition, &theta));
  PetscCall(ReportPrint(html, "<tr><th scope=\"rowgroup\" colspan=\"%d\">at ", columns));
  PetscCall(ReportEnhanced(html, theta.s ? theta.s : "the one condition"));
  PetscCall(ReportPrint(html, "</th></tr>\n"));
  PetscCall(ReportTextDestroy(&theta));
  PetscFunctionReturn(0);
}

static PetscErrorCode ConditionRows(ReportText *html, const ScoriaSpace *space, const cJSON *list,
                                    const cJSON *condition, bool compared)
{
  const cJSON *quantities = quantities_of(condition), *quantity;
  PetscFunctionBeginUser;
  PetscCall(ConditionLine(html, space, list, condition, compared ? 7 : 6));
  cJSON_ArrayForEach(quantity, quantities) PetscCall(QuantityRow(html, quantity, compared));
  PetscFunctionReturn(0);
}

static PetscErrorCode EventTable(ReportText *html, const cJSON *uq, const ScoriaSpace *space, const cJSON *list)
{
  const bool model = cJSON_IsArray(cJSON_GetObjectItemCaseSensitive(uq, UQ_WARNINGS)); /* of files that say so */
  const cJSON *event;
  PetscFunctionBeginUser;
  if (!cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(list->child, UQ_EXCEED))) PetscFunctionReturn(0);
  PetscCall(ReportPrint(html,
                        "<h3>Probabilities of events</h3>\n<p>Shares of the fields, with the 95 %% interval of the "
                        "counting alone%s.</p>\n<div class=\"scroll\"><table>\n<thead><tr><th>event</th><th>unit</th>"
                        "<th class=\"n\">probability</th><th class=\"n\">95 %% interval</th>%s</tr></thead>\n<tbody>\n",
                        model ? "; agrees: the probability down to which compare has found the model's tail to be the "
                                "reference's"
                              : "",
                        model ? "<th class=\"n\">agrees down to</th>" : ""));
  for (int k = 0; k < PetscMin(cJSON_GetArraySize(list), SHOWN_ROWS); k++) {
    const cJSON *condition = cJSON_GetArrayItem(list, k);
    PetscCall(ConditionLine(html, space, list, condition, model ? 5 : 4));
    cJSON_ArrayForEach(event, cJSON_GetObjectItemCaseSensitive(condition, UQ_EXCEED))
        PetscCall(EventRow(html, event, model));
  }
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscFunctionReturn(0);
}

/* The tables of many conditions stand behind a line that opens them: figures say what they say. */
static PetscErrorCode BeginTables(ReportText *html, int conditions)
{
  PetscFunctionBeginUser;
  if (conditions > SHOWN_CONDITIONS)
    PetscCall(ReportPrint(html, "<details>\n<summary>Numbers at %s%d of %d conditions</summary>\n",
                          conditions > SHOWN_ROWS ? "the first " : "", PetscMin(conditions, SHOWN_ROWS), conditions));
  PetscFunctionReturn(0);
}

static PetscErrorCode EndTables(ReportText *html, int conditions)
{
  PetscFunctionBeginUser;
  if (conditions > SHOWN_ROWS) PetscCall(ReportPrint(html, "<p>The result's JSON file has all conditions.</p>\n"));
  if (conditions > SHOWN_CONDITIONS) PetscCall(ReportPrint(html, "</details>\n"));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportUqTable(const cJSON *uq, const ScoriaSpace *space, ReportText *html)
{
  const cJSON *list    = conditions_of(uq);
  const int conditions = cJSON_GetArraySize(list);
  PetscFunctionBeginUser;
  if (!list || conditions == 0) PetscFunctionReturn(0);
  if (conditions > 1) PetscCall(ReportHeld(list->child, scoria_uq_condition_members[0].name, list, space, html));
  const cJSON *first  = quantities_of(list->child);
  const bool compared = first && cJSON_GetObjectItemCaseSensitive(first->child, UQ_BIAS); /* of files that say so */
  ScoriaUqQuantile ends[2];
  uq_ends(first ? first->child : NULL, ends);
  PetscCall(ReportPrint(html,
                        "<p>%lld fields per condition from the %s; &plusmn; is the Monte Carlo standard error%s.</p>\n",
                        (long long)uq_samples(list), uq_source(uq),
                        compared ? ", bias that of the mean as <code>compare</code> found it over its conditions, in "
                                   "SDs, and (&lt;) below what it lies in their root mean square"
                                 : ""));
  PetscCall(BeginTables(html, conditions));
  PetscCall(ReportPrint(html,
                        "<div class=\"scroll\"><table%s>\n<thead><tr><th>quantity</th><th>unit</th>"
                        "<th class=\"n\">mean</th><th class=\"n\">SD</th>",
                        compared ? " class=\"many\"" : ""));
  PetscCall(ReportPrint(html,
                        "<th class=\"n\">quantile %g</th><th class=\"n\">quantile %g</th>%s</tr></thead>\n<tbody>\n",
                        ends[0].p, ends[1].p, compared ? "<th class=\"n\">bias [SD]</th>" : ""));
  for (int k = 0; k < PetscMin(conditions, SHOWN_ROWS); k++)
    PetscCall(ConditionRows(html, space, list, cJSON_GetArrayItem(list, k), compared));
  PetscCall(ReportPrint(html, "</tbody>\n</table></div>\n"));
  PetscCall(EventTable(html, uq, space, list));
  PetscCall(EndTables(html, conditions));
  PetscCall(ReportUqWarnings(uq, html));
  PetscCall(ReportLevels(uq, list, html));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- figure ---- */

/* The curves of a panel: those with a name first, spread evenly over the list, then as many of all in grey. */
typedef struct {
  int named, all;
} Curves;

static Curves curves_of(const cJSON *list)
{
  const int n = cJSON_GetArraySize(list);
  return (Curves){.named = PetscMin(n, SHOWN_CONDITIONS),
                  .all   = n > SHOWN_CONDITIONS ? PetscMin(n, DRAWN_CONDITIONS) : 0};
}

/* Which condition of the list curve k is. */
static int curve_condition(const cJSON *list, const Curves *curves, int k)
{
  const int n = cJSON_GetArraySize(list), of = k < curves->named ? curves->named : curves->all;
  const int i = k < curves->named ? k : k - curves->named;
  return of == 1 ? 0 : (int)lround((double)i * (n - 1) / (of - 1));
}

/* Block q * (named + all) + k: value and density of quantity q on curve k. */
static PetscErrorCode HistogramData(ReportFigures *figs, const cJSON *list, int quantities, const Curves *curves)
{
  ReportText text = {0};
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# value, density; a block per quantity and condition\n"));
  for (int q = 0; q < quantities; q++)
    for (int k = 0; k < curves->named + curves->all; k++) {
      const cJSON *condition = cJSON_GetArrayItem(list, curve_condition(list, curves, k));
      const cJSON *quantity  = cJSON_GetArrayItem(quantities_of(condition), q);
      ReportQuantity unit;
      ScoriaUqHistogram range;
      const cJSON *histogram = cJSON_GetObjectItemCaseSensitive(quantity, UQ_HISTOGRAM);
      const cJSON *shares    = cJSON_GetObjectItemCaseSensitive(histogram, UQ_SHARES), *share;
      uq_quantity(cJSON_GetArrayItem(quantities_of(list->child), q), &unit);
      members_take(histogram, scoria_uq_histogram_members, &range);
      const double lo = unit.scale * range.lo, hi = unit.scale * range.hi;
      const double width = (hi - lo) / PetscMax(cJSON_GetArraySize(shares), 1);
      int i              = 0;
      cJSON_ArrayForEach(share, shares)
          PetscCall(ReportPrint(&text, "%.9g %.6g\n", lo + (i++ + 0.5) * width, share->valuedouble / width));
      PetscCall(ReportPrint(&text, "\n\n"));
    }
  PetscCall(ReportFiguresData(figs, "uq.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

static PetscErrorCode HistogramPanel(ReportText *body, const cJSON *quantity, int q, int quantities,
                                     const Curves *curves)
{
  const double left = 0.065, width = (0.99 - left) / quantities;
  ReportQuantity unit;
  char name[64];
  PetscFunctionBeginUser;
  uq_quantity(quantity, &unit);
  plain_label(quantity->string, sizeof name, name);
  for (char *c = name; *c; c++)
    if (*c == '_') *c = ' ';
  PetscCall(ReportPrint(body,
                        "set lmargin at screen %g\nset rmargin at screen %g\nset bmargin at screen 0.25\n"
                        "set tmargin at screen 0.8\nset xlabel '%s%s%s%s' offset 0,-0.4\nset ylabel '%s'\nplot ",
                        left + q * width, left + (q + 1) * width - 0.035, name, *unit.unit ? "  [" : "", unit.unit,
                        *unit.unit ? "]" : "", q ? "" : "density, each on its scale"));
  const int first = q * (curves->named + curves->all);
  if (curves->all)
    PetscCall(ReportPrint(
        body, "for [k=%d:%d] 'data/uq.dat' index k using 1:2 with lines linewidth 0.7 linecolor rgb '#C4C4C4', ",
        first + curves->named, first + curves->named + curves->all - 1));
  for (int k = 0; k < curves->named; k++)
    PetscCall(ReportPrint(body,
                          "%s'data/uq.dat' index %d using 1:2 with lines linewidth 2 linecolor rgb word(colours, %d)",
                          k ? ", " : "", first + k, k + 1));
  PetscCall(ReportPrint(body, "\n"));
  PetscFunctionReturn(0);
}

/* Where the densities come from, and what the drawn quantities are. */
static void quantities_caption(const cJSON *uq, const cJSON *quantities, int number, size_t size, char caption[])
{
  const cJSON *list   = conditions_of(uq);
  const Curves curves = curves_of(list);
  size_t n = (size_t)snprintf(caption, size, "Densities over %lld fields of the %s", (long long)uq_samples(list),
                              uq_source(uq));
  if (cJSON_GetArraySize(list) > 1)
    n += (size_t)snprintf(caption + n, size - n, " at %d of %d conditions of uq", PetscMax(curves.named, curves.all),
                          cJSON_GetArraySize(list));
  n += (size_t)snprintf(caption + n, size - n, ".");
  if (cJSON_GetArraySize(quantities) > number)
    n += (size_t)snprintf(caption + n, size - n, " The first %d of %d quantities; the table has all.", number,
                          cJSON_GetArraySize(quantities));
  if (curves.all)
    n += (size_t)snprintf(caption + n, size - n,
                          " Those in colour are spread evenly over the list, all others are grey.");
  for (int q = 0; q < number && n < size; q++) {
    const cJSON *quantity = cJSON_GetArrayItem(quantities, q);
    ScoriaUqQuantity what;
    members_take(quantity, scoria_uq_quantity_members, &what);
    if (what.description) n += (size_t)snprintf(caption + n, size - n, " %s: %s.", quantity->string, what.description);
  }
}

PetscErrorCode ReportDrawUq(ReportFigures *figs, const cJSON *uq, const ScoriaSpace *space)
{
  const cJSON *list = conditions_of(uq);
  ReportText body = {0}, legend = {0};
  char caption[800];
  PetscFunctionBeginUser;
  if (!list || cJSON_GetArraySize(list) == 0) PetscFunctionReturn(0);
  const Curves curves  = curves_of(list);
  const int quantities = PetscMin(cJSON_GetArraySize(quantities_of(list->child)), SHOWN_QUANTITIES);
  if (quantities == 0) PetscFunctionReturn(0);
  PetscCall(HistogramData(figs, list, quantities, &curves));
  for (int k = 0; k < curves.named; k++) {
    PetscCall(ReportPrint(&legend, "%sNaN with lines linewidth 2 linecolor rgb word(colours, %d) title '",
                          k ? ", " : "", k + 1));
    PetscCall(ReportTheta(space, list, cJSON_GetArrayItem(list, curve_condition(list, &curves, k)), &legend));
    PetscCall(ReportPrint(&legend, "'"));
  }
  PetscCall(ReportPrint(&body, "colours = '#0072B2 #D55E00 #009E73 #CC79A7 #000000 #E69F00'\nset multiplot\n"));
  PetscCall(ReportLegendFrom(&body, legend.s, LEGEND_BOTTOM));
  PetscCall(
      ReportPrint(&body, "set yrange [0:*]\nset format y ''\nunset ytics\nset xtics rotate by -60 offset -1,0\n"));
  for (int q = 0; q < quantities; q++)
    PetscCall(HistogramPanel(&body, cJSON_GetArrayItem(quantities_of(list->child), q), q, quantities, &curves));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  quantities_caption(uq, quantities_of(list->child), quantities, sizeof caption, caption);
  PetscCall(
      ReportFiguresDraw(figs, "quantities", 1180, 480, &body, "Distribution of the quantities of interest", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscCall(ReportTextDestroy(&legend));
  PetscFunctionReturn(0);
}
