/* ScoriaCorrectionFitFields, by passes over the pairs:
 *   1. products of the coordinates of z, by wave number  -> modes
 *   2. normal equations of the terms                     -> which of them, and their coefficients
 *   3. what these leave of some pairs                    -> residuals. */
#include "correction_equations.h"
#include "levels.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

#define MODES 12
#define REST_BYTES 128e6 /* of the residuals that are kept */
#define LEAST 1e-10      /* of a mean square of z, whose variance is 1: below, nothing is told */
#define LEAST_MODE 1e-8  /* of the variance of a mode to that of the first */

typedef struct {
  const ScoriaCorrectionFields *p;
  Correction *c;
  CorrectionWaves *w;
  int64_t n;                   /* pairs that are there */
  double *z, *y, *of_z, *of_y; /* owned (width): a pair, and its coordinates */
  int *found;                  /* owned (classes): modes that there are */
  double *V;                   /* owned (classes, E, MODES) */
  double *before, *after;      /* owned (E): sums of squares over all classes */
} Fit;

static int width_of(const Fit *f, int k)
{
  return wave_coordinates(&f->w->waves.class[k]);
}

static double *modes_of(const Fit *f, int k)
{
  return f->V + (size_t)k * (size_t)f->w->E * MODES;
}

/* Pair i to f->of_z and f->of_y, where it is there. */
static PetscErrorCode TakePair(Fit *f, int64_t i, int64_t *condition, double u[])
{
  PetscFunctionBeginUser;
  PetscCall(f->p->pair(f->p->ctx, i, condition, u, f->z, f->y));
  if (*condition < 0) PetscFunctionReturn(0);
  correction_waves_to(f->w, f->z, f->of_z);
  correction_waves_to(f->w, f->y, f->of_y);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- first pass ---- */

/* The modes of a class, of coordinates over their deviations, from sums of products A (E, E). */
static PetscErrorCode Modes(Fit *f, int k, double A[], double scale[], double values[])
{
  const int E        = f->w->E;
  const double count = (double)f->n * width_of(f, k);
  double *V          = modes_of(f, k);
  PetscFunctionBeginUser;
  for (int e = 0; e < E; e++) scale[e] = A[e * E + e] > LEAST * count ? 1 / sqrt(A[e * E + e]) : 0;
  for (int i = 0; i < E; i++)
    for (int j = 0; j <= i; j++) A[i * E + j] *= scale[i] * scale[j];
  PetscCall(LinalgEigen(E, A, values)); /* ascending */
  for (int m = 0; m < PetscMin(MODES, E); m++) {
    const double value = values[E - 1 - m];
    if (!(value > 0) || value < LEAST_MODE * values[E - 1]) break;
    for (int e = 0; e < E; e++) V[e * MODES + m] = A[(E - 1 - m) * E + e] * scale[e] * sqrt(count / value);
    f->found[k]++;
  }
  PetscFunctionReturn(0);
}

/* u: (pairs, d), of those that are there. */
static PetscErrorCode FindModes(Fit *f, double u[])
{
  const size_t E = (size_t)f->w->E;
  const int n = f->w->waves.classes, d = f->c->d;
  double *A, *scale, *values;
  int64_t condition;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)n * E * E, &A));
  PetscCall(PetscMalloc2(E, &scale, E, &values));
  for (int64_t i = 0; i < f->p->n; i++) {
    PetscCall(TakePair(f, i, &condition, u + f->n * d));
    if (condition < 0) continue;
    f->n++;
    const double *z = f->of_z;
    for (int k = 0; k < n; z += width_of(f, k++) * f->w->E)
      la_syrk((int)E, width_of(f, k), (int)E, z, A + (size_t)k * E * E);
  }
  for (int k = 0; k < n && f->n; k++) PetscCall(Modes(f, k, A + (size_t)k * E * E, scale, values));
  PetscCall(PetscFree(A));
  PetscCall(PetscFree2(scale, values));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreatePolynomials(Fit *f, const double u[])
{
  const int64_t start[2] = {0, f->n};
  const int used[1]      = {(int)f->n};
  const NormTiles pairs  = {PETSC_COMM_SELF, 1, start, used};
  int powers[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(LevelsPowers(&pairs, f->c->d, u, powers));
  PetscCall(NormPolyCreate(f->c->d, CORRECTION_DEGREE, powers, &f->c->poly));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ second pass ---- */

/* All terms of class k, X (coordinates, terms), of coordinates z at u, of which `value` are the polynomials. */
static void all_terms(const Fit *f, const CorrectionEquations *q, int k, const double u[], const double value[],
                      const double z[], double X[])
{
  const int E = f->w->E, polynomials = k ? 0 : q->poly->terms;
  double a[MODES];
  for (int j = 0; j < width_of(f, k); j++, z += E) {
    la_gemm(false, false, 1, q->M, E, 1, z, E, modes_of(f, k), MODES, 0, a, MODES);
    for (int t = 0; t < polynomials; t++) *X++ = value[t];
    for (int m = 0; m < q->M; m++) *X++ = a[m];
    for (int m = 0; m < q->M; m++)
      for (int l = 0; l < q->d; l++) *X++ = a[m] * u[l];
  }
}

static PetscErrorCode SumEquations(Fit *f, uint64_t seed, CorrectionEquations *q)
{
  double u[SCORIA_MAX_CONDITIONS], *value, *X;
  int64_t condition;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(q->poly->terms, &value, 2 * WAVES_MEMBERS * correction_equations_terms(q, 0), &X));
  for (int64_t i = 0; i < f->p->n; i++) {
    PetscCall(TakePair(f, i, &condition, u));
    if (condition < 0) continue;
    const int fold  = correction_fold(seed, condition) % EQUATIONS_FOLDS;
    const double *z = f->of_z, *y = f->of_y;
    norm_poly_values(q->poly, u, value);
    for (int k = 0; k < q->waves->classes; k++) {
      all_terms(f, q, k, u, value, z, X);
      correction_equations_add(q, fold, k, X, y);
      z += width_of(f, k) * f->w->E;
      y += width_of(f, k) * f->w->E;
    }
  }
  correction_equations_close(q, f->n);
  PetscCall(PetscFree2(value, X));
  PetscFunctionReturn(0);
}

/* The terms of every class, and their coefficients by all pairs. */
static PetscErrorCode Regress(Fit *f, CorrectionEquations *q)
{
  CorrectionWaves *w = f->w;
  PetscFunctionBeginUser;
  for (int k = 0; k < w->waves.classes; k++) {
    const CorrectionTerms chosen = correction_equations_choose(q, k, f->found[k], f->before, f->after);
    w->degree[k]                 = chosen.degree;
    w->modes[k]                  = chosen.modes;
    w->crossed[k]                = chosen.crossed;
  }
  PetscCall(CorrectionWavesSetUp(f->c, w));
  for (int k = 0; k < w->waves.classes; k++) {
    const CorrectionTerms chosen = {w->degree[k], w->modes[k], w->crossed[k]};
    const int terms              = correction_equations_solve(q, k, &chosen, w->B + w->B_at[k]);
    double *V                    = w->V + w->V_at[k];
    PetscCheck(terms == w->terms[k], PETSC_COMM_SELF, PETSC_ERR_PLIB, "a regression of %d terms", w->terms[k]);
    for (int e = 0; e < w->E; e++)
      for (int m = 0; m < chosen.modes; m++) *V++ = modes_of(f, k)[e * MODES + m];
  }
  PetscFunctionReturn(0);
}

/* The largest root mean square of a channel, from sums of squares of its elements. */
static double worst_channel(const Fit *f, const double sum[])
{
  const Waves *w = &f->w->waves;
  double worst   = 0;
  for (int c = 0; c < w->C; c++) {
    double all = 0;
    for (int x = 0; x < w->nx; x++) all += sum[c * w->nx + x];
    worst = fmax(worst, all);
  }
  return sqrt(worst / ((double)f->n * w->nx * w->ny * w->nz));
}

static void tell(const Fit *f, ScoriaCorrectionChoice *chosen)
{
  chosen->before = worst_channel(f, f->before);
  chosen->after  = worst_channel(f, f->after);
  chosen->degree = f->w->degree[0];
  for (int k = 0; k < f->w->waves.classes; k++) {
    chosen->modes   = PetscMax(chosen->modes, f->w->modes[k]);
    chosen->crossed = chosen->crossed || f->w->crossed[k];
  }
}

/* ------------------------------------------------------------------------------------------------- third pass ---- */

/* What the fit leaves of the pair in f->of_z and f->of_y, made as large as the errors of rows that it has not seen. */
static void put_rest(Fit *f, const double u[], double work[], float rest[])
{
  double *z = f->of_z, *y = f->of_y, *value = work + correction_waves_work(f->c), *found = f->z;
  norm_poly_values(&f->c->poly, u, value);
  for (int k = 0; k < f->w->waves.classes; k++) {
    const double samples = (double)f->n * width_of(f, k);
    const double grow    = sqrt(samples / fmax(samples - f->w->terms[k], 1));
    const int rows       = width_of(f, k) * f->w->E;
    correction_waves_class(f->c, k, u, value, z, work, found);
    for (int i = 0; i < rows; i++) y[i] = grow * (y[i] - found[i]);
    z += rows;
    y += rows;
  }
  correction_waves_back(f->w, f->of_y, f->y);
  for (int i = 0; i < f->c->width; i++) rest[i] = (float)f->y[i];
}

static PetscErrorCode KeepResiduals(Fit *f)
{
  Correction *c      = f->c;
  const int64_t want = PetscClipInterval((int64_t)(REST_BYTES / ((double)sizeof(float) * c->width)), 1, f->n);
  double u[SCORIA_MAX_CONDITIONS], *work;
  int64_t condition, seen = 0;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(want * PetscMax(c->d, 1), &c->u));
  PetscCall(PetscMalloc1(want * c->width, &f->w->rest));
  PetscCall(PetscMalloc1(correction_waves_work(c) + c->poly.terms, &work));
  for (int64_t i = 0; i < f->p->n && c->kept < want; i++) {
    PetscCall(TakePair(f, i, &condition, u));
    if (condition < 0 || seen++ != c->kept * f->n / want) continue; /* evenly over the pairs */
    put_rest(f, u, work, f->w->rest + c->kept * c->width);
    PetscCall(PetscArraycpy(c->u + c->kept * c->d, u, c->d));
    c->kept++;
  }
  PetscCall(PetscFree(work));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ all together ---- */

static PetscErrorCode FitAll(Fit *f, uint64_t seed)
{
  Correction *c = f->c;
  CorrectionEquations q;
  double *u;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((f->p->n + 1) * PetscMax(c->d, 1), &u));
  PetscCall(FindModes(f, u));
  c->chosen.pairs = f->n;
  if (f->n >= CORRECTION_LEAST_PAIRS) {
    PetscCall(CreatePolynomials(f, u));
    PetscCall(CorrectionEquationsCreate(&f->w->waves, &c->poly, f->w->E, c->d, PetscMin(MODES, f->w->E), &q));
    PetscCall(SumEquations(f, seed, &q));
    PetscCall(Regress(f, &q));
    PetscCall(CorrectionEquationsDestroy(&q));
    tell(f, &c->chosen);
    PetscCall(KeepResiduals(f));
  }
  PetscCall(PetscFree(u));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCorrectionFitFields(const ScoriaCorrectionFields *p, uint64_t seed, ScoriaCorrection *correction)
{
  Correction *c;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&c));
  *correction = c;
  c->d        = p->d;
  c->width    = p->channels * p->shape[0] * p->shape[1] * p->shape[2];
  PetscCall(CorrectionWavesCreate(p->channels, p->shape, &c->of_waves));
  Fit f          = {.p = p, .c = c, .w = c->of_waves};
  const size_t E = (size_t)f.w->E, n = (size_t)f.w->waves.classes;
  PetscCall(PetscMalloc4(c->width, &f.z, c->width, &f.y, c->width, &f.of_z, c->width, &f.of_y));
  PetscCall(PetscCalloc4(n, &f.found, n * E * MODES, &f.V, E, &f.before, E, &f.after));
  PetscCall(FitAll(&f, seed));
  PetscCall(PetscFree4(f.z, f.y, f.of_z, f.of_y));
  PetscCall(PetscFree4(f.found, f.V, f.before, f.after));
  PetscFunctionReturn(0);
}
