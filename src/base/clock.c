/* The two clocks. */
#include "scoria/base.h"
#include <time.h>

double wall_seconds(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void utc_now(char text[32])
{
  const time_t now = time(NULL);
  struct tm utc;
  text[0] = 0;
  if (gmtime_r(&now, &utc)) strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}
