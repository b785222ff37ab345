/* Numbers of a field at one condition: their estimates by every source, and how far out the model's law of each is held
 * against the reference's. */
#include "compare.h"
#include <math.h>
#include <string.h>

PetscErrorCode CompareFillNumber(int at, const int64_t n[SCORIA_NFROM], double *const values[SCORIA_NFROM],
                                 Comparison *c)
{
  const int64_t model = n[SCORIA_FROM_MODEL], gaussian = n[SCORIA_FROM_GAUSSIAN];
  const int64_t both = n[SCORIA_FROM_PDE] + n[SCORIA_FROM_PDE_AGAIN]; /* which lie one behind the other */
  PetscFunctionBeginUser;
  if (both >= 2) PetscCall(ScoriaEstimatesTake(both, values[SCORIA_FROM_PDE], &c->reference[at])); /* which sorts */
  if (model >= 2) PetscCall(ScoriaEstimatesTake(model, values[SCORIA_FROM_MODEL], &c->sample[at]));
  if (gaussian >= 2) PetscCall(ScoriaEstimatesTake(gaussian, values[SCORIA_FROM_GAUSSIAN], &c->gaussian[at]));
  if (both >= 2 && model >= 2)
    tails_count(both, values[SCORIA_FROM_PDE], model, values[SCORIA_FROM_MODEL], &c->tail[at]);
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------- columns of numbers ---- */

/* Rows of numbers (n, width) of every source. */
typedef struct {
  int width;
  const int64_t *n;
  double *values[SCORIA_NFROM];
} Table;

/* Those of a column that are finite, an expression may be none for a field; returns how many. */
static int64_t take_column(const Table *t, ScoriaFrom from, int which, double column[])
{
  int64_t good = 0;
  for (int64_t i = 0; i < t->n[from]; i++)
    if (isfinite(t->values[from][i * t->width + which])) column[good++] = t->values[from][i * t->width + which];
  return good;
}

/* Column k is number first + k. */
static PetscErrorCode JudgeColumns(const Table *t, int first, Comparison *c)
{
  int64_t n[SCORIA_NFROM];
  double *column[SCORIA_NFROM];
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(t->n[SCORIA_FROM_PDE] + t->n[SCORIA_FROM_PDE_AGAIN], &column[SCORIA_FROM_PDE],
                         t->n[SCORIA_FROM_MODEL], &column[SCORIA_FROM_MODEL], t->n[SCORIA_FROM_GAUSSIAN],
                         &column[SCORIA_FROM_GAUSSIAN]));
  for (int k = 0; k < t->width; k++)
    for (int s = 0; s < SCORIA_NFROM; s++) {
      if (s == SCORIA_FROM_PDE_AGAIN) column[s] = column[SCORIA_FROM_PDE] + n[SCORIA_FROM_PDE];
      n[s] = take_column(t, s, k, column[s]);
      if (s == SCORIA_NFROM - 1) PetscCall(CompareFillNumber(first + k, n, column, c));
    }
  PetscCall(PetscFree3(column[SCORIA_FROM_PDE], column[SCORIA_FROM_MODEL], column[SCORIA_FROM_GAUSSIAN]));
  PetscFunctionReturn(0);
}

static PetscErrorCode CreateTable(int width, const int64_t n[SCORIA_NFROM], Table *t)
{
  PetscFunctionBeginUser;
  *t = (Table){.width = width, .n = n};
  for (int s = 0; s < SCORIA_NFROM; s++) PetscCall(PetscMalloc1(n[s] * width, &t->values[s]));
  PetscFunctionReturn(0);
}

static PetscErrorCode DestroyTable(Table *t)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < SCORIA_NFROM; s++) PetscCall(PetscFree(t->values[s]));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareFillOwn(const CompareQuantities *q, double *const fields[SCORIA_NFROM], Comparison *c)
{
  Table t;
  PetscFunctionBeginUser;
  if (!q->own) PetscFunctionReturn(0);
  PetscCall(CreateTable(q->own, c->good, &t));
  for (int s = 0; s < SCORIA_NFROM; s++) numbers_take(q->numbers, c->theta, c->good[s], fields[s], q->own, t.values[s]);
  PetscCall(JudgeColumns(&t, q->tails - q->own, c));
  PetscCall(DestroyTable(&t));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareFillWhole(const CompareQuantities *q, int size, double *const rows[SCORIA_NFROM], Comparison *c)
{
  const size_t width = (size_t)size + (size_t)q->tails;
  Table t;
  PetscFunctionBeginUser;
  PetscCall(CreateTable(q->tails, c->good, &t));
  for (int s = 0; s < SCORIA_NFROM; s++)
    for (int64_t i = 0; i < c->good[s]; i++) {
      memcpy(t.values[s] + i * q->tails, rows[s] + i * width + size, sizeof(double) * (size_t)q->tails);
      memmove(rows[s] + i * size, rows[s] + i * width, sizeof(double) * (size_t)size);
    }
  PetscCall(JudgeColumns(&t, 0, c));
  PetscCall(DestroyTable(&t));
  PetscFunctionReturn(0);
}
