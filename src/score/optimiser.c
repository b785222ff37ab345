/* Adam (Kingma and Ba 2015), and the averages of the weights behind it. */
#include "optimiser.h"
#include "ema.h"
#include "step_loops.h"
#include <math.h>

double optimiser_rate(const OptimiserOptions *opt, int64_t step, int64_t steps)
{
  const double done = (double)(step + 1) / (double)steps, up = opt->warmup;
  if (done < up) return opt->rate * done / up;
  return up < 1 ? opt->rate * 0.5 * (1 + cos(3.14159265358979323846 * (done - up) / (1 - up))) : opt->rate;
}

void optimiser_update(Optimiser *o, const OptimiserOptions *opt, double rate, double factor, int64_t n, const float g[],
                      float p[])
{
  const double t      = (double)++o->taken;
  const AdamFactors f = {.scale   = (float)factor,
                         .b1      = (float)opt->beta1,
                         .b2      = (float)opt->beta2,
                         .c1      = (float)(1 - opt->beta1),
                         .c2      = (float)(1 - opt->beta2),
                         .up      = (float)(rate / (1 - pow(opt->beta1, t))),
                         .fix     = (float)(1 / (1 - pow(opt->beta2, t))),
                         .epsilon = (float)opt->epsilon};
  step_loops()->adam(n, f, g, o->m, o->v, p);
  for (int k = 0; k < o->averages; k++) ema_update((EmaProfile){t, o->exponent[k]}, n, p, o->average[k]);
}

double vector_norm(int64_t n, const float g[])
{
  double part[16] = {0}, sum = 0;
  for (int64_t i = 0; i + 16 <= n; i += 16)
    for (int l = 0; l < 16; l++) part[l] += (double)g[i + l] * (double)g[i + l];
  for (int64_t i = n / 16 * 16; i < n; i++) sum += (double)g[i] * (double)g[i];
  for (int l = 0; l < 16; l++) sum += part[l];
  return sqrt(sum);
}
