/* The baseline that needs no data: first-order second-moment UQ, the fields linearised in the random porosity.
 *
 * The porosity profile is a function of unit normals z (nx), so the fields are too, x(z).  To first order x is Gaussian
 * with mean x(0) and covariance J J^T, J = dx/dz by central differences of the solver; its second-order mean adds half
 * the trace of the second derivatives, for which the same 2 nx + 1 solves serve.  In c itself, and in ln|c - c_R|,
 * where the law is nearer to Gaussian.  Compared with fresh PDE ensembles at the held-out conditions of `compare`,
 * beside the sampling floor.  One rank.
 *
 *   bench_fosm DECK [-compare_conditions 8] [-compare_count 2000] [-key value ...] */
#include "cmd/cmd.h"
#include <math.h>
#include <string.h>

#define STEP 0.05 /* of a normal: the error of the difference is of order STEP^2 / 6 third derivatives */

enum { FIRST_ORDER, SECOND_ORDER_MEAN, FIRST_ORDER_LOG, SECOND_ORDER_MEAN_LOG, PDE_AGAIN, KINDS };
static const char *const kind_names[KINDS] = {"first order", "second-order mean", "first order, ln|c - c_R|",
                                              "second-order mean, ln|c - c_R|", "PDE again (floor)"};

typedef struct {
  ScoriaEnsemble ens;
  ScoriaSource source;
  ScoriaPorosity por;
  ScoriaDatasetSpec spec;
  ScoriaRows rows;
  int L, C, m; /* cells, fields of state, L C */
  int64_t count;
  uint64_t seed;
  double reference;                       /* of the first field */
  double *fields;                         /* (2 L + 1, m) perturbed, then a sample (count, m) */
  double *pde, *mean, *curved, *jacobian; /* (count, m), (m), (m), (L, m) */
} Fosm;

/* n solves at theta, of profiles eps, into out (n, m). */
static PetscErrorCode Solve(Fosm *f, const double theta[], int64_t n, const double eps[], double out[])
{
  const int64_t capacity = f->rows.capacity;
  double *thetas;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(capacity * f->spec.space.n, &thetas));
  for (int64_t i = 0; i < capacity; i++)
    memcpy(thetas + i * f->spec.space.n, theta, sizeof(double) * (size_t)f->spec.space.n);
  for (int64_t base = 0; base < n; base += capacity) {
    const int64_t number = PetscMin(capacity, n - base);
    PetscCall(ScoriaEnsembleCompute(f->ens, number, thetas, NULL, eps + base * f->L, &f->rows));
    rows_pack(&f->rows, 0, number, f->C, NULL, f->L, out + base * f->m);
  }
  PetscCall(PetscFree(thetas));
  PetscFunctionReturn(0);
}

/* The first field as ln|c - c_R|, and back; sign is that of c - c_R. */
static void logarithm(const Fosm *f, int64_t n, double fields[])
{
  for (int64_t i = 0; i < n; i++)
    for (int j = 0; j < f->L; j++) fields[i * f->m + j] = log(fabs(fields[i * f->m + j] - f->reference));
}

static void exponential(const Fosm *f, int64_t n, double sign, double fields[])
{
  for (int64_t i = 0; i < n; i++)
    for (int j = 0; j < f->L; j++) fields[i * f->m + j] = f->reference + sign * exp(fields[i * f->m + j]);
}

