/* Private to the report: what report_dataset.h5, fields.h5 and samples.h5 hold. */
#ifndef SCORIA_REPORT_DATASET_H
#define SCORIA_REPORT_DATASET_H

#include "figures.h"
#include "report_labels.h"

#define REPORT_REASONS 32 /* SNESConvergedReason from -REPORT_REASONS + 1 to -1 */
#define REPORT_SHOWN 3    /* conditions of the dataset that are drawn */
#define REPORT_DRAWS 5    /* realisations of each */

/* What the report shows of dataset.h5: counts over all rows on every rank, a few rows on rank 0. */
typedef struct {
  bool present;
  int64_t whole; /* rows of whole fields: then only their status is read, and it is not `present` */
  ScoriaDatasetSpec spec;
  int64_t conditions;
  int64_t done, failed, missing, continued; /* rows; continued: solved at a later attempt than the first */
  int64_t reason[REPORT_REASONS];           /* failed rows by -SNESConvergedReason */
  int64_t lacking;                          /* of imported rows: failed ones that the file does not have */
  int64_t newton;                           /* iterations of the solved rows together */
  int64_t newton_max;
  int axis;                    /* condition that the shown ones are spread over; -1: none varies */
  int64_t shown[REPORT_SHOWN]; /* conditions drawn, ascending along that axis */
  int nshown;
  int64_t every,
      listed;    /* every so many conditions are listed with their times: all of them, if there are not too many */
  double *times; /* (listed); NULL where time is no condition */
  double target[REPORT_SHOWN];    /* where along that axis they should be ... */
  double away[REPORT_SHOWN];      /* ... and how far from it they are */
  double *x;                      /* (spec_centres) [m] */
  ReportQuantity along;           /* x */
  ScoriaRows draws[REPORT_SHOWN]; /* rank 0: the first REPORT_DRAWS rows of each */
  int channel, time;              /* the first field of the state; the condition time, -1: it does not vary */
  int64_t stride, kept;           /* where time varies, every stride-th solved row is kept for the figure */
  double *row;                    /* rank 0: (kept, cells + 1), that field and the time */
} ReportDataset;

PetscErrorCode ReportDatasetRead(ScoriaRun run, ReportDataset *data);
PetscErrorCode ReportDatasetDestroy(ReportDataset *data);

/* One field of fields.h5: a plane through the first row. */
typedef struct {
  ReportQuantity quantity;
  bool latent;
  double *value; /* owned (ny, nx) */
  double *mean;  /* owned (nx), over y and z */
  double largest;
} ReportSlice;

typedef struct {
  int nfields; /* 0: no such file, or one dimension */
  int64_t n[3];
  double extent[2]; /* along x and y [m] */
  double theta[SCORIA_MAX_CONDITIONS];
  ReportSlice field[SCORIA_MAX_FIELDS];
} ReportSlices;

/* space: that of the dataset, whose conditions are read with it. */
PetscErrorCode ReportSlicesRead(MPI_Comm comm, const char *path, const ScoriaSpace *space, ReportSlices *slices);
PetscErrorCode ReportSlicesDestroy(ReportSlices *slices);

#define REPORT_SAMPLE_ROWS 2000 /* of samples.h5 that are drawn */

/* samples.h5: the first fields of the model. */
typedef struct {
  bool present;
  int64_t whole; /* as of dataset.h5 */
  ScoriaDatasetSpec spec;
  double *x;                           /* owned (spec_centres) [m] */
  double theta[SCORIA_MAX_CONDITIONS]; /* of the first row */
  int64_t n;                           /* rows read */
  ScoriaRows rows;                     /* owned; rank 0 only */
} ReportSamples;

PetscErrorCode ReportSamplesRead(ScoriaRun run, ReportSamples *samples);
PetscErrorCode ReportSamplesDestroy(ReportSamples *samples);

/* Figures, nothing when their data are absent.  Rank 0 only. */
PetscErrorCode ReportDrawDataset(ReportFigures *figs, const ReportDataset *data);
PetscErrorCode ReportDrawTimes(ReportFigures *figs, const ReportDataset *data);
PetscErrorCode ReportDrawSlices(ReportFigures *figs, const ReportSlices *slices, const ScoriaSpace *space);
PetscErrorCode ReportDrawSamples(ReportFigures *figs, const ReportSamples *samples);

/* Tables of the page, nothing when their data are absent. */
PetscErrorCode ReportStatusTable(const ReportDataset *data, ReportText *html);
PetscErrorCode ReportSamplesTable(const ReportSamples *samples, ReportText *html);

#endif
