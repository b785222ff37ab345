/* Private to the report: the figures of a report, drawn by gnuplot. */
#ifndef SCORIA_REPORT_FIGURES_H
#define SCORIA_REPORT_FIGURES_H

#include "report_text.h"

#define REPORT_MAX_FIGURES 64

typedef struct {
  char name[32];      /* figures/<name>.svg, .png */
  char title[96];     /* plain text */
  char caption[1200]; /* plain text */
  int width, height;  /* points */
  size_t size;        /* of its drawing in the page */
  ReportText svg;     /* owned; the drawing as the page holds it, empty until embedded, or where there is no room */
} ReportFigure;

/* Where figures go; rank 0 only. */
typedef struct {
  char dir[PETSC_MAX_PATH_LEN]; /* run_dir/figures */
  char suffix[8]; /* of the names of figures and their data: of a further result of a kind; "": the first */
  bool imported;  /* the data are the user's: nothing is said of a PDE or of a porosity */
  bool gnuplot;   /* false once it could not be started */
  int n;
  ReportFigure figure[REPORT_MAX_FIGURES]; /* those drawn */
  char trouble[PETSC_MAX_PATH_LEN + 256];  /* first file that could not be written, as a line for the user */
  char warning[512];                       /* first figure that could not be drawn */
  ScoriaProgress bar;                      /* owned while figures are drawn; NULL: none */
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
/* The same from `bottom` of the figure's height up, for a legend of several lines. */
PetscErrorCode ReportLegendFrom(ReportText *body, const char *entries, double bottom);
#define REPORT_WIDTH 1180.0 /* of a figure, points */
#define REPORT_QUANTITIES 4 /* side by side, at most */
#define REPORT_FIELDS 6     /* drawn, at most: as many as an electrode has with all that are derived */
/* " The first 6 of 9 fields are drawn.", or "" where all are. */
void report_fields_drawn(int drawn, int of, size_t size, char text[]);
/* Panels of fields along x, up to four side by side, else in two rows, under a strip of `head` points for the legend:
 * the height of such a figure, and the margins of panel `i` of `of`. */
int report_fields_height(int of, int head);
PetscErrorCode ReportFieldPanel(ReportText *body, int i, int of, int head);
/* Panel `i` of a row of `of`, from `bottom` of the figure's height up. */
PetscErrorCode ReportRowPanel(ReportText *body, int i, int of, double bottom);

#endif