/* mean, curved and jacobian at theta. */
static PetscErrorCode Linearise(Fosm *f, const double theta[], double ell, bool in_logarithm, double *sign)
{
  const int L = f->L, m = f->m;
  double *z, *eps;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(L, &z, (size_t)(2 * L + 1) * (size_t)L, &eps));
  for (int k = 0; k <= 2 * L; k++) {
    memset(z, 0, sizeof(double) * (size_t)L);
    if (k) z[(k - 1) / 2] = k % 2 ? STEP : -STEP;
    PetscCall(ScoriaPorosityFrom(f->por, ell, z, eps + (size_t)k * (size_t)L));
  }
  PetscCall(Solve(f, theta, 2 * L + 1, eps, f->fields));
  *sign = f->fields[0] > f->reference ? 1 : -1;
  if (in_logarithm) logarithm(f, 2 * L + 1, f->fields);
  memcpy(f->mean, f->fields, sizeof(double) * (size_t)m);
  memcpy(f->curved, f->mean, sizeof(double) * (size_t)m);
  for (int k = 0; k < L; k++) {
    const double *plus = f->fields + (2 * k + 1) * m, *minus = plus + m;
    for (int j = 0; j < m; j++) {
      f->jacobian[k * m + j] = (plus[j] - minus[j]) / (2 * STEP);
      f->curved[j] += 0.5 * (plus[j] - 2 * f->mean[j] + minus[j]) / (STEP * STEP);
    }
  }
  PetscCall(PetscFree2(z, eps));
  PetscFunctionReturn(0);
}

static void draw(const Fosm *f, int condition, const double mean[], double out[])
{
  double *z = f->curved + f->m; /* (L) behind it */
  for (int64_t i = 0; i < f->count; i++) {
    double *x = out + i * f->m;
    memcpy(x, mean, sizeof(double) * (size_t)f->m);
    rng_normal(f->seed, SCORIA_STREAM_SAMPLE, draw_number(SCORIA_DRAWS_COMPARED, condition, i), 0, f->L, z);
    for (int k = 0; k < f->L; k++)
      for (int j = 0; j < f->m; j++) x[j] += z[k] * f->jacobian[k * f->m + j];
  }
}

static PetscErrorCode Ensemble(Fosm *f, int condition, ScoriaDraws draws, const double theta[], double out[],
                               int64_t *good)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceDraw(f->source, theta, draw_number(draws, condition, 0), f->count, out));
  *good = stats_keep_finite(f->count, f->m, out);
  PetscFunctionReturn(0);
}

static PetscErrorCode Condition(Fosm *f, int k, const double theta[], double ell, ScoriaDistance d[KINDS],
                                double *seconds)
{
  int64_t n = 0, again = 0;
  double sign = 1;
  PetscFunctionBeginUser;
  PetscCall(Ensemble(f, k, SCORIA_DRAWS_HELDOUT, theta, f->pde, &n));
  for (int kind = 0; kind < PDE_AGAIN; kind++) {
    const bool in_logarithm = kind >= FIRST_ORDER_LOG;
    const double start      = wall_seconds();
    if (kind % 2 == 0) PetscCall(Linearise(f, theta, ell, in_logarithm, &sign));
    if (kind == FIRST_ORDER) *seconds += wall_seconds() - start;
    draw(f, k, kind % 2 ? f->curved : f->mean, f->fields);
    if (in_logarithm) exponential(f, f->count, sign, f->fields);
    PetscCall(ScoriaDistanceCompute(f->count, f->fields, n, f->pde, f->m, f->seed, 128, &d[kind]));
  }
  PetscCall(Ensemble(f, k, SCORIA_DRAWS_HELDOUT_AGAIN, theta, f->fields, &again));
  PetscCall(ScoriaDistanceCompute(again, f->fields, n, f->pde, f->m, f->seed, 128, &d[PDE_AGAIN]));
  PetscFunctionReturn(0);
}

