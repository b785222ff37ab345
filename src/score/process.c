/* The table of diffusion processes.  A process is x_t = scale(t) (y + sigma(t) noise): the denoiser E[y | y + sigma
 * noise], and so the network, is the same for all; what differs is the time in which samplers step, the variable they
 * step in, and which noise levels training draws and with what weight. */
#include "trainer.h"
#include "processes.h"
#include <math.h>
#include <string.h>

/* ----------------------------------------------------- EDM, Karras et al. (2022): t = sigma, scale 1, rho = 7 ---- */

static void edm_at(double t, ScoriaLevel *level)
{
  *level = (ScoriaLevel){.t = t, .sigma = t, .scale = 1, .sigma_rate = 1, .scale_rate = 0};
}

static double edm_time(double sigma)
{
  return sigma;
}

static double edm_node(double first, double last, double f)
{
  const double rho = 7, top = pow(first, 1 / rho), bottom = pow(last, 1 / rho);
  return f > 0 ? pow(top + f * (bottom - top), rho) : first;
}

static double edm_draw(const ScoriaProcess *process, double u)
{
  return process->P_mean + process->P_std * normal_quantile(u);
}

static double edm_weight(double sigma)
{
  (void)sigma;
  return 1;
}

/* ------------------------------------------- variance preserving, Song et al. (2021): scale^2 (1 + sigma^2) = 1 ----
 */

#define BETA_MIN 1e-3
#define BETA_MAX 20.0
#define VP_FIRST 1e-5 /* training draws t from here to 1 */

/* Integral of beta from 0 to t. */
static double vp_integral(double t)
{
  return t * (BETA_MIN + 0.5 * t * (BETA_MAX - BETA_MIN));
}

static void vp_at(double t, ScoriaLevel *level)
{
  const double integral = vp_integral(t), beta = BETA_MIN + t * (BETA_MAX - BETA_MIN);
  level->t          = t;
  level->scale      = exp(-0.5 * integral);
  level->sigma      = sqrt(expm1(integral));
  level->scale_rate = -0.5 * beta * level->scale;
  level->sigma_rate = 0.5 * beta * exp(integral) / level->sigma;
}

static double vp_time(double sigma)
{
  const double rise = BETA_MAX - BETA_MIN;
  return (sqrt(BETA_MIN * BETA_MIN + 2 * rise * log1p(sigma * sigma)) - BETA_MIN) / rise;
}

static double uniform_node(double first, double last, double f)
{
  return first + f * (last - first);
}

static double vp_draw(const ScoriaProcess *process, double u)
{
  (void)process;
  return 0.5 * log(expm1(vp_integral(VP_FIRST + u * (1 - VP_FIRST))));
}

/* That of the loss |noise estimate - noise|^2, that is |D - y|^2 / sigma^2, in terms of |F - target|^2. */
static double noise_weight(double sigma)
{
  return 1 / (1 + sigma * sigma);
}

/* ------------------------------------- variance exploding, Song et al. (2021): sigma geometric in time, scale 1 ----
 */

/* Of data of unit scale, the range of Karras et al. (2022). */
#define VE_MIN 0.002
#define VE_MAX 80.0

static void ve_at(double t, ScoriaLevel *level)
{
  const double sigma = VE_MIN * pow(VE_MAX / VE_MIN, t);
  *level =
      (ScoriaLevel){.t = t, .sigma = sigma, .scale = 1, .sigma_rate = sigma * log(VE_MAX / VE_MIN), .scale_rate = 0};
}

static double ve_time(double sigma)
{
  return log(sigma / VE_MIN) / log(VE_MAX / VE_MIN);
}

static double ve_draw(const ScoriaProcess *process, double u)
{
  (void)process;
  return log(VE_MIN) + u * log(VE_MAX / VE_MIN);
}

/* --------------------------------------------------------------------------------------------------------------- */

const ScoriaProcessRow scoria_processes[] = {
    {"edm", "t = sigma, steps uniform in sigma^(1/7); training: ln sigma normal", edm_at, edm_time, edm_node, edm_draw,
     edm_weight},
    {"vp", "variance preserving, beta from 0.001 to 20; training: t uniform", vp_at, vp_time, uniform_node, vp_draw,
     noise_weight},
    {"ve", "variance exploding, geometric; training: ln sigma uniform from 0.002 to 80", ve_at, ve_time, uniform_node,
     ve_draw, noise_weight},
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL},
};

const ScoriaProcessRow *process_find(const char *name)
{
  for (const ScoriaProcessRow *row = scoria_processes; row->name; row++)
    if (!strcmp(row->name, name)) return row;
  return NULL;
}
