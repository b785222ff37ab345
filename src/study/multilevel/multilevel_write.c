/* uq of several fidelities: what they cost and gain, into uq.json, uq.h5 and the table. */
#include "multilevel.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* The names of a set of fidelities, "fine line". */
static void set_names(const LevelsKnown *f, unsigned members, size_t size, char text[])
{
  text[0] = 0;
  for (int a = 0; a < f->n; a++)
    if (members >> a & 1) snprintf(text + strlen(text), size - strlen(text), "%s%s", *text ? " " : "", f->name[a]);
}

/* ---------------------------------------------------------------------------------------------------- JSON ---- */

static cJSON *add_entry(cJSON *list, const ScoriaMember members[], const void *from)
{
  cJSON *one = cJSON_CreateObject();
  cJSON_AddItemToArray(list, one);
  members_add(one, members, from);
  return one;
}

static void add_numbers(cJSON *to, const char *name, int n, const double value[])
{
  cJSON *list = cJSON_AddArrayToObject(to, name);
  for (int i = 0; i < n; i++)
    cJSON_AddItemToArray(list, isfinite(value[i]) ? cJSON_CreateNumber(value[i]) : cJSON_CreateNull());
}

static double richardson(const UqQuestion *q, const UqAnswer *a, const LevelsKnown *known, int k, int i)
{
  const double *mean = a->value + (size_t)k * a->size + a->moments + (size_t)UQ_MEAN * (size_t)a->columns + q->m + i;
  return *mean - known->at[k].bias[i];
}

void levels_add_json(cJSON *condition, const UqQuestion *q, const UqAnswer *a, const LevelsKnown *known, int k)
{
  const struct LevelsAnswer_ *l = &known->at[k];
  const ScoriaUqLevels what     = {.pilot = (int64_t)l->pilot, .work = l->work, .excess = l->excess};
  cJSON *to                     = cJSON_AddObjectToObject(condition, UQ_LEVELS), *list, *quantities;
  members_add(to, scoria_uq_levels_members, &what);
  list = cJSON_AddArrayToObject(to, UQ_MEMBERS);
  for (int m = 0; m <= known->n; m++)
    add_entry(list, scoria_uq_member_members,
              &(ScoriaUqMember){l->cost[m], (int64_t)l->solves[m], m < known->n ? (int64_t)l->failed[m] : 0});
  list = cJSON_AddArrayToObject(to, UQ_GROUPS);
  for (int j = 0; j < (int)l->groups; j++) {
    char names[SCORIA_MAX_FIDELITIES * (SCORIA_FIDELITY_NAME + 1)];
    set_names(known, (unsigned)l->members[j], sizeof names, names);
    add_entry(list, scoria_uq_group_members, &(ScoriaUqGroup){names, (int64_t)l->draws[j]});
  }
  quantities = cJSON_AddObjectToObject(to, UQ_QUANTITIES);
  for (int i = 0; i < q->nquantities; i++) {
    const ScoriaUqGain gain = {l->gain[i], l->bias[i], l->bias_se[i], l->order[i], richardson(q, a, known, k, i)};
    cJSON *one              = cJSON_AddObjectToObject(quantities, q->quantity[i].name);
    members_add(one, scoria_uq_gain_members, &gain);
    add_numbers(one, UQ_CORRELATION, known->n, l->correlation[i]);
    add_numbers(one, UQ_LEVEL_SD, known->n, l->sd[i]);
  }
}

void levels_add_family(cJSON *root, const LevelsKnown *known)
{
  cJSON *list;
  cJSON_AddStringToObject(root, UQ_ESTIMATOR, known->estimator);
  list = cJSON_AddArrayToObject(root, UQ_FIDELITIES);
  for (int m = 0; m <= known->n; m++)
    add_entry(list, scoria_uq_fidelity_members,
              &(ScoriaUqFidelity){m < known->n ? known->name[m] : "porosity", known->seconds[m]});
}

/* ---------------------------------------------------------------------------------------------------- HDF5 ---- */

