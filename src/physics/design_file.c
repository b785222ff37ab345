/* Conditions from a text file: one per line, a number for each condition of the space in its order, separated by blanks
 * or commas; empty lines and what follows "#" are skipped. */
#include "internal.h"
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
    snprintf(line, size, "%s: line %lld: found %s, %s", path, (long long)number,
             n < 0          ? "something that is no number"
             : n < space->n ? "fewer values"
                            : "more values",
             expected);
  for (int i = 0; i < space->n && !*line; i++)
    if (space->c[i].log && theta[i] <= 0)
      snprintf(line, size, "%s: line %lld: found %s = %g %s, expected a positive %s", path, (long long)number,
               space->c[i].name, theta[i], space->c[i].unit, strcmp(space->c[i].unit, "m") ? "value" : "length");
}

/* Reads into a growing array; line gets what is wrong, or stays empty. */
static PetscErrorCode ReadRows(FILE *file, const char *path, const ScoriaSpace *space, int64_t *rows, double **table,
                               size_t size, char line[])
{
  const size_t width = (size_t)space->n * sizeof(double);
  char text[1024];
  int64_t room = 0, number = 0;
  PetscFunctionBeginUser;
  while (!*line && fgets(text, sizeof text, file)) {
    double theta[SCORIA_MAX_CONDITIONS];
    const bool marked = number++ == 0 && !strncmp(text, "\xef\xbb\xbf", 3); /* a byte order mark */
    const int n       = parse_line(text + (marked ? 3 : 0), space->n, theta);
    if (n == 0) continue;
    check_values(space, path, number, n, theta, size, line);
    if (*line) break;
    if (*rows == room) {
      room = room ? 2 * room : 64;
      PetscCall(PetscRealloc((size_t)room * width, table));
    }
    memcpy(*table + *rows * space->n, theta, width);
    ++*rows;
  }
  if (!*line && *rows == 0) snprintf(line, size, "%s: found no condition, expected one per line", path);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaConditionsRead(MPI_Comm comm, const char *path, const ScoriaSpace *space, int64_t *rows,
                                    double **table)
{
  char line[1024] = "";
  int rank;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  *rows  = 0;
  *table = NULL;
  if (rank == 0) {
    FILE *file = fopen(path, "r");
    if (!file)
      snprintf(line, sizeof line, "%s: cannot be read (%s)", path, strerror(errno));
    else {
      PetscCall(ReadRows(file, path, space, rows, table, sizeof line, line));
      fclose(file);
    }
    if (*line) PetscCall(PetscFree(*table));
  }
  PetscCall(ScoriaAgree(comm, *line ? SCORIA_EXIT_INPUT : SCORIA_EXIT_OK, line));
  PetscCallMPI(MPI_Bcast(rows, 1, MPI_INT64_T, 0, comm));
  if (rank > 0) PetscCall(PetscMalloc1(*rows * space->n, table));
  PetscCall(ScoriaBroadcastMany(comm, 0, *rows * space->n, MPI_DOUBLE, *table));
  PetscFunctionReturn(0);
}
