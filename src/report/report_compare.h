/* Private to the report: what compare.h5 holds, and its figures. */
#ifndef SCORIA_REPORT_COMPARE_H
#define SCORIA_REPORT_COMPARE_H

#include "figures.h"
#include "report_labels.h"
#include "scoria/results.h"
#include "report_words.h"

/* The conditions of one group of compare.h5, on every rank. */
typedef struct {
  const ReportWords *words; /* borrowed: for what it is measured against */
  int64_t K, L;             /* conditions, cells of the longest field; K = 0: no such file or group */
  int64_t examples;         /* fields kept per condition and side */
  double *x;                /* (fields_centres) [m] */
  ScoriaSpace space;
  double *theta; /* (K, space.n) */
  double *good;  /* (K, SCORIA_NFROM) fields behind the curves; NULL where the file does not say */
  int nchannels;
  ReportQuantity channel[SCORIA_MAX_FIELDS], along; /* along: x */
  ScoriaField field[SCORIA_MAX_FIELDS];
  double
      *stat[SCORIA_NVIEWS][SCORIA_NFROM][SCORIA_MAX_FIELDS][SCORIA_NCURVES]; /* (K, L); NULL where the file has none */
  double *example[SCORIA_NFROM][SCORIA_MAX_FIELDS]; /* (K, examples, L); of PDE and model, NULL where none */
} ReportCompare;

/* group: "" for the held-out conditions, SCORIA_COMPARE_SAMPLE, _RESIDUALS for the others. */
PetscErrorCode ReportCompareRead(MPI_Comm comm, const char *path, const char *group, ReportCompare *cmp);
PetscErrorCode ReportCompareDestroy(ReportCompare *cmp);

/* "500 fields of the PDE and 500 of the model at each": what is behind the curves; "" where the file does not say. */
void compare_counts(const ReportCompare *cmp, size_t size, char text[]);

/* One condition of a comparison, each channel as it is or, where it fluctuates as a whole, minus its value in the
 * first cell. */
typedef struct {
  const ReportCompare *cmp; /* borrowed */
  bool sample;              /* the deck's own condition; else the first held-out one that is drawn */
  int64_t k;
  int n, channel[REPORT_FIELDS], view[REPORT_FIELDS]; /* n = 0: nothing to show */
  ReportQuantity quantity[REPORT_FIELDS];
} ReportView;

/* Nothing where there is no sample condition and no channel that fluctuates as a whole: the bands show it all. */
void report_view(const ReportCompare *heldout, const ReportCompare *sample, ReportView *view);

/* Mean and band of PDE and model: legend, from `bottom` of the figure's height on, and the plot command for the data
 * file f and its block k. */
PetscErrorCode ReportBandsLegend(ReportText *body, const ReportWords *words, double bottom);
extern const char report_bands_plot[];
/* At most `want` conditions, evenly spaced in the order of theta[axis]: chosen without looking at the errors. */
int choose_conditions(const ReportCompare *cmp, int axis, int want, int64_t chosen[]);
/* Lines of one block: x, then mean, sd, q025, q500, q975 of PDE, model, Gaussian and PDE again, 21 columns. */
PetscErrorCode ReportStatLines(ReportText *text, const ReportCompare *cmp, int view, int channel, double scale,
                               int64_t k);
#define REPORT_COLUMNS 4 /* conditions drawn: as many as can be read on a page */

/* Figures, nothing when their data are absent.  Rank 0 only. */
PetscErrorCode ReportDrawBands(ReportFigures *figs, const ReportCompare *cmp);
PetscErrorCode ReportDrawRelative(ReportFigures *figs, const ReportView *view);
PetscErrorCode ReportDrawResiduals(ReportFigures *figs, const ReportCompare *cmp);
PetscErrorCode ReportDrawSpread(ReportFigures *figs, const ReportCompare *cmp);
PetscErrorCode ReportDrawFluctuations(ReportFigures *figs, const ReportCompare *cmp);

/* Tables of the page, nothing when their data are absent. */
PetscErrorCode ReportRelativeTable(const ReportView *view, ReportText *html);

#endif
