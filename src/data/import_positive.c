/* import without a mapping: which fields may be bounded by 0. */
#include "import_guess.h"
#include "units.h"

#define LOOKED_AT ((int64_t)1 << 22) /* values of a field at most: 32 MB */

/* Whether 0 is the least that there can be: not of degC, whose zero is a convention. */
static bool has_true_zero(const char *unit)
{
  double scale, offset;
  return units_conversion(unit, "K", &scale, &offset) != UNITS_CONVERT || offset == 0;
}

/* Values that are no numbers stand for what is missing. */
PetscErrorCode ImportGuessPositive(MPI_Comm comm, const char *path, ImportGuess *g)
{
  PetscFunctionBeginUser;
  for (int f = 0; f < g->fields; f++) {
    const ScoriaForeignArray *a = &g->array[g->field[f]];
    const int64_t n             = guess_values(a);
    double *v;
    if (n > LOOKED_AT || !has_true_zero(a->unit)) continue;
    PetscCall(PetscMalloc1(n, &v));
    PetscCall(ScoriaArrayRead(comm, path, a->path, n, v));
    g->positive[f] = true;
    for (int64_t i = 0; i < n; i++) g->positive[f] = g->positive[f] && !(v[i] <= 0);
    PetscCall(PetscFree(v));
  }
  PetscFunctionReturn(0);
}
