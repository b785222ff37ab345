/* scoria/space.h - operating conditions: the vector theta that a problem is conditioned on, by name, unit and range. */
#ifndef SCORIA_SPACE_H
#define SCORIA_SPACE_H

#include "base.h"

#define SCORIA_MAX_CONDITIONS 8

/* The vector theta that a problem is conditioned on.  A condition with lo == hi is fixed: it is stored, but no model
 * learns from it. */
typedef struct {
  char name[SCORIA_NAME_SIZE]; /* "U0" */
  char unit[24];               /* "V" */
  double lo, hi;               /* range of the training set [unit] */
  bool log;                    /* spaced logarithmically (lo > 0) */
  bool thickness;              /* the extent along x, of which places along x are shares */
  bool log_learned;            /* models learn it by its logarithm however spaced: few values, more even so */
} ScoriaCondition;

typedef struct {
  int n;
  ScoriaCondition c[SCORIA_MAX_CONDITIONS];
  bool lengths_unknown; /* of imported rows: places along x, y, z are the file's numbers, and nothing says their unit */
} ScoriaSpace;

/* theta (n) [units] to coordinates u (n) in [-1, 1] over the training range, logarithmic where so marked; 0 for a fixed
 * one. */
void space_to_unit(const ScoriaSpace *space, const double theta[], double u[]);
/* The inverse, of u in [-1, 1]; a fixed condition gets its value. */
void space_from_unit(const ScoriaSpace *space, const double u[], double theta[]);
/* theta (n) to the coordinates u (n) that models learn: as space_to_unit, logarithmic also where that is learned. */
void space_to_learned(const ScoriaSpace *space, const double theta[], double u[]);
/* "U0 = 0.1 V, F_right = 20 A m^-2" in text. */
void space_describe(const ScoriaSpace *space, const double theta[], size_t size, char text[]);
/* Index of a condition, -1 when there is none of that name. */
int space_find(const ScoriaSpace *space, const char *name);
/* Index of the condition that is the extent along x [m], so that places along x are shares of it; -1: there is none,
 * and they are in metres. */
int space_thickness(const ScoriaSpace *space);
/* The extent along x at theta in the unit of places along x, times `ends`, their own: what an integral along x counts
 * in metres. */
double space_length(const ScoriaSpace *space, const double theta[], double ends);
/* Of the centres of cells along axis 0, 1, 2, in files: unit, "1" of shares, SCORIA_UNIT_UNKNOWN, and description. */
#define SCORIA_UNIT_UNKNOWN "unknown"
const char *space_axis_unit(const ScoriaSpace *space, int axis);
const char *space_axis_help(const ScoriaSpace *space, int axis);
const char *space_place_unit(const ScoriaSpace *space, int axis); /* " m" behind a place in a text; "" */
bool space_has_shares(const ScoriaSpace *space, int axis); /* whether places along an axis are shares of the extent */
/* What places along x are expected to be, where they are not in metres: behind "found x, a place in metres; ". */
const char *space_places_text(const ScoriaSpace *space);
/* Whether a place along x between ends[0] and ends[1], which is to be a share, reads as one in metres: it is not 0,
 * within the first half of the first of `cells`, and inside the largest thickness; or one in the numbers of a file that
 * says no unit: it is not 0 and within 5e-4 of the first cell.  False where places are in metres. */
bool space_reads_as_metres(const ScoriaSpace *space, int cells, const double ends[2], double place);
bool condition_inside(const ScoriaCondition *c, double value); /* of its range, up to rounding */

#endif
