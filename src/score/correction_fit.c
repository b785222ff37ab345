/* The regression of ScoriaCorrectionFit: normal equations of all terms, once for every fold of the conditions; from
 * these the cross-validated error of any choice of terms follows without another look at the rows. */
#include "correction.h"
#include "levels.h"
#include "scoria/linalg.h"
#include <math.h>
#include <string.h>

#define FOLDS 8
#define DEGREE 2
#define MODES 20
#define PLACES 512 /* values of a row that its modes are of */
#define SHARE 4    /* pairs for each term, at least */

/* ---------------------------------------------------------------------------------------------------- terms ---- */

typedef struct {
  int degree, modes;
  bool crossed;
} Choice;

static int total_power(const NormPoly *poly, int term)
{
  int total = 0;
  for (int j = 0; j < poly->d; j++) total += poly->power[term * poly->d + j];
  return total;
}

/* The terms of a choice, ascending. */
static int list_terms(const Correction *c, const Choice *choice, int list[])
{
  const int modes = PetscMin(choice->modes, c->modes);
  int n           = 0;
  for (int t = 0; t < c->polynomials; t++)
    if (total_power(&c->poly, t) <= choice->degree) list[n++] = t;
  for (int k = 0; k < modes; k++) list[n++] = c->polynomials + k;
  for (int k = 0; k < modes * c->d && choice->crossed; k++) list[n++] = c->polynomials + c->modes + k;
  return n;
}