/* One number or n of them of every condition, at this offset of its answer. */
static PetscErrorCode Put(ScoriaStore store, const UqQuestion *q, const LevelsKnown *known, const char *name, int n,
                          size_t offset, const char *unit, const char *description)
{
  const int64_t dims[2] = {q->conditions, n};
  double *all;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)q->conditions * (size_t)n, &all));
  for (int k = 0; k < q->conditions; k++)
    memcpy(all + (size_t)k * (size_t)n, (const char *)&known->at[k] + offset, (size_t)n * sizeof *all);
  PetscCall(ScoriaStorePutReals(store, name, n > 1 ? 2 : 1, dims, all, unit, description));
  PetscCall(ScoriaStorePutAxes(
      store, name, n > known->n ? "condition fidelity_or_porosity" : (n > 1 ? "condition fidelity" : "condition")));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* A part (rows, fidelities) of what is kept of quantity i, of every condition. */
static PetscErrorCode PutKept(ScoriaStore store, const UqQuestion *q, const LevelsKnown *known, int i, const char *name,
                              int64_t rows, size_t offset, const char *axes, const char *description)
{
  const size_t one = known->kept_size / (size_t)q->nquantities, n = (size_t)rows * (size_t)known->n;
  const int64_t dims[3] = {q->conditions, rows, known->n};
  double *all;
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1((size_t)q->conditions * n, &all));
  for (int k = 0; k < q->conditions; k++)
    memcpy(all + (size_t)k * n, known->kept + (size_t)k * known->kept_size + (size_t)i * one + offset, n * sizeof *all);
  PetscCall(ScoriaStorePutReals(store, name, 3, dims, all, q->quantity[i].unit, description));
  PetscCall(ScoriaStorePutAxes(store, name, axes));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

static PetscErrorCode PutQuantity(ScoriaStore store, const UqQuestion *q, const LevelsKnown *known, int i)
{
  char name[192], group[64];
  const char *unit = q->quantity[i].unit;
  PetscFunctionBeginUser;
  (void)uq_group_name(q->quantity[i].name, sizeof group, group);
#define PUT(what, n, member, of, description)                                                                          \
  do {                                                                                                                 \
    PetscCall(PetscSNPrintf(name, sizeof name, "/multilevel/quantities/%s/%s", group, what));                          \
    PetscCall(Put(store, q, known, name, n, offsetof(struct LevelsAnswer_, member), of, description));                 \
  } while (0)
  PUT("correlation", known->n, correlation[i], "1", "with the first fidelity, from the pilot");
  PUT("sd", known->n, sd[i], unit, "of each fidelity, from the pilot");
  PUT("gain", 1, gain[i], "1", "work of plain Monte Carlo at the same error of the mean, over this");
  PUT("grid_bias", 1, bias[i], unit, "of the mean, by extrapolation from coarser grids");
  PUT("grid_bias_se", 1, bias_se[i], unit, "standard error");
  PUT("grid_order", 1, order[i], "1", "of the grid's error in the width of its cells");
#undef PUT
  if (!known->kept) PetscFunctionReturn(0);
  const int64_t pilot   = (int64_t)known->at[0].pilot;
  const LevelsKept kept = levels_kept(known->n, pilot);
  PetscCall(PetscSNPrintf(name, sizeof name, "/multilevel/quantities/%s/pilot", group));
  PetscCall(PutKept(store, q, known, i, name, pilot, 0, "condition draw fidelity",
                    "of each fidelity at the draws of the pilot; those of a failed solve: NaN, at the end"));
  PetscCall(PetscSNPrintf(name, sizeof name, "/multilevel/quantities/%s/group_mean", group));
  PetscCall(PutKept(store, q, known, i, name, kept.sets, kept.means, "condition set fidelity",
                    "over the draws of the set of fidelities whose bits are the index + 1; NaN: none"));
  PetscFunctionReturn(0);
}

