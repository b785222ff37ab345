/* The marginal law of a porosity between its bounds, a share sigmoid(mean + sigma g) of the way, g a unit normal; and
 * the law of given moments.  Private to the porosity. */
#ifndef SCORIA_POROSITY_LAW_H
#define SCORIA_POROSITY_LAW_H

#include <stdbool.h>

typedef struct {
  double mean, sigma;
} PorosityLaw;

/* moment: mean and standard deviation of the share. */
void law_moments(const PorosityLaw *law, double moment[2]);
/* The largest standard deviation that a share of this mean can be given, by sigma at LAW_LARGEST_SIGMA. */
#define LAW_LARGEST_SIGMA 20.0
double law_largest_sd(double mean);
/* The law of those moments, to rounding and the same bits for the same moments; false where there is none. */
bool law_from_moments(const double moment[2], PorosityLaw *law);

#endif
