/* Private to the report: planes of fields as images, three in a row. */
#ifndef SCORIA_REPORT_FIGURES_PLANE_H
#define SCORIA_REPORT_FIGURES_PLANE_H

#include "figures.h"
#include "report_labels.h"

typedef struct {
  int rows;                /* of panels; with the axes to be set before it is laid out */
  ReportQuantity along[2]; /* x, y */
  int height;              /* of the figure in points; it is REPORT_WIDTH wide */
  double w, h;             /* of a panel */
  double lo[2], hi[2];     /* along x, y, scaled */
} ReportPlane;

/* For n cells along x and y, whose centres are `centre`; share: x is a share of the thickness, y a length. */
void report_plane_lay_out(const int64_t n[2], double *const centre[2], bool share, ReportPlane *at);
/* The place, scaled, of pixel i along an axis: images have even ones. */
double report_plane_pixel(const ReportPlane *at, int axis, int64_t n, int64_t i);
/* The cell whose centre is nearest to the i-th of n places evenly spaced between the first and the last. */
int64_t report_plane_nearest(int64_t n, const double centre[], int64_t i);
PetscErrorCode ReportPlaneBegin(ReportText *body, const ReportPlane *at);
/* Column `value` of a data file, whose first two are x and y, in colours from lo to hi, those of errors about 0; lo >=
 * hi: the range is the data's.  over: what is plotted on it, ", 'data/...' ..."; NULL: nothing. */
PetscErrorCode ReportPlanePanel(ReportText *body, const ReportPlane *at, int row, int column, const char *file,
                                int value, const char *title, bool error, double lo, double hi, const char *over);

#endif
