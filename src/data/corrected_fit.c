/* Standardised rows of two fidelities, and the pairs of them that a correction is learned from. */
#include "correcting.h"
#include <math.h>

#define PAIRS 8192                    /* more would not sharpen the correction */
#define PAIR_BYTES ((size_t)64 << 20) /* that they take on a rank */
#define FIELD_PAIRS 2048              /* of whole fields, each of which is many of them */

/* ------------------------------------------------------------------------------------------- standardised rows ---- */

int correcting_place(const Correcting *c, int w)
{
  return w / c->of_dear.cells * c->alike + w % c->of_dear.cells % c->alike;
}

static double value_of(const Correcting *c, const ScoriaRows *rows, const int field[], int64_t i, int w)
{
  const int cells = c->of_dear.cells;
  return correcting_value(&c->value[w / cells], rows->field[field[w / cells]][i * cells + w % cells]);
}

void correcting_standardise(const Correcting *c, const ScoriaRows *rows, const int field[], int64_t i, double z[])
{
  for (int w = 0; w < c->channels * c->of_dear.cells; w++) {
    const int at = correcting_place(c, w);
    z[w]         = (value_of(c, rows, field, i, w) - c->m[at]) / c->s[at];
  }
}

/* SDs far below those of other cells of the channel are not resolved, and 0 divides nothing. */
static void raise_least(int cells, double s[])
{
  double most = 0;
  for (int i = 0; i < cells; i++) most = fmax(most, s[i]);
  for (int i = 0; i < cells; i++) s[i] = most > 0 ? fmax(s[i], 1e-3 * most) : 1;
}

/* Adds the rows in c->some to the sums of Welford's method, c->m and c->s; number (channels alike) values so far. */
static void add_rows(Correcting *c, int64_t number[])
{
  const int width = c->channels * c->of_dear.cells;
  for (int64_t i = 0; i < c->some.rows; i++) {
    if (c->some.done[i] != SCORIA_ROW_DONE) continue;
    for (int w = 0; w < width; w++) {
      const int at   = correcting_place(c, w);
      const double v = value_of(c, &c->some, c->cheap_field, i, w), off = v - c->m[at];
      number[at]++;
      c->m[at] += off / (double)number[at];
      c->s[at] += off * (v - c->m[at]);
    }
  }
}

PetscErrorCode CorrectingStandard(Correcting *c, int64_t condition)
{
  const int values = c->channels * c->alike;
  const int64_t n  = PetscMin(c->realisations, CORRECTING_ROWS);
  int64_t *number;
  PetscFunctionBeginUser;
  if (c->pooled || condition == c->at) PetscFunctionReturn(0);
  PetscCall(PetscCalloc1(values, &number));
  PetscCall(PetscArrayzero(c->m, values));
  PetscCall(PetscArrayzero(c->s, values));
  for (int64_t at = 0; at < n; at += c->most) {
    PetscCall(ScoriaDatasetReadAlone(c->cheap, condition * c->realisations + at, PetscMin(n - at, c->most), &c->some));
    if (at == 0) PetscCall(CorrectingAtRest(c, &c->some));
    add_rows(c, number);
  }
  for (int w = 0; w < values; w++) c->s[w] = number[w] > 1 ? sqrt(c->s[w] / (double)(number[w] - 1)) : 0;
  for (int ch = 0; ch < c->channels; ch++) raise_least(c->alike, c->s + ch * c->alike);
  PetscCall(PetscFree(number));
  c->at = condition;
  PetscFunctionReturn(0);
}

/* ----------------------------------------------------------------------------------------------------- pairs ---- */

/* Owned. */
typedef struct {
  int64_t n;
  int64_t *condition;
  double *u, *z, *y;
} Pairs;

static PetscErrorCode CheckPorosity(const Correcting *c, int64_t dear, int64_t cheap)
{
  const int cells = c->of_dear.cells;
  PetscFunctionBeginUser;
  for (int i = 0; i < cells && c->dear_eps >= 0 && c->cheap_eps >= 0; i++)
    if (!(fabs(c->few.field[c->dear_eps][i] - c->some.field[c->cheap_eps][i]) < 1e-5))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: row %lld has another porosity than row %lld of dataset.h5, expected the same realisation",
                  c->path, (long long)cheap, (long long)dear);
  PetscFunctionReturn(0);
}

