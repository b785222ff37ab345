/* uq: what the deck asks for, and the answer as one array. */
#include "base/linalg.h"
#include "uq.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const uq_moment_names[UQ_NMOMENTS] = {"mean",     "mean_se",     "sd",  "sd_se",
                                                  "skewness", "skewness_se", "min", "max"};

/* ---------------------------------------------------------------------------------------------- question ---- */

/* Splits "c:2000" into a channel and a number. */
static PetscErrorCode ReadPair(const UqQuestion *q, const char *key, const char *word, int *channel, double *value)
{
  const char *colon = strchr(word, ':');
  char *end         = NULL;
  PetscFunctionBeginUser;
  if (colon) *value = strtod(colon + 1, &end);
  if (!colon || end == colon + 1 || *end || !isfinite(*value))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: found \"%s\", expected field:number", key, word);
  for (*channel = 0; *channel < q->channels; ++*channel)
    if (!strncmp(q->field[*channel].name, word, (size_t)(colon - word)) && !q->field[*channel].name[colon - word])
      PetscFunctionReturn(0);
  SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: %s: found \"%s\", but there is no field \"%.*s\"", key, word, (int)(colon - word),
              word);
}

typedef PetscErrorCode (*TakePair)(UqQuestion *q, const char *word, int channel, double value);

static PetscErrorCode ReadPairs(ScoriaDeck deck, UqQuestion *q, const char *key, TakePair take)
{
  char name[32], word[64];
  const char *text = NULL;
  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(name, sizeof name, "uq_%s", key));
  PetscCall(ScoriaDeckString(deck, name, &text));
  while (text && *text) {
    const size_t length = strcspn(text, ",");
    int channel         = 0;
    double value        = 0;
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    PetscCall(ReadPair(q, key, word, &channel, &value));
    PetscCall(take(q, word, channel, value));
    text += length + (text[length] == ',');
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeThreshold(UqQuestion *q, const char *word, int channel, double value)
{
  PetscFunctionBeginUser;
  if (q->nthresholds == UQ_MAX_THRESHOLDS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: exceed: \"%s\" is one too many, at most %d", word, UQ_MAX_THRESHOLDS);
  q->threshold[q->nthresholds++] = (ScoriaThreshold){channel * q->cells, q->cells, value};
  PetscFunctionReturn(0);
}

static PetscErrorCode AddQuantity(UqQuestion *q, ScoriaQuantityKind kind, int channel, ScoriaQuantity **made)
{
  PetscFunctionBeginUser;
  if (q->nquantities == UQ_MAX_QUANTITIES)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: more than %d quantities", UQ_MAX_QUANTITIES);
  q->condition[q->nquantities] = -1;
  *made                        = &q->quantity[q->nquantities++];
  **made                       = (ScoriaQuantity){.kind = kind, .channel = channel, .factor = 1};
  snprintf((*made)->unit, sizeof(*made)->unit, "%s", q->field[channel].unit);
  PetscFunctionReturn(0);
}

static PetscErrorCode TakeProbe(UqQuestion *q, const char *word, int channel, double value)
{
  ScoriaQuantity *made = NULL;
  PetscFunctionBeginUser;
  const double half = q->cells > 1 ? (q->x[1] - q->x[0]) / 2 : HUGE_VAL;
  if (value < q->x[0] - 1.0001 * half || value > q->x[q->cells - 1] + 1.0001 * half)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: probes: found \"%s\", allowed 0 to %g m", word, q->x[q->cells - 1] + half);
  PetscCall(AddQuantity(q, SCORIA_QUANTITY_AT, channel, &made));
  quantity_place(made, q->cells, q->x, value);
  snprintf(made->name, sizeof made->name, "%s", word);
  snprintf(made->description, sizeof made->description, "%.60s at x = %g m", q->field[channel].description, value);
  PetscFunctionReturn(0);
}

static PetscErrorCode AddProblemQuantity(UqQuestion *q, const ScoriaProblemQuantity *of)
{
  ScoriaQuantity *made = NULL;
  PetscFunctionBeginUser;
  const double half = q->cells > 1 ? (q->x[1] - q->x[0]) / 2 : 0;
  PetscCall(AddQuantity(q, SCORIA_QUANTITY_AT, of->field, &made));
  quantity_place(made, q->cells, q->x, of->side ? q->x[q->cells - 1] + half : 0);
  PetscCall(PetscStrncpy(made->name, of->name, sizeof made->name));
  PetscCall(PetscStrncpy(made->unit, of->unit, sizeof made->unit));
  PetscCall(PetscStrncpy(made->description, of->description, sizeof made->description));
  made->factor                     = of->factor;
  q->condition[q->nquantities - 1] = of->condition;
  PetscFunctionReturn(0);
}