/* Modes of z, the largest first, each of variance 1. */
static PetscErrorCode FindModes(const ScoriaCorrectionPairs *p, Correction *c)
{
  const int P = c->places;
  double *C, *w, *row;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc3(P * P, &C, P, &w, P, &row));
  for (int64_t i = 0; i < p->n; i++)
    for (int k = 0; k < P; k++) c->centre[k] += p->z[i * c->width + (int64_t)k * c->stride] / (double)p->n;
  for (int64_t i = 0; i < p->n; i++) {
    for (int k = 0; k < P; k++) row[k] = p->z[i * c->width + (int64_t)k * c->stride] - c->centre[k];
    la_syrk(P, 1, P, row, C);
  }
  PetscCall(LinalgEigen(P, C, w)); /* ascending */
  for (c->modes = 0; c->modes < PetscMin(MODES, P) && w[P - 1 - c->modes] > 1e-10 * w[P - 1];) c->modes++;
  PetscCall(PetscMalloc1((size_t)P * (size_t)PetscMax(c->modes, 1), &c->V));
  for (int k = 0; k < c->modes; k++) {
    const double scale = sqrt((double)p->n / w[P - 1 - k]);
    for (int i = 0; i < P; i++) c->V[i * c->modes + k] = scale * C[(P - 1 - k) * P + i];
  }
  PetscCall(PetscFree3(C, w, row));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreatePolynomials(const ScoriaCorrectionPairs *p, Correction *c)
{
  const int64_t start[2] = {0, p->n};
  const int used[1]      = {(int)p->n};
  const NormTiles pairs  = {PETSC_COMM_SELF, 1, start, used};
  int powers[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  PetscCall(LevelsPowers(&pairs, p->d, p->u, powers));
  PetscCall(NormPolyCreate(p->d, DEGREE, powers, &c->poly));
  c->polynomials = c->poly.terms;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ the regression ----
 */

/* Normal equations: of one fold, or of all; lower triangle of G. */
typedef struct {
  double *G, *H; /* owned (terms, terms), (terms, width) */
  double *yy;    /* owned (width): sums of squares */
  int64_t n;
} Normal;

static PetscErrorCode NormalCreate(const Correction *c, Normal *s)
{
  PetscFunctionBeginUser;
  s->n = 0;
  PetscCall(PetscCalloc3((size_t)c->terms * (size_t)c->terms, &s->G, (size_t)c->terms * (size_t)c->width, &s->H,
                         c->width, &s->yy));
  PetscFunctionReturn(0);
}

static void add_fold(const Correction *c, const Normal *fold, Normal *all)
{
  const size_t terms = (size_t)c->terms, width = (size_t)c->width;
  for (size_t i = 0; i < terms * terms; i++) all->G[i] += fold->G[i];
  for (size_t i = 0; i < terms * width; i++) all->H[i] += fold->H[i];
  for (size_t i = 0; i < width; i++) all->yy[i] += fold->yy[i];
  all->n += fold->n;
}

static void add_pair(const Correction *c, const double x[], const double y[], Normal *s)
{
  la_syrk(c->terms, 1, c->terms, x, s->G);
  for (int t = 0; t < c->terms; t++)
    for (int w = 0; w < c->width; w++) s->H[(size_t)t * (size_t)c->width + (size_t)w] += x[t] * y[w];
  for (int w = 0; w < c->width; w++) s->yy[w] += y[w] * y[w];
  s->n++;
}

/* The terms n of `list`, of all without a fold (NULL: none): coefficients in B (n, width).  G (n, n) is scratch. */
static bool solve(const Correction *c, const Normal *all, const Normal *without, int n, const int list[], double G[],
                  double B[])
{
  double trace = 0;
  for (int i = 0; i < n; i++) {
    const size_t row = (size_t)list[i];
    for (int j = 0; j <= i; j++) {
      const size_t at = row * (size_t)c->terms + (size_t)list[j];
      G[i * n + j]    = all->G[at] - (without ? without->G[at] : 0);
    }
    trace += G[i * n + i];
    for (int w = 0; w < c->width; w++) {
      const size_t at                             = row * (size_t)c->width + (size_t)w;
      B[(size_t)i * (size_t)c->width + (size_t)w] = all->H[at] - (without ? without->H[at] : 0);
    }
  }
  for (int i = 0; i < n; i++) G[i * n + i] += 1e-9 * trace / n;
  if (n && !la_cholesky(n, G)) return false;
  if (n) la_cholesky_solve(n, G, c->width, B);
  return true;
}

/* Adds to error (width) what coefficients B of the terms leave of a fold: yy - 2 B.H + B^T G B.  GB (n, width), G (n,
 * n): scratch. */
static void add_error(const Correction *c, const Normal *fold, int n, const int list[], const double B[], double G[],
                      double GB[], double error[])
{
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      const int a = PetscMax(list[i], list[j]), b = PetscMin(list[i], list[j]);
      G[i * n + j] = fold->G[(size_t)a * (size_t)c->terms + (size_t)b];
    }
  if (n) la_gemm(false, false, n, c->width, n, 1, G, n, B, c->width, 0, GB, c->width);
  for (int w = 0; w < c->width; w++) {
    double sum = fold->yy[w];
    for (int i = 0; i < n; i++) {
      const size_t at = (size_t)i * (size_t)c->width + (size_t)w;
      sum += B[at] * (GB[at] - 2 * fold->H[(size_t)list[i] * (size_t)c->width + (size_t)w]);
    }
    error[w] += sum;
  }
}

/* Mean square of a row's values in the channel where it is largest. */
static double worst_channel(int channels, int cells, int64_t n, const double error[])
{
  double worst = 0;
  for (int ch = 0; ch < channels; ch++) {
    double sum = 0;
    for (int i = 0; i < cells; i++) sum += error[ch * cells + i];
    worst = fmax(worst, sum / ((double)n * cells));
  }
  return worst;
}

static double mean_of(int width, int64_t n, const double error[])
{
  double sum = 0;
  for (int w = 0; w < width; w++) sum += error[w];
  return sum / ((double)n * width);
}

/* Scratch of the choice, owned. */
typedef struct {
  double *G, *B, *GB, *error;
  int *list;
} Scratch;

/* Cross-validated errors of a choice in s->error; false where it cannot be had. */
static bool validate(const Correction *c, const Normal *all, const Normal fold[FOLDS], const Choice *choice, Scratch *s)
{
  const int n = list_terms(c, choice, s->list);
  if ((int64_t)n * SHARE > all->n) return false;
  memset(s->error, 0, sizeof *s->error * (size_t)c->width);
  for (int f = 0; f < FOLDS; f++) {
    if (!fold[f].n) continue;
    if (!solve(c, all, &fold[f], n, s->list, s->G, s->B)) return false;
    add_error(c, &fold[f], n, s->list, s->B, s->G, s->GB, s->error);
  }
  return true;
}

/* The choice of least error; the first is to correct nothing. */
static void choose(const ScoriaCorrectionPairs *p, const Normal *all, const Normal fold[FOLDS], Scratch *s,
                   Correction *c)
{
  static const int modes[] = {0, 4, 8, 12, MODES};
  Choice best              = {.degree = -1};
  double least             = mean_of(c->width, all->n, all->yy);
  c->chosen.before = c->chosen.after = sqrt(worst_channel(p->channels, p->cells, all->n, all->yy));
  for (int degree = 0; degree <= DEGREE; degree++)
    for (size_t m = 0; m < sizeof modes / sizeof *modes; m++)
      for (int crossed = 0; crossed <= (modes[m] > 0 && c->d > 0); crossed++) {
        const Choice choice = {degree, modes[m], crossed};
        if (!validate(c, all, fold, &choice, s)) continue;
        const double error = mean_of(c->width, all->n, s->error);
        if (!(error < least)) continue;
        best            = choice;
        least           = error;
        c->chosen.after = sqrt(worst_channel(p->channels, p->cells, all->n, s->error));
      }
  c->chosen.degree  = best.degree;
  c->chosen.modes   = PetscMin(best.modes, c->modes);
  c->chosen.crossed = best.crossed;
}

/* What the fit of all pairs leaves, made as large as the errors of rows that it has not seen. */
static PetscErrorCode KeepResiduals(const ScoriaCorrectionPairs *p, const double x[], int used, Correction *c)
{
  const double grow = sqrt((double)p->n / (double)PetscMax(p->n - used, 1));
  PetscFunctionBeginUser;
  c->chosen.pairs = p->n;
  PetscCall(PetscMalloc2(p->n * PetscMax(c->d, 1), &c->u, p->n * c->width, &c->residual));
  PetscCall(PetscArraycpy(c->u, p->u, p->n * c->d));
  la_rows_product(p->n, c->terms, c->width, x, c->B, NULL, c->residual);
  for (int64_t i = 0; i < p->n * c->width; i++) c->residual[i] = grow * (p->y[i] - c->residual[i]);
  PetscFunctionReturn(0);
}

/* Of the choice made, by all pairs. */
static PetscErrorCode FitChosen(const ScoriaCorrectionPairs *p, const double x[], const Normal *all, Scratch *s,
                                Correction *c)
{
  const Choice choice = {c->chosen.degree, c->chosen.modes, c->chosen.crossed};
  const int n         = c->chosen.degree < 0 ? 0 : list_terms(c, &choice, s->list);
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)c->terms * (size_t)c->width, &c->B));
  PetscCheck(solve(c, all, NULL, n, s->list, s->G, s->B), PETSC_COMM_SELF, PETSC_ERR_PLIB, "a regression of %d terms",
             n);
  for (int i = 0; i < n; i++)
    PetscCall(
        PetscArraycpy(c->B + (size_t)s->list[i] * (size_t)c->width, s->B + (size_t)i * (size_t)c->width, c->width));
  PetscCall(KeepResiduals(p, x, n, c));
  PetscFunctionReturn(0);
}

