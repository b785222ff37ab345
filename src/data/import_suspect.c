/* import: numbers that look as if they were none.
 *
 * A gap in somebody's file is a number, -9999 or 9.97e36, where no attribute says that it is one; rows of an array that
 * a program has not come to are 0; rows written twice count twice.  All of this can be read, and learned from. */
#include "import_suspect.h"
#include "scoria/run_files.h"
#include <cJSON.h>
#include <math.h>
#include <stdarg.h>
#include <string.h>

#define FAR 10     /* times the range of all other values: no law of fields has its outermost value there */
#define APART 0.1  /* of that range: a 0 so far from all other values is none of them where a row has nothing else */
#define SHARE 0.01 /* of rows that repeat another: fewer may be chance, of rounded values */
#define FEWEST 8   /* values of a condition: of fewer, ranges say nothing */

/* --------------------------------------------------------------------------------------------------------- ends ----
 */

static const ImportEnds no_ends = {{{INFINITY, INFINITY}, {INFINITY, INFINITY}}, {0, 0}};

/* One value into the two least. */
static void take_least(double v, double end[2])
{
  if (v < end[0]) {
    end[1] = end[0];
    end[0] = v;
  } else if (v > end[0] && v < end[1])
    end[1] = v;
}

#define LANES 16

/* Least and largest of n values, side by side: compilers make vector instructions of that.  And the two least of sign
 * times the values, together with those that there were. */
#define DEFINE_ENDS(Real, range_of, least_of)                                                                          \
  static void range_of(int64_t n, const Real v[], double range[2])                                                     \
  {                                                                                                                    \
    Real low[LANES], high[LANES];                                                                                      \
    int64_t i = 0;                                                                                                     \
    for (int k = 0; k < LANES; k++) low[k] = high[k] = v[0];                                                           \
    for (; i + LANES <= n; i += LANES)                                                                                 \
      for (int k = 0; k < LANES; k++) {                                                                                \
        low[k]  = v[i + k] < low[k] ? v[i + k] : low[k];                                                               \
        high[k] = v[i + k] > high[k] ? v[i + k] : high[k];                                                             \
      }                                                                                                                \
    for (int k = 0; i + k < n; k++) {                                                                                  \
      low[k]  = v[i + k] < low[k] ? v[i + k] : low[k];                                                                 \
      high[k] = v[i + k] > high[k] ? v[i + k] : high[k];                                                               \
    }                                                                                                                  \
    for (int half = LANES / 2; half; half /= 2)                                                                        \
      for (int k = 0; k < half; k++) {                                                                                 \
        low[k]  = low[k + half] < low[k] ? low[k + half] : low[k];                                                     \
        high[k] = high[k + half] > high[k] ? high[k + half] : high[k];                                                 \
      }                                                                                                                \
    range[0] = (double)low[0];                                                                                         \
    range[1] = (double)high[0];                                                                                        \
  }                                                                                                                    \
  static void least_of(int64_t n, const Real v[], double sign, double end[2])                                          \
  {                                                                                                                    \
    for (int64_t i = 0; i < n; i++) take_least(sign *(double)v[i], end);                                               \
  }
DEFINE_ENDS(float, range_single, least_single)
DEFINE_ENDS(double, range_double, least_double)

/* A row of n values of a field: its range; where it has any of the outermost two, these are looked for. */
static void take_row(bool float64, int64_t n, const void *values, ImportEnds *e, double range[2])
{
  if (float64)
    range_double(n, values, range);
  else
    range_single(n, values, range);
  for (int side = 0; side < 2; side++) {
    const double sign = side ? -1 : 1, here = sign * range[side], before = e->end[side][0];
    if (here > e->end[side][1]) continue;
    if (here < before) e->rows[side] = 0;
    if (here <= before) e->rows[side]++;
    if (float64)
      least_double(n, values, sign, e->end[side]);
    else
      least_single(n, values, sign, e->end[side]);
  }
}