/* Row i of condition k, of both, where both are solved. */
static PetscErrorCode ReadPair(Correcting *c, int64_t k, int64_t i, double z[], double y[], bool *there)
{
  const int64_t dear = k * c->of_dear.realisations + i, cheap = c->match[k] * c->realisations + i;
  PetscFunctionBeginUser;
  PetscCall(CorrectingStandard(c, c->match[k]));
  PetscCall(ScoriaDatasetReadAlone(c->dear, dear, 1, &c->few));
  PetscCall(ScoriaDatasetReadAlone(c->cheap, cheap, 1, &c->some));
  *there = c->few.done[0] == SCORIA_ROW_DONE && c->some.done[0] == SCORIA_ROW_DONE;
  if (!*there) PetscFunctionReturn(0);
  PetscCall(CheckPorosity(c, dear, cheap));
  correcting_standardise(c, &c->some, c->cheap_field, 0, z);
  correcting_standardise(c, &c->few, c->dear_field, 0, y);
  for (int w = 0; w < c->channels * c->of_dear.cells; w++) y[w] -= z[w];
  PetscFunctionReturn(0);
}

static PetscErrorCode AddPair(Correcting *c, int64_t k, int64_t i, Pairs *p)
{
  const int width = c->channels * c->of_dear.cells, n = c->of_dear.space.n;
  bool there;
  PetscFunctionBeginUser;
  PetscCall(ReadPair(c, k, i, p->z + p->n * width, p->y + p->n * width, &there));
  if (!there) PetscFunctionReturn(0);
  PetscCall(PetscArraycpy(p->u + p->n * n, c->unit + k * n, n));
  p->condition[p->n++] = k;
  PetscFunctionReturn(0);
}

/* At most `most` rows of dataset.h5 (owned by the caller) that have a cheap one, evenly over the conditions. */
static PetscErrorCode ListPairs(const Correcting *c, int64_t most, int64_t *number, int64_t **row)
{
  const int64_t each = c->of_dear.realisations, all = c->conditions * each;
  int64_t good = 0;
  PetscFunctionBeginUser;
  for (int64_t r = 0; r < all; r++) good += c->match[r / each] >= 0 && !holdout_has(&c->holdout, r);
  const int64_t want = PetscMin(good, most);
  PetscCall(PetscMalloc1(want, row));
  *number = 0;
  for (int64_t r = 0, seen = 0; r < all; r++) {
    if (c->match[r / each] < 0 || holdout_has(&c->holdout, r)) continue;
    if (seen++ == *number * good / want) (*row)[(*number)++] = r;
  }
  PetscFunctionReturn(0);
}

