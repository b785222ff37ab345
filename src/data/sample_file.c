/* A dataset of samples: fields of the model at one operating condition, dealt over all ranks. */
#include "making.h"
#include <math.h>
#include <string.h>

#define BATCH_ROWS 2048
#define BATCH_BYTES ((int64_t)64 << 20) /* of their fields, at most, unless one row takes more */

static PetscErrorCode MakeSpec(ScoriaDeck deck, const ScoriaFieldShape *shape, ScoriaDatasetSpec *spec)
{
  PetscInt count = 0;
  PetscFunctionBeginUser;
  PetscCall(ScoriaDeckInt(deck, "sample_count", &count));
  *spec = (ScoriaDatasetSpec){
      .nfields = shape->channels, .cells = shape->cells, .rows = count, .realisations = count, .space = *shape->space};
  memcpy(spec->shape, shape->shape, sizeof spec->shape);
  memcpy(spec->field, shape->field, (size_t)shape->channels * sizeof *shape->field);
  PetscCall(ScoriaDeckBool(deck, "ensemble_float64", &spec->float64));
  spec->float64 = spec->float64 || shape->float64;
  PetscFunctionReturn(0);
}

static PetscErrorCode SampleAll(ScoriaRun run, ScoriaSource source, const ScoriaDatasetSpec *spec, const double theta[],
                                Partial *out)
{
  const int64_t row  = (int64_t)spec->nfields * spec->cells * (int64_t)sizeof(double);
  const int64_t most = PetscClipInterval(BATCH_BYTES / row, 1, BATCH_ROWS);
  int rank, size;
  double *buffer;
  ScoriaRows rows;
  ScoriaProgress bar;
  bool stop = false;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_rank(ScoriaRunComm(run), &rank));
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &size));
  PetscCall(ScoriaRowsCreate(spec, most, &rows));
  PetscCall(PetscMalloc((size_t)(most * row), &buffer));
  int64_t made = partial_has(out, 0, spec->rows);
  PetscCall(ScoriaProgressCreate(run, "sample", "fields", (double)spec->rows, &bar));
  PetscCall(ScoriaProgressFrom(bar, (double)made));
  for (int64_t base = 0; base < spec->rows && !stop; base += most * size) {
    const int64_t batch = PetscMin(most * size, spec->rows - base);
    int64_t first, number;
    if (partial_has(out, base, batch) == batch) continue;
    deal_block(batch, rank, size, &first, &number);
    PetscCall(ScoriaSourceDraw(source, theta, draw_number(SCORIA_DRAWS_ROWS, 0, base + first), number, buffer));
    rows_unpack(number, spec->nfields, spec->cells, buffer, spec->space.n, theta, &rows);
    PetscCall(ScoriaDatasetWrite(out->ds, base + first, &rows));
    made += batch - partial_has(out, base, batch);
    PetscCall(ScoriaProgressUpdate(bar, (double)made, NULL));
    PetscCall(ScoriaStopAsked(run, &stop));
  }
  PetscCall(ScoriaProgressDestroy(&bar));
  PetscCall(PetscFree(buffer));
  PetscCall(ScoriaRowsDestroy(&rows));
  if (stop && made < spec->rows) PetscCall(PartialStop(run, out, made));
  PetscFunctionReturn(0);
}

static PetscErrorCode Write(ScoriaRun run, ScoriaDeck deck, ScoriaSource source, ScoriaMade *made)
{
  const ScoriaFieldShape *shape = source_shape(source);
  double theta[SCORIA_MAX_CONDITIONS];
  ScoriaProvenance from;
  Partial out;
  bool asked;
  PetscFunctionBeginUser;
  PetscCall(ScoriaConditionOfSamples(deck, shape->space, theta, &asked));
  PetscCall(ScoriaConditionCheckRange(run, deck, "sample", shape->space, theta));
  PetscCall(ScoriaConditionsCheckReach(run, deck, "sample", shape->space, shape->reach, 1, theta));
  PetscCall(MakeSpec(deck, shape, &made->spec));
  PetscCall(ScoriaProvenanceOfRun(run, deck, "samples", 1, &from));
  PetscCall(ScoriaMadeFromShape(shape, &from.made));
  PetscCall(
      PartialBegin(run, deck, made->path, false, &made->spec, shape->x, &from, SCORIA_OF_SAMPLES, NULL, NULL, &out));
  PetscCall(SampleAll(run, source, &made->spec, theta, &out));
  PetscCall(PartialFinish(&out));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaSample(ScoriaRun run, ScoriaDeck deck, ScoriaMade *made)
{
  const char *name = NULL;
  ScoriaTrained trained;
  ScoriaSource source;
  PetscFunctionBeginUser;
  *made = (ScoriaMade){.complete = false};
  PetscCall(ScoriaDeckString(deck, "sample_file", &name));
  PetscCall(ScoriaCompleteDataset(run, deck, name, SCORIA_OF_SAMPLES, NULL, &made->complete));
  if (made->complete) PetscFunctionReturn(0);
  PetscCall(ScoriaRunPath(run, name, sizeof made->path, made->path));
  PetscCall(ScoriaTrainedOpen(run, deck, &trained));
  PetscCall(ScoriaSourceOfModel(ScoriaRunComm(run), &trained, false, &source));
  PetscCall(Write(run, deck, source, made));
  PetscCall(ScoriaSourceDestroy(&source));
  PetscCall(ScoriaTrainedClose(&trained));
  PetscFunctionReturn(0);
}
