/* corrected.h5: rows of dataset.h5, and of a cheaper fidelity as the dear one would have solved them. */
#include "correcting.h"
#include "scoria/run_files.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define NAME "corrected.h5"
#define BATCH_BYTES ((size_t)16 << 20) /* of rows that a rank makes at a time */
#define LEAST_CORRELATION 0.7          /* with less, half of the variance of corrected rows would be noise */

/* ------------------------------------------------------------------------------------------------------ rows ---- */

/* Where a row of corrected.h5 comes from. */
typedef struct {
  int64_t condition, i;
  int64_t cheap; /* condition of the cheap rows; -1: none */
  bool dear;     /* dataset.h5 has it */
  bool held_back;
} Origin;

static Origin origin_of(const Correcting *c, int64_t row)
{
  Origin o = {.condition = row / c->realisations, .i = row % c->realisations};
  o.cheap  = o.condition < c->conditions ? c->match[o.condition] : c->other[o.condition - c->conditions];
  o.dear   = o.condition < c->conditions && o.i < c->of_dear.realisations;
  /* of a condition that is held back, no row of either fidelity is learned from */
  if (o.condition < c->conditions)
    o.held_back = c->holdout.number ? correcting_held_back(c, o.condition, 0)
                                    : o.dear && correcting_held_back(c, o.condition, o.i);
  return o;
}

static void copy_fields(const Correcting *c, const ScoriaRows *from, int64_t i, const int field[], int64_t at,
                        ScoriaRows *to)
{
  const int cells = c->of_dear.cells;
  for (int ch = 0; ch < c->channels; ch++)
    memcpy(to->field[ch] + at * cells, from->field[field[ch]] + i * cells, sizeof(double) * (size_t)cells);
  for (int k = 0; k < c->of_dear.space.n; k++) to->condition[k][at] = from->condition[k][i];
}

static PetscErrorCode PutCorrected(Correcting *c, const Origin *o, int nnear, const int64_t near[], int64_t row,
                                   int64_t at, ScoriaRows *to)
{
  const int cells = c->of_dear.cells, width = c->channels * cells;
  double *z = c->row, *y = c->row + width;
  PetscFunctionBeginUser;
  PetscCall(CorrectingStandard(c, o->cheap));
  PetscCall(ScoriaDatasetReadAlone(c->cheap, o->cheap * c->realisations + o->i, 1, &c->some));
  copy_fields(c, &c->some, 0, c->cheap_field, at, to);
  rows_set_status(to, at, c->some.done[0]);
  if (c->some.done[0] != SCORIA_ROW_DONE) PetscFunctionReturn(0);
  correcting_standardise(c, &c->some, c->cheap_field, 0, z);
  correction_apply(c->fit, c->unit + o->condition * c->of_dear.space.n, nnear, near, c->seed, (uint64_t)row, z, c->work,
                   y);
  for (int w = 0; w < width; w++) {
    const CorrectingValue *v = &c->value[w / cells];
    double *x                = &to->field[w / cells][at * cells + w % cells];
    *x                       = correcting_value_back(v, correcting_value(v, *x) + c->s[w] * y[w]);
  }
  PetscFunctionReturn(0);
}

/* Conditions are those of a row that is there, in either file. */
static PetscErrorCode PutLacking(Correcting *c, const Origin *o, int64_t at, ScoriaRows *to)
{
  PetscFunctionBeginUser;
  if (o->condition < c->conditions) {
    PetscCall(ScoriaDatasetReadAlone(c->dear, o->condition * c->of_dear.realisations, 1, &c->few));
    copy_fields(c, &c->few, 0, c->dear_field, at, to);
  } else {
    PetscCall(ScoriaDatasetReadAlone(c->cheap, o->cheap * c->realisations, 1, &c->some));
    copy_fields(c, &c->some, 0, c->cheap_field, at, to);
  }
  for (int ch = 0; ch < c->channels; ch++)
    for (int i = 0; i < c->of_dear.cells; i++) to->field[ch][at * c->of_dear.cells + i] = NAN;
  rows_set_status(to, at, SCORIA_ROW_FAILED);
  to->reason[at] = SCORIA_ROW_LACKING;
  PetscFunctionReturn(0);
}

