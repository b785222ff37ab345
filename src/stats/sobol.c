/* Sobol indices from pick-freeze samples, streamed.
 *
 * With z = (y - centre) / scale of the pilot, a block gives for every quantity and input the means over its rows of
 *
 *   m = (z_A + z_B) / 2,  q = (z_A^2 + z_B^2) / 2,  p = z_B (z_AB - z_A),  d = z_AB - z_A,  t = (z_A - z_AB)^2 / 2.
 *
 * With capitals for means over blocks, V = Q - M^2 is the variance, S = (P - M D) / V and T = T' / V, T' the mean of t.
 * Both are smooth functions of the five means, whose covariance over blocks gives their errors (the delta method); so
 * the means and their 15 products are all that is summed, in fixed point (fixed.h). */
#include "fixed.h"
#include "scoria/stats.h"
#include <math.h>
#include <string.h>

enum { MEAN, SQUARE, PRODUCT, DRIFT, HALF, NMEANS };
#define SUMS (NMEANS + NMEANS * (NMEANS + 1) / 2) /* of one quantity and input */

struct ScoriaSobol_ {
  int quantities, inputs;
  double *centre, *scale; /* owned (quantities) */
  int64_t size;
  int64_t *sum[2]; /* owned (size): blocks, then (quantities, inputs, SUMS, 2); added here; the total */
};

enum { HERE, TOTAL };

/* A quantity that the pilot finds constant keeps scale 1. */
PetscErrorCode ScoriaSobolCreate(int quantities, int inputs, int64_t n, const double pilot[], ScoriaSobol *sobol)
{
  ScoriaSobol s;
  PetscFunctionBeginUser;
  PetscCheck(n >= 2 && quantities > 0 && inputs > 0, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE,
             "%lld pilot rows, %d quantities, %d inputs", (long long)n, quantities, inputs);
  PetscCall(PetscNew(&s));
  s->quantities = quantities;
  s->inputs     = inputs;
  s->size       = 1 + (int64_t)quantities * inputs * SUMS * 2;
  PetscCall(PetscMalloc2(quantities, &s->centre, quantities, &s->scale));
  PetscCall(PetscCalloc2(s->size, &s->sum[HERE], s->size, &s->sum[TOTAL]));
  stats_moments(n, quantities, pilot, s->centre, s->scale);
  for (int j = 0; j < quantities; j++)
    if (!(s->scale[j] > 1e-12 * fabs(s->centre[j]))) s->scale[j] = 1;
  *sobol = s;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSobolDestroy(ScoriaSobol *sobol)
{
  ScoriaSobol s = *sobol;
  PetscFunctionBeginUser;
  if (!s) PetscFunctionReturn(0);
  PetscCall(PetscFree2(s->centre, s->scale));
  PetscCall(PetscFree2(s->sum[HERE], s->sum[TOTAL]));
  PetscCall(PetscFree(*sobol));
  PetscFunctionReturn(0);
}

static int64_t *sums_of(ScoriaSobol s, int which, int quantity, int input)
{
  return s->sum[which] + 1 + ((int64_t)quantity * s->inputs + input) * SUMS * 2;
}

/* Means over the rows of a block of one quantity and input; A, B, AB (n, quantities). */
static void block_means(ScoriaSobol s, int quantity, int64_t n, const double A[], const double B[], const double AB[],
                        double mean[NMEANS])
{
  const double centre = s->centre[quantity], scale = s->scale[quantity];
  memset(mean, 0, NMEANS * sizeof *mean);
  for (int64_t i = 0; i < n; i++) {
    const int64_t at = i * s->quantities + quantity;
    const double a = (A[at] - centre) / scale, b = (B[at] - centre) / scale, ab = (AB[at] - centre) / scale;
    mean[MEAN] += (a + b) / 2;
    mean[SQUARE] += (a * a + b * b) / 2;
    mean[PRODUCT] += b * (ab - a);
    mean[DRIFT] += ab - a;
    mean[HALF] += (ab - a) * (ab - a) / 2;
  }
  for (int k = 0; k < NMEANS; k++) mean[k] /= (double)n;
}

void sobol_add(ScoriaSobol s, int64_t n, const double values[])
{
  const int64_t part = n * s->quantities;
  s->sum[HERE][0]++;
  for (int j = 0; j < s->quantities; j++)
    for (int i = 0; i < s->inputs; i++) {
      int64_t *to = sums_of(s, HERE, j, i);
      double mean[NMEANS];
      block_means(s, j, n, values, values + part, values + (2 + i) * part, mean);
      for (int k = 0; k < NMEANS; k++, to += 2) add_fixed(to, mean[k]);
      for (int k = 0; k < NMEANS; k++)
        for (int l = 0; l <= k; l++, to += 2) add_fixed(to, mean[k] * mean[l]);
    }
}

PetscErrorCode ScoriaSobolReduce(ScoriaSobol s, MPI_Comm comm)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->sum[HERE], (PetscMPIInt)s->size, MPI_INT64_T, MPI_SUM, comm));
  for (int64_t i = 0; i < s->size; i++) s->sum[TOTAL][i] += s->sum[HERE][i];
  PetscCall(PetscArrayzero(s->sum[HERE], s->size));
  PetscFunctionReturn(0);
}

