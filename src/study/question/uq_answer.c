/* uq: the answer as one array. */
#include "scoria/linalg.h"
#include "question.h"
#include <math.h>

int uq_shares(const UqQuestion *q, int t)
{
  return q->threshold[t].number + 2;
}

size_t uq_shares_at(const UqQuestion *q, const UqAnswer *a, int t)
{
  size_t at = a->exceedances;
  for (int k = 0; k < t; k++) at += (size_t)UQ_NSHARES * uq_shares(q, k);
  return at;
}

void uq_lay_out(const UqQuestion *q, UqAnswer *a)
{
  *a             = (UqAnswer){.columns = q->m + q->nquantities,
                              .joint   = q->conditions <= UQ_JOINT_CONDITIONS && !q->multilevel && !q->whole};
  a->moments     = UQ_HEAD;
  a->quantiles   = a->moments + (size_t)SCORIA_UQ_NMOMENTS * a->columns;
  a->exceedances = a->quantiles + (size_t)q->nprobabilities * 2 * a->columns;
  a->histograms  = uq_shares_at(q, a, q->nthresholds);
  a->covariance  = a->histograms + (size_t)q->nquantities * (2 + UQ_BINS);
  a->size        = a->covariance + (a->joint ? (size_t)(q->m + UQ_MODES) * q->m + UQ_MODES : 0);
}

PetscErrorCode UqAnswerCreate(const UqQuestion *q, UqAnswer *a)
{
  PetscFunctionBeginUser;
  uq_lay_out(q, a);
  PetscCall(PetscCalloc1(a->size * q->conditions, &a->value));
  PetscFunctionReturn(0);
}

PetscErrorCode UqAnswerDestroy(UqAnswer *a)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(a->value));
  PetscFunctionReturn(0);
}

static void fill_columns(const UqQuestion *q, const UqAnswer *a, ScoriaSummary summary, double at[])
{
  const int columns = a->columns;
  for (int j = 0; j < columns; j++) {
    ScoriaMoments m;
    summary_moments(summary, j, &m);
    const double all[SCORIA_UQ_NMOMENTS] = {m.mean, m.mean_se, m.sd, m.sd_se, m.skewness, m.skewness_se, m.min, m.max};
    for (int i = 0; i < SCORIA_UQ_NMOMENTS; i++) at[a->moments + (size_t)i * columns + j] = all[i];
    for (int i = 0; i < q->nprobabilities; i++) {
      double *value = at + a->quantiles + (size_t)i * 2 * columns + j;
      if (!summary_quantile(summary, j, q->probability[i], value, value + columns)) at[UQ_OUTSIDE]++;
    }
  }
}

static PetscErrorCode FillCovariance(const UqQuestion *q, const UqAnswer *a, ScoriaSummary summary, double at[])
{
  const int m = q->m;
  double *C = at + a->covariance, *variance = C + (size_t)m * m, *mode = variance + UQ_MODES, *A, *w;
  PetscFunctionBeginUser;
  summary_covariance(summary, C);
  PetscCall(PetscMalloc2((size_t)m * m, &A, m, &w));
  /* Modes of the fields in units of their SD, for the channels have different ones. */
  for (int i = 0; i < m; i++)
    for (int j = 0; j < m; j++) {
      const double scale   = sqrt(C[(size_t)i * m + i] * C[(size_t)j * m + j]);
      A[(size_t)i * m + j] = scale > 0 ? C[(size_t)i * m + j] / scale : 0;
    }
  PetscCall(LinalgEigen(m, A, w));
  for (int k = 0; k < PetscMin(UQ_MODES, m); k++) {
    variance[k] = w[m - 1 - k];
    PetscCall(PetscArraycpy(mode + (size_t)k * m, A + (size_t)(m - 1 - k) * m, m));
  }
  PetscCall(PetscFree2(A, w));
  PetscFunctionReturn(0);
}

PetscErrorCode UqAnswerFill(const UqQuestion *q, UqAnswer *a, int k, int64_t failed, ScoriaSummary summary)
{
  double *at = a->value + (size_t)k * a->size;
  PetscFunctionBeginUser;
  at[UQ_SAMPLES] = (double)summary_count(summary);
  at[UQ_FAILED]  = (double)failed;
  at[UQ_OUTSIDE] = 0;
  fill_columns(q, a, summary, at);
  for (int t = 0; t < q->nthresholds; t++) {
    double *to      = at + uq_shares_at(q, a, t);
    const int cells = q->threshold[t].number, n = uq_shares(q, t);
    for (int c = 0; c < n; c++) {
      const ScoriaShare share =
          summary_exceedance(summary, t, c < cells ? c : (c == cells ? SUMMARY_ANY : SUMMARY_ALL));
      to[UQ_SHARE * n + c]      = share.value;
      to[UQ_SHARE_SE * n + c]   = share.se;
      to[UQ_SHARE_LOW * n + c]  = share.low;
      to[UQ_SHARE_HIGH * n + c] = share.high;
    }
  }
  for (int i = 0; i < q->nquantities; i++) {
    double *to = at + a->histograms + (size_t)i * (2 + UQ_BINS);
    summary_histogram(summary, q->m + i, UQ_BINS, to, to + 1, to + 2);
  }
  if (a->joint) PetscCall(FillCovariance(q, a, summary, at));
  PetscFunctionReturn(0);
}

bool uq_known(const UqQuestion *q, ScoriaSummary summary)
{
  for (int i = 0; i < q->nquantities; i++) {
    ScoriaMoments m;
    if (q->aside[i]) continue;
    summary_moments(summary, q->m + i, &m);
    double largest = q->means ? m.mean_se : PetscMax(m.mean_se, m.sd_se), value, se;
    for (int k = 0; k < q->nprobabilities && !q->means; k++) {
      summary_quantile(summary, q->m + i, q->probability[k], &value, &se);
      largest = PetscMax(largest, se);
    }
    if (largest > q->tolerance * m.sd) return false;
  }
  return true;
}
