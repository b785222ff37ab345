/* Distillation of the sampler: one evaluation of a network in place of the many of another, the teacher.
 *
 * The probability flow carries noise z at a condition u to a sample x(z, u), near to z as the coordinates are nearly
 * normal.  In angle form, dx/dt = -F (ab2.c), the sample is z + pi/2 times the mean of F along the way, and a network
 * learns that mean by least squares:
 *
 *   x = z + pi/2 F(z; 45 degrees, u),   loss |F - 2/pi (x - z)|^2,
 *
 * on noise that is drawn anew in every step, at the conditions of rows.  x is what abm makes of z with the teacher.
 * With the teacher's own weights F is the midpoint rule in one step, where the training begins; for Gaussian data it is
 * exact, and F = 0.  In the manner of progressive distillation (Salimans and Ho 2022) in a single stage. */
#include "samplers/samplers.h"
#include "trainer_private.h"
#include <math.h>

PetscErrorCode TrainerTeach(Trainer t, const ScoriaNetSpec *spec, const float weights[])
{
  PetscFunctionBeginUser;
  PetscCall(NetCreate(spec, t->tile, false, &t->teacher));
  PetscCall(PetscArraycpy(net_parameters(t->teacher), weights, net_parameter_count(t->teacher)));
  PetscCall(PetscMalloc1(sampler_work_floats(t->tile, t->r), &t->flow));
  PetscFunctionReturn(0);
}

static void ask_teacher(void *ctx, int n, const float x[], double sigma, float D[])
{
  const Trainer t = ctx;
  net_denoise(t->teacher, n, x, sigma, t->u, t->partner, t->partner_label, D);
}

void distil_tile(Trainer t, int64_t first, int n)
{
  const ScoriaDenoiser teacher    = {t->r, t, ask_teacher};
  const ScoriaSamplerOptions flow = {.kind = "abm", .steps = DISTIL_EVALUATIONS, .power = 1, .noise = t->x};
  for (int k = 0; k < n; k++) put_noise(t, batch_row(t, first + k), k, (uint64_t)sequence_place(t, t->step, first + k));
  abm_run(&flow, &teacher, n, NULL, t->flow, t->target); /* whose noise is given: no numbers are asked for */
  for (int i = 0; i < n * t->r; i++) t->target[i] = (float)(2 / PETSC_PI) * (t->target[i] - t->x[i]);
}
