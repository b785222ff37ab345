/* refine: which rows of the file are refined, their conditions and standard deviations. */
#include "refine.h"
#include <math.h>
#include <string.h>

#define SD_ROWS 1024  /* of a condition, at most, that its standard deviation is taken from */
#define LEAST_ROWS 8  /* good ones, for the same */
#define SD_FLOOR 0.05 /* of a field's largest: c hardly varies beside the separator, where it is given */

/* Where the PDE's fields stand in the file, whose cells must be the same. */
static PetscErrorCode MatchFields(const RefineGiven *given, const RefinePde *pde, RefineChosen *chosen)
{
  const ScoriaDatasetSpec *spec = &pde->forward.spec;
  const double *x;
  PetscFunctionBeginUser;
  for (; chosen->channels < spec_states(spec); chosen->channels++) {
    const ScoriaField *field = &spec->field[chosen->channels];
    const int i              = field_find(given->spec->nfields, given->spec->field, field->name);
    if (i < 0 || strcmp(given->spec->field[i].unit, field->unit))
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found no field %s [%s], which the PDE has", given->path, field->name,
                  field->unit);
    chosen->field[chosen->channels] = i;
  }
  PetscCall(ScoriaDatasetInfo(given->ds, NULL, &x, NULL));
  for (int j = 0; j < spec->cells; j++)
    if (fabs(x[j] - pde->x[j]) > 1e-9 * pde->x[spec->cells - 1])
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: cell %d lies at %g%s, expected %g%s", given->path, j, x[j],
                  space_place_unit(&given->spec->space, 0), pde->x[j], space_place_unit(&spec->space, 0));
  chosen->m = chosen->channels * spec->cells;
  PetscFunctionReturn(0);
}

/* Conditions evenly spaced among those of the file, and the first rows of each. */
static PetscErrorCode ChooseRows(ScoriaDeck deck, const RefineGiven *given, RefineChosen *chosen)
{
  const int64_t all = given->spec->rows / given->spec->realisations;
  PetscInt count    = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "refine_count", &count));
  chosen->conditions = PetscMin(all, count);
  chosen->each       = PetscMin(given->spec->realisations, count / chosen->conditions);
  PetscFunctionReturn(0);
}

static int64_t first_row(const RefineGiven *given, const RefineChosen *chosen, int64_t condition)
{
  const int64_t all = given->spec->rows / given->spec->realisations;
  return condition * all / chosen->conditions * given->spec->realisations;
}

static void take_fields(const RefineChosen *chosen, const ScoriaRows *rows, int64_t i, double fields[])
{
  rows_pack(rows, i, 1, chosen->channels, chosen->field, chosen->m / chosen->channels, fields);
}

/* Two passes over the good rows; no cell's is less than a share of its field's largest.  Returns how many were good. */
static int64_t find_sd(const RefineChosen *chosen, const ScoriaRows *rows, double mean[], double fields[], double sd[])
{
  const int L  = chosen->m / chosen->channels;
  int64_t good = 0;
  memset(mean, 0, (size_t)chosen->m * sizeof *mean);
  memset(sd, 0, (size_t)chosen->m * sizeof *sd);
  for (int64_t i = 0; i < rows->rows; i++) {
    if (rows->done[i] != SCORIA_ROW_DONE) continue;
    take_fields(chosen, rows, i, fields);
    for (int j = 0; j < chosen->m; j++) mean[j] += fields[j];
    good++;
  }
  for (int j = 0; j < chosen->m; j++) mean[j] /= PetscMax(good, 1);
  for (int64_t i = 0; i < rows->rows; i++) {
    if (rows->done[i] != SCORIA_ROW_DONE) continue;
    take_fields(chosen, rows, i, fields);
    for (int j = 0; j < chosen->m; j++) sd[j] += pow(fields[j] - mean[j], 2);
  }
  for (int c = 0; c < chosen->channels; c++) {
    double most = 0;
    for (int j = c * L; j < (c + 1) * L; j++) {
      sd[j] = sqrt(sd[j] / PetscMax(good - 1, 1));
      most  = PetscMax(most, sd[j]);
    }
    for (int j = c * L; j < (c + 1) * L; j++) sd[j] = PetscMax(sd[j], SD_FLOOR * most);
  }
  return good;
}

/* theta and SD of every condition: every rank reads the same rows and computes the same. */
static PetscErrorCode ReadConditions(const RefineGiven *given, RefineChosen *chosen)
{
  const int n = chosen->space.n;
  double *mean, *fields;
  ScoriaRows rows;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc2(chosen->conditions * n, &chosen->theta, chosen->conditions * chosen->m, &chosen->sd));
  PetscCall(PetscMalloc2(chosen->m, &mean, chosen->m, &fields));
  PetscCall(ScoriaRowsCreate(given->spec, PetscMin(given->spec->realisations, SD_ROWS), &rows));
  for (int64_t k = 0; k < chosen->conditions; k++) {
    PetscCall(ScoriaDatasetRead(given->ds, first_row(given, chosen, k), rows.capacity, &rows));
    for (int i = 0; i < n; i++)
      chosen->theta[k * n + i] =
          chosen->condition[i] < 0 ? chosen->space.c[i].lo : rows.condition[chosen->condition[i]][0];
    const int64_t good = find_sd(chosen, &rows, mean, fields, chosen->sd + k * chosen->m);
    if (good < LEAST_ROWS || !(chosen->sd[k * chosen->m] > 0))
      SCORIA_FAIL(SCORIA_EXIT_INPUT,
                  "%s: %lld good rows at condition %lld, expected at least %d that differ: misfits are in units of "
                  "their standard deviation",
                  given->path, (long long)good, (long long)k, LEAST_ROWS);
  }
  PetscCall(ScoriaRowsDestroy(&rows));
  PetscCall(PetscFree2(mean, fields));
  PetscFunctionReturn(0);
}

PetscErrorCode RefineChosenRead(ScoriaDeck deck, const RefineGiven *given, const RefinePde *pde, RefineChosen *chosen)
{
  PetscFunctionBeginUser;
  *chosen = (RefineChosen){.space = pde->forward.spec.space};
  for (int k = 0; k < chosen->space.n; k++)
    chosen->condition[k] = space_find(&given->spec->space, chosen->space.c[k].name);
  PetscCall(MatchFields(given, pde, chosen));
  PetscCall(ChooseRows(deck, given, chosen));
  PetscCall(ReadConditions(given, chosen));
  PetscFunctionReturn(0);
}

PetscErrorCode RefineChosenDestroy(RefineChosen *chosen)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree2(chosen->theta, chosen->sd));
  PetscFunctionReturn(0);
}

PetscErrorCode RefineChosenFields(const RefineGiven *given, const RefineChosen *chosen, int64_t most, int64_t first,
                                  int64_t number, double fields[], double at[])
{
  ScoriaSource source;
  PetscFunctionBeginUser;
  PetscCall(ScoriaSourceOfFile(given->comm, given->ds, chosen->channels, chosen->field, 1, &source));
  for (int64_t i = 0; i < most; i++) {
    const bool mine   = i < number;
    const int64_t row = mine ? first_row(given, chosen, (first + i) / chosen->each) + (first + i) % chosen->each : 0;
    PetscCall(ScoriaSourceDraw(source, NULL, (uint64_t)row, mine, fields + (mine ? i * chosen->m : 0)));
    if (mine) at[i] = (double)row;
  }
  PetscCall(ScoriaSourceDestroy(&source));
  PetscFunctionReturn(0);
}
