/* Private to infer of whole fields: what stands for the latents of a field while its posterior is sampled. */
#ifndef SCORIA_INFER_WHOLE_H
#define SCORIA_INFER_WHOLE_H

#include "infer.h"

typedef struct {
  MPI_Comm comm;
  ScoriaSource prior; /* borrowed, as is the next */
  const InferQuestion *q;
  int m, latents, tile; /* values of a field; rows drawn at once */
  bool by_scores;       /* of the prior, as it is Gaussian in these: else the latents themselves are sampled */
  int dimension;        /* numbers that are sampled: independent scores, or latents */
  /* By scores. */
  int cells, scores;     /* that readings depend on; their scores */
  int *cell;             /* owned (cells) */
  double *mean, *L, *B;  /* owned (scores), (scores, dimension), (dimension, latents): c_s, U diag(l)^1/2, B */
  double *score, *value; /* owned (scores), (cells) */
  ScoriaPoint *at;       /* owned (sensors): by places in the list of cells */

  InferKeeper *keeper; /* borrowed; NULL: nothing is kept */
  InferFields side;    /* the one at work */
  ScoriaPace pace;
  ScoriaProgress bar;                               /* owned */
  double *latent, *theta, *fields, *profile, *rows; /* owned: of a tile; lateral means of one row */
} Whole;

/* infer_whole_scores.c: what the readings depend on; a user error where that does not vary.  Collective. */
PetscErrorCode WholeSetScores(Whole *w);
/* A row of what is sampled: w->dimension numbers, the readings, and a zero behind them. */
int whole_row_length(const Whole *w);
/* (n, whole_row_length) of numbers h (n, w->dimension).  Local. */
void whole_score_rows(Whole *w, int64_t n, const double h[], double rows[]);
/* Latents (w->latents) of particle i, given its h, or, h NULL, of the prior. */
void whole_score_latents(const Whole *w, int64_t i, const double h[], double latent[]);
PetscErrorCode WholeScoresDestroy(Whole *w);

#endif
