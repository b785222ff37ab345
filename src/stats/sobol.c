/* Sobol indices from pick-freeze samples, streamed.
 *
 * Both indices are closed ones: S_i is the share of the variance that input i explains, 1 - T_i that of all other
 * inputs together.  Of the former B and A_B^i are a pair, X and Y, which share these inputs and nothing else; of the
 * latter A and A_B^i.  With Z the third set, independent of X, mean M and variance V,
 *
 *   [XY - XZ - M (Y - Z)] / V   (Saltelli et al. 2010)   errs little where the inputs explain little,
 *   1 - (X - Y)^2 / (2 V)       (Jansen 1999)            where they explain much
 *
 * (the means of these over samples).  The index is their mean weighted for the least variance.  They are smooth
 * functions of nine means, whose covariance over blocks gives errors and weights (the delta method); so that for every
 * quantity and input the means over a block and the products of these are all that is summed, in fixed point (fixed.h)
 * and in units of the pilot's SD from its mean. */
#include "scoria/fixed.h"
#include "scoria/phases.h"
#include "scoria/stats.h"
#include <math.h>
#include <string.h>

/* Means over samples of A, B and A_B^i, of their squares, and of their products. */
enum { A, B, AB, A_A, B_B, AB_AB, A_B, A_AB, B_AB, NMEANS };
#define SUMS (NMEANS + NMEANS * (NMEANS + 1) / 2) /* of one quantity and input */

/* Blocks, of one addend each, after which sums are carried: half of what they have room for (fixed.h). */
#define CARRY_BLOCKS (1 << 21)

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

/* Means over the rows of a block of one quantity and input; set[0 .. 2] (n, quantities): A, B, A_B^i. */
static void block_means(ScoriaSobol s, int quantity, int64_t n, const double *const set[3], double mean[NMEANS])
{
  memset(mean, 0, NMEANS * sizeof *mean);
  for (int64_t i = 0; i < n; i++) {
    double z[3];
    for (int k = 0; k < 3; k++)
      z[k] = (set[k][i * s->quantities + quantity] - s->centre[quantity]) / s->scale[quantity];
    const double terms[NMEANS] = {z[0],        z[1],        z[2],        z[0] * z[0], z[1] * z[1],
                                  z[2] * z[2], z[0] * z[1], z[0] * z[2], z[1] * z[2]};
    for (int k = 0; k < NMEANS; k++) mean[k] += terms[k] / (double)n;
  }
}

static void carry(ScoriaSobol s, int which)
{
  for (int64_t i = 1; i < s->size; i += 2) carry_fixed(s->sum[which] + i);
}

void sobol_add(ScoriaSobol s, int64_t n, const double values[])
{
  const int64_t part = n * s->quantities;
  phase_begin(SCORIA_PHASE_STATISTICS);
  if (++s->sum[HERE][0] % CARRY_BLOCKS == 0) carry(s, HERE);
  for (int j = 0; j < s->quantities; j++)
    for (int i = 0; i < s->inputs; i++) {
      int64_t *to = sums_of(s, HERE, j, i);
      double mean[NMEANS];
      block_means(s, j, n, (const double *const[]){values, values + part, values + (2 + i) * part}, mean);
      for (int k = 0; k < NMEANS; k++, to += 2) add_fixed(to, mean[k]);
      for (int k = 0; k < NMEANS; k++)
        for (int l = 0; l <= k; l++, to += 2) add_fixed(to, mean[k] * mean[l]);
    }
  phase_end(SCORIA_PHASE_STATISTICS, (double)n * (2 + s->inputs));
}

PetscErrorCode ScoriaSobolReduce(ScoriaSobol s, MPI_Comm comm)
{
  PetscFunctionBeginUser;
  phase_begin(SCORIA_PHASE_REDUCE);
  carry(s, HERE);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->sum[HERE], (PetscMPIInt)s->size, MPI_INT64_T, MPI_SUM, comm));
  for (int64_t i = 0; i < s->size; i++) s->sum[TOTAL][i] += s->sum[HERE][i];
  carry(s, TOTAL);
  PetscCall(PetscArrayzero(s->sum[HERE], s->size));
  phase_bytes((double)s->size * sizeof(int64_t));
  phase_end(SCORIA_PHASE_REDUCE, 0);
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

static double bilinear(const double a[NMEANS], double C[NMEANS][NMEANS], const double b[NMEANS])
{
  double sum = 0;
  for (int k = 0; k < NMEANS; k++)
    for (int l = 0; l < NMEANS; l++) sum += a[k] * C[k][l] * b[l];
  return sum;
}

/* The closed index of what X and A_B^i share, and its error; Z is the third set.  XX, XY: the means of X^2, X A_B^i. */
static void closed_index(const double mean[NMEANS], double C[NMEANS][NMEANS], int Z, int XX, int XY, double *index,
                         double *se)
{
  const double M = (mean[A] + mean[B]) / 2, V = (mean[A_A] + mean[B_B]) / 2 - M * M;
  const double half = (mean[XX] + mean[AB_AB]) / 2 - mean[XY], drift = mean[AB] - mean[Z];
  const double low = (mean[XY] - mean[A_B] - M * drift) / V, high = 1 - half / V;
  double of_low[NMEANS] = {0}, of_high[NMEANS] = {0}; /* gradients times V: those of M and V come first */
  for (int k = 0; k < 2; k++) {
    of_low[A + k]    = M * low - drift / 2;
    of_low[A_A + k]  = -low / 2;
    of_high[A + k]   = M * (high - 1);
    of_high[A_A + k] = (1 - high) / 2;
  }
  of_low[XY] += 1;
  of_low[A_B] -= 1;
  of_low[AB] -= M;
  of_low[Z] += M;
  of_high[XX] -= 0.5;
  of_high[AB_AB] -= 0.5;
  of_high[XY] += 1;
  const double ll = bilinear(of_low, C, of_low), hh = bilinear(of_high, C, of_high), lh = bilinear(of_low, C, of_high);
  const double spread = ll + hh - 2 * lh, weight = spread > 0 ? PetscMin(PetscMax((ll - lh) / spread, 0), 1) : 0;
  const double variance = ll + weight * (2 * (lh - ll) + weight * spread);
  *index                = low + weight * (high - low);
  *se                   = sqrt(PetscMax(variance, 0)) / V;
}

void sobol_index(ScoriaSobol s, int quantity, int input, ScoriaSobolIndex *index)
{
  double mean[NMEANS], C[NMEANS][NMEANS], others;
  total_means(s, quantity, input, mean, C);
  const double M = (mean[A] + mean[B]) / 2;
  *index         = (ScoriaSobolIndex){NAN, NAN, NAN, NAN};
  if (!((mean[A_A] + mean[B_B]) / 2 > M * M)) return;
  closed_index(mean, C, A, B_B, B_AB, &index->first, &index->first_se);
  closed_index(mean, C, B, A_A, A_AB, &others, &index->total_se);
  index->total = 1 - others;
}

void sobol_moments(ScoriaSobol s, int quantity, double *mean, double *sd)
{
  double z[NMEANS], C[NMEANS][NMEANS];
  total_means(s, quantity, 0, z, C);
  const double M = (z[A] + z[B]) / 2;
  *mean          = s->centre[quantity] + s->scale[quantity] * M;
  *sd            = s->scale[quantity] * sqrt(PetscMax((z[A_A] + z[B_B]) / 2 - M * M, 0));
}

void sobol_state(ScoriaSobol s, int64_t *nsums, int64_t **sums)
{
  *nsums = s->size;
  *sums  = s->sum[TOTAL];
}