static PetscErrorCode Create(ScoriaDeck deck, Fosm *f)
{
  const double *x;
  PetscInt count = 0, seed = 0;
  ScoriaGrid grid;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "compare_count", &count));
  PetscCall(ScoriaDeckInt(deck, "run_seed", &seed));
  PetscCall(ScoriaEnsembleCreate(PETSC_COMM_SELF, deck, &f->ens));
  PetscCall(ScoriaSourceOfPde(f->ens, &f->source));
  PetscCall(ScoriaEnsembleSpec(f->ens, &f->spec, &x));
  ensemble_grid(f->ens, &grid);
  PetscCheck(grid.dim == 1, PETSC_COMM_SELF, PETSC_ERR_SUP, "one-dimensional decks only");
  PetscCall(ScoriaPorosityCreate(deck, PETSC_COMM_SELF, &grid, &f->por));
  PetscCall(ScoriaRowsCreate(&f->spec, 1024, &f->rows));
  f->L = f->spec.cells;
  while (f->C < f->spec.nfields && strcmp(f->spec.field[f->C].name, "eps")) f->C++;
  f->m         = f->C * f->L;
  f->count     = count;
  f->seed      = (uint64_t)seed;
  f->reference = ensemble_reference(f->ens, 0);
  PetscCall(PetscMalloc5(PetscMax(count, 2 * f->L + 1) * f->m, &f->fields, count * f->m, &f->pde, f->m, &f->mean,
                         f->m + f->L, &f->curved, f->L * f->m, &f->jacobian));
  PetscFunctionReturn(0);
}

static PetscErrorCode Run(ScoriaDeck deck)
{
  Fosm f         = {0};
  PetscInt K     = 0;
  double seconds = 0, ell = 0;
  ScoriaDistance all[KINDS] = {{0}};
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "compare_conditions", &K));
  PetscCall(ScoriaDeckReal(deck, "porosity_ell", &ell));
  PetscCall(Create(deck, &f));
  for (int k = 0; k < K; k++) {
    double theta[SCORIA_MAX_CONDITIONS];
    ScoriaDistance d[KINDS];
    PetscCall(ScoriaDesignTheta(ScoriaEnsembleDesign(f.ens), true, k, K, theta));
    for (int i = 0; i < f.spec.space.n; i++)
      if (!strcmp(f.spec.space.c[i].name, "ell")) ell = theta[i];
    PetscCall(Condition(&f, k, theta, ell, d, &seconds));
    for (int kind = 0; kind < KINDS; kind++) {
      all[kind].mean_error += d[kind].mean_error * d[kind].mean_error / K;
      all[kind].sd_error += d[kind].sd_error * d[kind].sd_error / K;
      all[kind].band_error += d[kind].band_error * d[kind].band_error / K;
      all[kind].coverage95 += d[kind].coverage95 / K;
      all[kind].sliced_w += d[kind].sliced_w / K;
    }
  }
  printf("%d conditions, %lld fields; %d solves and %.1f ms a condition\n%-31s  mean/SD       SD     band  cover95  "
         "sliced W  / floor\n",
         (int)K, (long long)f.count, 2 * f.L + 1, 1e3 * seconds / K, "");
  for (int kind = 0; kind < KINDS; kind++)
    printf("%-31s %8.4f %7.2f%% %7.2f%% %7.2f%% %9.4f %8.2f\n", kind_names[kind], sqrt(all[kind].mean_error),
           100 * sqrt(all[kind].sd_error), 100 * sqrt(all[kind].band_error), 100 * all[kind].coverage95,
           all[kind].sliced_w, all[kind].sliced_w / all[PDE_AGAIN].sliced_w);
  PetscCall(PetscFree5(f.fields, f.pde, f.mean, f.curved, f.jacobian));
  PetscCall(ScoriaRowsDestroy(&f.rows));
  PetscCall(ScoriaPorosityDestroy(&f.por));
  PetscCall(ScoriaSourceDestroy(&f.source));
  PetscCall(ScoriaEnsembleDestroy(&f.ens));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  ScoriaDeck deck;
  PetscCall(PetscInitialize(&argc, &argv, NULL, NULL));
  PetscCheck(argc > 1, PETSC_COMM_WORLD, PETSC_ERR_USER, "usage: bench_fosm DECK [-key value ...]");
  PetscCall(ScoriaDeckCreate(PETSC_COMM_WORLD, argv[1], cmd_tables(), &deck));
  PetscCall(Run(deck));
  PetscCall(ScoriaDeckDestroy(&deck));
  return PetscFinalize() != 0;
}
