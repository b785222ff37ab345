/* A store in words: its root attributes, its arrays with shape, unit and range, and how many values each group holds.
 */
#include "private.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_GROUPS 32

/* What the visit of all arrays gathers. */
typedef struct {
  ScoriaTrouble *bad;
  PetscErrorCode failed; /* a defect met during the visit */
  int ngroups;
  struct {
    char name[SCORIA_NAME_SIZE];
    int64_t arrays, values;
  } group[MOST_GROUPS];
} Visit;

static void visit_count(Visit *visit, const char *name, int64_t values)
{
  char top[SCORIA_NAME_SIZE];
  int g = 0;

  snprintf(top, sizeof top, "/%.*s", (int)strcspn(name, "/"), name);
  while (g < visit->ngroups && strcmp(visit->group[g].name, top)) g++;
  if (g == MOST_GROUPS) return;
  if (g == visit->ngroups) {
    strcpy(visit->group[g].name, top);
    visit->group[g].arrays = visit->group[g].values = 0;
    visit->ngroups++;
  }
  visit->group[g].arrays++;
  visit->group[g].values += values;
}

/* Smallest and largest of an array of reals. */
static PetscErrorCode RealRange(hid_t file, const char *name, int64_t n, ScoriaType type, double range[2],
                                ScoriaTrouble *bad)
{
  void *data;

  PetscFunctionBeginUser;
  range[0] = INFINITY;
  range[1] = -INFINITY;
  PetscCall(PetscMalloc((size_t)n * type_size(type) + 1, &data));
  PetscCall(GetArray(file, name, n, type, data, bad));
  for (int64_t i = 0; i < n && bad->code == SCORIA_EXIT_OK; i++) {
    const double value = type == IO_F8 ? ((double *)data)[i] : (double)((float *)data)[i];

    range[0]           = fmin(range[0], value);
    range[1]           = fmax(range[1], value);
  }
  PetscCall(PetscFree(data));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintArray(hid_t file, const char *name, Visit *visit)
{
  char shape[128], unit[64], description[512];
  int64_t dims[H5S_MAX_RANK], n = 1;
  double range[2] = {INFINITY, -INFINITY};
  ScoriaType type = IO_F8;
  hid_t array;
  int rank;

  PetscFunctionBeginUser;
  PetscCall(ShapeOf(file, name, H5S_MAX_RANK, &rank, dims, &type, visit->bad));
  if (visit->bad->code != SCORIA_EXIT_OK || rank < 0) PetscFunctionReturn(0);
  for (int i = 0; i < rank; i++) n *= dims[i];
  CallH5(array = H5Dopen2(file, name, H5P_DEFAULT));
  PetscCall(GetShortText(array, "units", sizeof unit, unit, visit->bad));
  PetscCall(GetShortText(array, "description", sizeof description, description, visit->bad));
  H5Dclose(array);
  if (type == IO_F4 || type == IO_F8) PetscCall(RealRange(file, name, n, type, range, visit->bad));
  shape_text(rank, dims, sizeof shape, shape);
  printf("  /%-31s %-16s %-8s ", name, shape, unit);
  if (range[0] <= range[1])
    printf("%12.5g %12.5g", range[0], range[1]);
  else
    printf("%12s %12s", "-", "-");
  printf("   %s\n", description);
  visit_count(visit, name, n);
  PetscFunctionReturn(0);
}

static herr_t visit_object(hid_t file, const char *name, const H5O_info_t *info, void *context)
{
  Visit *visit = context;

  /* a scale without coordinates has no unit, and nothing to tell */
  if (info->type != H5O_TYPE_DATASET || H5Aexists_by_name(file, name, "units", H5P_DEFAULT) <= 0) return 0;
  visit->failed = PrintArray(file, name, visit);
  return visit->failed || visit->bad->code != SCORIA_EXIT_OK;
}

/* One root attribute, where it is a number or a short text and no part of the origin printed before. */
static herr_t visit_attribute(hid_t file, const char *name, const H5A_info_t *info, void *context)
{
  static const char printed[] = " format format_version kind program_version git_revision date deck ";
  ScoriaTrouble quiet         = {.path = ""};
  Visit *visit                = context;
  char key[SCORIA_NAME_SIZE + 2], text[256];
  int64_t whole;
  double real;

  (void)info;
  snprintf(key, sizeof key, " %s ", name);
  if (strstr(printed, key)) return 0;
  visit->failed = GetNumber(file, name, IO_I8, &whole, &quiet);
  if (!visit->failed && quiet.code == SCORIA_EXIT_OK) return printf("%-12s %lld\n", name, (long long)whole) < 0;
  quiet.code = SCORIA_EXIT_OK;
  if (!visit->failed) visit->failed = GetNumber(file, name, IO_F8, &real, &quiet);
  if (!visit->failed && quiet.code == SCORIA_EXIT_OK) return printf("%-12s %.9g\n", name, real) < 0;
  quiet.code = SCORIA_EXIT_OK;
  if (!visit->failed) visit->failed = GetShortText(file, name, sizeof text, text, &quiet);
  if (!visit->failed && quiet.code == SCORIA_EXIT_OK && text[0]) printf("%-12s %s\n", name, text);
  return visit->failed != 0;
}

PetscErrorCode DescribeStore(hid_t file, ScoriaTrouble *bad)
{
  Visit visit = {.bad = bad};
  herr_t failed;

  PetscFunctionBeginUser;
  failed = H5Aiterate2(file, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_attribute, &visit);
  PetscCall(visit.failed);
  if (failed < 0) trouble_hdf5(bad, SCORIA_EXIT_INPUT, "its attributes cannot be listed");
  printf("\n  %-32s %-16s %-8s %12s %12s\n", "array", "shape", "unit", "min", "max");
  if (H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, visit_object, &visit) < 0)
    trouble_hdf5(bad, SCORIA_EXIT_INPUT, "its arrays cannot be listed");
  PetscCall(visit.failed);
  printf("\n");
  for (int g = 0; g < visit.ngroups; g++)
    printf("  %-32s %lld arrays, %lld values\n", visit.group[g].name, (long long)visit.group[g].arrays,
           (long long)visit.group[g].values);
  PetscFunctionReturn(0);
}