/* Rows [first, first + n) of corrected.h5.  Local. */
static PetscErrorCode Fill(Correcting *c, int64_t first, int64_t n, ScoriaRows *to)
{
  int64_t near[CORRECTION_NEAR], condition = -1;
  int nnear = 0;
  PetscFunctionBeginUser;
  for (int64_t at = 0; at < n; at++) {
    const Origin o = origin_of(c, first + at);
    if (o.condition != condition) nnear = correction_near(c->fit, c->unit + o.condition * c->of_dear.space.n, near);
    condition = o.condition;
    if (o.dear && !o.held_back) {
      PetscCall(ScoriaDatasetReadAlone(c->dear, o.condition * c->of_dear.realisations + o.i, 1, &c->few));
      copy_fields(c, &c->few, 0, c->dear_field, at, to);
      rows_set_status(to, at, c->few.done[0]);
      if (c->few.done[0] == SCORIA_ROW_DONE) continue;
    }
    if (o.held_back || o.cheap < 0)
      PetscCall(PutLacking(c, &o, at, to));
    else
      PetscCall(PutCorrected(c, &o, nnear, near, first + at, at, to));
  }
  to->rows = n;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------------ file ---- */

static void make_spec(const Correcting *c, ScoriaDatasetSpec *spec)
{
  *spec              = c->of_dear;
  spec->nfields      = c->channels;
  spec->realisations = c->realisations;
  spec->rows         = (c->conditions + c->others) * c->realisations;
  spec->source[0]    = 0;
  for (int ch = 0; ch < c->channels; ch++) spec->field[ch] = c->of_dear.field[c->dear_field[ch]];
}

static PetscErrorCode FillAll(Correcting *c, const ScoriaDatasetSpec *spec, Partial *out, ScoriaCost cost)
{
  const MPI_Comm comm = ScoriaRunComm(c->run);
  const int64_t share =
      PetscMax((int64_t)(BATCH_BYTES / (sizeof(double) * (size_t)spec->cells * (size_t)spec->nfields)), 1);
  int64_t first = 0, number, at, mine, made = partial_has(out, 0, spec->rows);
  ScoriaProgress bar;
  ScoriaRows rows;
  int rank, size;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(comm, &rank));
  PetscCallMPI(MPI_Comm_size(comm, &size));
  PetscCall(ScoriaRowsCreate(spec, share, &rows));
  PetscCall(ScoriaProgressCreate(c->run, "correct", "rows", (double)spec->rows, &bar));
  PetscCall(ScoriaProgressFrom(bar, (double)made));
  for (;;) {
    partial_next(out, spec->rows, share * size, &first, &number);
    if (!number || stop) break;
    deal_block(number, rank, size, &at, &mine);
    PetscCall(ScoriaAgreeFailed(comm, Fill(c, first + at, mine, &rows)));
    PetscCall(ScoriaDatasetWrite(out->ds, first + at, &rows));
    first += number;
    made += number;
    PetscCall(ScoriaProgressUpdate(bar, (double)made, NULL));
    PetscCall(ScoriaStopAsked(c->run, &stop));
    PetscCall(ScoriaCostKeep(cost, stop));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(ScoriaRowsDestroy(&rows));
  if (number) PetscCall(PartialStop(c->run, out, made));
  PetscFunctionReturn(0);
}

static double correlation_of(ScoriaCorrection fit)
{
  const double after = correction_choice(fit).after;
  return sqrt(fmax(0, 1 - after * after));
}

static PetscErrorCode Make(Correcting *c, ScoriaDeck deck, const char *identity)
{
  char path[PETSC_MAX_PATH_LEN];
  ScoriaDatasetSpec spec;
  ScoriaProvenance from;
  ScoriaCost cost;
  Partial out;
  const double *x;
  PetscFunctionBeginUser;
  make_spec(c, &spec);
  PetscCall(ScoriaRunPath(c->run, NAME, sizeof path, path));
  PetscCall(ScoriaDatasetInfo(c->dear, NULL, &x, NULL));
  PetscCall(ScoriaProvenanceOfRun(c->run, deck, "dataset", 1, &from));
  PetscCall(ScoriaDatasetIdentity(c->run, c->dear, c->of_dear.rows, from.made.dataset));
  PetscCall(PetscStrncpy(from.made.file, identity, sizeof from.made.file));
  from.made.correlation = correlation_of(c->fit);
  PetscCall(PetscStrncpy(from.made.library, dataset_made_from(c->dear)->library, sizeof from.made.library));
  PetscCall(PartialBegin(c->run, deck, path, false, &spec, x, &from, SCORIA_OF_CORRECTED, NULL, NULL, &out));
  PetscCall(ScoriaCostBegin(c->run, NAME, out.there.n > 0, &cost));
  PetscCall(FillAll(c, &spec, &out, cost));
  PetscCall(PartialFinish(&out));
  PetscCall(ScoriaCostEnd(&cost));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------------------------------------ the command ---- */

static PetscErrorCode Tell(const Correcting *c, bool used)
{
  const ScoriaCorrectionChoice fit = correction_choice(c->fit);
  const double correlation         = correlation_of(c->fit);
  char line[256]                   = "";
  PetscFunctionBeginUser;
  PetscCall(
      ScoriaSay(c->run,
                "  %lld dear rows at %lld conditions, %lld of these and %lld others with %lld cheap ones each; %lld "
                "pairs",
                (long long)c->of_dear.rows, (long long)c->conditions, (long long)c->paired, (long long)c->others,
                (long long)c->realisations, (long long)c->pairs));
  PetscCall(
      ScoriaSay(c->run,
                "  dear from cheap: off by %.4f SD as they are, by %.4f SD corrected (degree %d in the conditions, "
                "%d modes%s): correlation %.5f",
                fit.before, fit.after, fit.degree, fit.modes, fit.crossed ? " times conditions" : "", correlation));
  if (!used)
    PetscCall(ScoriaSay(c->run,
                        "  WARNING: %s is not used: the correlation with dear rows is %.3f, expected at least %.1f",
                        c->path, correlation, LEAST_CORRELATION));
  json_member(sizeof line, line, "dear", "%lld", (long long)c->of_dear.rows);
  json_member(sizeof line, line, LOG_CHEAP, "%lld", (long long)c->of_cheap.rows);
  json_member(sizeof line, line, LOG_PAIRS, "%lld", (long long)c->pairs);
  json_member(sizeof line, line, LOG_OFF, "%.6g", fit.before);
  json_member(sizeof line, line, LOG_OFF_CORRECTED, "%.6g", fit.after);
  json_member(sizeof line, line, "degree", "%d", fit.degree);
  json_member(sizeof line, line, "modes", "%d", fit.modes);
  json_member(sizeof line, line, "crossed", "%d", fit.crossed);
  json_member(sizeof line, line, LOG_CORRELATION, "%.6g", correlation);
  json_member(sizeof line, line, LOG_USED, "%d", used);
  PetscCall(ScoriaLog(c->run, LOG_CORRECT, "%s", line));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCheapPath(ScoriaRun run, ScoriaDeck deck, char path[PETSC_MAX_PATH_LEN])
{
  const char *named = NULL;
  bool asked;
  PetscFunctionBeginUser;
  path[0] = 0;
  PetscCall(ScoriaCheapAsked(deck, &asked));
  PetscCall(ScoriaDeckString(deck, "train_cheap", &named));
  if (named && strcmp(named, "none"))
    PetscCall(PetscStrncpy(path, named, PETSC_MAX_PATH_LEN));
  else if (!named && asked)
    PetscCall(ScoriaRunPath(run, "cheap.h5", PETSC_MAX_PATH_LEN, path));
  PetscFunctionReturn(0);
}

/* What the deck makes itself is this deck's. */
static PetscErrorCode CheckCheap(ScoriaRun run, ScoriaDeck deck, const char *path)
{
  bool named, there;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckHas(deck, "train_cheap", &named));
  if (named) PetscFunctionReturn(0);
  PetscCall(ScoriaCompleteDataset(run, deck, "cheap.h5", SCORIA_OF_CHEAP, NULL, &there));
  if (!there) SCORIA_FAIL(SCORIA_EXIT_INPUT, "%s: not found; generate makes it (ensemble_cheap_fidelity)", path);
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaCorrect(ScoriaRun run, ScoriaDeck deck, ScoriaDataset dear, const ScoriaTwin *twin,
                             ScoriaDataset *corrected)
{
  char cheap_path[PETSC_MAX_PATH_LEN], path[PETSC_MAX_PATH_LEN], identity[SCORIA_IDENTITY_SIZE];
  ScoriaDataset cheap;
  Correcting c;
  bool complete;
  PetscFunctionBeginUser;
  *corrected = NULL;
  PetscCall(ScoriaCheapPath(run, deck, cheap_path));
  if (!*cheap_path) PetscFunctionReturn(0);
  PetscCall(CheckCheap(run, deck, cheap_path));
  PetscCall(ScoriaRunPath(run, NAME, sizeof path, path));
  PetscCall(ScoriaCompleteDataset(run, deck, NAME, SCORIA_OF_CORRECTED, cheap_path, &complete));
  if (!complete) {
    PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), cheap_path, &cheap));
    PetscCall(ScoriaDatasetIdentity(run, cheap, dataset_rows(cheap), identity));
    PetscCall(CorrectingOpen(run, deck, dear, cheap, cheap_path, twin, &c));
    PetscCall(CorrectingFit(&c));
    complete = correlation_of(c.fit) >= LEAST_CORRELATION;
    PetscCall(Tell(&c, complete));
    if (complete) PetscCall(Make(&c, deck, identity));
    PetscCall(CorrectingClose(&c));
    PetscCall(ScoriaDatasetClose(&cheap));
  }
  if (complete) PetscCall(ScoriaDatasetOpen(ScoriaRunComm(run), path, corrected));
  PetscFunctionReturn(0);
}
