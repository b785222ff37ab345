/* Reads the maps of compare.h5. */
#include "report_maps.h"
#include "scoria/maps.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_CELLS 4096 /* of a map, along an axis */

/* The array `name` of so many numbers; *data stays NULL where there is none. */
static PetscErrorCode ReadSome(ScoriaStore store, const char *name, int64_t count, double **data)
{
  int64_t dims[4], found = 1;
  int rank;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreShape(store, name, 4, &rank, dims));
  if (rank < 0) PetscFunctionReturn(0);
  for (int a = 0; a < rank; a++) found *= dims[a];
  if (found != count)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare.h5: %s has %lld numbers, expected %lld", name, (long long)found,
                (long long)count);
  PetscCall(PetscMalloc1(count, data));
  PetscCall(ScoriaStoreGetReals(store, name, count, *data));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadSource(ScoriaStore store, ScoriaFrom s, const char *field, ReportMappedField *to)
{
  const int64_t plane = to->n[0] * to->n[1];
  double *part;
  char name[128];
  PetscFunctionBeginUser;
  for (int m = 0; m < SCORIA_NMAPS; m++) {
    const int64_t count = m == SCORIA_MAP_DRAWN ? SCORIA_MAP_DRAWS * plane : plane;
    part                = NULL;
    compare_map_path(s, field, scoria_maps[m].name, sizeof name, name);
    PetscCall(ReadSome(store, name, count, &part));
    if (!part) PetscFunctionReturn(0);
    if (!to->map[s]) PetscCall(PetscCalloc1((SCORIA_MAP_DRAWN + SCORIA_MAP_DRAWS) * plane, &to->map[s]));
    PetscCall(PetscArraycpy(to->map[s] + m * plane, part, count));
    PetscCall(PetscFree(part));
  }
  for (int e = 0; e < 2; e++) {
    compare_map_path(s, field, scoria_map_extremes[e], sizeof name, name);
    PetscCall(ReadSome(store, name, SCORIA_MAP_QUANTILES, &to->extreme[s][e]));
  }
  PetscFunctionReturn(0);
}

static double largest_of(const ReportMappedField *field, int64_t plane)
{
  double largest = 0;
  for (int64_t i = 0; i < plane && field->map[SCORIA_FROM_PDE]; i++)
    largest = fmax(largest, fabs(field->map[SCORIA_FROM_PDE][i]));
  return largest;
}

/* Of the maps of a field, own: on cells of its own. */
static PetscErrorCode ReadCentres(ScoriaStore store, const char *own, ReportMappedField *to)
{
  static const char *const name[2] = {MAPS_X, MAPS_Y};
  char path[SCORIA_NAME_SIZE + 32];
  int64_t dims[4];
  int rank;
  PetscFunctionBeginUser;
  for (int a = 0; a < 2; a++) {
    compare_map_centres(name[a], own, sizeof path, path);
    PetscCall(ScoriaStoreShape(store, path, 4, &rank, dims));
    if (rank != 1 || dims[0] < 1 || dims[0] > MOST_CELLS)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare.h5: found no %s of 1 to %d cells, the centres of its maps", path,
                  MOST_CELLS);
    to->n[a] = dims[0];
    PetscCall(ReadSome(store, path, to->n[a], &to->centre[a]));
  }
  compare_map_centres(MAPS_PLANES, own, sizeof path, path);
  PetscCall(ScoriaStoreGetInt(store, path, &to->planes));
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadFields(ScoriaStore store, ReportMaps *maps)
{
  ScoriaField field[SCORIA_MAX_FIELDS];
  double *level = NULL;
  int n;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreGetFields(store, &n, field));
  PetscCall(ReadSome(store, MAPS_LEVEL, n, &level));
  maps->nfields = level ? PetscMin(n, REPORT_FIELDS) : 0;
  for (int f = 0; f < maps->nfields; f++) {
    ReportMappedField *to = &maps->field[f];
    to->level             = level[f];
    PetscCall(ReadCentres(store, fields_differ(n, field) ? field[f].name : NULL, to));
    to->flat = field_is_one_value(&field[f]) || to->n[0] < 2 || to->n[1] < 2;
    for (int s = 0; s < SCORIA_NFROM; s++) PetscCall(ReadSource(store, s, field[f].name, to));
    report_quantity(field[f].name, field[f].unit, largest_of(to, to->n[0] * to->n[1]), &to->quantity);
    if (!to->map[SCORIA_FROM_PDE] || !to->map[SCORIA_FROM_MODEL])
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "compare.h5: /maps lacks those of the field %s", field[f].name);
  }
  PetscCall(PetscFree(level));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportMapsRead(MPI_Comm comm, const char *path, ReportMaps *maps)
{
  double *rows = NULL, *theta = NULL;
  ScoriaStore store;
  bool there;
  PetscFunctionBeginUser;
  memset(maps, 0, sizeof *maps);
  PetscCall(ScoriaFileExists(comm, path, &there));
  if (!there) PetscFunctionReturn(0);
  PetscCall(ScoriaStoreOpen(comm, path, "compare", &store));
  PetscCall(ScoriaStoreHas(store, MAPS_CONDITIONS, &there));
  if (there) {
    PetscCall(ScoriaStoreGetSpace(store, &maps->space));
    PetscCall(ReadSome(store, MAPS_ROWS, SCORIA_NFROM, &rows));
    PetscCall(ReadSome(store, MAPS_THETA, maps->space.n, &theta));
    PetscCall(ScoriaStoreGetInt(store, MAPS_CONDITIONS, &maps->conditions));
    if (rows) PetscCall(PetscArraycpy(maps->rows, rows, SCORIA_NFROM));
    if (theta) PetscCall(PetscArraycpy(maps->theta, theta, maps->space.n));
    PetscCall(ReadFields(store, maps));
  }
  PetscCall(PetscFree(rows));
  PetscCall(PetscFree(theta));
  PetscCall(ScoriaStoreClose(&store));
  PetscFunctionReturn(0);
}

PetscErrorCode ReportMapsDestroy(ReportMaps *maps)
{
  PetscFunctionBeginUser;
  for (int f = 0; f < maps->nfields; f++)
    for (int s = 0; s < SCORIA_NFROM; s++) {
      PetscCall(PetscFree(maps->field[f].map[s]));
      for (int e = 0; e < 2; e++) PetscCall(PetscFree(maps->field[f].extreme[s][e]));
    }
  for (int f = 0; f < maps->nfields; f++)
    for (int a = 0; a < 2; a++) PetscCall(PetscFree(maps->field[f].centre[a]));
  memset(maps, 0, sizeof *maps);
  PetscFunctionReturn(0);
}