static int fold_of(uint64_t seed, int64_t condition)
{
  uint32_t bits[4];
  rng_block(seed, SCORIA_STREAM_PAIR, (uint64_t)condition, 0, bits);
  return (int)(bits[0] % FOLDS);
}

static PetscErrorCode Regress(const ScoriaCorrectionPairs *p, uint64_t seed, Correction *c)
{
  const size_t terms = (size_t)c->terms, width = (size_t)c->width;
  Normal all, fold[FOLDS];
  Scratch s;
  double *x, *picked;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)p->n * terms, &x, c->places, &picked));
  PetscCall(
      PetscMalloc5(terms * terms, &s.G, terms * width, &s.B, terms * width, &s.GB, width, &s.error, terms, &s.list));
  PetscCall(NormalCreate(c, &all));
  for (int f = 0; f < FOLDS; f++) PetscCall(NormalCreate(c, &fold[f]));
  for (int64_t i = 0; i < p->n; i++) {
    double *row = x + (size_t)i * terms;
    correction_terms(c, p->u + i * c->d, p->z + i * c->width, picked, row);
    add_pair(c, row, p->y + i * c->width, &fold[fold_of(seed, p->condition[i])]);
  }
  for (int f = 0; f < FOLDS; f++) add_fold(c, &fold[f], &all);
  choose(p, &all, fold, &s, c);
  PetscCall(FitChosen(p, x, &all, &s, c));
  for (int f = 0; f < FOLDS; f++) PetscCall(PetscFree3(fold[f].G, fold[f].H, fold[f].yy));
  PetscCall(PetscFree3(all.G, all.H, all.yy));
  PetscCall(PetscFree5(s.G, s.B, s.GB, s.error, s.list));
  PetscCall(PetscFree2(x, picked));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCorrectionFit(const ScoriaCorrectionPairs *p, uint64_t seed, ScoriaCorrection *correction)
{
  Correction *c;
  PetscFunctionBeginUser;
  PetscCall(PetscNew(&c));
  *correction = c;
  c->d        = p->d;
  c->width    = p->channels * p->cells;
  c->stride   = (c->width + PLACES - 1) / PLACES;
  c->places   = (c->width + c->stride - 1) / c->stride;
  PetscCall(PetscCalloc1(c->places, &c->centre));
  PetscCall(CreatePolynomials(p, c));
  PetscCall(FindModes(p, c));
  c->terms = c->polynomials + c->modes + c->modes * c->d;
  PetscCall(Regress(p, seed, c));
  PetscFunctionReturn(0);
}
