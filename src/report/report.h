/* Private to the report: what a run directory holds, its figures (drawn by gnuplot), and one self-contained page.
 *
 * Everything is read collectively (the files are ours, and every rank can check its part); rank 0 alone then draws and
 * writes.  A file that the directory does not hold leaves its sections out. */
#ifndef SCORIA_REPORT_H
#define SCORIA_REPORT_H

#include "scoria/io.h"
#include "scoria/results.h"

/* Writes figures/ and report.html into the run directory.  Without gnuplot: a warning, and a page without figures.
 * Collective on the run's communicator. */
PetscErrorCode ScoriaReportWrite(ScoriaRun run, ScoriaDeck deck);

/* ------------------------------------------------------------------------------------------------------- text ---- */

/* A text that grows; starts as zeros. */
typedef struct {
  char *s; /* owned; NULL while empty */
  size_t n, capacity;
} ReportText;

PetscErrorCode ReportPrint(ReportText *text, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);
/* Appends s with the five characters that mean something to HTML replaced by entities. */
PetscErrorCode ReportEscape(ReportText *text, const char *s);
/* Appends word as a shell wants it, in quotes where it needs them, escaped for HTML. */
PetscErrorCode ReportShellWord(ReportText *html, const char *word);
PetscErrorCode ReportAppend(ReportText *text, const char *s, size_t n);
PetscErrorCode ReportTextDestroy(ReportText *text);
/* The whole of a file, NULL in text->s when there is none.  Local. */
PetscErrorCode ReportSlurp(const char *path, ReportText *text);
/* A number for a reader: 3 significant digits, thousands as they are; an en dash for NaN. */
void report_number(double value, size_t size, char text[]);

/* ------------------------------------------------------------------------------------------------------- data ---- */

/* How a quantity is written. */
typedef struct {
  char name[SCORIA_NAME_SIZE];       /* in files */
  char label[SCORIA_NAME_SIZE + 16]; /* gnuplot's enhanced text */
  char unit[40];                     /* of the axis, enhanced text */
  double scale;                      /* file value times scale is in that unit */
} ReportQuantity;

/* From a name and a unit of a file; lengths, potentials and the like in thousandths while the largest value is below
 * 1. */
void report_quantity(const char *name, const char *unit, double largest, ReportQuantity *q);
/* The value of a condition as text, with so many digits of the largest value in its range. */
void report_condition(const ScoriaCondition *c, double value, int digits, ReportQuantity *q, size_t size, char text[]);
/* Letters, digits and a few marks of s: what may stand in a label whatever an imported file calls its fields. */
void plain_label(const char *s, size_t size, char label[]);
void unit_label(const char *unit, size_t size, char label[]); /* as enhanced text */
/* Sets the range of the axis x: from end to end of the cells with centres x (cells). */
PetscErrorCode ReportRangeX(ReportText *body, const ReportQuantity *along, int cells, const double x[]);
/* Appends theta, without what does not vary, as a title "U_{0} = 0.150 V,  ..." in `lines` lines. */
PetscErrorCode ReportConditionTitle(ReportText *body, const ScoriaSpace *space, const double theta[], int lines);
/* Enhanced text as HTML. */
PetscErrorCode ReportEnhanced(ReportText *html, const char *label);
/* The condition to spread a figure's panels over: the preferred one where it varies, else the first that does, -1:
 * none. */
int shown_axis(const ScoriaSpace *space, int preferred);
#define REPORT_LOAD 1 /* the second condition of every problem is its load */

