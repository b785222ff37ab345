/* Tables of numbers as text: a row a line, separated by commas, semicolons or blanks; # opens a comment, and a first
 * line that begins with a letter is a heading. */
#include "structure.h"
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MOST ((size_t)1 << 30) /* bytes: all of it is held */

typedef struct {
  double *values; /* owned: (rows, columns) */
} Csv;

static bool is_text(const unsigned char head[], size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (!isprint(head[i]) && !isspace(head[i]) && head[i] < 0x80) return false;
  return n > 0;
}

static bool separates(char c)
{
  return c == ',' || c == ';' || c == ' ' || c == '\t' || c == '\r';
}

/* The numbers of a line, put into values unless that is NULL; -1 where something else stands there, *at. */
static int64_t parse_line(const char **at, const char *end, double values[])
{
  int64_t n = 0;
  for (;;) {
    char *next;
    while (*at < end && separates(**at)) ++*at;
    if (*at == end || **at == '#') return n;
    const double value = strtod(*at, &next);
    if (next == *at || next > end) return -1;
    if (values) values[n] = value;
    n++;
    *at = next;
  }
}

/* Rows and columns, or what is wrong with the text; then, with values, the numbers. */
static void parse(const char *text, int64_t *rows, int64_t *columns, double values[], ScoriaTrouble *bad)
{
  const char *line = text;
  *rows = *columns = 0;
  for (int64_t number = 1; *line && bad->code == SCORIA_EXIT_OK; number++) {
    const char *end = line + strcspn(line, "\n"), *at = line;
    const bool heading = *rows == 0 && isalpha((unsigned char)line[strspn(line, " \t\"'")]) &&
                         strncasecmp(line, "nan", 3) && strncasecmp(line, "inf", 3);
    const int64_t n = heading ? 0 : parse_line(&at, end, values ? values + *rows * *columns : NULL);
    if (n < 0)
      trouble_note(bad, SCORIA_EXIT_INPUT, "line %lld: found \"%.*s\", expected numbers", (long long)number,
                   (int)PetscMin(end - at, 40), at);
    if (n > 0 && *rows && n != *columns)
      trouble_note(bad, SCORIA_EXIT_INPUT, "line %lld: found %lld numbers, expected %lld as before", (long long)number,
                   (long long)n, (long long)*columns);
    if (n > 0 && !*rows) *columns = n;
    *rows += n > 0;
    line = *end ? end + 1 : end;
  }
}

static PetscErrorCode CloseCsv(void *ctx)
{
  Csv *csv = ctx;
  PetscFunctionBeginUser;
  PetscCall(PetscFree(csv->values));
  PetscCall(PetscFree(csv));
  PetscFunctionReturn(0);
}

static PetscErrorCode OpenCsv(const char *path, const char *array, StructureShape *shape, void **ctx,
                              ScoriaTrouble *bad)
{
  char *text = NULL;
  size_t size;
  int trouble;
  Csv *csv;
  PetscFunctionBeginUser;
  (void)array;
  PetscCall(PetscNew(&csv));
  *ctx = csv;
  PetscCall(ScoriaTextReadHere(path, TEXT_MOST, &text, &size, &trouble));
  if (trouble == EFBIG)
    trouble_note(bad, SCORIA_EXIT_INPUT, "more than %.3g MB of text: NPY or HDF5 files may be larger",
                 1e-6 * (double)TEXT_MOST);
  else if (trouble)
    trouble_note(bad, SCORIA_EXIT_INPUT, "cannot be read: %s", strerror(trouble));
  if (bad->code != SCORIA_EXIT_OK) PetscFunctionReturn(0);
  shape->rank = 2;
  parse(text, &shape->dims[0], &shape->dims[1], NULL, bad);
  if (!shape->dims[0]) trouble_note(bad, SCORIA_EXIT_INPUT, "holds no numbers");
  if (bad->code == SCORIA_EXIT_OK) {
    PetscCall(PetscMalloc1((size_t)shape->dims[0] * (size_t)shape->dims[1], &csv->values));
    parse(text, &shape->dims[0], &shape->dims[1], csv->values, bad);
  }
  PetscCall(PetscFree(text));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadCsv(void *ctx, const StructureShape *shape, int64_t index, double values[],
                              ScoriaTrouble *bad)
{
  const Csv *csv  = ctx;
  const int64_t n = slab_values(shape);
  PetscFunctionBeginUser;
  (void)bad;
  PetscCall(PetscArraycpy(values, csv->values + index * n, n));
  PetscFunctionReturn(0);
}

const StructureFormat structure_csv = {"CSV", is_text, OpenCsv, ReadCsv, CloseCsv};
