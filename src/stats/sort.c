/* Ascending sorts of doubles: the C library's, without scratch; and, where sorting takes the time, a radix sort by the
 * least significant digit, 11 bits a pass: the bits of a double, sign flipped (all bits of a negative one), order as
 * integers do.  A digit that all values share costs no pass. */
#include "sort.h"
#include "scoria/stats.h"
#include <stdlib.h>
#include <string.h>

enum { BITS = 11, BUCKETS = 1 << BITS, PASSES = 6 };

static uint64_t to_key(double value)
{
  uint64_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits ^ ((bits >> 63) ? ~UINT64_C(0) : UINT64_C(1) << 63);
}

static double from_key(uint64_t key)
{
  double value;
  key ^= (key >> 63) ? UINT64_C(1) << 63 : ~UINT64_C(0);
  memcpy(&value, &key, sizeof value);
  return value;
}

static unsigned digit(uint64_t key, int pass)
{
  return (unsigned)(key >> (BITS * pass)) & (BUCKETS - 1);
}

static uint64_t load(const double *x)
{
  uint64_t key;
  memcpy(&key, x, sizeof key);
  return key;
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

void stats_sort(int64_t n, double values[])
{
  qsort(values, (size_t)n, sizeof *values, ascending);
}

static void insertion_sort(int64_t n, double x[])
{
  for (int64_t i = 1; i < n; i++) {
    const double value = x[i];
    int64_t j          = i;
    for (; j > 0 && x[j - 1] > value; j--) x[j] = x[j - 1];
    x[j] = value;
  }
}

void sort_ascending(int64_t n, double x[], double work[])
{
  if (n < 64) {
    insertion_sort(n, x);
    return;
  }
  static _Thread_local int64_t count[PASSES][BUCKETS];
  memset(count, 0, sizeof count);
  double *from = x, *to = work;
  for (int64_t i = 0; i < n; i++) { /* keys take the place of the values */
    const uint64_t key = to_key(x[i]);
    memcpy(x + i, &key, sizeof key);
    for (int pass = 0; pass < PASSES; pass++) count[pass][digit(key, pass)]++;
  }
  for (int pass = 0; pass < PASSES; pass++) {
    if (count[pass][digit(load(from), pass)] == n) continue;
    int64_t start = 0;
    for (int b = 0; b < BUCKETS; b++) {
      const int64_t here = count[pass][b];
      count[pass][b]     = start;
      start += here;
    }
    for (int64_t i = 0; i < n; i++) memcpy(to + count[pass][digit(load(from + i), pass)]++, from + i, sizeof(double));
    double *swap = from;
    from         = to;
    to           = swap;
  }
  for (int64_t i = 0; i < n; i++) x[i] = from_key(load(from + i));
}
