/* The inside of a trainer, for the files that it is made of: trainer.c its life, trainer_rows.c the rows, noise levels
 * and noise of a tile, trainer_step.c the steps, trainer_validate.c the validation loss. */
#ifndef SCORIA_SCORE_TRAINER_PRIVATE_H
#define SCORIA_SCORE_TRAINER_PRIVATE_H

#include "trainer.h"

/* Rows of this rank's part of `steps` batches from step `first` on, (steps, rows of a step, r + d). */
typedef struct {
  int64_t first, steps; /* steps: 0 before the first fetch */
  int64_t room;         /* steps that fit */
  int64_t *row;         /* owned */
  float *values;        /* owned */
} Ahead;

/* This rank's rows of the fixed ones to validate on. */
typedef struct {
  const TrainData *of; /* that they are from, borrowed; NULL: none yet */
  int64_t rows, first; /* of all ranks; the first of this one */
  float *values;       /* owned (rows here, r + d) */
} Fixed;

struct Trainer_ {
  MPI_Comm comm; /* borrowed */
  TrainOptions opt;
  TrainData data;       /* its arrays borrowed */
  ScoriaNet net;        /* owned */
  ScoriaNet teacher;    /* owned, of distillation only, as is what its sampler works with: */
  float *flow;          /* owned (sampler_work_floats) */
  float *slots;         /* net->grad as it was made, owned by net */
  int64_t first, local; /* micro-batches of this rank */
  int64_t begin, each;  /* rows of the batch that these are */
  int r, d, tile;
  int64_t step, epoch;
  ScoriaShuffle shuffle; /* of `epoch` */
  uint32_t *turns;       /* owned, of `shuffle` */
  Ahead ahead;
  Fixed fixed;
  float **grad;  /* owned: one vector per micro-batch of this rank, at least one */
  int64_t *acc;  /* owned (parameters) */
  double *votes; /* owned (2 micro): loss and largest gradient of every micro-batch */
  float *arena;  /* owned: m, v, averages, then the tile's buffers */
  float *x, *target, *F, *label, *weight, *u, *partner, *partner_label; /* the last two: tunings only */
  Optimiser adam;
};

/* A row of data, and its unit conditions (NULL where d = 0). */
typedef struct {
  const float *y, *u;
} TrainRow;

/* Room for the rows of the steps to come, and these rows, when those of this step are not here yet.  Collective. */
PetscErrorCode TrainerAheadCreate(Trainer trainer);
PetscErrorCode TrainerLookAhead(Trainer trainer);
/* Where row i of the global batch of a step stands in the endless shuffled sequence of rows. */
int64_t sequence_place(Trainer trainer, int64_t step, int64_t i);
/* Row i of the global batch of this step, of this rank's; and row i of fetched values (rows, r + d). */
TrainRow batch_row(Trainer trainer, int64_t i);
TrainRow fetched_row(Trainer trainer, const float values[], int64_t i);
/* ln sigma of row i of n, stratified; the same as the training wants it. */
double stratified_level(const ScoriaProcess *process, int64_t i, int64_t n, double shift);
double training_level(Trainer trainer, int64_t i, double shift);
/* A row at ln sigma, with noise `id` of a stream, as row k of the tile. */
void put_row(Trainer trainer, TrainRow row, int k, double level, ScoriaStream stream, uint64_t id);
/* Noise `id` of training alone, at 45 degrees, and the row's conditions, as row k of the tile. */
void put_noise(Trainer trainer, TrainRow row, int k, uint64_t id);
/* trainer_distil.c: rows first, first + 1, ... of the batch as the n of the tile: noise, and where the flow takes it.
 */
#define DISTIL_EVALUATIONS 8 /* of the teacher: its law is that of 32 (benchmarks/ablation.md) */
void distil_tile(Trainer trainer, int64_t first, int n);
/* Sum over n rows of the tile of weight |F - target|^2; F becomes factor weight (F - target). */
double tile_loss(Trainer trainer, int n, float factor);

#endif