/* Draws of groups that not every condition has are 0 there: (conditions, sets), set s being the bits of s + 1. */
static PetscErrorCode PutGroups(ScoriaStore store, const UqQuestion *q, const LevelsKnown *known)
{
  const int sets = (1 << known->n) - 1;
  double *all;
  PetscFunctionBeginUser;
  PetscCall(PetscCalloc1((size_t)q->conditions * (size_t)sets, &all));
  for (int k = 0; k < q->conditions; k++)
    for (int j = 0; j < (int)known->at[k].groups; j++)
      all[(size_t)k * (size_t)sets + (size_t)known->at[k].members[j] - 1] = known->at[k].draws[j];
  PetscCall(ScoriaStorePutReals(store, "/multilevel/draws", 2, (const int64_t[]){q->conditions, sets}, all, "1",
                                "of the set of fidelities whose bits are the index + 1; 0: none"));
  PetscCall(ScoriaStorePutAxes(store, "/multilevel/draws", "condition set"));
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsPutStore(ScoriaStore store, const UqQuestion *q, const LevelsKnown *known)
{
  char names[SCORIA_MAX_FIDELITIES * (SCORIA_FIDELITY_NAME + 1)];
  PetscFunctionBeginUser;
  set_names(known, ~0u, sizeof names, names);
  PetscCall(ScoriaStorePutText(store, "estimator", known->estimator));
  PetscCall(ScoriaStorePutText(store, "fidelities", names));
  PetscCall(Put(store, q, known, "/multilevel/cost", known->n + 1, offsetof(struct LevelsAnswer_, cost), "s",
                "of a core, of a solve of each fidelity; the last: of drawing the porosity"));
  PetscCall(Put(store, q, known, "/multilevel/solves", known->n + 1, offsetof(struct LevelsAnswer_, solves), "1",
                "with the pilot; the last: draws of the porosity"));
  PetscCall(Put(store, q, known, "/multilevel/work", 1, offsetof(struct LevelsAnswer_, work), "s",
                "of a core, at these costs, with the pilot"));
  PetscCall(PutGroups(store, q, known));
  for (int i = 0; i < q->nquantities; i++) PetscCall(PutQuantity(store, q, known, i));
  PetscFunctionReturn(0);
}

/* --------------------------------------------------------------------------------------------------- table ---- */

static PetscErrorCode SayGroups(ScoriaRun run, const LevelsKnown *known)
{
  const struct LevelsAnswer_ *l = &known->at[0];
  char names[SCORIA_MAX_FIDELITIES * (SCORIA_FIDELITY_NAME + 1)];
  PetscFunctionBeginUser;
  for (int m = 0; m <= known->n; m++)
    PetscCall(ScoriaSay(run, "    %-18s %12.3g s counted %10.0f solves %12.3g s measured in all",
                        m < known->n ? known->name[m] : "(porosity)", l->cost[m], l->solves[m], known->seconds[m]));
  for (int j = 0; j < (int)l->groups; j++) {
    set_names(known, (unsigned)l->members[j], sizeof names, names);
    PetscCall(ScoriaSay(run, "    %10.0f draws of %s", l->draws[j], names));
  }
  PetscFunctionReturn(0);
}

PetscErrorCode LevelsSay(ScoriaRun run, const UqQuestion *q, const LevelsKnown *known)
{
  const struct LevelsAnswer_ *l = &known->at[0];
  char text[16 * LEVELS_MODELS];
  PetscFunctionBeginUser;
  PetscCall(ScoriaSay(run, "  %s at the first condition, %.0f draws of its pilot:", known->estimator, l->pilot));
  PetscCall(SayGroups(run, known));
  PetscCall(ScoriaSay(run, "    %-18s %9s %12s %12s   correlation of fidelities", "", "gain", "grid bias", "+-"));
  for (int i = 0; i < q->nquantities; i++) {
    text[0] = 0;
    for (int m = 1; m < known->n; m++)
      snprintf(text + strlen(text), sizeof text - strlen(text), " %.6f", l->correlation[i][m]);
    PetscCall(ScoriaSay(run, "    %-18s %9.3g %12.3g %12.2g  %s", q->quantity[i].name, l->gain[i], l->bias[i],
                        l->bias_se[i], text));
  }
  PetscFunctionReturn(0);
}
