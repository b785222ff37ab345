/* import without a mapping: whether an array lies along others, those of cell centres. */
#include "import_guess.h"
#include <ctype.h>
#include <string.h>

/* Dimensions of more than one index. */
int guess_dimensions(const ScoriaForeignArray *a)
{
  int n = 0;
  for (int i = 0; i < a->rank; i++) n += a->dims[i] != 1;
  return n;
}

static bool same_scale(const ScoriaForeignAxis *a, const ScoriaForeignAxis *b)
{
  return a->known && a->known == b->known && a->file == b->file;
}

/* The axis of an array whose scale is that of an array of one dimension; -1: none. */
int guess_axis_by_scale(const ScoriaForeignArray *a, const ScoriaForeignArray *x)
{
  for (int i = 0; i < a->rank; i++)
    for (int j = 0; j < x->rank; j++)
      if (same_scale(&a->axis[i], &x->axis[j])) return i;
  return -1;
}

/* By their scales, else by their lengths.  Centres of equal length are told apart by import. */
ImportFit guess_fit(const ScoriaForeignArray *a, int n, const ScoriaForeignArray *const centre[])
{
  bool taken[SCORIA_FOREIGN_RANK] = {false}, found[IMPORT_GRID] = {false};
  ImportFit fit = ON;
  if (guess_dimensions(a) < n + 1) return NOT_ON;
  for (int d = 0; d < n; d++) {
    const int axis = guess_axis_by_scale(a, centre[d]);
    found[d]       = axis >= 0 && a->dims[axis] == guess_values(centre[d]);
    if (found[d]) taken[axis] = true;
  }
  for (int d = 0; d < n; d++) {
    int wanted = 0, there = 0;
    for (int e = 0; e < n; e++) wanted += !found[e] && guess_values(centre[e]) == guess_values(centre[d]);
    for (int i = 0; i < a->rank; i++) there += !taken[i] && a->dims[i] == guess_values(centre[d]);
    if (!found[d] && there < wanted) return NOT_ON;
    if (!found[d] && there > wanted) fit = MAYBE_ON;
  }
  return fit;
}

/* The letter that an array's name is, or begins with before what is no letter or digit ("x_um"), in lower case. */
char guess_letter(const ScoriaForeignArray *a)
{
  const char *last = strrchr(a->path, '/') + 1;
  return isalnum((unsigned char)last[0]) && isalnum((unsigned char)last[1]) ? 0 : (char)tolower((unsigned char)*last);
}
