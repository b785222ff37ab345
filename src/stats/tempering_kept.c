/* Tempering: its state, piece by piece, for checkpoints.
 *
 * Every piece goes through memory in which all ranks have all of it, so that a state that is filled again is dealt to
 * whatever ranks there are then.  Between two moves of a stage the particles' places along the axes, now and at its
 * start, are part of the state: computed anew from z they would differ in their last bits. */
#include "tempering.h"
#include <string.h>

#define REALS 12
#define WHOLES 7

static PetscErrorCode Numbers(ScoriaTempering t, ScoriaPiece piece, void *ctx)
{
  int first = (int)t->first_draw, moves = (int)t->moves, moving = t->moving;
  double *const real[REALS] = {&t->temperature,      &t->step,         &t->log_evidence, &t->variance,
                               &t->independent,      &t->correlation,  &t->stage.ess,    &t->stage.temperature,
                               &t->stage.acceptance, &t->stage.mixing, &t->stage.step,   &t->stage.correlation};
  int *const whole[WHOLES]  = {&t->stages, &t->made, &t->last, &t->stage.moves, &first, &moves, &moving};
  double all[REALS + WHOLES];
  PetscFunctionBeginUser;
  for (int i = 0; i < REALS; i++) all[i] = *real[i];
  for (int i = 0; i < WHOLES; i++) all[REALS + i] = *whole[i];
  PetscCall(piece(ctx, "numbers", REALS + WHOLES, all));
  for (int i = 0; i < REALS; i++) *real[i] = all[i];
  for (int i = 0; i < WHOLES; i++) *whole[i] = (int)all[REALS + i];
  t->first_draw = (uint32_t)first;
  t->moves      = (uint32_t)moves;
  t->moving     = moving != 0;
  PetscFunctionReturn(0);
}

static PetscErrorCode Ancestors(ScoriaTempering t, ScoriaPiece piece, void *ctx)
{
  const int64_t N = t->spec.particles;
  PetscFunctionBeginUser;
  for (int64_t i = 0; i < N; i++) t->weight[i] = (double)t->ancestor[i]; /* weights are not in use between two moves */
  PetscCall(piece(ctx, "ancestor", N, t->weight));
  for (int64_t i = 0; i < N; i++) t->ancestor[i] = (int64_t)t->weight[i];
  PetscFunctionReturn(0);
}

/* own (number, D): this rank's. */
static PetscErrorCode Places(ScoriaTempering t, ScoriaPiece piece, void *ctx, const char *name, double own[])
{
  const int64_t D = t->spec.dimension, size = t->number * D;
  PetscFunctionBeginUser;
  PetscCall(PetscArraycpy(t->other + t->first * D, own, size));
  PetscCall(TemperingGather(t, t->spec.dimension, t->other));
  PetscCall(piece(ctx, name, t->spec.particles * D, t->other));
  PetscCall(PetscArraycpy(own, t->other + t->first * D, size));
  PetscFunctionReturn(0);
}

/* The Gaussian N(m, C) of the moves. */
static PetscErrorCode Gaussian(ScoriaTempering t, ScoriaPiece piece, void *ctx)
{
  const int64_t D = t->spec.dimension;
  double *informed;
  PetscFunctionBeginUser;
  PetscCall(piece(ctx, "axes", D * D, t->axes));
  PetscCall(piece(ctx, "mean", D, t->mean));
  PetscCall(piece(ctx, "lambda", D, t->lambda));
  PetscCall(PetscMalloc1(D, &informed));
  for (int64_t k = 0; k < D; k++) informed[k] = t->informed[k];
  PetscCall(piece(ctx, "informed", D, informed));
  for (int64_t k = 0; k < D; k++) {
    t->informed[k] = informed[k] != 0;
    for (int64_t j = 0; j < D; j++) t->back[j * D + k] = t->axes[k * D + j];
  }
  PetscCall(PetscFree(informed));
  PetscFunctionReturn(0);
}

PetscErrorCode ScoriaTemperingPieces(ScoriaTempering t, ScoriaPiece piece, void *ctx)
{
  const int64_t N = t->spec.particles;
  PetscFunctionBeginUser;
  PetscCall(TemperingGather(t, t->spec.dimension, t->z));
  PetscCall(TemperingGather(t, 1, t->l));
  PetscCall(TemperingGather(t, 1, t->base));
  PetscCall(Numbers(t, piece, ctx));
  PetscCall(piece(ctx, "z", N * t->spec.dimension, t->z));
  PetscCall(piece(ctx, "l", N, t->l));
  PetscCall(piece(ctx, "base", N, t->base));
  PetscCall(Ancestors(t, piece, ctx));
  if (!t->moving) PetscFunctionReturn(0);
  PetscCall(Places(t, piece, ctx, "w", t->w));
  PetscCall(Places(t, piece, ctx, "w_start", t->w_start));
  PetscCall(Gaussian(t, piece, ctx));
  PetscFunctionReturn(0);
}
