/* Laws that hold whatever the porosity, as checks of the model's fields beside those of the PDE.  What the laws are is
 * the problem's to say; here they are put to both. */
#include "compare.h"
#include <math.h>
#include <string.h>

#define PROBES 4       /* held-out conditions at which laws between conditions are tried, at most */
#define PROBE_ROWS 128 /* fields at each of their points, at most; an eighth of compare_count */
#define POINTS 3

static const int sources[COMPARE_SIDES] = {SCORIA_FROM_MODEL, SCORIA_FROM_PDE};

PetscErrorCode CompareLawsCreate(ScoriaDeck deck, const ScoriaSpace *space, int dimensions, CompareLaws *laws)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaProblemFromDeck(deck, &laws->problem, &laws->parameters));
  laws->n = problem_symmetries(laws->problem, laws->parameters, space, dimensions, laws->law);
  PetscFunctionReturn(0);
}

PetscErrorCode CompareLawsDestroy(CompareLaws *laws)
{
  PetscFunctionBeginUser;
  PetscCall(PetscFree(laws->parameters));
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
static double residual_square(const CompareLaws *laws, int s, const ScoriaFieldShape *shape, const double theta[],
                              int64_t n, const double fields[], double scale, double work[])
{
  double sum = 0;
  symmetry_residuals(&laws->law[s], laws->problem, laws->parameters, theta, n, shape->channels, shape->cells, fields,
                     work);
  for (int64_t i = 0; i < n; i++) sum += pow(work[i] / scale, 2);
  return sum / (double)n;
}

PetscErrorCode CompareFillResiduals(const CompareLaws *laws, const ScoriaFieldShape *shape,
                                    double *const fields[SCORIA_NFROM], Comparison *c)
{
  const int m        = shape->channels * shape->cells;
  const int64_t most = PetscMax(c->good[sources[0]], c->good[sources[1]]);
  double *mean, *sd, *work;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc3(m, &mean, m, &sd, most, &work));
  stats_moments(c->good[SCORIA_FROM_PDE], m, fields[SCORIA_FROM_PDE], mean, sd);
  for (int s = 0; s < laws->n; s++) {
    if (laws->law[s].kind != SCORIA_SYMMETRY_RESIDUAL) continue;
    const double scale = channel_scale(shape->cells, sd + laws->law[s].field * shape->cells);
    for (int side = 0; side < COMPARE_SIDES; side++) {
      const int from       = sources[side];
      c->residual[s][side] = residual_square(laws, s, shape, c->theta, c->good[from], fields[from], scale, work);
    }
  }
  PetscCall(PetscFree3(mean, sd, work));
  PetscFunctionReturn(0);
}

/* Points of a law between conditions: a quarter, three quarters and half of the way through its condition's range. */
static void set_points(const ScoriaSpace *space, const ScoriaSymmetry *law, const double theta[],
                       double point[POINTS][SCORIA_MAX_CONDITIONS])
{
  static const double share[POINTS] = {0.25, 0.75, 0.5};
  const ScoriaCondition *range      = &space->c[law->condition];
  for (int p = 0; p < POINTS; p++) {
    memcpy(point[p], theta, sizeof point[p]);
    point[p][law->condition] = range->lo + share[p] * (range->hi - range->lo);
  }
}

/* On rank 0: the deviation of one side's fields (n, m) at the points. */
static double deviation(const ScoriaFieldShape *shape, const ScoriaSymmetry *law, int64_t n, double *const at[POINTS],
                        const double move, const double scale[])
{
  double shift[SCORIA_MAX_FIELDS];
  for (int f = 0; f < shape->channels; f++) shift[f] = law->shift[f] * move;
  return law->kind == SCORIA_SYMMETRY_SHIFT
             ? shift_deviation(n, shape->channels, shape->cells, at[0], at[1], shift, scale)
             : affine_deviation(n, shape->channels * shape->cells, at[0], at[2], at[1], scale);
}