/* Of all ranks. */
static PetscErrorCode GatherEnds(MPI_Comm comm, ImportEnds *e)
{
  PetscFunctionBeginUser;
  for (int side = 0; side < 2; side++) {
    double first = e->end[side][0], second;
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &first, 1, MPI_DOUBLE, MPI_MIN, comm));
    const bool mine = e->end[side][0] == first;
    if (!mine) e->rows[side] = 0;
    second = e->end[side][mine];
    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &second, 1, MPI_DOUBLE, MPI_MIN, comm));
    e->end[side][0] = first;
    e->end[side][1] = second;
  }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, e->rows, 2, MPI_INT64_T, MPI_SUM, comm));
  PetscFunctionReturn(0);
}

/* Whether the outermost value on a side is far from all others; range (2) of these, but of what is far on the other. */
static bool is_far(const ImportEnds *e, int side, double range[2])
{
  const double inner = -e->end[1][1] - e->end[0][1];
  bool far[2];
  for (int i = 0; i < 2; i++) far[i] = inner > 0 && e->end[i][1] - e->end[i][0] > FAR * inner;
  range[side]     = e->end[side][1];
  range[1 - side] = e->end[1 - side][far[1 - side]];
  range[1] *= -1;
  return far[side];
}

/* --------------------------------------------------------------------------------------------------------- rows ----
 */

typedef double Ranges[SCORIA_MAX_FIELDS][2]; /* of a row, field by field */

static const void *stored_row(const ScoriaDatasetSpec *spec, const ScoriaRows *rows, int f, int64_t i)
{
  return (const char *)rows->stored[f] + (size_t)i * field_row_size(spec, f);
}

/* A finaliser whose every bit depends on every one of its argument's (Steele, Lea & Flood, OOPSLA 2014). */
static uint64_t mix(uint64_t key, uint64_t bits)
{
  key ^= bits;
  key = (key ^ key >> 30) * 0xbf58476d1ce4e5b9;
  key = (key ^ key >> 27) * 0x94d049bb133111eb;
  return key ^ key >> 31;
}

/* Sum of the words of a row's values, the last filled up with zeros. */
static uint64_t sum_words(size_t bytes, const char *values)
{
  uint64_t lane[LANES / 2] = {0}, word[LANES / 2], sum = 0;
  size_t at = 0;
  for (; at + sizeof word <= bytes; at += sizeof word) {
    memcpy(word, values + at, sizeof word);
    for (int k = 0; k < LANES / 2; k++) lane[k] += word[k];
  }
  memset(word, 0, sizeof word);
  memcpy(word, values + at, bytes - at);
  for (int k = 0; k < LANES / 2; k++) sum += lane[k] + word[k];
  return sum;
}

#define NO_KEY UINT64_MAX /* behind all others */

/* Of a row of the dataset that has been written: its condition, the CRC32C of all its bytes, which the file has too,
 * and the sum of their words, which is another function of them and costs next to nothing.  Of 10^6 rows of one
 * condition any two that differ have the same key with a probability of 3e-8; rows of the same values in another order
 * have the same sum, and by the CRC alone 100 of 10^6 such rows would count as repeated, a hundredth of what is told
 * of. */
static uint64_t key_of(const ScoriaDatasetSpec *spec, int64_t row, const ScoriaRows *rows, int64_t i)
{
  uint64_t key = mix(mix(0, (uint64_t)(row / spec->realisations)), rows->crc[i]);
  for (int f = 0; f < spec->nfields; f++)
    key = mix(key, sum_words(field_row_size(spec, f), stored_row(spec, rows, f, i)));
  return key == NO_KEY ? 0 : key;
}

static int by_key(const void *a, const void *b)
{
  const uint64_t p = *(const uint64_t *)a, q = *(const uint64_t *)b;
  return (p > q) - (p < q);
}

