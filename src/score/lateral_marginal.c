/* Marginals from histograms: the pooled law of every element of z, and how it depends on the conditions.
 *
 * The normal score of z at every edge between bins is a polynomial in the conditions, by the likelihood of lying below
 * it (distribution regression: Foresi & Peracchi, J. Am. Stat. Assoc. 90, 451 (1995); a probit for each edge).  Tails
 * are then regressed by themselves.  Four Hermite polynomials that tilted the pooled law left them to what the bulk
 * says: 4 standard deviations out, the local current of a wide electrode was off by .7 of one. */
#include "scoria/linalg.h"
#include "lateral_fit.h"
#include "tile_sum.h"
#include <math.h>
#include <string.h>

#define LEAST_SHARE 1e-5
#define LEAST_TAIL 40.0 /* values beyond the last edge at which the law is told: a sixth of them is chance */

static PetscErrorCode Pool(LateralData *data, const float histogram[])
{
  const NormLateral norm = data->norm;
  const size_t q         = (size_t)norm->E * MARGINAL_BINS;
  double *table, *mean;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2((size_t)(data->n + 1) * q, &table, q, &mean));
  for (size_t i = 0; i < (size_t)data->n * q; i++) table[i] = histogram[i];
  PetscCall(LateralPooled(data, (int)q, table, mean));
  const double least = PetscMax(LEAST_SHARE, LEAST_TAIL / (data->fitted_rows * norm->N));
  for (int e = 0; e < norm->E; e++) {
    memcpy(norm->marginal[e].mass, mean + (size_t)e * MARGINAL_BINS, sizeof norm->marginal[e].mass);
    marginal_set_range(&norm->marginal[e], least);
  }
  PetscCall(PetscFree2(table, mean));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------- scores at edges ---- */

#define STEPS 30
#define LONGEST 0.5  /* step of a coefficient */
#define ENOUGH 1e-4  /* change of a score */
#define FARTHEST 8.0 /* score that the likelihood is taken at */
/* Penalty of a coefficient's square, in rows: where an edge tells no trend, there is none.  A row of a plane has more
 * independent places than one of a line, and tells more of tails (benchmarks/whole_fields.md). */
#define PENALTY_LINE 5.0
#define PENALTY_PLANE 1.0

typedef struct {
  double penalty; /* rows */
  int p, each;    /* terms; of an edge: gradient (p), packed lower triangle of the second derivatives */
  double *XX;     /* owned (p (p + 1) / 2) */
  double *score;  /* owned (MARGINAL_EDGES) */
  double *part;   /* owned (MARGINAL_EDGES, each): of a tile; of all on rank 0 */
  double *H;      /* owned (p, p + 1): of an edge, and the gradient */
  double *coef;   /* owned (p, MARGINAL_EDGES), the largest change, and the number of edges that changed too much */
  TileSum sum;
} Edges;

static PetscErrorCode EdgesCreate(const LateralData *data, Edges *s)
{
  const int p = data->norm->shape.terms, triangle = p * (p + 1) / 2;
  PetscFunctionBeginUser;
  *s = (Edges){.p = p, .each = p + triangle, .penalty = data->norm->nz > 1 ? PENALTY_PLANE : PENALTY_LINE};
  PetscCall(PetscMalloc5(triangle, &s->XX, MARGINAL_EDGES, &s->score, MARGINAL_EDGES * s->each, &s->part, p * (p + 1),
                         &s->H, p * MARGINAL_EDGES + 2, &s->coef));
  PetscCall(TileSumCreate(data->in.comm, (int64_t)MARGINAL_EDGES * s->each, &s->sum));
  PetscFunctionReturn(0);
}

static PetscErrorCode EdgesDestroy(Edges *s)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree5(s->XX, s->score, s->part, s->H, s->coef));
  PetscCall(TileSumDestroy(&s->sum));
  PetscFunctionReturn(0);
}

/* The derivatives by t of -share ln Phi(t) - (1 - share) ln Phi(-t). */
static void probit(double share, double t, double *first, double *second)
{
  t                    = PetscClipInterval(t, -FARTHEST, FARTHEST);
  const double density = exp(-0.5 * t * t) / sqrt(2 * PETSC_PI), below = density / (0.5 * erfc(-t / sqrt(2))),
               above = density / (0.5 * erfc(t / sqrt(2)));
  *first             = (1 - share) * above - share * below;
  *second            = share * below * (t + below) + (1 - share) * above * (above - t);
}

