/* Two normalisers of profiles that must be one. */
#ifndef SCORIA_TESTS_NORMALISER_BITS_H
#define SCORIA_TESTS_NORMALISER_BITS_H

#include "score/model.h"
#include "score/normaliser.h"
#include "testing.h"

/* At theta, without a twin, both of m values have the same coordinates and decode them to the same bits. */
static inline void check_same_bits(ScoriaNormaliser a, ScoriaNormaliser b, int m, const double theta[])
{
  int R, other;
  CHECK(ScoriaNormaliserSizes(a, NULL, NULL, NULL, &R));
  CHECK(ScoriaNormaliserSizes(b, NULL, NULL, NULL, &other));
  assert_int_equal(R, other);
  CHECK(ScoriaNormaliserAt(a, NULL, theta));
  CHECK(ScoriaNormaliserAt(b, NULL, theta));
  assert_memory_equal(profile_of(a)->base, profile_of(b)->base, (size_t)m * sizeof(double));
  assert_memory_equal(profile_of(a)->decode, profile_of(b)->decode, (size_t)R * (size_t)m * sizeof(double));
}

#endif