/* How many rows of all ranks repeat another, whichever rank and batch these were in. */
static PetscErrorCode CountRepeated(MPI_Comm comm, ImportSuspects *s, int64_t *repeated)
{
  int64_t most    = s->varying;
  uint64_t before = NO_KEY;
  int rank, size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_INT64_T, MPI_MAX, comm));
  PetscCall(PetscRealloc(sizeof *s->key * (size_t)(most + 1), &s->key));
  for (int64_t i = s->varying; i <= most; i++) s->key[i] = NO_KEY;
  PetscCall(ScoriaSortRanks(comm, most, sizeof *s->key, s->key, by_key));
  *repeated = 0;
  if (most > 0)
    PetscCallMPI(MPI_Sendrecv(&s->key[most - 1], 1, MPI_UINT64_T, rank + 1 < size ? rank + 1 : MPI_PROC_NULL, 0,
                              &before, 1, MPI_UINT64_T, rank ? rank - 1 : MPI_PROC_NULL, 0, comm, MPI_STATUS_IGNORE));
  for (int64_t i = 0; i < most && s->key[i] != NO_KEY; before = s->key[i++]) *repeated += s->key[i] == before;
  PetscFunctionReturn(0);
}

/* Whether any field is more than one value. */
static bool count_zeros(int fields, Ranges range, ImportSuspects *s)
{
  bool empty = true, varies = false;
  for (int f = 0; f < fields; f++) {
    const bool zero = range[f][0] == 0 && range[f][1] == 0, varied = range[f][0] < range[f][1];
    s->zero[f] += zero;
    s->varied[f] += varied;
    empty  = empty && zero;
    varies = varies || varied;
  }
  s->empty += empty;
  return varies;
}

PetscErrorCode ImportSuspectsCreate(int64_t most, ImportSuspects *s)
{
  PetscFunctionBeginUser;
  *s = (ImportSuspects){.rows = 0};
  for (int f = 0; f < SCORIA_MAX_FIELDS; f++) s->field[f] = no_ends;
  PetscCall(PetscMalloc1(most + 1, &s->key));
  PetscFunctionReturn(0);
}

PetscErrorCode ImportSuspectsDestroy(ImportSuspects *s)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(s->key));
  PetscFunctionReturn(0);
}

void import_suspect_rows(const ScoriaDatasetSpec *spec, int64_t first, const ScoriaRows *rows, ImportSuspects *s)
{
  Ranges range;
  for (int64_t i = 0; i < rows->rows; i++) {
    if (rows->done[i] != SCORIA_ROW_DONE) continue;
    for (int f = 0; f < spec->nfields; f++)
      take_row(spec->float64, field_cells(&spec->field[f], spec->cells), stored_row(spec, rows, f, i), &s->field[f],
               range[f]);
    if (count_zeros(spec->nfields, range, s)) s->key[s->varying++] = key_of(spec, first + i, rows, i);
    s->rows++;
  }
}

/* ----------------------------------------------------------------------------------------------------- warnings ----
 */

/* Said, and kept for the report. */
static PetscErrorCode Warn(const Import *im, const char *format, ...) PETSC_ATTRIBUTE_FORMAT(2, 3);
static PetscErrorCode Warn(const Import *im, const char *format, ...)
{
  char line[512];
  va_list args;
  PetscFunctionBeginUser;
  va_start(args, format);
  PetscCall(PetscVSNPrintf(line, sizeof line, format, NULL, args));
  va_end(args);
  PetscCall(ScoriaSay(im->run, "  WARNING: %s", line));
  cJSON *text  = cJSON_CreateString(line);
  char *quoted = cJSON_PrintUnformatted(text);
  cJSON_Delete(text);
  if (quoted) PetscCall(ScoriaLog(im->run, LOG_SUSPECT, "\"" LOG_LINE "\":%s", quoted));
  cJSON_free(quoted);
  PetscFunctionReturn(0);
}

static PetscErrorCode WarnOfEnds(const Import *im, const char *name, const char *unit, const ImportEnds *e,
                                 bool condition)
{
  double range[2];
  PetscFunctionBeginUser;
  for (int side = 0; side < 2; side++)
    if (is_far(e, side, range))
      PetscCall(Warn(im,
                     "%s: %.7g%s%s in %lld row%s, far from all other values, %.6g to %.6g: a gap that "
                     "is not marked? Then %s",
                     name, (side ? -1 : 1) * e->end[side][0], *unit ? " " : "", unit, (long long)e->rows[side],
                     e->rows[side] == 1 ? "" : "s", range[0], range[1],
                     condition ? "leave these rows out" : "give the array the attribute _FillValue"));
  PetscFunctionReturn(0);
}

