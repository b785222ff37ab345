/* Space-filling designs in the unit cube.
 *
 * Sobol: the sequence of Sobol (1967) with the primitive polynomials and initial direction numbers of Joe and Kuo
 * (2008), file new-joe-kuo-6, shifted digitally (exclusive or) by random bits of the seed, which keeps its net
 * properties. Latin hypercube (McKay, Beckman and Conover, 1979): a random permutation of the strata in each dimension,
 * evaluated point by point as a Feistel network over the Philox generator, with cycle walking. */
#include "internal.h"

#define BITS 52

/* Ids of the condition stream that designs use, apart from the condition indices of a random design. */
#define ID_SHIFT ((uint64_t)1 << 62)
#define ID_STRATA ((uint64_t)2 << 62)

/* Dimensions 2 to 8: degree s, coefficients a, initial numbers m of new-joe-kuo-6. */
static const struct {
  int s;
  uint32_t a, m[5];
} joe_kuo[SCORIA_MAX_CONDITIONS - 1] = {
    {1, 0, {1}},          {2, 1, {1, 3}},        {3, 1, {1, 3, 1}},        {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}}, {4, 4, {1, 3, 5, 13}}, {5, 2, {1, 1, 5, 5, 17}},
};

/* v[k] = m_k 2^(BITS - k), k = 1 .. BITS, of one dimension. */
static void direction_numbers(int dimension, uint64_t v[BITS + 1])
{
  if (dimension == 0) {
    for (int k = 1; k <= BITS; k++) v[k] = (uint64_t)1 << (BITS - k);
    return;
  }
  const int s      = joe_kuo[dimension - 1].s;
  const uint32_t a = joe_kuo[dimension - 1].a;
  for (int k = 1; k <= s; k++) v[k] = (uint64_t)joe_kuo[dimension - 1].m[k - 1] << (BITS - k);
  for (int k = s + 1; k <= BITS; k++) {
    v[k] = v[k - s] ^ (v[k - s] >> s);
    for (int j = 1; j < s; j++)
      if (a >> (s - 1 - j) & 1) v[k] ^= v[k - j];
  }
}

/* Unscrambled coordinate of the index-th point (Gray-code order does not change which points a power of two holds). */
static uint64_t sobol_integer(int dimension, uint64_t index)
{
  uint64_t v[BITS + 1], x = 0;
  direction_numbers(dimension, v);
  for (int k = 1; index; k++, index >>= 1)
    if (index & 1) x ^= v[k];
  return x;
}

void sobol_point(uint64_t seed, int d, uint64_t index, double u[])
{
  for (int i = 0; i < d; i++) {
    uint32_t random[4];
    rng_block(seed, SCORIA_STREAM_CONDITION, ID_SHIFT + (uint64_t)i, 0, random);
    const uint64_t shift = ((uint64_t)random[0] << 32 | random[1]) >> (64 - BITS);
    u[i]                 = ((double)(sobol_integer(i, index) ^ shift) + 0.5) * 0x1p-52;
  }
}

/* A bijection of 0 .. 4^half - 1: four Feistel rounds on two words of `half` bits. */
static uint64_t feistel(uint64_t seed, uint64_t id, int half, uint64_t x)
{
  const uint64_t mask = ((uint64_t)1 << half) - 1;
  uint64_t left = x >> half, right = x & mask;
  for (uint32_t round = 0; round < 4; round++) {
    uint32_t word[4];
    rng_block(seed, SCORIA_STREAM_CONDITION, id + (uint64_t)(round + 1) * ((uint64_t)1 << 40), (uint32_t)right, word);
    const uint64_t next = left ^ (word[0] & mask);
    left                = right;
    right               = next;
  }
  return left << half | right;
}

/* Where a permutation of 0 .. count - 1 sends index: the bijection is walked until it lands inside. */
static uint64_t permute(uint64_t seed, uint64_t id, uint64_t count, uint64_t index)
{
  int half = 1;
  while (((uint64_t)1 << (2 * half)) < count) half++;
  do index = feistel(seed, id, half, index);
  while (index >= count);
  return index;
}

void lhs_point(uint64_t seed, int d, uint64_t index, uint64_t count, double u[])
{
  double inside[SCORIA_MAX_CONDITIONS];
  rng_uniform(seed, SCORIA_STREAM_CONDITION, index, 0, d, inside);
  for (int i = 0; i < d; i++)
    u[i] = ((double)permute(seed, ID_STRATA + (uint64_t)i, count, index) + inside[i]) / (double)count;
}
