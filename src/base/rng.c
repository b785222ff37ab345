/* Counter-based random numbers: Philox4x32-10 of Random123 (Salmon et al., SC11), key = seed, counter = (draw, id low,
 * id high, stream).  Normals by Box and Muller (1958), in the order they are asked for. */
#include "scoria/base.h"
#include <Random123/philox.h>
#include <math.h>

void rng_block(uint64_t seed, ScoriaStream stream, uint64_t id, uint32_t draw, uint32_t out[4])
{
  const philox4x32_ctr_t counter = {{draw, (uint32_t)id, (uint32_t)(id >> 32), (uint32_t)stream}};
  const philox4x32_key_t key     = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
  const philox4x32_ctr_t block   = philox4x32(counter, key);
  for (int i = 0; i < 4; i++) out[i] = block.v[i];
}

/* 53 bits of two words, centred so that neither 0 nor 1 is reached. */
static double open_unit(uint32_t low, uint32_t high)
{
  const uint64_t bits = ((uint64_t)high << 32 | low) >> 12;
  return ((double)bits + 0.5) * 0x1p-52;
}

static void uniform_pair(uint64_t seed, ScoriaStream stream, uint64_t id, uint32_t draw, double pair[2])
{
  uint32_t word[4];
  rng_block(seed, stream, id, draw, word);
  pair[0] = open_unit(word[0], word[1]);
  pair[1] = open_unit(word[2], word[3]);
}

void rng_uniform(uint64_t seed, ScoriaStream stream, uint64_t id, uint32_t first_draw, int n, double out[])
{
  for (int i = 0; i < n; i += 2) {
    double pair[2];
    uniform_pair(seed, stream, id, first_draw + (uint32_t)(i / 2), pair);
    out[i] = pair[0];
    if (i + 1 < n) out[i + 1] = pair[1];
  }
}

void rng_normal(uint64_t seed, ScoriaStream stream, uint64_t id, uint32_t first_draw, int n, double out[])
{
  for (int i = 0; i < n; i += 2) {
    double pair[2];
    uniform_pair(seed, stream, id, first_draw + (uint32_t)(i / 2), pair);
    const double radius = sqrt(-2.0 * log(pair[0])), angle = 2.0 * PETSC_PI * pair[1];
    out[i] = radius * cos(angle);
    if (i + 1 < n) out[i + 1] = radius * sin(angle);
  }
}

void rng_normalf(uint64_t seed, ScoriaStream stream, uint64_t id, uint32_t first_draw, int n, float out[])
{
  for (int i = 0; i < n; i += 4) {
    uint32_t word[4];
    float four[4];
    rng_block(seed, stream, id, first_draw + (uint32_t)(i / 4), word);
    for (int k = 0; k < 2; k++) {
      const float radius = sqrtf(-2.0f * logf(((float)(word[2 * k] >> 8) + 0.5f) * 0x1p-24f));
      const float angle  = (float)(2.0 * PETSC_PI) * (((float)(word[2 * k + 1] >> 8) + 0.5f) * 0x1p-24f);
      four[2 * k]        = radius * cosf(angle);
      four[2 * k + 1]    = radius * sinf(angle);
    }
    for (int k = 0; k < 4 && i + k < n; k++) out[i + k] = four[k];
  }
}

void rng_permutation(uint64_t seed, ScoriaStream stream, uint64_t id, int64_t n, int64_t out[])
{
  for (int64_t i = 0; i < n; i++) out[i] = i;
  for (int64_t i = n - 1; i > 0; i--) {
    uint32_t word[4];
    rng_block(seed, stream, id, (uint32_t)i, word);
    /* 64 random bits modulo i + 1: the bias, (i + 1) / 2^64, is beyond detection */
    const int64_t j    = (int64_t)(((uint64_t)word[1] << 32 | word[0]) % (uint64_t)(i + 1));
    const int64_t kept = out[i];
    out[i]             = out[j];
    out[j]             = kept;
  }
}

/* A Feistel network on pairs (left, right) of a grid of about sqrt(n) x sqrt(n) places (Black and Rogaway 2002), whose
 * round functions are Philox; places of the grid past n - 1 are walked through.  There are fewer than a row of them, so
 * that hardly any place takes a second turn. */
#define SHUFFLE_ROUNDS 8

void rng_shuffle(uint64_t seed, ScoriaStream stream, uint64_t id, int64_t n, ScoriaShuffle *shuffle)
{
  uint32_t word[4];
  uint64_t columns = (uint64_t)ceil(sqrt((double)n));
  rng_block(seed, stream, id, 0, word);
  *shuffle = (ScoriaShuffle){.n       = n,
                             .columns = columns,
                             .rows    = ((uint64_t)n + columns - 1) / columns,
                             .key     = (uint64_t)word[1] << 32 | word[0]};
}

/* How far a round moves a half round its circle of `size` < 2^32 places, by what the other half is. */
static uint32_t shuffle_turn(const ScoriaShuffle *shuffle, uint64_t other, uint32_t round, uint64_t size)
{
  uint32_t word[4];
  rng_block(shuffle->key, SCORIA_STREAM_SHUFFLE, other, round, word);
  return (uint32_t)((word[0] * size) >> 32); /* the bias, size / 2^32, does not matter to a shuffle */
}

int64_t rng_shuffle_turns(const ScoriaShuffle *shuffle, uint32_t turns[])
{
  for (uint32_t round = 0; turns && round < SHUFFLE_ROUNDS; round++) {
    const uint64_t others = round % 2 ? shuffle->rows : shuffle->columns,
                   size   = round % 2 ? shuffle->columns : shuffle->rows;
    for (uint64_t i = 0; i < others; i++) turns[round * shuffle->columns + i] = shuffle_turn(shuffle, i, round, size);
  }
  return SHUFFLE_ROUNDS * (int64_t)shuffle->columns;
}

static uint64_t shuffle_round(const ScoriaShuffle *shuffle, const uint32_t turns[], uint64_t half, uint64_t other,
                              uint32_t round, uint64_t size)
{
  const uint64_t turn  = turns ? turns[round * shuffle->columns + other] : shuffle_turn(shuffle, other, round, size);
  const uint64_t moved = half + turn;
  return moved < size ? moved : moved - size;
}

int64_t rng_shuffled_by(const ScoriaShuffle *shuffle, const uint32_t turns[], int64_t i)
{
  uint64_t place = (uint64_t)i;
  do {
    uint64_t row = place / shuffle->columns, column = place - row * shuffle->columns;
    for (uint32_t round = 0; round < SHUFFLE_ROUNDS; round += 2) {
      row    = shuffle_round(shuffle, turns, row, column, round, shuffle->rows);
      column = shuffle_round(shuffle, turns, column, row, round + 1, shuffle->columns);
    }
    place = row * shuffle->columns + column;
  } while (place >= (uint64_t)shuffle->n);
  return (int64_t)place;
}

int64_t rng_shuffled(const ScoriaShuffle *shuffle, int64_t i)
{
  return rng_shuffled_by(shuffle, NULL, i);
}