/* Squares of the deviations of model and PDE from one law at one condition: known to rank 0.  Collective. */
static PetscErrorCode ProbeOne(CompareDraws *draws, const ComparisonSet *set, const ScoriaSymmetry *law, int condition,
                               int64_t n, double *at[POINTS], double *sd, double square[COMPARE_SIDES])
{
  double point[POINTS][SCORIA_MAX_CONDITIONS], theta[SCORIA_MAX_CONDITIONS], *mean = sd + draws->m;
  const int points = law->kind == SCORIA_SYMMETRY_SHIFT ? 2 : POINTS;
  PetscFunctionBeginUser;
  if (!draws->rank) memcpy(theta, compare_condition(set, condition)->theta, sizeof theta);
  PetscCallMPI(MPI_Bcast(theta, SCORIA_MAX_CONDITIONS, MPI_DOUBLE, 0, draws->comm));
  set_points(set->shape.space, law, theta, point);
  for (int side = COMPARE_SIDES - 1; side >= 0; side--) { /* the PDE first: its SD is the unit of both */
    for (int p = 0; p < points; p++)
      PetscCall(CompareFields(draws, set->first + condition, 1, point + p, sources[side], n, at[p]));
    if (draws->rank) continue;
    if (sources[side] == SCORIA_FROM_PDE) {
      double *good = draws->gathered[SCORIA_FROM_PDE_AGAIN];
      memcpy(good, at[0], sizeof(double) * (size_t)(n * draws->m));
      stats_moments(stats_keep_finite(n, draws->m, good), draws->m, good, mean, sd);
    }
    square[side] = pow(deviation(&set->shape, law, n, at, point[1][law->condition] - point[0][law->condition], sd), 2);
  }
  PetscFunctionReturn(0);
}

/* Conditions at which laws are tried: evenly spread over the held-out ones. */
static PetscErrorCode Probe(CompareDraws *draws, const ComparisonSet *set, const ScoriaSymmetry *law,
                            double kept[COMPARE_SIDES])
{
  const int probes          = PetscMin(PROBES, set->conditions);
  const int64_t n           = PetscClipInterval(set->count / 8, 2, PROBE_ROWS);
  double **gathered         = draws->gathered, *sd;
  double *at[POINTS]        = {gathered[SCORIA_FROM_PDE], gathered[SCORIA_FROM_MODEL], gathered[SCORIA_FROM_GAUSSIAN]};
  double sum[COMPARE_SIDES] = {0}, square[COMPARE_SIDES] = {0};
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(2 * draws->m, &sd));
  for (int k = 0; k < probes; k++) {
    PetscCall(ProbeOne(draws, set, law, k * set->conditions / probes, n, at, sd, square));
    for (int side = 0; side < COMPARE_SIDES; side++) sum[side] += square[side] / probes;
  }
  PetscCall(PetscFree(sd));
  for (int side = 0; side < COMPARE_SIDES; side++) kept[side] = sqrt(sum[side]); /* rank 0's counts */
  PetscFunctionReturn(0);
}

PetscErrorCode CompareLawsMeasure(CompareDraws *draws, const ComparisonSet *set, CompareLaws *laws)
{
  PetscFunctionBeginUser;
  for (int s = 0; s < laws->n; s++)
    if (laws->law[s].kind == SCORIA_SYMMETRY_RESIDUAL) {
      for (int side = 0; side < COMPARE_SIDES; side++) {
        double sum = 0;
        for (int k = 0; k < set->held; k++) sum += set->c[k].residual[s][side];
        laws->kept[s][side] = sqrt(sum / set->held); /* rank 0's counts: it says and writes it */
      }
    } else
      PetscCall(Probe(draws, set, &laws->law[s], laws->kept[s]));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- writing ---- */

void compare_add_laws(cJSON *root, const CompareLaws *laws)
{
  cJSON *list = cJSON_AddArrayToObject(root, COMPARE_LAWS);
  for (int s = 0; s < laws->n; s++) {
    const ScoriaSymmetry *law = &laws->law[s];
    const ScoriaLawKept kept  = {law->name, laws->kept[s][0], laws->kept[s][1], "SD", law->help};
    cJSON *one                = cJSON_CreateObject();
    members_add(one, scoria_law_members, &kept);
    cJSON_AddItemToArray(list, one);
  }
}

PetscErrorCode CompareSayLaws(ScoriaRun run, const CompareLaws *laws)
{
  PetscFunctionBeginUser;
  if (!laws->n) PetscFunctionReturn(0);
  PetscCall(ScoriaSay(run, "  laws of the problem, deviation / SD, model (PDE):"));
  for (int s = 0; s < laws->n; s++)
    PetscCall(ScoriaSay(run, "    %-16s %9.2g (%.2g)  %s", laws->law[s].name, laws->kept[s][0], laws->kept[s][1],
                        laws->law[s].help));
  PetscFunctionReturn(0);
}
