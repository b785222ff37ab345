/* Private to the report: the page and its sections. */
#ifndef SCORIA_REPORT_PAGE_H
#define SCORIA_REPORT_PAGE_H

#include "report_answers.h"
#include "report_compare.h"
#include "report_measures.h"
#include "report_dataset.h"
#include "report_logs.h"
#include "scoria/run_decks.h"

/* What became of the rows of an imported dataset, by model.h5; learned is -1 where it does not tell. */
typedef struct {
  int64_t learned, validated, held_conditions, held_rows; /* conditions held back whole; or rows of each */
} ReportModelRows;

/* The means of likelihood.h5; rows = 0: it is not there, or does not tell. */
typedef struct {
  int64_t rows;
  double mean, gaussian, gain, error; /* nats */
  char file[SCORIA_NAME_SIZE * 4];    /* whose rows they are */
} ReportLikelihood;

PetscErrorCode ReportLikelihoodRead(MPI_Comm comm, const char *path, ReportLikelihood *likelihood);

/* Columns of refine.h5; rows = 0: it is not there. */
enum {
  REPORT_REFINE_BEFORE,
  REPORT_REFINE_AFTER,
  REPORT_REFINE_NORM,
  REPORT_REFINE_ITERATIONS,
  REPORT_REFINE_STATUS,
  REPORT_REFINE_COLUMNS
};
typedef struct {
  int64_t rows;
  double *column[REPORT_REFINE_COLUMNS]; /* owned (rows) */
  char file[PETSC_MAX_PATH_LEN];         /* whose rows they are */
} ReportRefine;

PetscErrorCode ReportRefineRead(MPI_Comm comm, const char *path, ReportRefine *refine);
PetscErrorCode ReportRefineDestroy(ReportRefine *refine);

/* Further answers of uq and infer, under other names than the usual ones; those past REPORT_OTHERS are only counted. */
#define REPORT_OTHERS 4
typedef struct {
  char name[96];  /* of the store in the run directory */
  char suffix[8]; /* of the names of its figures */
  bool infer;
  cJSON *json;               /* owned: beside the store; rank 0 only */
  ReportPosterior posterior; /* owned: of infer */
} ReportOther;
typedef struct {
  int n, left;
  ReportOther of[REPORT_OTHERS];
} ReportOthers;
/* json reads a JSON file, collectively. */
PetscErrorCode ReportOthersRead(ScoriaRun run, PetscErrorCode (*json)(MPI_Comm, const char *, cJSON **),
                                ReportOthers *others);
PetscErrorCode ReportOthersDestroy(ReportOthers *others);
PetscErrorCode ReportOthersDraw(ReportFigures *figs, const ReportOthers *others, const ScoriaSpace *space);

/* What the page is made from; members may be empty. */
typedef struct {
  const char *run_dir;
  const char *deck_path;       /* deck.yaml of the run directory; DECK where there is none */
  const char *deck;            /* of the results, resolved, YAML */
  const ScoriaRunDecks *decks; /* NULL: none of a result is known */
  PetscInt seed;
  const cJSON *compare; /* compare.json; NULL: none */
  const cJSON *files;   /* compare_files.json; NULL: none */
  const ReportLikelihood *likelihood;
  const ReportRefine *refine;
  const ScoriaSpace *space; /* the operating conditions; n = 0: not known */
  const ReportView *view;
  const cJSON *uq;        /* uq.json; NULL: none */
  const cJSON *posterior; /* posterior.json; NULL: none */
  const ReportOthers *others;
  const ReportDataset *data;
  const ReportTraining *train;
  const ReportSamples *samples;
  const ReportHistory *history;
  const ReportScaling *scaling;
  int nfields; /* of the dataset, or else of the comparison */
  const ScoriaField *field;
  ReportFigures *figures;
  ReportModelRows rows;
  bool imported; /* the data are the user's */
  int ranks;
} ReportPage;

/* A section of the page.  A new one is a row of the table in report_html.c; a new figure of an old one is a call of
 * ReportPageFigure in the function of its section. */
typedef struct {
  const char *id, *title; /* HTML; NULL: "The model against ...", as of what the data are */
  const char *command;    /* that makes what it shows; NULL: none */
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
PetscErrorCode ReportTwoFiles(const ReportPage *page, ReportText *html);
PetscErrorCode ReportLikelihoodSection(const ReportPage *page, ReportText *html);
PetscErrorCode ReportRefineSection(const ReportPage *page, ReportText *html);
PetscErrorCode ReportOthersPrint(const ReportPage *page, bool infer, ReportText *html);
/* A note where the result of this file name was made under other keys than the page's deck has. */
PetscErrorCode ReportOtherDeck(const ReportPage *page, const char *file, ReportText *html);
PetscErrorCode ReportProvenance(const ReportPage *page, ReportText *html);

#endif
