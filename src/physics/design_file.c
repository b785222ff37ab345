/* Conditions from a text file: one per line, U0 [V], F_right [A m^-2], ell [m], separated by blanks or commas; empty
 * lines and what follows "#" are skipped. */
#include "internal.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One line: the number of values found, up to SCORIA_NTHETA + 1; -1 for anything that is not a finite number. */
static int parse_line(char *line, double theta[])
{
  char *comment = strchr(line, '#'), *save = NULL;
  int n = 0;
  if (comment) *comment = 0;
  for (char *word = strtok_r(line, " \t,;\r\n", &save); word; word = strtok_r(NULL, " \t,;\r\n", &save)) {
    char *end;
    const double value = strtod(word, &end);
    if (*end || !isfinite(value)) return -1;
    if (n == SCORIA_NTHETA) return n + 1;
    theta[n++] = value;
  }
  return n;
}

/* Reads into a growing array; line gets what is wrong, or stays empty. */
static PetscErrorCode ReadRows(FILE *file, const char *path, int64_t *rows, double **table, size_t size, char line[])
{
  char text[1024];
  int64_t room = 0, number = 0;
  PetscFunctionBeginUser;
  while (!*line && fgets(text, sizeof text, file)) {
    double theta[SCORIA_NTHETA];
    const int n = parse_line(text, theta);
    number++;
    if (n == 0) continue;
    if (n != SCORIA_NTHETA)
      snprintf(line, size, "%s: line %lld: found %s, expected three numbers: U0 [V], F_right [A m^-2], ell [m]", path,
               (long long)number,
               n < 0               ? "something that is no number"
               : n < SCORIA_NTHETA ? "fewer values"
                                   : "more values");
    else if (theta[SCORIA_ELL] <= 0)
      snprintf(line, size, "%s: line %lld: found ell = %g m, expected a positive length", path, (long long)number,
               theta[SCORIA_ELL]);
    else {
      if (*rows == room) {
        room = room ? 2 * room : 64;
        PetscCall(PetscRealloc((size_t)room * SCORIA_NTHETA * sizeof(double), table));
      }
      memcpy(*table + *rows * SCORIA_NTHETA, theta, sizeof theta);
      ++*rows;
    }
  }
  if (!*line && *rows == 0) snprintf(line, size, "%s: found no condition, expected one per line", path);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaConditionsRead(MPI_Comm comm, const char *path, int64_t *rows, double **table)
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
      PetscCall(ReadRows(file, path, rows, table, sizeof line, line));
      fclose(file);
    }
    if (*line) PetscCall(PetscFree(*table));
  }
  PetscCall(ScoriaAgree(comm, *line ? SCORIA_EXIT_INPUT : SCORIA_EXIT_OK, line));
  PetscCallMPI(MPI_Bcast(rows, 1, MPI_INT64_T, 0, comm));
  if (rank > 0) PetscCall(PetscMalloc1((size_t)*rows * SCORIA_NTHETA, table));
  PetscCallMPI(MPI_Bcast(*table, (int)(*rows * SCORIA_NTHETA), MPI_DOUBLE, 0, comm));
  PetscFunctionReturn(0);
}
