/* Planes of fields as images: layout and panels. */
#include "figures_plane.h"
#include "scoria/stats.h"
#include <math.h>
#include <stdio.h>

#define LEFT 62.0  /* of a panel, for its axis */
#define RIGHT 84.0 /* for its colours */
#define TOP 34.0   /* of a row, for its titles */
#define BELOW 14.0
#define FOOT 46.0 /* of the figure, for the axis of x */

static const char palette_values[] = "0 '#440154', 0.25 '#3b528b', 0.5 '#21918c', 0.75 '#5ec962', 1 '#fde725'";
static const char palette_errors[] = "-1 '#2166ac', -0.5 '#92c5de', 0 '#f7f7f7', 0.5 '#f4a582', 1 '#b2182b'";

void report_plane_lay_out(const int64_t n[2], double *const centre[2], bool share, ReportPlane *at)
{
  double end[2][2];
  for (int a = 0; a < 2; a++) {
    cells_ends((int)n[a], centre[a], end[a]);
    at->lo[a] = end[a][0] * at->along[a].scale;
    at->hi[a] = end[a][1] * at->along[a].scale;
  }
  /* a share and a length have no ratio */
  const double ratio = share ? 1 : fmin(1.2, fmax(0.3, (end[1][1] - end[1][0]) / (end[0][1] - end[0][0])));
  at->w              = REPORT_WIDTH / 3 - LEFT - RIGHT;
  at->h              = at->w * ratio;
  at->height         = (int)lround(at->rows * (at->h + TOP + BELOW) + FOOT);
}

double report_plane_pixel(const ReportPlane *at, int axis, int64_t n, int64_t i)
{
  return at->lo[axis] + ((double)i + 0.5) * (at->hi[axis] - at->lo[axis]) / (double)n;
}

int64_t report_plane_nearest(int64_t n, const double centre[], int64_t i)
{
  const double place = centre[0] + (centre[n - 1] - centre[0]) * (double)i / (double)PetscMax(1, n - 1);
  int64_t best       = 0;
  for (int64_t k = 1; k < n; k++)
    if (fabs(centre[k] - place) < fabs(centre[best] - place)) best = k;
  return best;
}

PetscErrorCode ReportPlaneBegin(ReportText *body, const ReportPlane *at)
{
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body,
                        "set multiplot\nunset key\nset border 15 linewidth 0.5\nset xrange [%g:%g]\nset yrange "
                        "[%g:%g]\nset xtics out\nset ytics out\nset cbtics in scale 0.3\nset colorbox\n",
                        at->lo[0], at->hi[0], at->lo[1], at->hi[1]));
  PetscFunctionReturn(0);
}

/* "x  [um]"; without a unit the name alone, and nothing where it is not shown. */
static void axis_label(bool shown, const char *name, const char *unit, size_t size, char label[])
{
  snprintf(label, size, *unit ? "%s  [%s]" : "%s", name, unit);
  if (!shown) *label = 0;
}

PetscErrorCode ReportPlanePanel(ReportText *body, const ReportPlane *at, int row, int column, const char *file,
                                int value, const char *title, bool error, double lo, double hi, const char *over)
{
  const double x0 = column * (at->w + LEFT + RIGHT) + LEFT, y1 = at->height - row * (at->h + TOP + BELOW) - TOP;
  const bool foot = row == at->rows - 1, first = column == 0;
  char label[64];
  PetscFunctionBeginUser;
  PetscCall(ReportPrint(body, "set lmargin at screen %.4f\nset rmargin at screen %.4f\n", x0 / REPORT_WIDTH,
                        (x0 + at->w) / REPORT_WIDTH));
  PetscCall(ReportPrint(body, "set tmargin at screen %.4f\nset bmargin at screen %.4f\n", y1 / at->height,
                        (y1 - at->h) / at->height));
  PetscCall(ReportPrint(body, "set palette defined (%s)\n", error ? palette_errors : palette_values));
  PetscCall(ReportPrint(body, lo < hi ? "set cbrange [%g:%g]\n" : "set cbrange [*:*]\n", lo, hi));
  PetscCall(ReportPrint(body, "set title '%s' offset 0,-0.5\n", title));
  axis_label(foot, "x", at->along[0].unit, sizeof label, label);
  PetscCall(ReportPrint(body, "set xlabel '%s' offset 0,0.4\nset format x '%s'\n", label, foot ? "%g" : ""));
  axis_label(first, "y", at->along[1].unit, sizeof label, label);
  PetscCall(ReportPrint(body, "set ylabel '%s' offset 1.2,0\n", label));
  PetscCall(ReportPrint(body, "plot 'data/%s' using 1:2:%d with image%s\n", file, value, over ? over : ""));
  PetscFunctionReturn(0);
}
