/* Private to stats: how the sums of a summary lie (summary.c), and what is known of them (summary_ask.c). */
#ifndef SCORIA_STATS_SUMMARY_H
#define SCORIA_STATS_SUMMARY_H

#include "scoria/fixed.h"
#include "scoria/stats.h"

#define POWERS 6
#define BINS 4096  /* of 0.005 SD or less: what interpolation costs is far below any Monte Carlo error */
#define COARSE 128 /* of coarse columns: of 0.1 SD, and of what interpolation costs, 0.003 SD of the 2.5 % quantile */

struct ScoriaSummary_ {
  int columns, joint, nthresholds;
  int coarse;                 /* columns [0, coarse) have COARSE bins */
  int64_t tile, kept;         /* rows of a tile at most; whose bins are kept, at most */
  ScoriaThreshold *threshold; /* owned */
  double *centre, *scale, *inverse_scale, *lo,
      *inverse;                                  /* owned (columns): z; left edge and bins per unit of the histogram */
  double *top;                                   /* owned (columns): the last bin */
  int64_t size, powers, products, bins, exceeds; /* length of the sums, and where each kind begins */
  int64_t *sum[2];                               /* owned (size): added here since the last reduction; the total */
  double *extreme[2];                            /* owned (2, columns): smallest, and minus the largest */
  double *power;                                 /* owned (POWERS, columns) of a tile */
  float *product;                                /* owned (joint, joint) of a tile */
  double *row;                                   /* owned (joint): of product */
  float *z;                                      /* owned (tile, columns): of the rows being added, where joint > 0 */
  uint16_t *bin;                                 /* owned (blocks, kept, BLOCK) */
  uint16_t *recent;                              /* owned, as the bins of the sums: those not yet in them */
  int64_t open, waiting, nrecent; /* rows of the tile at work, of whole tiles in `bin`, and in `recent` */
};

enum { HERE, TOTAL };

static inline int bins_of(const ScoriaSummary s, int j)
{
  return j < s->coarse ? COARSE : BINS;
}

/* Where the bins of a column begin among those of all. */
static inline int64_t bins_at(const ScoriaSummary s, int j)
{
  return (int64_t)PetscMin(j, s->coarse) * (COARSE + 2) + (int64_t)PetscMax(j - s->coarse, 0) * (BINS + 2);
}

#endif
