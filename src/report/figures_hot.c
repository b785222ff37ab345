/* Figures of whole fields: the law of a field's largest and smallest value; lateral spectra. */
#include "report_maps.h"
#include "scoria/maps.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEIGHT 300 /* of a row of panels */
#define HEAD 45    /* of spectra, above the panels */

/* The order of columns and of the legend. */
static const struct {
  ScoriaFrom from;
  const char *look;
} drawn[SCORIA_NFROM] = {{SCORIA_FROM_PDE, "lines linestyle 1"},
                         {SCORIA_FROM_PDE_AGAIN, "lines linestyle 4 linewidth 2"},
                         {SCORIA_FROM_MODEL, "lines linestyle 2 linewidth 2.5"},
                         {SCORIA_FROM_GAUSSIAN, "lines linestyle 3 dashtype (6,5)"}};

static PetscErrorCode Legend(ReportText *body, const ReportWords *words, const bool there[SCORIA_NFROM], double bottom)
{
  ReportText entries = {0};
  PetscFunctionBeginUser;
  for (int k = 0; k < SCORIA_NFROM; k++)
    if (there[drawn[k].from])
      PetscCall(ReportPrint(&entries, "%sNaN with %s title '%s'", entries.n ? ", \\\n     " : "", drawn[k].look,
                            words->title[drawn[k].from]));
  PetscCall(ReportLegendFrom(body, entries.s, bottom));
  PetscCall(ReportTextDestroy(&entries));
  PetscFunctionReturn(0);
}

