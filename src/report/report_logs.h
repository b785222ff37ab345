/* Private to the report: what train.jsonl, log.jsonl and scaling.csv hold. */
#ifndef SCORIA_REPORT_LOGS_H
#define SCORIA_REPORT_LOGS_H

#include "figures.h"
#include "report_labels.h"

/* train.jsonl: one entry per logged step, NaN where a member is absent. */
typedef struct {
  int64_t n, capacity;
  double *step, *loss, *validation, *lr, *seconds; /* (n) */
  double *baseline;                                /* (n) validation loss of the Gaussian part alone */
  double kept_step, kept_loss, width; /* of the model: step, validation loss, width of the average; or NaN */
  double lengthened;                  /* step at which train_steps was raised, 0: never; or NaN */
  double *arena;                      /* owned */
  int64_t unread;                     /* lines that are not JSON objects with a step (the last line of a killed run) */
} ReportTraining;

PetscErrorCode ReportTrainingParse(const char *jsonl, ReportTraining *train);
PetscErrorCode ReportTrainingDestroy(ReportTraining *train);

#define REPORT_STARTS 12
#define REPORT_UNITS 16

/* One start of the program in the run directory. */
typedef struct {
  char time[24], command[16], version[16];
  int ranks;
  bool ended; /* well */
} ReportStart;

typedef struct {
  int n;         /* the last ones, oldest first */
  int64_t total; /* starts ever */
  ReportStart start[REPORT_STARTS];
  struct {
    bool there, used;
    double rows, pairs, off, off_corrected, correlation; /* as of log.jsonl */
  } cheap;                                               /* rows of a cheaper fidelity beside the training set */
  struct {
    bool there;
    double mean, spread, widened; /* as of log.jsonl */
  } calibration;                  /* of the model at hand */
  int nunits;                     /* lines of the last import about units */
  char units[REPORT_UNITS][256];
  int nsuspects; /* and about what looks wrong in its file */
  char suspects[REPORT_UNITS][256];
} ReportHistory;

/* From log.jsonl; NULL: none. */
void report_history(const char *jsonl, ReportHistory *history);
/* Of the last start of a command, or of `run`; 1 where there was none. */
int report_ranks(const ReportHistory *history, const char *command);

/* Numbers of a row of scaling.csv, in the order of the table. */
enum {
  REPORT_SCALING_RANKS = 0,
  REPORT_SCALING_NODES,
  REPORT_SCALING_SECONDS,
  REPORT_SCALING_SPREAD,
  REPORT_SCALING_RATE, /* items per second and node */
  REPORT_SCALING_EFFICIENCY,
  REPORT_SCALING_ROOFLINE,
  REPORT_SCALING_PREDICTED, /* seconds */
  REPORT_SCALING_RATIO,     /* of prediction and measurement */
  REPORT_SCALING_NUMBERS
};

/* A phase of a command on a number of ranks. */
typedef struct {
  char study[16], command[16], phase[24], unit[16];
  bool measured; /* else predicted */
  double value[REPORT_SCALING_NUMBERS];
} ReportScalingRow;

typedef struct {
  int64_t n;
  bool strange;          /* not a table of a scaling study */
  ReportScalingRow *row; /* owned (n) */
} ReportScaling;

/* From scaling.csv; NULL: none. */
PetscErrorCode ReportScalingParse(const char *csv, ReportScaling *scaling);
PetscErrorCode ReportScalingDestroy(ReportScaling *scaling);

/* Figures, nothing when their data are absent.  Rank 0 only. */
PetscErrorCode ReportDrawTraining(ReportFigures *figs, const ReportTraining *train);
PetscErrorCode ReportDrawScaling(ReportFigures *figs, const ReportScaling *scaling);

/* Tables of the page, nothing when their data are absent. */
PetscErrorCode ReportScalingTable(const ReportScaling *scaling, ReportText *html);

#endif
