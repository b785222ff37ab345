/* Conditions from a text file: one per line, a number for each condition of the space in its order, separated by blanks
 * or commas; empty lines and what follows "#" are skipped.
 *
 * No rank keeps them: rank 0 reads all of them once, to check them, and marks where some begin; from then on every rank
 * reads the few that it asks for, from the last mark before them on. */
#include "internal.h"
#include "conditions_design.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line: the number of values found, up to most + 1; -1 for anything that is not a finite number. */
static int parse_line(char *line, int most, double theta[])
{
  char *comment = strchr(line, '#'), *save = NULL;
  int n = 0;
  if (comment) *comment = 0;
  for (char *word = strtok_r(line, " \t,;\r\n", &save); word; word = strtok_r(NULL, " \t,;\r\n", &save)) {
    char *end;
    const double value = strtod(word, &end);
    if (*end || !isfinite(value)) return -1;
    if (n == most) return n + 1;
    theta[n++] = value;
  }
  return n;
}

/* "expected three numbers: U0 [V], F_right [A m^-2], ell [m]" */
static void describe_line(const ScoriaSpace *space, size_t size, char text[])
{
  static const char *const words[SCORIA_MAX_CONDITIONS + 1] = {"no",   "one", "two",   "three", "four",
                                                               "five", "six", "seven", "eight"};
  size_t used = (size_t)snprintf(text, size, "expected %s numbers:", words[space->n]);
  for (int i = 0; i < space->n && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, "%s %s [%s]", i ? "," : "", space->c[i].name, space->c[i].unit);
}

/* One line's values, or what is wrong with them in line. */
static void check_values(const ScoriaSpace *space, const char *path, int64_t number, int n, const double theta[],
                         size_t size, char line[])
{
  char expected[256];
  describe_line(space, sizeof expected, expected);
  if (n != space->n)
    snprintf(line, size, "%s: line %lld: found %s, %s%s", path, (long long)number,
             n < 0          ? "something that is no number"
             : n < space->n ? "fewer values"
                            : "more values",
             expected, n < 0 ? " (a heading begins with #)" : "");
  for (int i = 0; i < space->n && !*line; i++)
    if (space->c[i].log && theta[i] <= 0)
      snprintf(line, size, "%s: line %lld: found %s = %g %s, expected a positive %s", path, (long long)number,
               space->c[i].name, theta[i], space->c[i].unit, strcmp(space->c[i].unit, "m") ? "value" : "length");
}

#define MARKS 4096 /* at most: half of them go when they are that many */
#define BLOCK 256  /* conditions read at a time */

struct ScoriaConditionsFile_ {
  char *path; /* owned */
  ScoriaSpace space;
  FILE *file; /* owned: that of the start, also where another takes its name */
  int64_t rows;
  double range[SCORIA_MAX_CONDITIONS][2];
  int64_t every, marks;
  int64_t mark[MARKS];   /* where condition i * every begins [bytes] */
  int64_t first, number; /* conditions in the block; the file is read up to its end */
  double *block;         /* owned: (BLOCK, space.n) */
};

/* The values of the next line that has some, at *start [bytes]; their number, as parse_line has it; 0 at the end. */
static int next_line(ScoriaConditionsFile f, int64_t *number, int64_t *start, double theta[])
{
  char text[1024];
  int n = 0;
  for (*start = ftello(f->file); !n && fgets(text, sizeof text, f->file); *start = n ? *start : ftello(f->file)) {
    const bool marked = !*start && !strncmp(text, "\xef\xbb\xbf", 3); /* a byte order mark */
    n                 = parse_line(text + (marked ? 3 : 0), f->space.n, theta);
    ++*number;
  }
  return n;
}

static void add_mark(ScoriaConditionsFile f, int64_t start)
{
  if (f->rows % f->every) return;
  if (f->marks == MARKS) {
    f->marks /= 2;
    f->every *= 2;
    for (int i = 0; i < f->marks; i++) f->mark[i] = f->mark[2 * i];
    if (f->rows % f->every) return;
  }
  f->mark[f->marks++] = start;
}