/* Rows that are 0 alone, of a field that is never near it in others; not of one that is one value a row, as a flag. */
static PetscErrorCode WarnOfZeros(const Import *im, int f, const ImportSuspects *s)
{
  double range[2];
  PetscFunctionBeginUser;
  for (int side = 0; side < 2; side++) {
    const double *end = s->field[f].end[side];
    if (!s->varied[f] || end[0] != 0 || s->zero[f] != s->field[f].rows[side]) continue;
    if (!s->zero[f] || is_far(&s->field[f], side, range) || end[1] <= APART * (range[1] - range[0])) continue;
    PetscCall(Warn(im,
                   "%s: 0 in all cells of %lld row%s, else %.6g to %.6g: never written? Then leave "
                   "these rows out",
                   im->spec.field[f].name, (long long)s->zero[f], s->zero[f] == 1 ? "" : "s", range[0], range[1]));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode WarnOfFields(const Import *im, ImportSuspects *s)
{
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->zero, im->spec.nfields, MPI_INT64_T, MPI_SUM, im->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, s->varied, im->spec.nfields, MPI_INT64_T, MPI_SUM, im->comm));
  for (int f = 0; f < im->spec.nfields; f++) {
    const ScoriaField *field = &im->spec.field[f];
    PetscCall(GatherEnds(im->comm, &s->field[f]));
    PetscCall(WarnOfEnds(im, field->name, field->unit, &s->field[f], false));
    PetscCall(WarnOfZeros(im, f, s));
    if (s->field[f].end[0][0] == -s->field[f].end[1][0])
      PetscCall(
          Warn(im, "%s is %.7g in all rows: there is nothing to be learned of it", field->name, s->field[f].end[0][0]));
  }
  PetscFunctionReturn(0);
}

/* Not of logarithmic ones, which may span what they like. */
static PetscErrorCode WarnOfConditions(const Import *im)
{
  PetscFunctionBeginUser;
  for (int k = 0; k < im->spec.space.n; k++) {
    ImportEnds ends = no_ends;
    double range[2];
    if (im->without[k])
      PetscCall(Warn(im, "%s: no number in %lld of %lld rows, which are left out", im->spec.space.c[k].name,
                     (long long)im->without[k], (long long)(im->found + im->without[im->spec.space.n])));
    if (im->spec.space.c[k].log || im->spec.rows / im->spec.realisations < FEWEST) continue;
    for (int64_t i = 0; i < im->rows; i++) take_row(true, 1, &im->row[i].theta[k], &ends, range);
    PetscCall(GatherEnds(im->comm, &ends));
    PetscCall(WarnOfEnds(im, im->spec.space.c[k].name, im->spec.space.c[k].unit, &ends, true));
  }
  PetscFunctionReturn(0);
}

/* Whether a field is 0 in all cells of no other rows than those, so many, where all fields are: flags may be so by
 * themselves.  s: of all ranks. */
static bool is_never_zero_else(const Import *im, const ImportSuspects *s, int64_t empty)
{
  bool found = false;
  for (int f = 0; f < im->spec.nfields; f++) found = found || (s->varied[f] && s->zero[f] == empty);
  return found;
}

PetscErrorCode ImportWarn(const Import *im, ImportSuspects *s)
{
  int64_t number[3] = {s->rows, s->empty};
  PetscFunctionBeginUser;
  PetscCall(CountRepeated(im->comm, s, &number[2]));
  PetscCall(WarnOfConditions(im));
  PetscCall(WarnOfFields(im, s));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, number, 3, MPI_INT64_T, MPI_SUM, im->comm));
  if (number[1] && number[1] < number[0] && is_never_zero_else(im, s, number[1]))
    PetscCall(Warn(im,
                   "%lld of %lld rows are 0 in all cells of all fields: were they never written? Then "
                   "leave them out",
                   (long long)number[1], (long long)number[0]));
  if ((double)number[2] > SHARE * (double)number[0])
    PetscCall(
        Warn(im,
             "%lld of %lld rows seem to repeat another of their condition, value for value, by their checksums: they "
             "count as rows of their own, and spreads and errors are too small",
             (long long)number[2], (long long)number[0]));
  PetscFunctionReturn(0);
}
