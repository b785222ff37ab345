/* Private to the report: what compare.json holds, as figures and tables. */
#ifndef SCORIA_REPORT_MEASURES_H
#define SCORIA_REPORT_MEASURES_H

#include "figures.h"
#include "report_labels.h"
#include "scoria/results.h"

/* Figures, nothing when their data are absent.  Rank 0 only. */
PetscErrorCode ReportDrawMeasures(ReportFigures *figs, const cJSON *compare);
PetscErrorCode ReportDrawWorth(ReportFigures *figs, const cJSON *compare);
const char *report_estimate(const char *name); /* the title of an estimate: "97.5 % quantile"; "" where there is none */

/* Tables of the page, nothing when their data are absent. */
PetscErrorCode ReportHeadline(const cJSON *compare, ReportText *html);
PetscErrorCode ReportPooledTable(const cJSON *compare, ReportText *html);
PetscErrorCode ReportWholeTable(const cJSON *compare, ReportText *html);
PetscErrorCode ReportConditionTable(const cJSON *compare, const ScoriaSpace *space, ReportText *html);
PetscErrorCode ReportCostTable(const cJSON *compare, ReportText *html);
PetscErrorCode ReportWorthTable(const cJSON *compare, ReportText *html);
PetscErrorCode ReportTailsTable(const cJSON *compare, ReportText *html);
PetscErrorCode ReportChecks(const cJSON *compare, ReportText *html);

#endif
