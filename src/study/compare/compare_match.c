/* compare of two files: which conditions both hold, without looking at every pair.
 *
 * Space is cut into boxes that are wide beside the tolerance; conditions of the reference are sorted by their boxes,
 * and one of the sample is looked for in its own box and, where it lies near a border, in those beside it. */
#include "compare.h"
#include <math.h>
#include <string.h>

#define TOLERANCE 1e-9 /* of the range or of the value */
#define BOX 1024       /* widths of a tolerance: few are near a border, and few that differ share a box */

typedef struct {
  double box[SCORIA_MAX_CONDITIONS]; /* whole numbers */
  int64_t index;
} Entry;

/* The same point, to a part in 10^9 of the range or of the value. */
static bool same_condition(const ScoriaSpace *space, const double s[], const double t[])
{
  for (int i = 0; i < space->n; i++)
    if (fabs(s[i] - t[i]) > TOLERANCE * PetscMax(space->c[i].hi - space->c[i].lo, fabs(t[i]))) return false;
  return true;
}

static int by_box(const void *a, const void *b)
{
  const Entry *p = a, *q = b;
  for (int i = 0; i < SCORIA_MAX_CONDITIONS; i++)
    if (p->box[i] != q->box[i]) return p->box[i] < q->box[i] ? -1 : 1;
  return (p->index > q->index) - (p->index < q->index);
}

/* The largest tolerance of each condition; 1 where all are zero. */
static void find_tolerances(const ScoriaSpace *space, int64_t n, const double theta[], double tolerance[])
{
  for (int i = 0; i < space->n; i++) tolerance[i] = space->c[i].hi - space->c[i].lo;
  for (int64_t l = 0; l < n; l++)
    for (int i = 0; i < space->n; i++) tolerance[i] = fmax(tolerance[i], fabs(theta[l * space->n + i]));
  for (int i = 0; i < space->n; i++) tolerance[i] = tolerance[i] > 0 ? TOLERANCE * tolerance[i] : 1;
}

/* The first in the reference that is s, of those in one box; -1: none. */
static int64_t look_in_box(const ScoriaSpace *space, const double s[], int64_t n, const Entry entry[],
                           const double theta[], const Entry *box)
{
  int64_t lo = 0, hi = n; /* the first entry of the box: box->index is -1 */
  while (lo < hi) {
    const int64_t middle                           = lo + (hi - lo) / 2;
    *(by_box(&entry[middle], box) < 0 ? &lo : &hi) = by_box(&entry[middle], box) < 0 ? middle + 1 : middle;
  }
  for (; lo < n && !memcmp(entry[lo].box, box->box, sizeof box->box); lo++)
    if (same_condition(space, s, theta + entry[lo].index * space->n)) return entry[lo].index;
  return -1;
}

static int64_t find(const ScoriaSpace *space, const double tolerance[], const double s[], int64_t n,
                    const Entry entry[], const double theta[])
{
  Entry low = {.index = -1}, high = low;
  int64_t found = -1;
  for (int i = 0; i < space->n; i++) {
    low.box[i]  = floor((s[i] / tolerance[i] - 2) / BOX) + 0.0; /* 2: 1, and what is lost in rounding */
    high.box[i] = floor((s[i] / tolerance[i] + 2) / BOX) + 0.0; /* + 0.0: no negative zero */
  }
  for (int corner = 0; corner < 1 << space->n; corner++) {
    Entry box    = low;
    bool another = true; /* than corners before */
    for (int i = 0; i < space->n; i++) {
      if (!(corner >> i & 1)) continue;
      another    = another && high.box[i] != low.box[i];
      box.box[i] = high.box[i];
    }
    const int64_t at = another ? look_in_box(space, s, n, entry, theta, &box) : -1;
    if (at >= 0 && (found < 0 || at < found)) found = at;
  }
  return found;
}

PetscErrorCode CompareMatch(const ScoriaSpace *space, int64_t na, const double a[], int64_t nb, const double b[],
                            int64_t match[], int64_t *number)
{
  double tolerance[SCORIA_MAX_CONDITIONS];
  Entry *entry;
  PetscFunctionBeginUser;
  *number = 0;
  PetscCall(PetscMalloc1(nb, &entry));
  find_tolerances(space, nb, b, tolerance);
  for (int64_t l = 0; l < nb; l++) {
    entry[l] = (Entry){.index = l};
    for (int i = 0; i < space->n; i++) entry[l].box[i] = floor(b[l * space->n + i] / tolerance[i] / BOX) + 0.0;
  }
  qsort(entry, (size_t)nb, sizeof *entry, by_box);
  for (int64_t k = 0; k < na; k++) {
    const int64_t l = find(space, tolerance, a + k * space->n, nb, entry, b);
    if (l < 0) continue;
    match[2 * *number]     = k;
    match[2 * *number + 1] = l;
    ++*number;
  }
  PetscCall(PetscFree(entry));
  PetscFunctionReturn(0);
}