/* Minimum and maximum of the first channel, and what the problem names. */
static PetscErrorCode StandardQuantities(ScoriaDeck deck, UqQuestion *q)
{
  static const struct {
    ScoriaQuantityKind kind;
    const char *name, *what;
  } extremes[]         = {{SCORIA_QUANTITY_MIN, "min_%s", "smallest value of a profile: %s"},
                          {SCORIA_QUANTITY_MAX, "max_%s", "largest value of a profile: %s"}};
  ScoriaQuantity *made = NULL;
  ScoriaProblemQuantity of[SCORIA_MAX_QUANTITIES];
  const ScoriaProblem *problem;
  void *parameters;
  PetscFunctionBeginUser;
  for (int i = 0; i < 2; i++) {
    PetscCall(AddQuantity(q, extremes[i].kind, 0, &made));
    PetscCall(PetscSNPrintf(made->name, sizeof made->name, extremes[i].name, q->field[0].name));
    PetscCall(PetscSNPrintf(made->description, sizeof made->description, extremes[i].what, q->field[0].description));
  }
  PetscCall(ScoriaProblemFromDeck(deck, &problem, &parameters));
  const int n = problem_quantities(problem, parameters, q->channels, q->field, of);
  PetscCall(PetscFree(parameters));
  for (int i = 0; i < n; i++) PetscCall(AddProblemQuantity(q, &of[i]));
  PetscFunctionReturn(0);
}

/* All combinations of the conditions' values, the last one running fastest. */
static PetscErrorCode ReadConditions(ScoriaRun run, ScoriaDeck deck, UqQuestion *q)
{
  const int n                          = q->space->n;
  double middle[SCORIA_MAX_CONDITIONS] = {0}, value[SCORIA_MAX_CONDITIONS][UQ_MAX_VALUES], theta[SCORIA_MAX_CONDITIONS];
  PetscInt number[SCORIA_MAX_CONDITIONS];
  char key[SCORIA_NAME_SIZE + 8];
  PetscFunctionBeginUser;
  space_from_unit(q->space, middle, theta);
  q->conditions = 1;
  for (int i = 0; i < n; i++) {
    number[i]   = 1;
    value[i][0] = theta[i];
    PetscCall(PetscSNPrintf(key, sizeof key, "sample_%s", q->space->c[i].name));
    PetscCall(ScoriaDeckReal(deck, key, value[i]));
    PetscCall(PetscSNPrintf(key, sizeof key, "uq_%s", q->space->c[i].name));
    PetscCall(ScoriaDeckReals(deck, key, UQ_MAX_VALUES, &number[i], value[i]));
    q->conditions *= number[i];
  }
  PetscCall(PetscMalloc1(q->conditions * n, &q->theta));
  for (int k = 0; k < q->conditions; k++) {
    double *at = q->theta + k * n;
    for (int i = n - 1, rest = k; i >= 0; rest /= number[i--]) at[i] = value[i][rest % number[i]];
    if (!q->pde) PetscCall(CmdCheckRange(run, deck, "uq", q->space, at));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode UqQuestionRead(ScoriaRun run, ScoriaDeck deck, UqQuestion *q)
{
  PetscInt count = 0, n = 0;
  PetscFunctionBeginUser;
  q->m = q->channels * q->cells;
  PetscCall(ScoriaDeckInt(deck, "uq_count", &count));
  PetscCall(ScoriaDeckReal(deck, "uq_tolerance", &q->tolerance));
  PetscCall(ScoriaDeckReals(deck, "uq_quantiles", UQ_MAX_QUANTILES, &n, q->probability));
  q->count          = count;
  q->nprobabilities = (int)n;
  PetscCall(StandardQuantities(deck, q));
  PetscCall(ReadPairs(deck, q, "probes", TakeProbe));
  PetscCall(ReadPairs(deck, q, "exceed", TakeThreshold));
  PetscCall(ReadConditions(run, deck, q));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------- answer ---- */

PetscErrorCode UqAnswerCreate(const UqQuestion *q, UqAnswer *a)
{
  PetscFunctionBeginUser;
  *a             = (UqAnswer){.columns = q->m + q->nquantities, .joint = q->conditions <= UQ_JOINT_CONDITIONS};
  a->moments     = UQ_HEAD;
  a->quantiles   = a->moments + (size_t)UQ_NMOMENTS * a->columns;
  a->exceedances = a->quantiles + (size_t)q->nprobabilities * 2 * a->columns;
  a->histograms  = a->exceedances + (size_t)q->nthresholds * 2 * (q->cells + 1);
  a->covariance  = a->histograms + (size_t)q->nquantities * (2 + UQ_BINS);
  a->size        = a->covariance + (a->joint ? (size_t)(q->m + UQ_MODES) * q->m + UQ_MODES : 0);
  PetscCall(PetscCalloc1(a->size * q->conditions, &a->value));
  PetscFunctionReturn(0);
}

static void fill_columns(const UqQuestion *q, const UqAnswer *a, ScoriaSummary summary, double at[])
{
  const int columns = a->columns;
  for (int j = 0; j < columns; j++) {
    ScoriaMoments m;
    summary_moments(summary, j, &m);
    const double all[UQ_NMOMENTS] = {m.mean, m.mean_se, m.sd, m.sd_se, m.skewness, m.skewness_se, m.min, m.max};
    for (int i = 0; i < UQ_NMOMENTS; i++) at[a->moments + (size_t)i * columns + j] = all[i];
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
    double *to = at + a->exceedances + (size_t)t * 2 * (q->cells + 1);
    for (int c = 0; c <= q->cells; c++)
      summary_exceedance(summary, t, c < q->cells ? c : -1, to + c, to + q->cells + 1 + c);
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
    summary_moments(summary, q->m + i, &m);
    double largest = PetscMax(m.mean_se, m.sd_se), value, se;
    for (int k = 0; k < q->nprobabilities; k++) {
      summary_quantile(summary, q->m + i, q->probability[k], &value, &se);
      largest = PetscMax(largest, se);
    }
    if (largest > q->tolerance * m.sd) return false;
  }
  return true;
}
