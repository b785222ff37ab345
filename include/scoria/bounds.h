/* A field that never leaves an interval: what is modelled is a transform of it that is free, so that every sample lies
 * inside, whatever the model.  Two bounds: v = ln((x - lo) / (hi - x)); one: the logarithm of the distance from it. All
 * local. */
#ifndef SCORIA_BOUNDS_H
#define SCORIA_BOUNDS_H

#include "score.h"

typedef struct {
  bool on;
  double lo, hi; /* -infinity or infinity: none on that side */
  double least;  /* a value nearer to a bound counts as at this distance */
} NormBounds;

/* What the deck says of a channel; least is not known yet where there is one bound. */
NormBounds bounds_of(const ScoriaTwin *twin, int channel);
double bounds_end(const NormBounds *b); /* the bound, or the lower of two */
/* Sets `least` by the largest distance from bounds_end. */
void bounds_set_least(NormBounds *b, double largest);
bool bounds_inside(const NormBounds *b, double x);
double bounds_to(const NormBounds *b, double x);   /* NaN outside */
double bounds_back(const NormBounds *b, double v); /* inside, also when it is rounded to single precision */

#endif
