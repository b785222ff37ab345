/* uq: the conditions it is asked at.  Either all combinations of values, listed (uq_F_right) or spread over a range
 * (uq_map), or the lines of a file. */
#include "question.h"
#include <stdio.h>
#include <string.h>

#define MAP_AXES 2

/* Values of each condition. */
typedef struct {
  PetscInt number[SCORIA_MAX_CONDITIONS];
  bool listed[SCORIA_MAX_CONDITIONS];
  double value[SCORIA_MAX_CONDITIONS][UQ_MAX_VALUES];
} Values;

/* What the deck gives of each condition; where it gives nothing, that of the samples, or the middle of the range. */
static PetscErrorCode ReadValues(ScoriaDeck deck, const ScoriaSpace *space, Values *v)
{
  double theta[SCORIA_MAX_CONDITIONS];
  char key[2 * SCORIA_NAME_SIZE];
  bool asked;
  PetscFunctionBeginUser;
  PetscCall(ScoriaConditionOfSamples(deck, space, theta, &asked));
  PetscCall(ScoriaConditionRefuseUnused(deck, space, "uq"));
  for (int i = 0; i < space->n; i++) {
    v->number[i]   = 1;
    v->value[i][0] = theta[i];
    v->listed[i]   = false;
    if (!condition_key(deck, "uq", space->c[i].name, key)) continue;
    PetscCall(ScoriaDeckReals(deck, key, UQ_MAX_VALUES, &v->number[i], v->value[i]));
    PetscCall(ScoriaDeckHas(deck, key, &v->listed[i]));
  }
  PetscFunctionReturn(0);
}

/* The conditions to map over: of ones that vary and are given no values of their own. */
static PetscErrorCode ReadAxis(const ScoriaSpace *space, const Values *v, const char *word, int *axis)
{
  char names[256], hint[SCORIA_NAME_SIZE + 32] = "";
  const char *known[SCORIA_MAX_CONDITIONS];
  PetscFunctionBeginUser;
  condition_names(space, sizeof names, names);
  *axis = space_find(space, word);
  for (int i = 0; i < space->n; i++) known[i] = space->c[i].name;
  const char *nearest = text_nearest(word, space->n, known);
  if (nearest) snprintf(hint, sizeof hint, "; did you mean \"%s\"?", nearest);
  if (*axis < 0) SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: map: found \"%s\", expected one of %s%s", word, names, hint);
  if (!(space->c[*axis].lo < space->c[*axis].hi))
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: map: found \"%s\", which has one value only, %g %s", word, space->c[*axis].lo,
                space->c[*axis].unit);
  if (v->listed[*axis])
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: map: found \"%s\" beside uq_%s; give one of them", word, word);
  PetscFunctionReturn(0);
}

/* Spreads `points` values evenly over the range of a condition, ends included; logarithmically where it is so. */
static void spread(const ScoriaSpace *space, int axis, PetscInt points, Values *v)
{
  for (PetscInt p = 0; p < points; p++) {
    double u[SCORIA_MAX_CONDITIONS] = {0}, theta[SCORIA_MAX_CONDITIONS];
    u[axis]                         = 2.0 * (double)p / (double)(points - 1) - 1;
    space_from_unit(space, u, theta);
    v->value[axis][p] = theta[axis];
  }
  v->value[axis][0]          = space->c[axis].lo; /* to the last bit */
  v->value[axis][points - 1] = space->c[axis].hi;
  v->number[axis]            = points;
}

static PetscErrorCode ReadMap(ScoriaDeck deck, const ScoriaSpace *space, Values *v)
{
  PetscInt n = 0, points[MAP_AXES];
  int axes[MAP_AXES], found = 0;
  const char *text = NULL;
  char word[SCORIA_NAME_SIZE];
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "uq_map", &text));
  PetscCall(ScoriaDeckInts(deck, "uq_map_points", MAP_AXES, &n, points));
  while (list_next_word(&text, sizeof word, word)) {
    if (found == MAP_AXES)
      SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: map: \"%s\" is one too many, at most %d conditions", word, MAP_AXES);
    PetscCall(ReadAxis(space, v, word, &axes[found]));
    if (found && axes[0] == axes[1]) SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: map: found \"%s\" twice", word);
    found++;
  }
  if (found && n > found)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: map_points: found %d numbers, expected one, or one for each of %d conditions",
                (int)n, found);
  for (int a = 0; a < found; a++) spread(space, axes[a], points[PetscMin(a, n - 1)], v);
  PetscFunctionReturn(0);
}

/* All combinations of the values, the last condition running fastest. */
static PetscErrorCode Combine(UqQuestion *q, const Values *v)
{
  const int n    = q->space->n;
  double product = 1;
  PetscFunctionBeginUser;
  for (int i = 0; i < n; i++) product *= (double)v->number[i];
  if (product > UQ_MAX_CONDITIONS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: found %.0f conditions in all, expected at most %d", product, UQ_MAX_CONDITIONS);
  q->conditions = (int)product;
  PetscCall(PetscMalloc1(q->conditions * n, &q->theta));
  for (int k = 0; k < q->conditions; k++)
    for (int i = n - 1, rest = k; i >= 0; rest /= (int)v->number[i--])
      q->theta[k * n + i] = v->value[i][rest % v->number[i]];
  PetscFunctionReturn(0);
}

static PetscErrorCode ReadFile(MPI_Comm comm, ScoriaDeck deck, const char *path, UqQuestion *q)
{
  char key[2 * SCORIA_NAME_SIZE] = "uq_map";
  ScoriaConditionsFile file;
  bool beside;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, key, &beside));
  for (int i = 0; i < q->space->n && !beside; i++) {
    if (condition_key(deck, "uq", q->space->c[i].name, key)) PetscCall(ScoriaDeckHas(deck, key, &beside));
  }
  if (beside) SCORIA_FAIL(SCORIA_EXIT_INPUT, "uq: conditions: found %s beside it; give one of them", key);
  PetscCall(ScoriaConditionsOpen(comm, path, q->space, &file));
  const int64_t rows = conditions_rows(file);
  if (rows > UQ_MAX_CONDITIONS)
    SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: found %lld conditions, expected at most %d", path, (long long)rows,
                UQ_MAX_CONDITIONS);
  q->conditions = (int)rows;
  PetscCall(PetscMalloc1(rows * q->space->n, &q->theta));
  for (int64_t k = 0; k < rows; k++) PetscCall(ScoriaConditionsAt(file, k, q->theta + k * q->space->n));
  PetscCall(ScoriaConditionsClose(&file));
  PetscFunctionReturn(0);
}

PetscErrorCode UqReadConditions(ScoriaRun run, ScoriaDeck deck, UqQuestion *q)
{
  const char *path = NULL;
  Values values;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckString(deck, "uq_conditions", &path));
  if (path)
    PetscCall(ReadFile(ScoriaRunComm(run), deck, path, q));
  else {
    PetscCall(ReadValues(deck, q->space, &values));
    PetscCall(ReadMap(deck, q->space, &values));
    PetscCall(Combine(q, &values));
  }
  for (int k = 0; k < q->conditions && !q->pde; k++)
    PetscCall(ScoriaConditionCheckRange(run, deck, "uq", q->space, q->theta + k * q->space->n));
  if (!q->pde) PetscCall(ScoriaConditionsCheckReach(run, deck, "uq", q->space, q->reach, q->conditions, q->theta));
  PetscFunctionReturn(0);
}