int64_t sobol_blocks(ScoriaSobol s)
{
  return s->sum[TOTAL][0];
}

/* Means over blocks, and the covariance of these means. */
static void total_means(ScoriaSobol s, int quantity, int input, double mean[NMEANS], double C[NMEANS][NMEANS])
{
  const double n    = (double)sobol_blocks(s);
  const int64_t *at = sums_of(s, TOTAL, quantity, input);
  for (int k = 0; k < NMEANS; k++, at += 2) mean[k] = get_fixed(at) / n;
  for (int k = 0; k < NMEANS; k++)
    for (int l = 0; l <= k; l++, at += 2) C[k][l] = C[l][k] = (get_fixed(at) / n - mean[k] * mean[l]) / (n - 1);
}

static double error_of(const double gradient[NMEANS], double C[NMEANS][NMEANS])
{
  double variance = 0;
  for (int k = 0; k < NMEANS; k++)
    for (int l = 0; l < NMEANS; l++) variance += gradient[k] * C[k][l] * gradient[l];
  return sqrt(PetscMax(variance, 0));
}

void sobol_index(ScoriaSobol s, int quantity, int input, ScoriaSobolIndex *index)
{
  double mean[NMEANS], C[NMEANS][NMEANS];
  total_means(s, quantity, input, mean, C);
  const double M = mean[MEAN], V = mean[SQUARE] - M * M;
  *index = (ScoriaSobolIndex){NAN, NAN, NAN, NAN};
  if (!(V > 0)) return;
  const double S = (mean[PRODUCT] - M * mean[DRIFT]) / V, T = mean[HALF] / V;
  /* in the order of the means: M, Q, P, D, T' */
  const double of_first[NMEANS] = {(2 * M * S - mean[DRIFT]) / V, -S / V, 1 / V, -M / V, 0};
  const double of_total[NMEANS] = {2 * M * T / V, -T / V, 0, 0, 1 / V};
  *index                        = (ScoriaSobolIndex){S, error_of(of_first, C), T, error_of(of_total, C)};
}

void sobol_moments(ScoriaSobol s, int quantity, double *mean, double *sd)
{
  double z[NMEANS], C[NMEANS][NMEANS];
  total_means(s, quantity, 0, z, C);
  *mean = s->centre[quantity] + s->scale[quantity] * z[MEAN];
  *sd   = s->scale[quantity] * sqrt(PetscMax(z[SQUARE] - z[MEAN] * z[MEAN], 0));
}

void sobol_state(ScoriaSobol s, int64_t *nsums, int64_t **sums)
{
  *nsums = s->size;
  *sums  = s->sum[TOTAL];
}
