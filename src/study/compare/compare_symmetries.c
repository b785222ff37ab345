/* Laws that hold whatever the porosity, as checks of the model's fields beside those of the PDE.  What the laws are is
 * the problem's to say; here they are put to both. */
#include "compare.h"
#include <math.h>
#include <string.h>

#define PROBES 4       /* held-out conditions at which laws between conditions are tried, at most */
#define PROBE_ROWS 128 /* fields at each of their points, at most; an eighth of compare_count */
#define POINTS 3

static const int sources[COMPARE_SIDES] = {SCORIA_FROM_MODEL, SCORIA_FROM_PDE};

PetscErrorCode CompareSymmetriesBegin(ScoriaDeck deck, Comparer *cmp, ComparisonSet *set)
{
  ScoriaGrid grid;
  PetscFunctionBeginUser;
  PetscCall(ScoriaProblemFromDeck(deck, &cmp->problem, &cmp->parameters));
  ensemble_grid(cmp->ens, &grid);
  set->nsymmetries = problem_symmetries(cmp->problem, cmp->parameters, set->space, grid.dim, set->symmetry);
  PetscFunctionReturn(0);
}

/* rms over cells of the SD of a channel in n fields. */
static double channel_scale(int cells, const double sd[])
{
  double sum = 0;
  for (int j = 0; j < cells; j++) sum += sd[j] * sd[j];
  return sqrt(sum / cells);
}

/* Mean square of the residuals of one law in n fields of one side, in units of the PDE's SD. */
static double residual_square(const Comparer *cmp, const ComparisonSet *set, const ScoriaSymmetry *law,
                              const double theta[], int64_t n, const double fields[], double scale, double work[])
{
  double sum = 0;
  symmetry_residuals(law, cmp->problem, cmp->parameters, theta, n, set->channels, set->cells, fields, work);
  for (int64_t i = 0; i < n; i++) sum += pow(work[i] / scale, 2);
  return sum / (double)n;
}

PetscErrorCode CompareFillResiduals(const Comparer *cmp, const ComparisonSet *set, Comparison *c)
{
  double *mean, *sd, *work;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(cmp->m, &mean, cmp->m, &sd, set->count, &work));
  stats_moments(c->good[SCORIA_FROM_PDE], cmp->m, cmp->gathered[SCORIA_FROM_PDE], mean, sd);
  for (int s = 0; s < set->nsymmetries; s++) {
    const ScoriaSymmetry *law = &set->symmetry[s];
    if (law->kind != SCORIA_SYMMETRY_RESIDUAL) continue;
    const double scale = channel_scale(set->cells, sd + law->field * set->cells);
    for (int side = 0; side < COMPARE_SIDES; side++)
      c->residual[s][side] =
          residual_square(cmp, set, law, c->theta, c->good[sources[side]], cmp->gathered[sources[side]], scale, work);
  }
  PetscCall(PetscFree3(mean, sd, work));
  PetscFunctionReturn(0);
}

/* Points of a law between conditions: a quarter, three quarters and half of the way through its condition's range. */
static void set_points(const ComparisonSet *set, const ScoriaSymmetry *law, const double theta[],
                       double point[POINTS][SCORIA_MAX_CONDITIONS])
{
  static const double share[POINTS] = {0.25, 0.75, 0.5};
  const ScoriaCondition *range      = &set->space->c[law->condition];
  for (int p = 0; p < POINTS; p++) {
    memcpy(point[p], theta, sizeof point[p]);
    point[p][law->condition] = range->lo + share[p] * (range->hi - range->lo);
  }
}

/* On rank 0: the deviation of one side's fields (n, m) at the points. */
static double deviation(const ComparisonSet *set, const ScoriaSymmetry *law, int64_t n, double *const at[POINTS],
                        const double move, const double scale[])
{
  double shift[SCORIA_MAX_FIELDS];
  for (int f = 0; f < set->channels; f++) shift[f] = law->shift[f] * move;
  return law->kind == SCORIA_SYMMETRY_SHIFT
             ? shift_deviation(n, set->channels, set->cells, at[0], at[1], shift, scale)
             : affine_deviation(n, set->channels * set->cells, at[0], at[2], at[1], scale);
}

