/* Consistency tuning of a trained denoiser (Easy Consistency Tuning, Geng et al. 2024).  The tuned D(x, t) is to be the
 * same all along a path of the probability flow, so that one evaluation at pure noise is a sample.  At angle t = atan
 * sigma a row is x_t = cos t y + sin t n, and D_t = cos t x_t + sin t F; its partner at s < t is made of the same y and
 * n, and the loss is |D_t - D_s|^2 with D_s held fixed, in units of sin t, as in EDM's loss:
 *
 *   |F - target'|^2,  target' = (D_s - cos t x_t) / sin t.
 *
 * s = 0, where D_s = y, is the denoising loss.  s/t goes from 1/2 to 1 - 1/256 geometrically in 1 - s/t; angles are
 * uniform, since a sample starts at large ones. */
#include "trainer.h"
#include <math.h>

double consistency_gap(int64_t step, int64_t steps)
{
  return pow(2, -1 - 7 * (double)step / (double)PetscMax(steps - 1, 1));
}

double consistency_level(double u)
{
  return log(tan(PETSC_PI / 2 * u));
}

void consistency_partner(int r, double gap, float label, const float x[], const float target[], float partner[],
                         float *partner_label)
{
  const double t = atan(exp(4 * (double)label)), turn = gap * t;
  const float c = (float)cos(turn), s = (float)sin(turn);
  *partner_label = (float)(0.25 * log(tan(t - turn)));
  for (int k = 0; k < r; k++) partner[k] = c * x[k] + s * target[k]; /* cos s y + sin s n */
}

/* In differences of angles, so that nothing cancels at small t. */
void consistency_target(int r, double gap, float label, const float x[], const float F[], float target[])
{
  const double t = atan(exp(4 * (double)label)), turn = gap * t, s = t - turn, scale = sin(turn) / sin(t);
  const float of_x = (float)(scale * sin(s)), of_target = (float)(scale * cos(s)), of_F = (float)(sin(s) / sin(t));
  for (int k = 0; k < r; k++) target[k] = of_x * x[k] + of_target * target[k] + of_F * F[k];
}
