/* infer: the checkpoint of an unfinished inference.  What is kept is what is finished: the prior's statistics, the
 * surrogate, and the particles as the last whole move has left them; a stop or a kill costs the evaluation at work. */
#include "infer.h"
#include <stdio.h>
#include <string.h>

#define STAGE 7 /* numbers of a stage */
#define NAME 64

PetscErrorCode InferKeeperCreate(ScoriaRun run, ScoriaDeck deck, const char *result, const InferSensors *sensors,
                                 InferKeeper *keeper)
{
  PetscFunctionBeginUser;
  *keeper = (InferKeeper){.run = run, .deck = deck, .sensors = sensors, .result = result, .saved = wall_seconds()};
  PetscCall(PetscSNPrintf(keeper->name, sizeof keeper->name, "%s.ckpt", result));
  PetscFunctionReturn(0);
}

/* ---------------------------------------------------------------------------------------- what is kept ---- */

static void pack_stage(const ScoriaTemperingStage *s, double to[STAGE])
{
  const double of[STAGE] = {s->temperature, s->ess, s->acceptance, s->step, s->mixing, s->correlation, s->moves};
  memcpy(to, of, sizeof of);
}

static ScoriaTemperingStage unpack_stage(const double of[STAGE])
{
  return (ScoriaTemperingStage){.temperature = of[0],
                                .ess         = of[1],
                                .acceptance  = of[2],
                                .step        = of[3],
                                .mixing      = of[4],
                                .correlation = of[5],
                                .moves       = (int)of[6]};
}

static PetscErrorCode Stages(InferAnswer *a, ScoriaPiece piece, void *ctx)
{
  double *all;
  PetscFunctionBeginUser;
  if (!a->nstages) PetscFunctionReturn(0);
  PetscCall(PetscRealloc((size_t)a->nstages * sizeof *a->stage, &a->stage)); /* for those that are read */
  PetscCall(PetscMalloc1(STAGE * a->nstages, &all));
  for (int i = 0; i < a->nstages; i++) pack_stage(&a->stage[i], all + STAGE * i);
  PetscCall(piece(ctx, "stages", (int64_t)STAGE * a->nstages, all));
  for (int i = 0; i < a->nstages; i++) a->stage[i] = unpack_stage(all + STAGE * i);
  PetscCall(PetscFree(all));
  PetscFunctionReturn(0);
}

/* How far it is, and whether particles are there. */
static PetscErrorCode Position(InferParticles *p, bool *particles, ScoriaPiece piece, void *ctx)
{
  double at[] = {p->done, p->a->nstages, *particles};
  PetscFunctionBeginUser;
  PetscCall(piece(ctx, "position", 3, at));
  p->done       = (InferDone)at[0];
  p->a->nstages = (int)at[1];
  *particles    = at[2] != 0;
  PetscFunctionReturn(0);
}

/* All that there is at p->done. */
static PetscErrorCode Pieces(InferParticles *p, ScoriaPiece piece, void *ctx)
{
  const InferQuestion *q = p->q;
  InferAnswer *a         = p->a;
  PetscFunctionBeginUser;
  PetscCall(
      piece(ctx, "prior", (int64_t)(INFER_QUANTILES + q->nprobabilities) * a->columns, a->statistics[SCORIA_PRIOR]));
  PetscCall(piece(ctx, "readings", p->nreadings * q->sensors.n, p->readings));
  PetscCall(Stages(a, piece, ctx));
  if (p->done >= INFER_SURROGATE) PetscCall(InferReferencePieces(p->reference, piece, ctx));
  if (p->tempering) PetscCall(ScoriaTemperingPieces(p->tempering, piece, ctx));
  PetscFunctionReturn(0);
}

static PetscErrorCode Put(void *ctx, const char *name, int64_t n, double value[])
{
  char path[NAME];
  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "/%s", name);
  PetscCall(ScoriaStorePutReals(ctx, path, 1, &n, value, "", ""));
  PetscFunctionReturn(0);
}

static PetscErrorCode Get(void *ctx, const char *name, int64_t n, double value[])
{
  char path[NAME];
  PetscFunctionBeginUser;
  snprintf(path, sizeof path, "/%s", name);
  PetscCall(ScoriaStoreGetReals(ctx, path, n, value));
  PetscFunctionReturn(0);
}