/* The conditions of one group of compare.h5, on every rank. */
typedef struct {
  int64_t K, L;     /* conditions, cells; K = 0: no such file or group */
  int64_t examples; /* fields kept per condition and side */
  double *x;        /* (L) [m] */
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

/* group: "" for the held-out conditions, "/sample" for the deck's own. */
PetscErrorCode ReportCompareRead(MPI_Comm comm, const char *path, const char *group, ReportCompare *cmp);
PetscErrorCode ReportCompareDestroy(ReportCompare *cmp);

/* "500 fields of the PDE and 500 of the model at each": what is behind the curves; "" where the file does not say. */
void compare_counts(const ReportCompare *cmp, size_t size, char text[]);

#define REPORT_CHANNELS 4 /* channels drawn */

/* One condition of a comparison, each channel as it is or, where it fluctuates as a whole, minus its value in the
 * first cell. */
typedef struct {
  const ReportCompare *cmp; /* borrowed */
  bool sample;              /* the deck's own condition; else the first held-out one that is drawn */
  int64_t k;
  int n, channel[REPORT_CHANNELS], view[REPORT_CHANNELS]; /* n = 0: nothing to show */
  ReportQuantity quantity[REPORT_CHANNELS];
} ReportView;

/* Nothing where there is no sample condition and no channel that fluctuates as a whole: the bands show it all. */
void report_view(const ReportCompare *heldout, const ReportCompare *sample, ReportView *view);

#define REPORT_REASONS 32 /* SNESConvergedReason from -REPORT_REASONS + 1 to -1 */
#define REPORT_SHOWN 3    /* conditions of the dataset that are drawn */
#define REPORT_DRAWS 5    /* realisations of each */

/* What is told of dataset.h5: counts over all rows on every rank, a few rows on rank 0. */
typedef struct {
  bool present;
  ScoriaDatasetSpec spec;
  int64_t conditions;
  int64_t done, failed, missing, continued; /* rows; continued: solved at a later attempt than the first */
  int64_t reason[REPORT_REASONS];           /* failed rows by -SNESConvergedReason */
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
  double *x;                      /* (cells) [m] */
  ReportQuantity along;           /* x */
  ScoriaRows draws[REPORT_SHOWN]; /* rank 0: the first REPORT_DRAWS rows of each */
  int channel, time;              /* the first field of the state; the condition time, -1: it does not vary */
  int64_t stride, kept;           /* where time varies, every stride-th solved row is kept for the figure */
  double *row;                    /* rank 0: (kept, cells + 1), that field and the time */
  char difference[512];           /* how its deck differs from the one at hand; "" where it does not */
} ReportDataset;

PetscErrorCode ReportDatasetRead(ScoriaRun run, ScoriaDeck deck, ReportDataset *data);
PetscErrorCode ReportDatasetDestroy(ReportDataset *data);

/* One field of fields.h5: a plane through the first row. */
typedef struct {
  ReportQuantity quantity;
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
} ReportHistory;

/* From log.jsonl; NULL: none. */
void report_history(const char *jsonl, ReportHistory *history);
/* Of the last start of a command, or of `run`; 1 where there was none. */
int report_ranks(const ReportHistory *history, const char *command);

#define REPORT_SAMPLE_ROWS 2000 /* of samples.h5 that are drawn */

/* samples.h5: the first fields of the model. */
typedef struct {
  bool present;
  ScoriaDatasetSpec spec;
  double *x;                           /* owned (cells) [m] */
  double theta[SCORIA_MAX_CONDITIONS]; /* of the first row */
  int64_t n;                           /* rows read */
  ScoriaRows rows;                     /* owned; rank 0 only */
} ReportSamples;

PetscErrorCode ReportSamplesRead(ScoriaRun run, ReportSamples *samples);
PetscErrorCode ReportSamplesDestroy(ReportSamples *samples);

/* posterior.h5. */
typedef struct {
  bool present;
  int64_t L, Q, sensors; /* cells, quantiles, readings */
  double *x;             /* owned (L) [m] */
  ReportQuantity along;  /* x */
  int nfields;
  ScoriaField field[SCORIA_MAX_FIELDS];
  ReportQuantity quantity[SCORIA_MAX_FIELDS];
  double low, high;                     /* the outermost quantiles */
  double *curves[2][SCORIA_MAX_FIELDS]; /* owned (3, L): mean, these two; of prior and posterior */
  double *sensor[4];                    /* owned (sensors): place [m], value, SD of the noise, number of the field */
} ReportPosterior;

PetscErrorCode ReportPosteriorRead(MPI_Comm comm, const char *path, ReportPosterior *posterior);
PetscErrorCode ReportPosteriorDestroy(ReportPosterior *posterior);

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

/* Member of an object as a number; NaN where it is absent or not a number. */
double json_number(const cJSON *object, const char *name);

/* ---------------------------------------------------------------------------------------------------- figures ---- */

#define REPORT_MAX_FIGURES 24

typedef struct {
  char name[32];     /* figures/<name>.svg, .png */
  char title[96];    /* plain text */
  char caption[800]; /* plain text */
  int width, height; /* points */
  size_t size;       /* of its drawing in the page */
  ReportText svg;    /* owned; the drawing as the page holds it, empty until embedded, or where there is no room */
} ReportFigure;

/* Where figures go; rank 0 only. */
typedef struct {
  char dir[PETSC_MAX_PATH_LEN]; /* run_dir/figures */
  bool gnuplot;                 /* false once it could not be started */
  int n;
  ReportFigure figure[REPORT_MAX_FIGURES]; /* those drawn */
  char trouble[PETSC_MAX_PATH_LEN + 256];  /* first file that could not be written, as a line for the user */
  char warning[512];                       /* first figure that could not be drawn */
} ReportFigures;

/* Reads the drawings for the page, as many as fit into `room` bytes. */
PetscErrorCode ReportFiguresEmbed(ReportFigures *figs, size_t room);
PetscErrorCode ReportFiguresDestroy(ReportFigures *figs);
/* Makes run_dir/figures/data. */
PetscErrorCode ReportFiguresBegin(const char *run_dir, ReportFigures *figs);
/* Writes figures/data/<file>. */
PetscErrorCode ReportFiguresData(ReportFigures *figs, const char *file, const ReportText *text);
/* Draws `body` (gnuplot commands between `set output` and `unset output`) as SVG and PNG of width x height points, and
 * enters the figure in the list when that worked. */
PetscErrorCode ReportFiguresDraw(ReportFigures *figs, const char *name, int width, int height, const ReportText *body,
                                 const char *title, const char *caption);

/* The legend, once, as a plot of its own above the panels of a multiplot; `entries` are plot elements of the function
 * NaN. */
PetscErrorCode ReportLegend(ReportText *body, const char *entries);

/* Mean and band of PDE and model: legend, and the plot command for the data file f and its block k. */
extern const char report_bands_legend[], report_bands_plot[];
/* At most `want` conditions, evenly spaced in the order of theta[axis]: chosen without looking at the errors. */
int choose_conditions(const ReportCompare *cmp, int axis, int want, int64_t chosen[]);
/* Lines of one block: x, then mean, sd, q025, q500, q975 of PDE, model, Gaussian and PDE again, 21 columns. */
PetscErrorCode ReportStatLines(ReportText *text, const ReportCompare *cmp, int view, int channel, double scale,
                               int64_t k);
#define REPORT_COLUMNS 4 /* conditions drawn: as many as can be read on a page */

/* The figures, in the order of the page; each draws nothing when its data are absent.  Rank 0 only. */
PetscErrorCode ReportDrawBands(ReportFigures *figs, const ReportCompare *cmp);
PetscErrorCode ReportDrawRelative(ReportFigures *figs, const ReportView *view);
PetscErrorCode ReportDrawSpread(ReportFigures *figs, const ReportCompare *cmp);
PetscErrorCode ReportDrawFluctuations(ReportFigures *figs, const ReportCompare *cmp);
PetscErrorCode ReportDrawMeasures(ReportFigures *figs, const cJSON *compare);
PetscErrorCode ReportDrawWorth(ReportFigures *figs, const cJSON *compare);
const char *report_estimate(const char *name); /* the title of an estimate: "97.5 % quantile"; "" where there is none */
PetscErrorCode ReportDrawDataset(ReportFigures *figs, const ReportDataset *data);
PetscErrorCode ReportDrawTimes(ReportFigures *figs, const ReportDataset *data);
PetscErrorCode ReportDrawSlices(ReportFigures *figs, const ReportSlices *slices, const ScoriaSpace *space);
PetscErrorCode ReportDrawUq(ReportFigures *figs, const cJSON *uq, const ScoriaSpace *space);
PetscErrorCode ReportDrawExplore(ReportFigures *figs, const cJSON *uq);
PetscErrorCode ReportDrawTraining(ReportFigures *figs, const ReportTraining *train);
PetscErrorCode ReportDrawPosterior(ReportFigures *figs, const ReportPosterior *posterior);
PetscErrorCode ReportDrawSamples(ReportFigures *figs, const ReportSamples *samples);
PetscErrorCode ReportDrawScaling(ReportFigures *figs, const ReportScaling *scaling);

/* ------------------------------------------------------------------------------------------------------- page ---- */

/* What the page is made from; members may be empty. */
typedef struct {
  const char *run_dir;
  const char *deck_path; /* deck.yaml of the run directory */
  const char *deck;      /* resolved, YAML */
  PetscInt seed;
  const cJSON *compare;     /* compare.json; NULL: none */
  const ScoriaSpace *space; /* the operating conditions; n = 0: not known */
  const ReportView *view;
  const cJSON *uq;        /* uq.json; NULL: none */
  const cJSON *posterior; /* posterior.json; NULL: none */
  const ReportDataset *data;
  const ReportTraining *train;
  const ReportSamples *samples;
  const ReportHistory *history;
  const ReportScaling *scaling;
  int nfields; /* of the dataset, or else of the comparison */
  const ScoriaField *field;
  ReportFigures *figures;
  int ranks;
} ReportPage;

/* A section of the page.  A new one is a row of the table in report_html.c; a new figure of an old one is a call of
 * ReportPageFigure in the function of its section. */
typedef struct {
  const char *id, *title;                                            /* HTML */
  const char *command;                                               /* that makes what it shows; NULL: none */
  PetscErrorCode (*print)(const ReportPage *page, ReportText *html); /* prints nothing: no section */
} ReportSection;

/* Draws nothing itself: embeds what was drawn. */
PetscErrorCode ReportHtml(const ReportPage *page, ReportText *html);
/* The figure of that name with title, caption and the command that draws it; nothing where it was not drawn. */
PetscErrorCode ReportPageFigure(const ReportPage *page, const char *name, ReportText *html);
/* From the doctype to <body>. */
PetscErrorCode ReportPageHead(const char *title, ReportText *html);
/* The number of the page's ink that replaces a colour of a figure; -1: none, the colour stays. */
int report_ink(const int rgb[3]);
/* gnuplot's SVG as HTML wants it inline: no prolog, namespaces or names of data files; ids begin with `name` and a
 * dash; colours of the lines follow the page's; `label` for those who cannot see it. */
PetscErrorCode ReportInlineSvg(ReportText *html, const char *name, const char *label, const char *svg);
PetscErrorCode ReportVerdict(const ReportPage *page, ReportText *html);
PetscErrorCode ReportProvenance(const ReportPage *page, ReportText *html);
/* Its tables, each nothing when its data are absent. */
PetscErrorCode ReportHeadline(const cJSON *compare, ReportText *html);
PetscErrorCode ReportPooledTable(const cJSON *compare, ReportText *html);
PetscErrorCode ReportRelativeTable(const ReportView *view, ReportText *html);
PetscErrorCode ReportConditionTable(const cJSON *compare, const ScoriaSpace *space, ReportText *html);
PetscErrorCode ReportCostTable(const cJSON *compare, ReportText *html);
PetscErrorCode ReportWorthTable(const cJSON *compare, ReportText *html);
PetscErrorCode ReportChecks(const cJSON *compare, ReportText *html);
PetscErrorCode ReportUqTable(const cJSON *uq, const ScoriaSpace *space, ReportText *html);
PetscErrorCode ReportPosteriorTable(const cJSON *posterior, ReportText *html);
PetscErrorCode ReportStatusTable(const ReportDataset *data, ReportText *html);
PetscErrorCode ReportScalingTable(const ReportScaling *scaling, ReportText *html);
PetscErrorCode ReportSamplesTable(const ReportSamples *samples, ReportText *html);

/* "mean error / SD": a measure and what it is in, plain text. */
void report_measure_name(const ScoriaMeasure *m, size_t size, char name[]);
void report_measure_text(const ScoriaMeasure *m, double value, size_t size, char text[]); /* a value, HTML */

#endif
