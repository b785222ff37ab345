/* Averages of the weights with a power-function profile, and the choice of their length after the training. */
#ifndef SCORIA_SCORE_EMA_H
#define SCORIA_SCORE_EMA_H

#include "scoria/io.h"

/* After `time` updates the weights of update s count as s^exponent. */
typedef struct {
  double time, exponent;
} EmaProfile;

/* Relative width of a profile, its standard deviation over its time: sqrt((g+1) / ((g+2)^2 (g+3))). */
double ema_width(double exponent);
/* The exponent g >= 0 of a width. */
double ema_exponent(double width);
/* average (n) takes in the weights p of update number `time`: average += (1 - (1 - 1/time)^(g+1)) (p - average). */
void ema_update(EmaProfile profile, int64_t n, const float p[], float average[]);

#define EMA_MOST 8 /* averages in a set */

/* Averages of one training: two lengths at the step whose model is kept, and at a few steps before. */
typedef struct {
  int n;
  int64_t count; /* weights */
  EmaProfile profile[EMA_MOST];
  float *weights; /* owned (EMA_MOST, count), NULL without any */
} EmaSet;

PetscErrorCode EmaSetCreate(int64_t count, EmaSet *set);
PetscErrorCode EmaSetDestroy(EmaSet *set);
/* Under `group` of a file; nothing where the set has none.  Collective. */
PetscErrorCode EmaSetSave(const EmaSet *set, ScoriaStore store, const char *group);
PetscErrorCode EmaSetLoad(ScoriaStore store, const char *group, int64_t count, EmaSet *set);
/* out (count): the average of relative width `width` at the time of the first average.  Returns the distance of its
 * profile from the one asked for, relative.  Later averages take no part. */
double ema_rebuild(const EmaSet *set, double width, float out[]);

#endif