static PetscErrorCode Save(InferKeeper *keeper, InferParticles *p)
{
  bool particles = p->tempering != NULL;
  ScoriaStore store;
  PetscFunctionBeginUser;
  PetscCall(ScoriaCheckpointBegin(keeper->run, keeper->deck, keeper->name, &store));
  PetscCall(ScoriaStorePutMadeFrom(store, &keeper->made));
  PetscCall(ScoriaStorePutText(store, INFER_SENSORS, keeper->sensors->text));
  PetscCall(Position(p, &particles, Put, store));
  PetscCall(Pieces(p, Put, store));
  PetscCall(ScoriaCheckpointEnd(keeper->run, keeper->name, &store));
  keeper->saved = wall_seconds();
  PetscFunctionReturn(0);
}

static PetscErrorCode Meet(InferParticles *p, bool begins)
{
  InferKeeper *keeper = p->keeper;
  const bool keeps    = keeper && p->done > INFER_NOTHING;
  bool due            = false, stop;
  PetscFunctionBeginUser;
  if (keeps && begins) PetscCall(ScoriaCheckpointDue(keeper->run, keeper->deck, keeper->saved, &due));
  PetscCall(ScoriaPaceLook(&p->pace, &stop));
  if (keeps && (due || stop)) PetscCall(Save(keeper, p));
  if (stop && !keeps) PetscCall(ScoriaStopped(p->pace.run, "the inference restarts from the beginning"));
  if (stop && !p->tempering) PetscCall(ScoriaStopped(p->pace.run, "the prior is kept"));
  if (stop)
    PetscCall(ScoriaStopped(p->pace.run, "the particles of %s at temperature %.3g are kept",
                            p->done < INFER_CONDITIONED ? "conditions" : "fields",
                            tempering_temperature(p->tempering)));
  PetscFunctionReturn(0);
}

/* -------------------------------------------------------------------------------------------- reading ---- */

/* What is read into. */
typedef struct {
  InferKeeper *keeper;
  InferParticles *p;
} Reading;

PetscErrorCode InferCheckMade(const InferKeeper *keeper, const char *path, ScoriaStore store)
{
  ScoriaMadeFrom made;
  PetscFunctionBeginUser;
  PetscCall(ScoriaStoreMadeFrom(store, &made));
  PetscCall(ScoriaChainCheck(keeper->run, path, &made));
  PetscCall(InferSensorsCheck(keeper->sensors, path, store));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckMade(void *ctx, const char *path, ScoriaStore store)
{
  PetscFunctionBeginUser;
  PetscCall(InferCheckMade(((Reading *)ctx)->keeper, path, store));
  PetscFunctionReturn(0);
}

static PetscErrorCode Read(void *ctx, ScoriaStore store)
{
  InferParticles *p = ((Reading *)ctx)->p;
  bool particles    = false;
  PetscFunctionBeginUser;
  PetscCall(Position(p, &particles, Get, store));
  if (p->done >= INFER_SURROGATE) PetscCall(InferReferenceCreate(p, &p->reference));
  if (particles) PetscCall(InferTemperingCreate(p, p->done >= INFER_CONDITIONED, NULL, true, &p->tempering));
  PetscCall(Pieces(p, Get, store));
  PetscFunctionReturn(0);
}

static PetscErrorCode Clear(void *ctx)
{
  InferParticles *p = ((Reading *)ctx)->p;
  PetscFunctionBeginUser;
  p->done       = INFER_NOTHING;
  p->a->nstages = 0;
  PetscCall(InferReferenceDestroy(&p->reference));
  PetscCall(ScoriaTemperingDestroy(&p->tempering));
  PetscFunctionReturn(0);
}

PetscErrorCode InferKept(InferKeeper *keeper, InferParticles *p)
{
  Reading reading                     = {keeper, p};
  const ScoriaCheckpointReader reader = {
      .results = SCORIA_OF_POSTERIOR, .ctx = &reading, .check = CheckMade, .read = Read, .clear = Clear};
  ScoriaCheckpointFound file;
  PetscFunctionBeginUser;
  p->keeper = keeper;
  p->meet   = Meet;
  if (!keeper) PetscFunctionReturn(0);
  PetscCall(ScoriaCheckpointFind(keeper->run, keeper->deck, keeper->name, &reader, &file));
  if (file.whole && p->tempering)
    PetscCall(
        ScoriaSay(keeper->run, "  %s: resuming at temperature %.3g", file.path, tempering_temperature(p->tempering)));
  else if (file.whole)
    PetscCall(ScoriaSay(keeper->run, "  %s: resuming behind the prior", file.path));
  PetscFunctionReturn(0);
}

PetscErrorCode InferForget(InferKeeper *keeper, bool own)
{
  PetscFunctionBeginUser;
  if (own)
    PetscCall(ScoriaCheckpointRemove(keeper->run, keeper->name));
  else
    PetscCall(ScoriaCheckpointForget(keeper->run, keeper->deck, keeper->name, SCORIA_OF_POSTERIOR));
  PetscFunctionReturn(0);
}
