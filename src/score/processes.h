/* Private to the score model: the table of noise processes. */
#ifndef SCORIA_SCORE_PROCESSES_H
#define SCORIA_SCORE_PROCESSES_H

#include "scoria/score.h"

/* One instant of a process x_t = scale (y + sigma noise), and the derivatives with respect to t. */
typedef struct {
  double t, sigma, scale, sigma_rate, scale_rate;
} ScoriaLevel;

/* Every process shares the denoiser of y + sigma noise. */
struct ScoriaProcessRow_ {
  const char *name;
  const char *help;
  void (*at)(double t, ScoriaLevel *level);            /* t > 0 */
  double (*time)(double sigma);                        /* the inverse of sigma(t) */
  double (*node)(double first, double last, double f); /* sampling grid from time `first` (f = 0) to `last` (f = 1) */
  double (*draw)(const ScoriaProcess *process, double u); /* training: ln sigma at the quantile u */
  double (*weight)(double sigma);                         /* training: of |F - target|^2 in the loss */
};

extern const ScoriaProcessRow scoria_processes[]; /* ends with a NULL name; the first is the default */
const ScoriaProcessRow *process_find(const char *name);

#endif
