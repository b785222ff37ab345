/* Sums over pairs, from which the cross-validated error of any choice of terms follows without another look at the
 * rows: every class of wave numbers chooses its own. */
#include "correction_equations.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

#define FOLDS EQUATIONS_FOLDS
#define MOST_BYTES 256e6

/* Lower triangle of G. */
typedef struct {
  double *G, *H, *yy; /* (terms, terms), (terms, E), (E) */
} Normal;

static int polynomials_of(const CorrectionEquations *q, int k)
{
  return k ? 0 : q->poly->terms;
}

int correction_equations_terms(const CorrectionEquations *q, int k)
{
  return polynomials_of(q, k) + q->M * (1 + q->d);
}

/* Of a fold, or of all of them (FOLDS). */
static Normal normal_of(const CorrectionEquations *q, int fold, int k)
{
  const size_t T = (size_t)correction_equations_terms(q, k), E = (size_t)q->E;
  double *G = q->sums + (size_t)fold * q->all + q->at[k];
  return (Normal){G, G + T * T, G + T * T + T * E};
}

static void place(CorrectionEquations *q)
{
  q->all = 0;
  for (int k = 0; k < q->waves->classes; k++) {
    const size_t T = (size_t)correction_equations_terms(q, k), E = (size_t)q->E;
    q->at[k] = q->all;
    q->all += T * T + T * E + E;
  }
}

PetscErrorCode CorrectionEquationsCreate(const Waves *waves, const NormPoly *poly, int E, int d, int modes,
                                         CorrectionEquations *q)
{
  PetscFunctionBeginUser;
  *q = (CorrectionEquations){.waves = waves, .poly = poly, .E = E, .d = d, .M = modes + 1};
  PetscCall(PetscMalloc1(waves->classes, &q->at));
  do {
    q->M--;
    place(q);
  } while (q->M > 1 && (double)q->all * sizeof(double) * (FOLDS + 1) > MOST_BYTES);
  const size_t T = (size_t)correction_equations_terms(q, 0);
  PetscCall(PetscCalloc1((FOLDS + 1) * q->all, &q->sums));
  PetscCall(
      PetscMalloc6(T * T, &q->G, T * (size_t)E, &q->B, T * (size_t)E, &q->GB, E, &q->error, E, &q->least, T, &q->list));
  PetscFunctionReturn(0);
}

PetscErrorCode CorrectionEquationsDestroy(CorrectionEquations *q)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(q->at));
  PetscCall(PetscFree(q->sums));
  PetscCall(PetscFree6(q->G, q->B, q->GB, q->error, q->least, q->list));
  PetscFunctionReturn(0);
}

void correction_equations_add(CorrectionEquations *q, int fold, int k, const double X[], const double y[])
{
  const int T = correction_equations_terms(q, k), E = q->E, width = wave_coordinates(&q->waves->class[k]);
  const Normal s = normal_of(q, fold, k);
  la_syrk(T, width, T, X, s.G);
  la_gemm(true, false, T, E, width, 1, X, T, y, E, 1, s.H, E);
  for (int i = 0; i < width * E; i++) s.yy[i % E] += y[i] * y[i];
}

void correction_equations_close(CorrectionEquations *q, int64_t n)
{
  double *all = q->sums + FOLDS * q->all;
  q->n        = n;
  for (size_t fold = 0; fold < FOLDS; fold++)
    for (size_t i = 0; i < q->all; i++) all[i] += q->sums[fold * q->all + i];
}

/* ------------------------------------------------------------------------------------------------- a choice ---- */

static int list_terms(CorrectionEquations *q, int k, const CorrectionTerms *chosen)
{
  const int P = polynomials_of(q, k);
  int n       = 0;
  for (int t = 0; t < P; t++)
    if (correction_power(q->poly, t) <= chosen->degree) q->list[n++] = t;
  for (int m = 0; m < chosen->modes; m++) q->list[n++] = P + m;
  for (int m = 0; m < chosen->modes * q->d && chosen->crossed; m++) q->list[n++] = P + q->M + m;
  return n;
}