/* Rank 0's look at all of them; line gets what is wrong, or stays empty. */
static void look_through(ScoriaConditionsFile f, size_t size, char line[])
{
  double theta[SCORIA_MAX_CONDITIONS];
  int64_t number = 0, start;
  for (int n; (n = next_line(f, &number, &start, theta)) && !*line;) {
    check_values(&f->space, f->path, number, n, theta, size, line);
    if (*line) break;
    add_mark(f, start);
    for (int i = 0; i < n; i++) {
      f->range[i][0] = f->rows ? fmin(f->range[i][0], theta[i]) : theta[i];
      f->range[i][1] = f->rows ? fmax(f->range[i][1], theta[i]) : theta[i];
    }
    f->rows++;
  }
  if (!*line && f->rows == 0) snprintf(line, size, "%s: found no condition, expected one per line", f->path);
}

PetscErrorCode ScoriaConditionsOpen(MPI_Comm comm, const char *path, const ScoriaSpace *space,
                                    ScoriaConditionsFile *file)
{
  char line[1024] = "";
  ScoriaConditionsFile f;
  int rank;
  PetscFunctionBeginUser;
  *file = NULL;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCall(PetscNew(&f));
  f->space = *space;
  f->every = 1;
  PetscCall(PetscStrallocpy(path, &f->path));
  PetscCall(PetscMalloc1(BLOCK * space->n, &f->block));
  f->file = fopen(path, "r");
  if (!f->file)
    snprintf(line, sizeof line, "%s: cannot be read (%s)", path, strerror(errno));
  else if (rank == 0)
    look_through(f, sizeof line, line);
  const PetscErrorCode failed = ScoriaAgree(comm, *line ? SCORIA_EXIT_INPUT : SCORIA_EXIT_OK, line);
  if (failed) PetscCall(ScoriaConditionsClose(&f));
  PetscCall(failed);
  PetscCallMPI(MPI_Bcast(&f->rows, 1, MPI_INT64_T, 0, comm));
  PetscCallMPI(MPI_Bcast(&f->every, 1, MPI_INT64_T, 0, comm));
  PetscCallMPI(MPI_Bcast(&f->marks, 1, MPI_INT64_T, 0, comm));
  PetscCallMPI(MPI_Bcast(f->mark, MARKS, MPI_INT64_T, 0, comm));
  PetscCallMPI(MPI_Bcast(f->range, 2 * SCORIA_MAX_CONDITIONS, MPI_DOUBLE, 0, comm));
  *file = f;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaConditionsClose(ScoriaConditionsFile *file)
{
  PetscFunctionBeginUser;
  if (!*file) PetscFunctionReturn(0);
  if ((*file)->file) fclose((*file)->file);
  PetscCall(PetscFree((*file)->path));
  PetscCall(PetscFree((*file)->block));
  PetscCall(PetscFree(*file));
  PetscFunctionReturn(0);
}

int64_t conditions_rows(ScoriaConditionsFile f)
{
  return f->rows;
}

const double *conditions_range(ScoriaConditionsFile f, int i)
{
  return f->range[i];
}

/* The block from condition `index` on: read on, or from the last mark before it. */
static PetscErrorCode ReadBlock(ScoriaConditionsFile f, int64_t index)
{
  const int64_t from = index / f->every, last = PetscMin(index + BLOCK, f->rows);
  double skipped[SCORIA_MAX_CONDITIONS];
  int64_t at = f->first + f->number, number, start;
  PetscFunctionBeginUser;
  if (!f->number || at > index || at < from * f->every) {
    PetscCheck(!fseeko(f->file, f->mark[from], SEEK_SET), PETSC_COMM_SELF, PETSC_ERR_FILE_READ, "%s: no byte %lld",
               f->path, (long long)f->mark[from]);
    at = from * f->every;
  }
  for (; at < last; at++) {
    double *to = at < index ? skipped : f->block + (at - index) * f->space.n;
    PetscCheck(next_line(f, &number, &start, to) == f->space.n, PETSC_COMM_SELF, PETSC_ERR_FILE_UNEXPECTED,
               "%s: it has changed since the start: condition %lld of %lld is no longer there", f->path, (long long)at,
               (long long)f->rows);
  }
  f->first  = index;
  f->number = last - index;
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaConditionsAt(ScoriaConditionsFile f, int64_t index, double theta[])
{
  PetscFunctionBeginUser;
  PetscCheck(index >= 0 && index < f->rows, PETSC_COMM_SELF, PETSC_ERR_ARG_OUTOFRANGE, "Condition %lld of %lld",
             (long long)index, (long long)f->rows);
  if (index < f->first || index >= f->first + f->number) PetscCall(ReadBlock(f, index));
  memcpy(theta, f->block + (index - f->first) * f->space.n, (size_t)f->space.n * sizeof *theta);
  PetscFunctionReturn(0);
}
