/* How far the tails of a sampler have been held against those of a reference. */
#include "scoria/stats.h"
#include <math.h>

#define VARIES 1e-9 /* of its size: less is round-off of a solve */

/* How many of the ascending values lie at `t` or beyond it. */
static int64_t count_beyond(int64_t n, const double sorted[], double t, int side)
{
  int64_t lo = 0, hi = n; /* the first that is larger, or not smaller, than t */
  while (lo < hi) {
    const int64_t middle = lo + (hi - lo) / 2;
    if (side == SCORIA_TAIL_LOW ? sorted[middle] <= t : sorted[middle] < t)
      lo = middle + 1;
    else
      hi = middle;
  }
  return side == SCORIA_TAIL_LOW ? lo : n - lo;
}

void tails_count(int64_t nr, const double reference[], int64_t n, const double sample[], ScoriaTailCounts *c)
{
  *c = (ScoriaTailCounts){0};
  if (nr < 2 || n < 1) return;
  const double spread = reference[nr - 1] - reference[0];
  if (!(spread > VARIES * fmax(fabs(reference[0]), fabs(reference[nr - 1])))) return;
  c->reference = nr;
  c->sample    = n;
  for (int side = 0; side < SCORIA_TAILS; side++)
    for (int k = 0; k < SCORIA_TAIL_RANKS && (int64_t)2 << k <= nr; k++) {
      const int64_t rank           = (int64_t)1 << k;
      const double t               = reference[side == SCORIA_TAIL_LOW ? rank - 1 : nr - rank];
      c->beyond[side][k].reference = count_beyond(nr, reference, t, side);
      c->beyond[side][k].sample    = count_beyond(n, sample, t, side);
    }
}

/* Conditions together; false where too little lies beyond.  Those that do not vary, or have none, have zeros. */
static bool pool_rank(int conditions, const ScoriaTailCounts c[], int side, int k, ScoriaTailRank *rank)
{
  int64_t nr = 0, n = 0, beyond_r = 0, beyond = 0;
  for (int i = 0; i < conditions; i++) {
    if (c[i].beyond[side][k].reference == 0) continue;
    nr += c[i].reference;
    n += c[i].sample;
    beyond_r += c[i].beyond[side][k].reference;
    beyond += c[i].beyond[side][k].sample;
  }
  if (beyond_r < SCORIA_TAIL_LEAST) return false;
  const ScoriaShare r = stats_share(beyond_r, nr), s = stats_share(beyond, n);
  const bool meet = r.low <= s.high && s.low <= r.high;
  const bool near = s.value <= SCORIA_TAIL_FACTOR * r.value && r.value <= SCORIA_TAIL_FACTOR * s.value;
  *rank           = (ScoriaTailRank){r, s, meet || near};
  return true;
}

void tails_pool(int conditions, const ScoriaTailCounts c[], int side, ScoriaTail *tail)
{
  bool agreed = true;
  *tail       = (ScoriaTail){.checked = NAN, .differs = NAN, .ratio = NAN};
  for (int k = SCORIA_TAIL_RANKS - 1; k >= 0; k--) {
    ScoriaTailRank *rank = &tail->rank[tail->n];
    if (!pool_rank(conditions, c, side, k, rank)) continue;
    if (agreed && !rank->agrees) {
      tail->differs = rank->reference.value;
      tail->ratio   = rank->sample.value / rank->reference.value;
    }
    agreed = agreed && rank->agrees;
    if (agreed) tail->checked = rank->reference.value;
    if (!agreed && tail->n == 0) tail->checked = 1;
    tail->n++;
  }
}
