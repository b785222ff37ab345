/* Figure of uq's Sobol indices: the shares of a quantity's variance that the conditions cause, and what no condition
 * tells. */
#include "scoria/uq_result.h"
#include "report_answers.h"
#include <string.h>
#include <stdio.h>

static const cJSON *member(const cJSON *object, const char *name)
{
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const cJSON *indices_of(const cJSON *quantities, int q)
{
  return member(cJSON_GetArrayItem(quantities, q), UQ_INDICES);
}

/* One block per quantity: first-order and total index of each input, with errors. */
static PetscErrorCode SobolData(ReportFigures *figs, const cJSON *quantities, int number)
{
  ReportText text = {0};
  const cJSON *index;
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(&text, "# first order, error, total, error; a line per input, a block per quantity\n"));
  for (int q = 0; q < number; q++) {
    cJSON_ArrayForEach(index, indices_of(quantities, q))
    {
      ScoriaUqIndex of;
      members_take(index, scoria_uq_index_members, &of);
      PetscCall(ReportPrint(&text, "%.6g %.3g %.6g %.3g\n", of.first, of.first_se, of.total, of.total_se));
    }
    PetscCall(ReportPrint(&text, "\n\n"));
  }
  PetscCall(ReportFiguresData(figs, "sobol.dat", &text));
  PetscCall(ReportTextDestroy(&text));
  PetscFunctionReturn(0);
}

/* All conditions together are the θ of the caption. */
static PetscErrorCode InputTics(ReportText *body, const cJSON *indices)
{
  const cJSON *index;
  int i = 0;
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body, "set xtics ("));
  cJSON_ArrayForEach(index, indices)
  {
    ScoriaUqIndex of;
    ReportQuantity q;
    members_take(index, scoria_uq_index_members, &of);
    const bool all = of.input && !strcmp(of.input, UQ_ALL_CONDITIONS);
    report_quantity(of.input ? of.input : "", "", 1, &q);
    PetscCall(ReportPrint(body, "%s'%s' %d", i ? ", " : "", all ? "θ" : q.label, i));
    i++;
  }
  PetscCall(ReportPrint(body, ") out scale 0\nset xrange [-0.6:%g]\n", i - 0.4));
  PetscFunctionReturn(0);
}

static PetscErrorCode SobolPanels(ReportText *body, const cJSON *quantities, int number)
{
  PetscFunctionBeginUser;
  PetscCall(InputTics(body, indices_of(quantities, 0)));
  for (int q = 0; q < number; q++) {
    char name[64];
    report_quantity_words(cJSON_GetArrayItem(quantities, q)->string, sizeof name, name);
    PetscCall(ReportRowPanel(body, q, number, 0.12));
    PetscCall(ReportPrint(body, "set title '%s' offset 0,-0.6\nset ylabel '%s'\nset format y '%s'\n", name,
                          q ? "" : "share of the variance", q ? "" : "%g"));
    PetscCall(ReportPrint(body,
                          "plot 'data/sobol.dat' index %d using ($0-0.19):1 with boxes linestyle 2, "
                          "'' index %d using ($0+0.19):3 with boxes linestyle 3, "
                          "'' index %d using ($0-0.19):($1-2*$2):(0):(4*$2) with vectors nohead linewidth 1.5 "
                          "linecolor rgb '#000000', '' index %d using ($0+0.19):($3-2*$4):(0):(4*$4) with vectors "
                          "nohead linewidth 1.5 linecolor rgb '#000000'\n",
                          q, q, q, q));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode ReportDrawSobol(ReportFigures *figs, const cJSON *uq)
{
  const cJSON *sobol = member(uq, UQ_SOBOL), *quantities = member(sobol, UQ_QUANTITIES);
  const int number = PetscMin(cJSON_GetArraySize(quantities), REPORT_QUANTITIES);
  ScoriaUqSobol what;
  ReportText body = {0};
  char caption[800];
  PetscFunctionBeginUser;
  if (number == 0) PetscFunctionReturn(0);
  members_take(sobol, scoria_uq_sobol_members, &what);
  PetscCall(SobolData(figs, quantities, number));
  PetscCall(ReportPrint(&body, "set multiplot\nset boxwidth 0.36\nset style fill solid 0.85 noborder\n"));
  PetscCall(ReportLegend(&body, "NaN with boxes linestyle 2 title 'first order: alone', NaN with boxes linestyle 3 "
                                "title 'total: with all interactions'"));
  PetscCall(ReportPrint(&body, "set yrange [-0.05:1.1]\n"));
  PetscCall(SobolPanels(&body, quantities, number));
  PetscCall(ReportPrint(&body, "unset multiplot\n"));
  snprintf(
      caption, sizeof caption,
      "Sobol indices over the ranges of the conditions, with two standard errors, from %lld pairs of conditions "
      "and %lld draws of what is not a condition (unseen: the %.40s) at each. θ: all conditions together; what they "
      "leave to 1 is the total index of unseen. The first-order bars of conditions and these two do not depend on "
      "what makes the draws; total bars of single conditions and the first order of unseen also depend on how one "
      "draw acts at other conditions%s.",
      (long long)what.blocks, (long long)what.draws, what.unseen ? what.unseen : "porosity",
      figs->imported ? "" : ", and differ between model and PDE");
  PetscCall(ReportFiguresDraw(figs, "sobol", (int)REPORT_WIDTH, 360, &body, "What the spread comes from", caption));
  PetscCall(ReportTextDestroy(&body));
  PetscFunctionReturn(0);
}
