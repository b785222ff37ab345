/* Ascending sort of doubles. */
#ifndef SCORIA_STATS_SORT_H
#define SCORIA_STATS_SORT_H

#include <stdint.h>

/* x (n) ascending; work (n).  No NaN. */
void sort_ascending(int64_t n, double x[], double work[]);

#endif
