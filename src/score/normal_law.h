/* The standard normal law. */
#ifndef SCORIA_SCORE_NORMAL_LAW_H
#define SCORIA_SCORE_NORMAL_LAW_H

#include <math.h>

/* Share below a score. */
static inline double normal_share(double score)
{
  return 0.5 * erfc(-score / sqrt(2));
}

static inline double normal_density(double score)
{
  return exp(-0.5 * score * score) / sqrt(2 * M_PI);
}

#endif