/* Lines of the sources from columns 2, 3, ... of a block. */
static PetscErrorCode Lines(ReportText *body, const char *file, int block, const bool there[SCORIA_NFROM], int from,
                            const char *using)
{
  const char *before = "plot ";
  PetscFunctionBeginUser;
  for (int k = 0; k < SCORIA_NFROM; k++) {
    if (!there[drawn[k].from]) continue;
    PetscCall(ReportPrint(body, "%s'data/%s' index %d using ", before, file, block));
    PetscCall(ReportPrint(body, using, from + k));
    PetscCall(ReportPrint(body, " with %s", drawn[k].look));
    before = ", \\\n     ";
  }
  PetscCall(ReportPrint(body, "\n"));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- extremes ---- */

/* Probability of being beyond, then the quantile of every source; a block for each field and extreme. */
static PetscErrorCode ExtremeData(ReportFigures *figs, const ReportMaps *maps)
{
  ReportText text = {0};
  PetscFunctionBeginUser;
  PetscCall(
      ReportPrint(&text, "# probability of a value beyond that of %s, its floor, model, Gaussian\n", maps->words->law));
  for (int f = 0; f < maps->nfields; f++)
    for (int e = 0; e < 2; e++) {
      for (int q = 0; q < SCORIA_MAP_QUANTILES; q++) {
        PetscCall(ReportPrint(&text, "%.6g", e ? map_probability(q) : 1 - map_probability(q)));
        for (int k = 0; k < SCORIA_NFROM; k++) {
          const double *v = maps->field[f].extreme[drawn[k].from][e];
          PetscCall(ReportPrint(&text, " %.7g", v ? v[q] * maps->field[f].quantity.scale : NAN));
        }
        PetscCall(ReportPrint(&text, "\n"));
      }
      PetscCall(ReportPrint(&text, "\n\n"));
    }
  PetscCall(ReportFiguresData(figs, "extremes.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawExtremes(ReportFigures *figs, const ReportMaps *maps)
{
  const int height = 40 + HEIGHT * maps->nfields;
  ReportText body  = {0};
  bool there[SCORIA_NFROM];
  char caption[512];
  PetscFunctionBeginUser;
  if (!maps->nfields) PetscFunctionReturn(0);
  for (int s = 0; s < SCORIA_NFROM; s++) there[s] = maps->field[0].extreme[s][0] != NULL;
  PetscCall(ExtremeData(figs, maps));
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(Legend(&body, maps->words, there, 1 - 36.0 / height));
  PetscCall(ReportPrint(&body, "set logscale y\nset format y '%%g'\nset yrange [%g:1]\n", map_probability(0)));
  for (int f = 0; f < maps->nfields; f++)
    for (int e = 0; e < 2; e++) {
      const double top = 1 - (40.0 + f * HEIGHT + 8) / height, x0 = e ? 0.57 : 0.075;
      PetscCall(
          ReportPrint(&body,
                      "set lmargin at screen %g\nset rmargin at screen %g\nset tmargin at screen %.4f\nset bmargin "
                      "at screen %.4f\nset xlabel '%s %s' offset 0,0.3\nset ylabel '%s'\n",
                      x0, x0 + 0.41, top, top - (HEIGHT - 68.0) / height, e ? "smallest" : "largest",
                      maps->field[f].quantity.axis, e ? "P(below)" : "P(above)"));
      PetscCall(Lines(&body, "extremes.dat", 2 * f + e, there, 2, "%d:1"));
    }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  snprintf(
      caption, sizeof caption,
      "Left: how often the largest value of a whole field is above a value; right: how often the smallest one is "
      "below it; of the %.0f fields of each kind that the maps are of. The last few of these decide the lowest part of "
      "a curve.",
      maps->rows[SCORIA_FROM_PDE]);
  PetscCall(ReportFiguresDraw(figs, "extremes", REPORT_WIDTH, height, &body, "Hot spots of whole fields", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- spectra ---- */

/* The variances of a source, or of the reference, which is an array itself. */
static const cJSON *variance_of(const cJSON *spectrum, ScoriaFrom s)
{
  if (s == SCORIA_FROM_PDE) return cJSON_GetObjectItemCaseSensitive(spectrum, COMPARE_REFERENCE);
  return cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(spectrum, scoria_from[s].member),
                                          COMPARE_VARIANCE);
}

static double item(const cJSON *array, int i)
{
  const cJSON *one = cJSON_GetArrayItem(array, i);
  return cJSON_IsNumber(one) ? one->valuedouble : NAN;
}

/* Wave number, then the variance of every source over the total of the reference; a block for each field. */
static PetscErrorCode SpectrumData(ReportFigures *figs, const cJSON *waves, const cJSON *fields,
                                   bool there[SCORIA_NFROM])
{
  ReportText text = {0};
  const cJSON *field;
  PetscFunctionBeginUser;
  memset(there, 0, sizeof *there * SCORIA_NFROM);
  cJSON_ArrayForEach(field, fields)
  {
    const cJSON *spectrum = cJSON_GetObjectItemCaseSensitive(field, COMPARE_SPECTRUM);
    double total          = 0;
    for (int i = 0; i < cJSON_GetArraySize(waves); i++) total += item(variance_of(spectrum, SCORIA_FROM_PDE), i);
    for (int i = 0; i < cJSON_GetArraySize(waves); i++) {
      PetscCall(ReportPrint(&text, "%.6g", item(waves, i)));
      for (int k = 0; k < SCORIA_NFROM; k++) {
        const double v = item(variance_of(spectrum, drawn[k].from), i) / total;
        there[drawn[k].from] |= isfinite(v);
        PetscCall(ReportPrint(&text, " %.6g", v > 0 ? v : NAN));
      }
      PetscCall(ReportPrint(&text, "\n"));
    }
    PetscCall(ReportPrint(&text, "\n\n"));
  }
  PetscCall(ReportFiguresData(figs, "spectra.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawSpectra(ReportFigures *figs, const cJSON *compare)
{
  const cJSON *whole       = cJSON_GetObjectItemCaseSensitive(compare, COMPARE_WHOLE);
  const cJSON *waves       = cJSON_GetObjectItemCaseSensitive(whole, COMPARE_WHOLE_WAVES), *field;
  const cJSON *fields      = cJSON_GetObjectItemCaseSensitive(whole, COMPARE_WHOLE_FIELDS);
  const int n              = PetscMin(cJSON_GetArraySize(fields), REPORT_FIELDS);
  const int height         = report_fields_height(n, HEAD);
  const ReportWords *words = report_words_of(compare);
  ReportText body          = {0};
  bool there[SCORIA_NFROM];
  char caption[400];
  int f = 0;
  PetscFunctionBeginUser;
  if (!n || cJSON_GetArraySize(waves) < 2) PetscFunctionReturn(0);
  PetscCall(SpectrumData(figs, waves, fields, there));
  PetscCall(ReportPrint(&body, "set multiplot\n"));
  PetscCall(Legend(&body, words, there, 1 - 28.0 / height));
  PetscCall(ReportPrint(&body,
                        "set logscale xy\nset xrange [%g:%g]\nset format xy '10^{%%T}'\nset xlabel 'lateral wave "
                        "number  [rad m^{-1}]' offset 0,0.3\n",
                        item(waves, 0) / 1.3, item(waves, cJSON_GetArraySize(waves) - 1) * 1.3));
  cJSON_ArrayForEach(field, fields)
  {
    ReportQuantity q;
    if (f == n) break;
    report_quantity(field->string, "1", 1, &q);
    PetscCall(ReportFieldPanel(&body, f, n, HEAD));
    PetscCall(ReportPrint(&body, "set ylabel 'share of the variance of %s'\n", q.label));
    PetscCall(Lines(&body, "spectra.dat", f++, there, 2, "1:%d"));
  }
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  snprintf(caption, sizeof caption,
           "Lateral variance by wave number, mean over x and over the held-out conditions, as a share of the total of "
           "the %s.",
           words->law);
  PetscCall(ReportFiguresDraw(figs, "spectra", REPORT_WIDTH, height, &body, "Lateral spectra", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}