/* The n terms of q->list, of all pairs without a fold (-1: none): coefficients in q->B (n, E). */
static bool solve(CorrectionEquations *q, int k, int without, int n)
{
  const Normal all = normal_of(q, FOLDS, k), left_out = normal_of(q, without < 0 ? 0 : without, k);
  const size_t T = (size_t)correction_equations_terms(q, k), E = (size_t)q->E;
  const double share = without < 0 ? 0 : 1;
  double trace       = 0;
  for (int i = 0; i < n; i++) {
    const size_t row = (size_t)q->list[i];
    for (int j = 0; j <= i; j++) {
      const size_t at = row * T + (size_t)q->list[j];
      q->G[i * n + j] = all.G[at] - share * left_out.G[at];
    }
    trace += q->G[i * n + i];
    for (size_t e = 0; e < E; e++) q->B[(size_t)i * E + e] = all.H[row * E + e] - share * left_out.H[row * E + e];
  }
  for (int i = 0; i < n; i++) q->G[i * n + i] += 1e-9 * trace / n;
  if (n && !la_cholesky(n, q->G)) return false;
  if (n) la_cholesky_solve(n, q->G, (int)E, q->B);
  return true;
}

/* Adds to q->error (E) what q->B leaves of a fold: yy - 2 B.H + B^T G B. */
static void add_error(CorrectionEquations *q, int k, int fold, int n)
{
  const Normal s = normal_of(q, fold, k);
  const size_t T = (size_t)correction_equations_terms(q, k), E = (size_t)q->E;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      q->G[i * n + j] = s.G[(size_t)PetscMax(q->list[i], q->list[j]) * T + (size_t)PetscMin(q->list[i], q->list[j])];
  if (n) la_gemm(false, false, n, (int)E, n, 1, q->G, n, q->B, (int)E, 0, q->GB, (int)E);
  for (size_t e = 0; e < E; e++) {
    q->error[e] += s.yy[e];
    for (int i = 0; i < n; i++) {
      const size_t at = (size_t)i * E + e;
      q->error[e] += q->B[at] * (q->GB[at] - 2 * s.H[(size_t)q->list[i] * E + e]);
    }
  }
}

/* The cross-validated error of a choice, all elements together, and each in q->error; infinite where it has none. */
static double validate(CorrectionEquations *q, int k, const CorrectionTerms *chosen)
{
  const int n = list_terms(q, k, chosen);
  double sum  = 0;
  memset(q->error, 0, sizeof *q->error * (size_t)q->E);
  if ((int64_t)n * CORRECTION_SHARE > q->n * wave_coordinates(&q->waves->class[k])) return INFINITY;
  for (int fold = 0; fold < FOLDS; fold++) {
    if (!solve(q, k, fold, n)) return INFINITY;
    add_error(q, k, fold, n);
  }
  for (int e = 0; e < q->E; e++) sum += q->error[e];
  return sum;
}

CorrectionTerms correction_equations_choose(CorrectionEquations *q, int k, int modes, double before[], double after[])
{
  static const int offered[] = {0, 1, 2, 4, 8, 12};
  const double *yy           = normal_of(q, FOLDS, k).yy;
  const size_t E             = (size_t)q->E;
  double least               = 0;
  CorrectionTerms best       = {.degree = -1}; /* to correct nothing */
  for (size_t e = 0; e < E; e++) least += yy[e];
  memcpy(q->least, yy, sizeof *yy * E);
  for (int degree = -1; degree <= (k ? -1 : CORRECTION_DEGREE); degree++)
    for (size_t m = 0; m < sizeof offered / sizeof *offered; m++) {
      const int number = PetscMin(offered[m], PetscMin(q->M, modes));
      if (m && number == PetscMin(offered[m - 1], PetscMin(q->M, modes))) break;
      for (int crossed = 0; crossed <= (number > 0 && q->d > 0); crossed++) {
        const CorrectionTerms terms = {degree, number, crossed};
        const double error          = validate(q, k, &terms);
        if (!(error < least)) continue;
        best  = terms;
        least = error;
        memcpy(q->least, q->error, sizeof *q->error * E);
      }
    }
  for (size_t e = 0; e < E; e++) {
    before[e] += yy[e];
    after[e] += q->least[e];
  }
  return best;
}

int correction_equations_solve(CorrectionEquations *q, int k, const CorrectionTerms *chosen, double B[])
{
  const int n = list_terms(q, k, chosen);
  if (!solve(q, k, -1, n)) return -1;
  memcpy(B, q->B, sizeof *B * (size_t)n * (size_t)q->E);
  return n;
}
