/* Private to the tempering: its object, and what its files have of each other. */
#ifndef SCORIA_STATS_TEMPERING_H
#define SCORIA_STATS_TEMPERING_H

#include "scoria/stats.h"

struct ScoriaTempering_ {
  MPI_Comm comm;
  ScoriaTemperingSpec spec;
  PetscMPIInt rank, size;
  int64_t first, number;         /* this rank's particles */
  double *z;                     /* owned (particles, D) */
  double *l, *base;              /* owned (particles): log likelihood, and log density at temperature 0 over N(0, I) */
  double *weight;                /* owned (3, particles): the first of them; the others are work */
  double *other;                 /* owned (particles, D): work */
  int64_t *ancestor, *inherited; /* owned (particles): of which particle at the start; work */
  double *axes, *back;           /* owned (D, D): rows are the principal axes; their transpose */
  double *mean, *lambda;         /* owned (D): of N(m, C) along them; 0 and 1 where the prior's */
  bool *informed;                /* owned (D): where not */
  double *w, *moved, *z_moved;   /* owned (number, D): along the axes, less the mean, but z_moved */
  double *w_start;               /* owned (number, D): w before the moves of a stage */
  double *l_moved, *base_moved;  /* owned (number) */
  int64_t *pair;                 /* owned (3 D, 2): sums in fixed point */
  double temperature, step, log_evidence, variance; /* variance: of log_evidence */
  double independent;                               /* the same, were the particles independent at every temperature */
  int stages;
  int made, last;             /* moves so far of the stage at work; those of the stage before it, 0: there was none */
  double correlation;         /* after these moves; 1: not known yet */
  uint32_t first_draw, moves; /* of a particle's random numbers; moves that are made */
  bool moving;                /* at work on a stage: resampled, not all of its moves made */
  ScoriaTemperingStage stage; /* that one */
};

/* Log likelihoods and log densities of this rank's particles.  What one rank meets alone, all fail with. */
PetscErrorCode TemperingEvaluate(ScoriaTempering t, const double z[], double l[], double base[]);
/* Every rank's part of x (particles, width) to every rank. */
PetscErrorCode TemperingGather(ScoriaTempering t, int width, double x[]);
/* Particles of a rank. */
void tempering_block(ScoriaTempering t, int rank, int64_t *first, int64_t *number);
/* Where the random numbers of a move begin among those of a particle; move 0 is the draw from the prior. */
uint32_t tempering_draw(ScoriaTempering t, uint32_t move);
/* dimension normals of particle i, of a move. */
void tempering_normals(ScoriaTempering t, uint32_t move, int64_t i, double xi[]);
/* The uniform number of that move, behind them. */
double tempering_uniform(ScoriaTempering t, uint32_t move, int64_t i);

/* tempering_moves.c: N(m, C) of the particles, of weights that add up to sum and are worth ess. */
PetscErrorCode TemperingFit(ScoriaTempering t, double sum, double ess);
/* Before the moves of a stage, at t->temperature; and those that are left of it. */
void tempering_begin_moves(ScoriaTempering t);
PetscErrorCode TemperingMove(ScoriaTempering t);

#endif