/* Adds the derivatives of a piece of some weight, of an element's histogram (MARGINAL_BINS). */
static void add_piece(Edges *s, const Marginal *m, double weight, const double X[], const float histogram[])
{
  double share = 0, total = 0, first, second;
  for (int i = 0, at = 0; i < s->p; i++)
    for (int j = 0; j <= i; j++) s->XX[at++] = X[i] * X[j];
  la_rows_product(1, s->p, MARGINAL_EDGES, X, s->coef, NULL, s->score);
  for (int k = 0; k < MARGINAL_BINS; k++) total += histogram[k]; /* 1 but for rounding, which upper tails would feel */
  for (int k = 0; k < m->first; k++) share += histogram[k];
  for (int k = m->first; k <= m->last; k++) {
    double *to = s->part + (size_t)k * s->each;
    share += histogram[k];
    probit(share / total, s->score[k], &first, &second);
    for (int i = 0; i < s->p; i++) to[i] += weight * first * X[i];
    for (int i = 0; i < s->each - s->p; i++) to[s->p + i] += weight * second * s->XX[i];
  }
}

static PetscErrorCode SumDerivatives(LateralData *data, Edges *s, int e, const float histogram[])
{
  const NormLateral norm = data->norm;
  const Marginal *m      = &norm->marginal[e];
  const size_t count     = (size_t)(m->last - m->first + 1) * s->each;
  double *first          = s->part + (size_t)m->first * s->each;
  PetscFunctionBeginUser;
  for (int t = 0; t < data->tiles.tiles; t++) {
    memset(first, 0, sizeof *first * count);
    for (int64_t i = data->start[t]; i < data->start[t + 1]; i++)
      if (data->weight[i] > 0)
        add_piece(s, m, data->weight[i], data->shape_X + i * s->p,
                  histogram + ((size_t)i * norm->E + e) * MARGINAL_BINS);
    tile_sum_add(&s->sum, (int64_t)m->first * s->each, (int)count, first);
  }
  PetscCall(TileSumTake(&s->sum, s->part));
  PetscFunctionReturn(0);
}

/* A step of Newton's method at edge k; the largest change of a coefficient, infinite where there is no step. */
static double step(Edges *s, int k)
{
  const int p          = s->p;
  const double *packed = s->part + (size_t)k * s->each + p;
  double *H = s->H, *change = s->H + p * p, largest = 0;
  for (int i = 0; i < p; i++) {
    for (int j = 0; j <= i; j++) H[i * p + j] = *packed++;
    H[i * p + i] += i ? s->penalty : 0;
    change[i] = s->part[(size_t)k * s->each + i] + (i ? s->penalty * s->coef[i * MARGINAL_EDGES + k] : 0);
  }
  if (!la_cholesky(p, H)) return INFINITY;
  la_cholesky_solve(p, H, 1, change);
  for (int i = 0; i < p; i++) largest = PetscMax(largest, fabs(change[i]));
  const double factor = PetscMin(1, LONGEST / PetscMax(largest, LONGEST * 1e-9));
  for (int i = 0; i < p; i++) s->coef[i * MARGINAL_EDGES + k] -= factor * change[i];
  return largest;
}

/* Scores of element e; those that have not settled are added to *unsettled. */
static PetscErrorCode FitElement(LateralData *data, Edges *s, int e, const float histogram[], int64_t *unsettled)
{
  const NormLateral norm = data->norm;
  const Marginal *m      = &norm->marginal[e];
  const int count        = s->p * MARGINAL_EDGES;
  double below = 0, *largest = s->coef + count, *moving = largest + 1;
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(data->in.comm, &rank));
  memset(s->coef, 0, sizeof *s->coef * (size_t)count);
  for (int k = 0; k < m->first; k++) below += m->mass[k];
  for (int k = m->first; k <= m->last; k++) {
    below += m->mass[k];
    s->coef[k] = normal_quantile(PetscClipInterval(below, 1e-15, 1 - 1e-15)); /* term 0 is 1 */
  }
  *largest = m->last > m->first ? 1 : 0;
  *moving  = 0;
  for (int i = 0; *largest > ENOUGH && i < STEPS; i++) {
    PetscCall(SumDerivatives(data, s, e, histogram));
    *largest = *moving = 0;
    for (int k = m->first; k <= m->last && rank == 0; k++) {
      const double change = step(s, k); /* PetscMax evaluates its arguments twice */
      *largest            = PetscMax(*largest, change);
      *moving += change > ENOUGH;
    }
    PetscCall(NormShare(data->in.comm, (size_t)count + 2, s->coef));
  }
  *unsettled += (int64_t)*moving;
  for (int i = 0; i < s->p; i++)
    memcpy(norm->score_coef + ((size_t)i * norm->E + e) * MARGINAL_EDGES, s->coef + i * MARGINAL_EDGES,
           sizeof *s->coef * MARGINAL_EDGES);
  PetscFunctionReturn(0);
}

PetscErrorCode LateralFitMarginals(LateralData *data, const float histogram[], int64_t *unsettled)
{
  Edges s;
  PetscFunctionBeginUser;
  PetscCall(Pool(data, histogram));
  PetscCall(EdgesCreate(data, &s));
  *unsettled = 0;
  for (int e = 0; e < data->norm->E; e++) PetscCall(FitElement(data, &s, e, histogram, unsettled));
  PetscCall(EdgesDestroy(&s));
  PetscFunctionReturn(0);
}
