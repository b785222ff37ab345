/* refine: the porosity behind one field.
 *
 * A profile is eps(z) with independent unit normals z, and z = W a in the K leading directions W of the profile at the
 * condition's correlation length.  With r(a) = (solution(a) - field) / sd over the m cells of all channels, a minimises
 *
 *   f(a) = |r(a)|^2 / sigma^2 + |a|^2,
 *
 * the posterior mode for a field known up to sigma standard deviations in every cell, by Gauss and Newton's method with
 * Levenberg's damping.  sigma begins large and falls, since far from the solution a small one leads to porosities of no
 * likelihood.  The Jacobian is that of finite differences: the solver is all that is asked of the problem. */
#include "refine.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

#define SHARPER 0.3 /* sigma falls by this factor a step, from the misfit at z = 0 to what is asked for */
#define STEP 1e-3   /* of the finite differences: the solver's tolerance over it is far below sigma */
#define MOST_DAMPING 1e8
#define LEAST_DAMPING 1e-3 /* where damping begins, and below which there is none */

struct Refiner_ {
  RefineForward forward;
  RefineOptions opt;
  int n, channels, L, m, K;     /* conditions; m = channels L */
  double sigma;                 /* of the step at hand */
  double *theta;                /* (K, n): the condition, K times */
  double *W;                    /* (K, L): directions of z */
  double *z, *eps;              /* (L), (K, L) */
  double *r, *J, *H, *g;        /* (m), (K, m), (K, K), (K) */
  double *a, *tried, *solution; /* (K), (K), (m): where it stands, where it looks, the fields there */
  double *arena;                /* owned: all of these */
  ScoriaRows rows;              /* owned (K) */
};

PetscErrorCode RefinerCreate(const RefineForward *forward, const RefineOptions *opt, Refiner *refiner)
{
  const ScoriaDatasetSpec *spec = &forward->spec;
  Refiner q;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&q));
  q->forward  = *forward;
  q->opt      = *opt;
  q->n        = spec->space.n;
  q->L        = spec->cells;
  q->K        = PetscMin(opt->directions, spec->cells);
  q->channels = spec_states(spec);
  q->m        = q->channels * q->L;
  PetscCall(ScoriaRowsCreate(spec, q->K, &q->rows));
  const size_t K = (size_t)q->K, L = (size_t)q->L, m = (size_t)q->m, n = (size_t)q->n;
  PetscCall(PetscCalloc1(K * n + 2 * K * L + L + 2 * m + K * m + K * K + 3 * K, &q->arena));
  q->theta    = q->arena;
  q->W        = q->theta + K * n;
  q->eps      = q->W + K * L;
  q->z        = q->eps + K * L;
  q->r        = q->z + L;
  q->solution = q->r + m;
  q->J        = q->solution + m;
  q->H        = q->J + K * m;
  q->g        = q->H + K * K;
  q->a        = q->g + K;
  q->tried    = q->a + K;
  *refiner    = q;
  PetscFunctionReturn(0);
}

