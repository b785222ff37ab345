/* Numbers of rows at many conditions, few at each, as residuals: minus the mean, over the standard deviation, that the
 * model's draws have at the row's own condition.  Rows and the model's draws, which take the same mean and SD, have one
 * law where the model is right, whatever that law is, so that their tails are counted as of one condition. */
#include "compare.h"
#include <math.h>
#include <string.h>

enum { ROWS = COMPARE_RESIDUAL_ROWS, MODEL = COMPARE_RESIDUAL_MODEL, BESIDE = COMPARE_RESIDUAL_BESIDE };
enum { OF = COMPARE_RESIDUALS };

PetscErrorCode CompareResidualsCreate(const ComparePooled *asked, const ScoriaFieldShape *shape, int64_t draws,
                                      int64_t rows_here, int64_t rows, CompareResiduals *r)
{
  PetscFunctionBeginUser;
  *r = (CompareResiduals){.quantities = asked->quantities,
                          .m          = shape->channels * shape->cells,
                          .cells      = shape->cells,
                          .draws      = draws,
                          .conditions = asked->conditions};
  if (!r->quantities) PetscFunctionReturn(0);
  r->n      = r->quantities->tails;
  r->behind = asked->features ? features_size(asked->features) : 0;
  PetscCall(PetscMalloc1(draws * r->n, &r->drawn));
  for (int g = 0; g < 2; g++) PetscCall(PetscMalloc2(r->n, &r->mean[g], r->n, &r->unit[g]));
  for (int of = 0; of < OF; of++)
    PetscCall(PetscMalloc2(rows_here * (r->n + 1), &r->share[of], rows * (r->n + 1), &r->all[of]));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareResidualsDestroy(CompareResiduals *r)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(r->drawn));
  for (int g = 0; g < 2; g++) PetscCall(PetscFree2(r->mean[g], r->unit[g]));
  for (int of = 0; of < OF; of++) PetscCall(PetscFree2(r->share[of], r->all[of]));
  PetscFunctionReturn(0);
}

/* All numbers (n) of a row; of whole fields they stand behind its features. */
static void take_numbers(const CompareResiduals *r, const double theta[], const double row[], double number[])
{
  const CompareQuantities *q = r->quantities;
  const int first            = q->tails - q->own;
  if (q->whole) {
    memcpy(number, row + r->behind, sizeof(double) * (size_t)r->n);
    return;
  }
  for (int i = 0; i < first; i++) { /* an offset is the same in all rows of a condition */
    ScoriaQuantity one = q->quantity[i];
    if (q->offset[i] >= 0) one.offset = theta[q->offset[i]];
    quantities_take(1, &one, r->cells, row, &number[i]);
  }
  if (q->own) numbers_take(q->numbers, theta, 1, row, q->own, number + first);
}

/* Mean and SD of the finite ones among n numbers, `stride` apart; NaN for the SD where they do not vary. */
static void column_moments(int64_t n, int stride, const double x[], double *mean, double *sd)
{
  double sum = 0, square = 0;
  int64_t good = 0;
  for (int64_t i = 0; i < n; i++)
    if (isfinite(x[i * stride])) sum += x[i * stride], good++;
  *mean = sum / (double)good;
  for (int64_t i = 0; i < n; i++)
    if (isfinite(x[i * stride])) square += pow(x[i * stride] - *mean, 2);
  *sd = sqrt(square / (double)(good - 1));
  if (good < 2 || stats_unit(*mean, *sd) != *sd) *sd = NAN;
}

void compare_residuals_at(CompareResiduals *r, int64_t k, const double theta[], bool gaussian, int64_t draws,
                          const double rows[])
{
  r->condition = (double)k;
  for (int64_t i = 0; i < draws && r->n; i++) take_numbers(r, theta, rows + i * r->m, r->drawn + i * r->n);
  for (int j = 0; j < r->n; j++)
    column_moments(draws, r->n, r->drawn + j, &r->mean[gaussian][j], &r->unit[gaussian][j]);
}