/* Without a spread of their own, rows are brought to the scale on which neighbours in the conditions differ. */
static PetscErrorCode Pool(Correcting *c, Pairs *p)
{
  const int cells = c->of_dear.cells, width = c->channels * cells, n = c->of_dear.space.n;
  double *s = c->s;
  PetscFunctionBeginUser;
  PetscCall(PetscArrayzero(s, width));
  for (int64_t i = 0; i < p->n; i++) {
    int64_t nearest = -1;
    double least    = INFINITY;
    for (int64_t j = 0; j < p->n; j++) {
      double sum = 0;
      for (int k = 0; k < n; k++) sum += pow(p->u[i * n + k] - p->u[j * n + k], 2);
      if (j == i || sum >= least) continue;
      least   = sum;
      nearest = j;
    }
    for (int w = 0; w < width && nearest >= 0; w++)
      s[w] += pow(p->z[i * width + w] - p->z[nearest * width + w], 2) / (2.0 * (double)p->n);
  }
  for (int ch = 0; ch < c->channels; ch++) {
    double sum = 0;
    for (int i = 0; i < cells; i++) sum += s[ch * cells + i] / cells;
    for (int i = 0; i < cells; i++) s[ch * cells + i] = sum > 0 ? sqrt(sum) : 1;
  }
  for (int64_t i = 0; i < p->n * width; i++) {
    p->z[i] /= s[i % width];
    p->y[i] /= s[i % width];
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckNumber(const Correcting *c, int64_t pairs)
{
  PetscFunctionBeginUser;
  if (pairs < CORRECTION_LEAST_PAIRS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT,
                "%s: found %lld pairs of rows that dataset.h5 and it have solved, expected at least %d", c->path,
                (long long)pairs, CORRECTION_LEAST_PAIRS);
  PetscFunctionReturn(0);
}

/* By rank 0. */
static PetscErrorCode FitProfiles(Correcting *c)
{
  const int width = c->channels * c->of_dear.cells, n = c->of_dear.space.n;
  const int64_t each = c->of_dear.realisations;
  const int64_t most =
      PetscClipInterval((int64_t)(PAIR_BYTES / (sizeof(double) * (size_t)width)), CORRECTION_LEAST_PAIRS, PAIRS);
  int64_t number, *row;
  Pairs p = {.n = 0};
  PetscFunctionBeginUser;
  PetscCall(ListPairs(c, most, &number, &row));
  PetscCall(
      PetscMalloc4(number, &p.condition, number * PetscMax(n, 1), &p.u, number * width, &p.z, number * width, &p.y));
  for (int w = 0; w < width && c->pooled; w++) {
    c->m[w] = 0;
    c->s[w] = 1;
  }
  for (int64_t i = 0; i < number; i++) PetscCall(AddPair(c, row[i] / each, row[i] % each, &p));
  PetscCall(CheckNumber(c, p.n));
  if (c->pooled) PetscCall(Pool(c, &p));
  const ScoriaCorrectionPairs pairs = {.d         = n,
                                       .channels  = c->channels,
                                       .cells     = c->of_dear.cells,
                                       .n         = p.n,
                                       .condition = p.condition,
                                       .u         = p.u,
                                       .z         = p.z,
                                       .y         = p.y};
  PetscCall(ScoriaCorrectionFit(&pairs, c->seed, &c->fit));
  PetscCall(PetscFree4(p.condition, p.u, p.z, p.y));
  PetscCall(PetscFree(row));
  PetscFunctionReturn(0);
}

/* Of whole fields, which are read as they are asked for. */
typedef struct {
  Correcting *c;
  int64_t *row; /* owned */
} Fields;

static PetscErrorCode GivePair(void *ctx, int64_t i, int64_t *condition, double u[], double z[], double y[])
{
  Fields *f          = ctx;
  Correcting *c      = f->c;
  const int64_t each = c->of_dear.realisations, k = f->row[i] / each;
  bool there;
  PetscFunctionBeginUser;
  PetscCall(ReadPair(c, k, f->row[i] % each, z, y, &there));
  PetscCall(PetscArraycpy(u, c->unit + k * c->of_dear.space.n, c->of_dear.space.n));
  *condition = there ? k : -1;
  PetscFunctionReturn(0);
}

/* By rank 0. */
static PetscErrorCode FitFields(Correcting *c)
{
  Fields f                     = {.c = c};
  ScoriaCorrectionFields pairs = {.d = c->of_dear.space.n, .channels = c->channels, .pair = GivePair, .ctx = &f};
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(pairs.shape, c->of_dear.shape, 3));
  PetscCall(ListPairs(c, FIELD_PAIRS, &pairs.n, &f.row));
  PetscCall(ScoriaCorrectionFitFields(&pairs, c->seed, &c->fit));
  PetscCall(CheckNumber(c, correction_choice(c->fit).pairs));
  PetscCall(PetscFree(f.row));
  PetscFunctionReturn(0);
}

static PetscErrorCode FitAlone(Correcting *c)
{
  PetscFunctionBeginUser;
  PetscCall(c->waves ? FitFields(c) : FitProfiles(c));
  PetscFunctionReturn(0);
}

PetscErrorCode CorrectingFit(Correcting *c)
{
  const int width     = c->channels * c->of_dear.cells;
  const MPI_Comm comm = ScoriaRunComm(c->run);
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(ScoriaAgreeFailed(comm, rank ? 0 : FitAlone(c)));
  PetscCall(ScoriaCorrectionShare(comm, &c->fit));
  if (c->pooled) {
    PetscCallMPI(MPI_Bcast(c->m, width, MPI_DOUBLE, 0, comm));
    PetscCallMPI(MPI_Bcast(c->s, width, MPI_DOUBLE, 0, comm));
  }
  c->pairs = correction_choice(c->fit).pairs;
  PetscCall(PetscMalloc1(correction_work(c->fit), &c->work));
  PetscFunctionReturn(0);
}
