/* A dataset of samples: fields of the model at one operating condition, dealt over all ranks. */
#include "scoria/data.h"
#include <math.h>
#include <string.h>

#define BATCH_ROWS 2048

static const char *const sections[] = {
    "run_seed", SCORIA_PROBLEM_SECTIONS "porosity", "conditions", SCORIA_ENSEMBLE_KEYS, "train", "sample", NULL};

static PetscErrorCode MakeSpec(ScoriaDeck deck, ScoriaModel model, int64_t count, ScoriaDatasetSpec *spec,
                               const double **x)
{
  const ScoriaField *field;
  PetscFunctionBeginUser;
  memset(spec, 0, sizeof *spec);
  PetscCall(ScoriaModelFields(model, &spec->nfields, &field, &spec->cells, x));
  memcpy(spec->field, field, (size_t)spec->nfields * sizeof *field);
  spec->rows         = count;
  spec->realisations = count;
  spec->space        = *ScoriaModelSpace(model);
  PetscCall(ScoriaDeckBool(deck, "ensemble_float64", &spec->float64));
  PetscFunctionReturn(0);
}

/* Samples [first, first + number) into rows; buffer (number, C, L). */
static PetscErrorCode FillRows(ScoriaModel model, const ScoriaTwin *twin, const ScoriaSamplerOptions *opt,
                               const ScoriaDatasetSpec *spec, const double theta[], int64_t first, int64_t number,
                               double buffer[], ScoriaRows *rows)
{
  const int64_t L = spec->cells;
  PetscFunctionBeginUser;
  PetscCall(ScoriaModelSample(model, twin, opt, theta, (uint64_t)first, number, false, buffer));
  rows->rows = number;
  for (int64_t i = 0; i < number; i++) {
    for (int f = 0; f < spec->nfields; f++)
      memcpy(rows->field[f] + i * L, buffer + (i * spec->nfields + f) * L, (size_t)L * sizeof(double));
    for (int k = 0; k < spec->space.n; k++) rows->condition[k][i] = theta[k];
    rows->done[i]     = SCORIA_ROW_DONE;
    rows->reason[i]   = 0;
    rows->newton[i]   = 0;
    rows->attempts[i] = 0;
    rows->residual[i] = 0;
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode SampleAll(ScoriaRun run, ScoriaModel model, const ScoriaTwin *twin,
                                const ScoriaSamplerOptions *opt, const ScoriaDatasetSpec *spec, const double theta[],
                                ScoriaPartial *out)
{
  int rank, size;
  double *buffer;
  ScoriaRows rows;
  ScoriaProgress bar;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &size));
  PetscCall(ScoriaRowsCreate(spec, BATCH_ROWS, &rows));
  PetscCall(PetscMalloc1((size_t)BATCH_ROWS * (size_t)(spec->nfields * spec->cells), &buffer));
  int64_t made = out->there;
  PetscCall(ScoriaProgressCreate(run, "sample", "fields", (double)spec->rows, &bar));
  PetscCall(ScoriaProgressFrom(bar, (double)made));
  for (int64_t base = 0; base < spec->rows && !stop; base += (int64_t)BATCH_ROWS * size) {
    const int64_t batch = PetscMin((int64_t)BATCH_ROWS * size, spec->rows - base);
    int64_t first, number;
    if (partial_has(out, base, batch)) continue;
    deal_block(batch, rank, size, &first, &number);
    PetscCall(FillRows(model, twin, opt, spec, theta, base + first, number, buffer, &rows));
    PetscCall(ScoriaDatasetWrite(out->ds, base + first, &rows));
    for (int64_t i = base; i < base + batch; i++) made += !out->done[i];
    PetscCall(ScoriaProgressUpdate(bar, (double)made, NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(PetscFree(buffer));
  PetscCall(ScoriaRowsDestroy(&rows));
  if (stop && made < spec->rows) PetscCall(ScoriaPartialStop(run, out, made));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(ScoriaRun run, ScoriaDeck deck, ScoriaModel model, ScoriaMade *made)
{
  const double *x;
  double theta[SCORIA_MAX_CONDITIONS];
  ScoriaEnsemble ens;
  ScoriaTwin twin;
  ScoriaSamplerOptions opt;
  ScoriaProvenance from;
  ScoriaPartial out;
  PetscInt count = 0;
  bool asked;
  PetscFunctionBeginUser;
  PetscCall(ScoriaTwinCreate(deck, &ens, &twin));
  PetscCall(ScoriaConditionOfSamples(deck, ScoriaModelSpace(model), theta, &asked));
  PetscCall(ScoriaConditionCheckRange(run, deck, "sample", ScoriaModelSpace(model), theta));
  PetscCall(ScoriaSamplerOpen(run, deck, &opt));
  PetscCall(ScoriaDeckInt(deck, "sample_count", &count));
  PetscCall(MakeSpec(deck, model, count, &made->spec, &x));
  PetscCall(ScoriaProvenanceOfRun(run, deck, "samples", 1, &from));
  PetscCall(ScoriaPartialBegin(run, deck, made->path, false, &made->spec, x, &from, sections, NULL, NULL, &out));
  PetscCall(SampleAll(run, model, &twin, &opt, &made->spec, theta, &out));
  PetscCall(ScoriaPartialFinish(&out));
  PetscCall(ScoriaEnsembleDestroy(&ens));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSample(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made)
{
  const char *name = NULL;
  ScoriaModel model;
  PetscFunctionBeginUser;
  *made = (ScoriaMade){.complete = false};
  PetscCall(ScoriaDeckString(deck, "sample_file", &name));
  PetscCall(ScoriaCompleteDataset(run, deck, name, sections, &made->complete));
  if (made->complete) PetscFunctionReturn(0);
  PetscCall(ScoriaRunPath(run, name, sizeof made->path, made->path));
  PetscCall(ScoriaModelOpen(run, deck, &model));
  PetscCall(Write(run, deck, model, made));
  PetscCall(ScoriaModelDestroy(&model));
  PetscFunctionReturn(0);
}