void compare_residuals_take(CompareResiduals *r, const double theta[], int64_t at, const double row[],
                            const double model[])
{
  const double *from[OF] = {[ROWS] = row, [MODEL] = model, [BESIDE] = row};
  for (int of = 0; of < OF && r->n; of++) {
    double *number     = r->share[of] + at * (r->n + 1);
    const double *mean = r->mean[of == BESIDE], *unit = r->unit[of == BESIDE];
    take_numbers(r, theta, from[of], number);
    for (int j = 0; j < r->n; j++) number[j] = (number[j] - mean[j]) / unit[j];
    number[r->n] = r->condition;
  }
}

PetscErrorCode CompareResidualsGather(MPI_Comm comm, int mine, const int counts[], const int starts[],
                                      CompareResiduals *r)
{
  MPI_Datatype row;
  PetscFunctionBeginUser;
  if (!r->n) PetscFunctionReturn(0);
  PetscCallMPI(MPI_Type_contiguous(r->n + 1, MPI_DOUBLE, &row));
  PetscCallMPI(MPI_Type_commit(&row));
  for (int of = 0; of < OF; of++)
    PetscCallMPI(MPI_Gatherv(r->share[of], mine, row, r->all[of], counts, starts, row, 0, comm));
  PetscCallMPI(MPI_Type_free(&row));
  PetscFunctionReturn(0);
}

/* The finite ones of column j, ascending; how many. */
static int64_t sorted_column(const CompareResiduals *r, int of, int j, int64_t rows, double column[])
{
  int64_t good = 0;
  for (int64_t i = 0; i < rows; i++)
    if (isfinite(r->all[of][i * (r->n + 1) + j])) column[good++] = r->all[of][i * (r->n + 1) + j];
  stats_sort(good, column);
  return good;
}

PetscErrorCode CompareResidualsCount(const CompareResiduals *r, int64_t rows, Comparison *c)
{
  double *column[OF];
  int64_t n[OF];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(rows, &column[ROWS], rows, &column[MODEL]));
  for (int j = 0; j < r->n; j++) {
    for (int of = ROWS; of <= MODEL; of++) n[of] = sorted_column(r, of, j, rows, column[of]);
    tails_count(n[ROWS], column[ROWS], n[MODEL], column[MODEL], &c->tail[j]);
  }
  PetscCall(PetscFree2(column[ROWS], column[MODEL]));
  PetscFunctionReturn(0);
}

/* Number j of the rows of each condition, which come together. */
static void fill_conditions(const CompareResiduals *r, int of, int j, int64_t rows, ScoriaResiduals condition[])
{
  const int width = r->n + 1;
  memset(condition, 0, sizeof *condition * (size_t)r->conditions);
  for (int64_t i = 0; i < rows; i++) { /* Welford */
    const double *number = r->all[of] + i * width;
    ScoriaResiduals *k   = &condition[(int64_t)number[r->n]];
    if (!isfinite(number[j])) continue;
    const double off = number[j] - k->mean;
    k->mean += off / (double)++k->n;
    k->square += off * (number[j] - k->mean);
  }
}

PetscErrorCode CompareResidualsBiases(const CompareResiduals *r, int64_t rows, CompareBiases *biases)
{
  ScoriaResiduals *condition;
  ScoriaBias bias[2][SCORIA_NESTIMATES];
  PetscFunctionBeginUser;
  if (!r->n) PetscFunctionReturn(0);
  PetscCall(PetscMalloc1(r->conditions, &condition));
  for (int j = 0; j < r->n; j++) {
    for (int g = 0; g < 2; g++) {
      fill_conditions(r, g ? BESIDE : ROWS, j, rows, condition);
      bias_of_residuals(r->conditions, condition, r->draws, bias[g]);
    }
    for (int e = 0; e < SCORIA_NESTIMATES; e++)
      biases->of[j][e] = (CompareBias){!isnan(bias[0][e].bias), bias[0][e], bias[1][e]};
  }
  PetscCall(PetscFree(condition));
  PetscFunctionReturn(0);
}