/* Squares of the deviations of model and PDE from one law at one condition: known to rank 0.  Collective. */
static PetscErrorCode ProbeOne(Comparer *cmp, ComparisonSet *set, const ScoriaSymmetry *law, int condition, int64_t n,
                               double *at[POINTS], double *sd, double square[COMPARE_SIDES])
{
  double point[POINTS][SCORIA_MAX_CONDITIONS], *mean = sd + cmp->m;
  const int points = law->kind == SCORIA_SYMMETRY_SHIFT ? 2 : POINTS;
  PetscFunctionBeginUser;
  set_points(set, law, set->c[condition].theta, point);
  for (int side = COMPARE_SIDES - 1; side >= 0; side--) { /* the PDE first: its SD is the unit of both */
    for (int p = 0; p < points; p++)
      PetscCall(CompareFields(cmp, set, condition, point[p], sources[side], n, 0, at[p]));
    if (cmp->rank) continue;
    if (sources[side] == SCORIA_FROM_PDE) {
      double *good = cmp->gathered[SCORIA_FROM_PDE_AGAIN];
      memcpy(good, at[0], sizeof(double) * (size_t)(n * cmp->m));
      stats_moments(stats_keep_finite(n, cmp->m, good), cmp->m, good, mean, sd);
    }
    square[side] = pow(deviation(set, law, n, at, point[1][law->condition] - point[0][law->condition], sd), 2);
  }
  PetscFunctionReturn(0);
}

/* Conditions at which laws are tried: evenly spread over the held-out ones. */
static PetscErrorCode Probe(Comparer *cmp, ComparisonSet *set, int s)
{
  const int probes   = PetscMin(PROBES, set->conditions);
  const int64_t n    = PetscClipInterval(set->count / 8, 2, PROBE_ROWS);
  double *at[POINTS] = {cmp->gathered[SCORIA_FROM_PDE], cmp->gathered[SCORIA_FROM_MODEL],
                        cmp->gathered[SCORIA_FROM_GAUSSIAN]},
         *sd;
  double sum[COMPARE_SIDES] = {0}, square[COMPARE_SIDES] = {0};
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * cmp->m, &sd));
  for (int k = 0; k < probes; k++) {
    PetscCall(ProbeOne(cmp, set, &set->symmetry[s], k * set->conditions / probes, n, at, sd, square));
    for (int side = 0; side < COMPARE_SIDES; side++) sum[side] += square[side] / probes;
  }
  PetscCall(PetscFree(sd));
  for (int side = 0; side < COMPARE_SIDES; side++) set->kept[s][side] = sqrt(sum[side]);
  PetscCallMPI(MPI_Bcast(set->kept[s], COMPARE_SIDES, MPI_DOUBLE, 0, cmp->comm));
  PetscFunctionReturn(0);
}

PetscErrorCode CompareSymmetries(Comparer *cmp, ComparisonSet *set)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < set->nsymmetries; s++)
    if (set->symmetry[s].kind == SCORIA_SYMMETRY_RESIDUAL) {
      for (int side = 0; side < COMPARE_SIDES; side++) {
        double sum = 0;
        for (int k = 0; k < set->conditions; k++) sum += set->c[k].residual[s][side];
        set->kept[s][side] = sqrt(sum / set->conditions);
      }
    } else
      PetscCall(Probe(cmp, set, s));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- telling ---- */

void compare_add_symmetries(cJSON *root, const ComparisonSet *set)
{
  cJSON *list = cJSON_AddArrayToObject(root, "symmetries");
  for (int s = 0; s < set->nsymmetries; s++) {
    cJSON *one = cJSON_CreateObject();
    cJSON_AddItemToArray(list, one);
    cJSON_AddStringToObject(one, "name", set->symmetry[s].name);
    cJSON_AddNumberToObject(one, "model", set->kept[s][0]);
    cJSON_AddNumberToObject(one, "pde", set->kept[s][1]);
    cJSON_AddStringToObject(one, "unit", "SD");
    cJSON_AddStringToObject(one, "help", set->symmetry[s].help);
  }
}

PetscErrorCode CompareSaySymmetries(ScoriaRun run, const ComparisonSet *set)
{
  PetscFunctionBeginUser;
  if (!set->nsymmetries) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  laws of the problem, deviation / SD, model (PDE):"));
  for (int s = 0; s < set->nsymmetries; s++)
    PetscCall(ScoriaSay(run, "    %-16s %9.2g (%.2g)  %s", set->symmetry[s].name, set->kept[s][0], set->kept[s][1],
                        set->symmetry[s].help));
  PetscFunctionReturn(0);
}
