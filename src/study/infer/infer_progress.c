/* infer: how far it has come.  What it does is rounds of tiles, of two kinds that take different times: particles whose
 * fields are drawn, and conditions that the reference judges alone.  What is left is the rounds of the call at work,
 * which are known, and those that are expected after it, each at the mean time of its kind so far. */
#include "infer.h"
#include <math.h>
#include <stdio.h>

PetscErrorCode InferProgressCreate(ScoriaRun run, const char *unit, InferProgress *w)
{
  PetscMPIInt size;
  PetscFunctionBeginUser;
  PetscCallMPI(MPI_Comm_size(ScoriaRunComm(run), &size));
  *w = (InferProgress){.round = (int64_t)size * INFER_TILE, .began = wall_seconds()};
  PetscCall(ScoriaProgressCreate(run, "infer", unit, 0, &w->bar));
  PetscFunctionReturn(0);
}

PetscErrorCode InferProgressDestroy(InferProgress *w)
{
  PetscFunctionBeginUser;
  PetscCall(ScoriaProgressDestroy(&w->bar));
  PetscFunctionReturn(0);
}

void infer_progress_expect(InferProgress *w, double fields, double conditions, const char *note)
{
  w->later[INFER_FIELDS]     = fields;
  w->later[INFER_CONDITIONS] = conditions;
  snprintf(w->note, sizeof w->note, "%s", note);
}

double infer_progress_rounds(const InferProgress *w, int64_t n)
{
  const int64_t tiles = (n + INFER_TILE - 1) / INFER_TILE, size = w->round / INFER_TILE;
  return (double)((tiles + size - 1) / size);
}

/* Seconds of what is left; NAN where it is not known how much, or where a kind is expected that has not been seen. */
static double seconds_left(const InferProgress *w, InferKind at_work, int64_t left)
{
  double seconds = 0;
  for (int kind = 0; kind < INFER_KINDS; kind++) {
    const double rounds = w->later[kind] + (kind == (int)at_work ? (double)left : 0);
    if (rounds != 0) seconds += w->done[kind] > 0 ? rounds * w->seconds[kind] / w->done[kind] : NAN;
  }
  return seconds;
}

PetscErrorCode InferProgressRound(InferProgress *w, InferKind kind, int64_t left)
{
  const double now = wall_seconds(), rounds = w->later[INFER_FIELDS] + (kind == INFER_FIELDS ? (double)left : 0);
  PetscFunctionBeginUser;
  w->done[kind]++;
  w->seconds[kind] += now - w->began; /* what lies between two rounds counts as the latter's */
  w->began           = now;
  const double drawn = w->done[INFER_FIELDS] * (double)w->round;
  PetscCall(ScoriaProgressExpect(w->bar, drawn + rounds * (double)w->round, seconds_left(w, kind, left)));
  PetscCall(ScoriaProgressUpdate(w->bar, drawn, w->note));
  PetscFunctionReturn(0);
}