PetscErrorCode RefinerDestroy(Refiner *refiner)
{
  PetscFunctionBeginUser;
  if (!*refiner) PetscFunctionReturn(0);
  PetscCall(ScoriaRowsDestroy(&(*refiner)->rows));
  PetscCall(PetscFree((*refiner)->arena));
  PetscCall(PetscFree(*refiner));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- directions ---- */

/* At z = 0 every cell has the median porosity, so that d eps / d z is the Gaussian's own factor but for a number; its
 * right singular vectors are the directions of z, the largest first. */
PetscErrorCode RefinerAt(Refiner q, const double theta[])
{
  const int L = q->L;
  double *A, *C, *w;
  PetscFunctionBeginUser;
  for (int k = 0; k < q->K; k++) memcpy(q->theta + k * q->n, theta, (size_t)q->n * sizeof *theta);
  PetscCall(PetscCalloc3(L * L, &A, L * L, &C, L, &w));
  memset(q->z, 0, (size_t)L * sizeof *q->z);
  for (int j = 0; j < L; j++) { /* row j of A: the change of eps with z_j */
    for (int side = -1; side <= 1; side += 2) {
      q->z[j] = side * STEP;
      PetscCall(q->forward.profile(q->forward.ctx, theta, q->z, q->eps));
      for (int i = 0; i < L; i++) A[j * L + i] += side * q->eps[i] / (2 * STEP);
    }
    q->z[j] = 0;
  }
  la_gemm(false, true, L, L, L, 1, A, L, A, L, 0, C, L);
  PetscCall(LinalgEigen(L, C, w));
  for (int k = 0; k < q->K; k++) {
    int top         = 0;
    const double *v = C + (L - 1 - k) * L;
    for (int i = 1; i < L; i++)
      if (fabs(v[i]) > fabs(v[top])) top = i;
    for (int i = 0; i < L; i++) q->W[k * L + i] = v[top] < 0 ? -v[i] : v[i];
  }
  PetscCall(PetscFree3(A, C, w));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------------- the solver ---- */

/* Profile i at coefficients a, of which number k gets `step` more. */
static PetscErrorCode SetProfile(Refiner q, const double a[], int k, double step, int i)
{
  const int L = q->L;
  PetscFunctionBeginUser;
  memset(q->z, 0, (size_t)L * sizeof *q->z);
  for (int l = 0; l < q->K; l++)
    for (int j = 0; j < L; j++) q->z[j] += (a[l] + (l == k ? step : 0)) * q->W[l * L + j];
  PetscCall(q->forward.profile(q->forward.ctx, q->theta, q->z, q->eps + i * L));
  PetscFunctionReturn(0);
}

/* Row i of the last solves as (channels, cells). */
static void take_fields(const Refiner q, int64_t i, double fields[])
{
  rows_pack(&q->rows, i, 1, q->channels, NULL, q->L, fields);
}

/* f at a, INFINITY where there is no solution; and the misfit, the rms of r.  q->solution and q->rows hold it then. */
static PetscErrorCode Evaluate(Refiner q, const double a[], const double field[], const double sd[], double *f,
                               double *misfit)
{
  double sum = 0, price = 0;
  PetscFunctionBeginUser;
  PetscCall(SetProfile(q, a, -1, 0, 0));
  PetscCall(q->forward.solve(q->forward.ctx, 1, q->theta, q->eps, &q->rows));
  take_fields(q, 0, q->solution);
  for (int i = 0; i < q->m; i++) sum += pow((q->solution[i] - field[i]) / sd[i], 2);
  for (int k = 0; k < q->K; k++) price += a[k] * a[k];
  const bool solved = q->rows.done[0] == SCORIA_ROW_DONE && isfinite(sum);
  *f                = solved ? sum / (q->sigma * q->sigma) + price : INFINITY;
  *misfit           = solved ? sqrt(sum / q->m) : NAN;
  PetscFunctionReturn(0);
}

/* r, J (a row per direction), g = J r / sigma^2 + a and H = J J^T / sigma^2 + 1 at q->a, whose fields q->solution
 * holds. A direction without a solution is not gone along in this step. */
static PetscErrorCode Linearise(Refiner q, const double field[], const double sd[])
{
  const int K = q->K, m = q->m;
  const double weight = 1 / (q->sigma * q->sigma);
  PetscFunctionBeginUser;
  for (int k = 0; k < K; k++) PetscCall(SetProfile(q, q->a, k, STEP, k));
  PetscCall(q->forward.solve(q->forward.ctx, K, q->theta, q->eps, &q->rows));
  for (int i = 0; i < m; i++) q->r[i] = (q->solution[i] - field[i]) / sd[i];
  for (int k = 0; k < K; k++) {
    double *J = q->J + k * m;
    take_fields(q, k, J);
    for (int i = 0; i < m; i++)
      J[i] = q->rows.done[k] == SCORIA_ROW_DONE ? (J[i] - q->solution[i]) / (STEP * sd[i]) : 0;
    q->g[k] = q->a[k];
    for (int i = 0; i < m; i++) q->g[k] += weight * J[i] * q->r[i];
  }
  la_gemm(false, true, K, K, m, weight, q->J, m, q->J, m, 0, q->H, K);
  for (int k = 0; k < K; k++) q->H[k * K + k] += 1;
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------------------- the search ----
 */

/* q->tried: from q->a by the step for this damping. */
static void try_step(Refiner q, double damping)
{
  const int K = q->K;
  double H[REFINE_MOST_DIRECTIONS * REFINE_MOST_DIRECTIONS], step[REFINE_MOST_DIRECTIONS];
  memcpy(H, q->H, (size_t)(K * K) * sizeof *H);
  memcpy(step, q->g, (size_t)K * sizeof *step);
  for (int k = 0; k < K; k++) H[k * K + k] *= 1 + damping;
  if (la_cholesky(K, H)) la_cholesky_solve(K, H, 1, step);
  for (int k = 0; k < K; k++) q->tried[k] = q->a[k] - step[k];
}

/* Goes down from q->a, at f and misfit; false when no step of any damping does. */
static PetscErrorCode Descend(Refiner q, const double field[], const double sd[], double *damping, double *f,
                              double *misfit, bool *down)
{
  double tried, off;
  PetscFunctionBeginUser;
  for (*down = false; !*down && *damping < MOST_DAMPING;) {
    try_step(q, *damping);
    PetscCall(Evaluate(q, q->tried, field, sd, &tried, &off));
    *down = tried < *f;
    if (!*down) *damping = PetscMax(10 * *damping, LEAST_DAMPING);
  }
  if (!*down) PetscFunctionReturn(0);
  memcpy(q->a, q->tried, (size_t)q->K * sizeof *q->a);
  *f       = tried;
  *misfit  = off;
  *damping = *damping > LEAST_DAMPING ? *damping / 10 : 0;
  PetscFunctionReturn(0);
}

static double norm_of(const Refiner q)
{
  double sum = 0;
  for (int k = 0; k < q->K; k++) sum += q->a[k] * q->a[k];
  return sqrt(sum);
}

/* Row `row` of rows from the solution at q->a. */
static PetscErrorCode TakeRow(Refiner q, const double field[], const double sd[], int64_t row, ScoriaRows *rows)
{
  double f, misfit;
  PetscFunctionBeginUser;
  PetscCall(Evaluate(q, q->a, field, sd, &f, &misfit));
  for (int c = 0; c < q->forward.spec.nfields; c++)
    memcpy(rows->field[c] + row * q->L, q->rows.field[c], (size_t)q->L * sizeof(double));
  for (int k = 0; k < q->n; k++) rows->condition[k][row] = q->theta[k];
  rows->done[row]     = q->rows.done[0];
  rows->reason[row]   = q->rows.reason[0];
  rows->newton[row]   = q->rows.newton[0];
  rows->attempts[row] = q->rows.attempts[0];
  rows->residual[row] = q->rows.residual[0];
  PetscFunctionReturn(0);
}

/* Steps from z = 0, where the misfit is *misfit, until a full one at the last sigma hardly changes it. */
static PetscErrorCode Search(Refiner q, const double field[], const double sd[], double *misfit, int *iterations,
                             int *status)
{
  double damping = 0;
  bool down;
  PetscFunctionBeginUser;
  q->sigma = PetscMax(*misfit, q->opt.sigma);
  for (*iterations = 0; *iterations < q->opt.iterations && *status == REFINE_STOPPED; ++*iterations) {
    const double before = *misfit;
    const bool last     = q->sigma == q->opt.sigma;
    double f            = q->m * before * before / (q->sigma * q->sigma) + pow(norm_of(q), 2);
    PetscCall(Linearise(q, field, sd));
    PetscCall(Descend(q, field, sd, &damping, &f, misfit, &down));
    const bool full = damping < LEAST_DAMPING && fabs(before - *misfit) < q->opt.tolerance;
    if (last && (!down || full)) *status = REFINE_CONVERGED;
    if (!down) PetscCall(Evaluate(q, q->a, field, sd, &f, misfit)); /* q->solution is that of q->a again */
    if (!down) damping = 0;
    q->sigma = PetscMax(SHARPER * q->sigma, q->opt.sigma);
  }
  PetscFunctionReturn(0);
}

PetscErrorCode RefinerRun(Refiner q, const double field[], const double sd[], int64_t row, ScoriaRows *rows,
                          double column[])
{
  double f, misfit;
  int iterations = 0, status = REFINE_STOPPED;
  PetscFunctionBeginUser;
  q->sigma = q->opt.sigma;
  memset(q->a, 0, (size_t)q->K * sizeof *q->a);
  PetscCall(Evaluate(q, q->a, field, sd, &f, &misfit));
  column[REFINE_BEFORE] = misfit;
  if (!isfinite(f)) status = REFINE_FAILED;
  PetscCall(Search(q, field, sd, &misfit, &iterations, &status));
  PetscCall(TakeRow(q, field, sd, row, rows));
  column[REFINE_AFTER]      = misfit;
  column[REFINE_NORM]       = norm_of(q);
  column[REFINE_ITERATIONS] = iterations;
  column[REFINE_STATUS]     = status;
  PetscFunctionReturn(0);
}
