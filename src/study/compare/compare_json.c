/* The measures in compare.json: pooled, at their worst, and at each condition. */
#include "compare.h"

void compare_rows(bool files, CompareRows *rows)
{
  rows->n = 0;
  for (int i = 0; i < SCORIA_NMEASURED; i++) {
    const ScoriaFrom from   = scoria_measured[i];
    const ScoriaFromRow *of = &scoria_from[from];
    if (files && from == SCORIA_FROM_GAUSSIAN) continue;
    rows->row[rows->n].from   = from;
    rows->row[rows->n].member = files && from == SCORIA_FROM_MODEL ? "sample" : of->member;
    rows->row[rows->n].title  = files ? rows->row[rows->n].member : of->row;
    rows->n++;
  }
}

/* The distances of a source at every condition; free with PetscFree. */
static PetscErrorCode Distances(const ComparisonSet *set, ScoriaFrom from, ScoriaDistance **d)
{
  PetscFunctionBeginUser;
  PetscCall(PetscMalloc1(set->held, d));
  for (int k = 0; k < set->held; k++) (*d)[k] = set->c[k].distance[from];
  PetscFunctionReturn(0);
}

PetscErrorCode ComparePool(const ComparisonSet *set, ScoriaFrom from, ScoriaDistance *pooled)
{
  ScoriaDistance *d;
  PetscFunctionBeginUser;
  PetscCall(Distances(set, from, &d));
  measures_pool(set->held, d, pooled);
  PetscCall(PetscFree(d));
  PetscFunctionReturn(0);
}

static void add_measures(cJSON *to, const ScoriaDistance *d)
{
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++)
    cJSON_AddNumberToObject(to, m->name, measure_value(m, d));
}

/* Of each measure the value at the condition where it is worst. */
static PetscErrorCode AddWorst(cJSON *to, const ComparisonSet *set, ScoriaFrom from)
{
  ScoriaDistance *d;
  PetscFunctionBeginUser;
  PetscCall(Distances(set, from, &d));
  for (const ScoriaMeasure *m = scoria_measures; m->name; m++)
    cJSON_AddNumberToObject(to, m->name, measure_worst(m, set->held, d));
  PetscCall(PetscFree(d));
  PetscFunctionReturn(0);
}

/* Share of conditions at which the energy test rejects "the same law" at 5 %: .05 is what the same law gives. */
static double energy_rejected(const ComparisonSet *set, ScoriaFrom from)
{
  int rejected = 0;
  for (int k = 0; k < set->held; k++) rejected += set->c[k].distance[from].energy_p <= 0.05;
  return (double)rejected / set->held;
}

PetscErrorCode CompareAddMeasures(cJSON *root, const ComparisonSet *set, bool files)
{
  ScoriaDistance model, floor;
  CompareRows rows;
  PetscFunctionBeginUser;
  PetscCall(ComparePool(set, SCORIA_FROM_MODEL, &model));
  PetscCall(ComparePool(set, SCORIA_FROM_PDE_AGAIN, &floor));
  add_measures(root, &model);
  cJSON_AddNumberToObject(root, COMPARE_FLOOR, floor.sliced_w);
  cJSON_AddNumberToObject(root, COMPARE_RATIO, model.sliced_w / floor.sliced_w);
  cJSON *pooled = cJSON_AddObjectToObject(root, COMPARE_POOLED), *worst = cJSON_AddObjectToObject(root, COMPARE_WORST);
  compare_rows(files, &rows);
  for (int i = 0; i < rows.n; i++) {
    const ScoriaFrom from = rows.row[i].from;
    cJSON *one            = cJSON_AddObjectToObject(pooled, rows.row[i].member);
    ScoriaDistance d;
    PetscCall(ComparePool(set, from, &d));
    add_measures(one, &d);
    cJSON_AddNumberToObject(one, COMPARE_REJECTED, energy_rejected(set, from));
    PetscCall(AddWorst(cJSON_AddObjectToObject(worst, rows.row[i].member), set, from));
  }
  cJSON_AddNumberToObject(pooled, COMPARE_RATIO, model.sliced_w / floor.sliced_w);
  PetscFunctionReturn(0);
}

void compare_add_conditions(cJSON *root, const ComparisonSet *set, bool files)
{
  const ScoriaSpace *space = set->shape.space;
  cJSON *list              = cJSON_AddArrayToObject(root, COMPARE_CONDITIONS);
  CompareRows rows;
  compare_rows(files, &rows);
  for (int k = 0; k < set->held; k++) {
    const Comparison *c  = &set->c[k];
    const int64_t solved = c->good[SCORIA_FROM_PDE] + c->good[SCORIA_FROM_PDE_AGAIN];
    cJSON *one           = cJSON_CreateObject();
    cJSON_AddItemToArray(list, one);
    for (int i = 0; i < space->n; i++) cJSON_AddNumberToObject(one, space->c[i].name, c->theta[i]);
    if (files)
      cJSON_AddNumberToObject(one, COMPARE_ROWS, (double)c->good[SCORIA_FROM_MODEL]);
    else if (set->imported)
      cJSON_AddNumberToObject(one, COMPARE_ROWS, (double)solved);
    else
      cJSON_AddNumberToObject(one, COMPARE_FAILED, (double)(2 * set->count - solved));
    for (int i = 0; i < rows.n; i++)
      add_measures(cJSON_AddObjectToObject(one, rows.row[i].member), &c->distance[rows.row[i].from]);
  }
}
