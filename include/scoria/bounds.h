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
/* And its reference: where it has bounds alone, bounds_end. */
void bounds_of_twin(const ScoriaTwin *twin, int channel, NormBounds *b, double *reference);
double bounds_end(const NormBounds *b); /* the bound, or the lower of two */
/* Sets `least` by the largest distance from bounds_end, where there is one bound. */
void bounds_set_least(NormBounds *b, double largest);
/* The transform of a channel (range: the largest reference - x and x - reference over its values): true where it is
 * ln(sign (x - reference)), the values being on one side of it.  Where bounds end on that side, the interval from there
 * to the reference becomes the bounds instead.  Bounds that stay on have their `least`. */
bool bounds_choose(NormBounds *b, double reference, const double range[2], double *sign);
bool bounds_inside(const NormBounds *b, double x);
double bounds_to(const NormBounds *b, double x);   /* NaN outside */
double bounds_back(const NormBounds *b, double v); /* inside, also when it is rounded to single precision */

#endif
