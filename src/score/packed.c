/* Products with a packed matrix: the order it is packed in, the kernel for processors that multiply bfloat16, and plain
 * loops that are its test and what other processors use. */
#include "packed.h"
#include <string.h>

#define GROUP 16  /* columns that lie together: single precision numbers of a register */
#define ROWS 6    /* of a block: with 4 groups, 24 sums stay in registers */
#define DEPTH 512 /* inputs of a pass: the rounded rows of a block stay in the first cache */

static inline int pairs(int nin)
{
  return (nin + 1) / 2;
}

static inline int groups(int nout)
{
  return (nout + GROUP - 1) / GROUP;
}

/* To nearest, ties to even; the value is finite. */
static inline uint16_t rounded(float value)
{
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return (uint16_t)((bits + 0x7fffu + (bits >> 16 & 1u)) >> 16);
}

static inline float widened(uint16_t half)
{
  const uint32_t bits = (uint32_t)half << 16;
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

size_t packed_size(int nin, int nout)
{
  return (size_t)groups(nout) * (size_t)pairs(nin) * 2 * GROUP;
}

/* By group, pair of rows, column, row of the pair. */
void packed_pack(uint16_t packed[], const float W[], int nin, int nout)
{
  for (int g = 0; g < groups(nout); g++)
    for (int k = 0; k < pairs(nin); k++)
      for (int j = 0; j < GROUP; j++)
        for (int row = 2 * k; row < 2 * k + 2; row++) {
          const int column = g * GROUP + j;
          *packed++        = row < nin && column < nout ? rounded(W[(size_t)row * (size_t)nout + (size_t)column]) : 0;
        }
}

void packed_product_plain(float out[], bool add, const float in[], const uint16_t W[], int n, int nin, int nout)
{
  const size_t group = (size_t)pairs(nin) * 2 * GROUP;
  for (int i = 0; i < n; i++, in += nin, out += nout)
    for (int j = 0; j < nout; j++) {
      const uint16_t *w = W + (size_t)(j / GROUP) * group + 2 * (size_t)(j % GROUP);
      float sum         = add ? out[j] : 0;
      for (int k = 0; k < nin; k++) sum += widened(rounded(in[k])) * widened(w[(size_t)(k / 2) * 2 * GROUP + (k & 1)]);
      out[j] = sum;
    }
}

#if defined(__x86_64__) && defined(__has_include)
#if __has_include(<avx512bf16intrin.h>)
#define HAS_FAST_KERNEL
#include <immintrin.h>
#endif
#endif

#ifdef HAS_FAST_KERNEL
#define FAST __attribute__((target("avx512f,avx512bw,avx512vl,avx512bf16")))

bool packed_is_fast(void)
{
  return layers()->vector_bytes == 64 && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl");
}

/* Rows of in (., stride), `width` <= DEPTH numbers each, rounded, into to (ROWS, DEPTH / 2) pairs; rows that are not
 * there are zero. */
FAST static void round_rows(uint32_t to[][DEPTH / 2], const float in[], int stride, int rows, int width)
{
  for (int i = 0; i < ROWS; i++) {
    if (i >= rows) {
      memset(to[i], 0, sizeof to[i]);
      continue;
    }
    const float *row = in + (size_t)i * (size_t)stride;
    for (int k = 0; k < width; k += 32) {
      const int left       = width - k;
      const __mmask16 low  = (__mmask16)(left >= 16 ? 0xffff : (1 << left) - 1);
      const __mmask16 high = (__mmask16)(left >= 32 ? 0xffff : left > 16 ? (1 << (left - 16)) - 1 : 0);
      const __m512bh both =
          _mm512_cvtne2ps_pbh(_mm512_maskz_loadu_ps(high, row + k + 16), _mm512_maskz_loadu_ps(low, row + k));
      memcpy(&to[i][k / 2], &both, sizeof both);
    }
  }
}

/* The sums of a block of rows and `count` <= 4 groups, a constant wherever this is called. */
FAST static inline __attribute__((always_inline)) void block_product(float out[], int stride, bool add,
                                                                     uint32_t in[][DEPTH / 2], const uint16_t W[],
                                                                     size_t group, int rows, int depth, const int count,
                                                                     __mmask16 last)
{
  __m512 sum[ROWS][4];
  for (int i = 0; i < ROWS; i++)
    for (int g = 0; g < count; g++) sum[i][g] = _mm512_setzero_ps();
  for (int k = 0; k < depth; k++, W += 2 * GROUP) {
    __m512bh w[4];
    for (int g = 0; g < count; g++) memcpy(&w[g], W + (size_t)g * group, sizeof w[g]);
    for (int i = 0; i < ROWS; i++) {
      const __m512bh x = (__m512bh)_mm512_set1_epi32((int)in[i][k]);
      for (int g = 0; g < count; g++) sum[i][g] = _mm512_dpbf16_ps(sum[i][g], x, w[g]);
    }
  }
  for (int i = 0; i < rows; i++, out += stride)
    for (int g = 0; g < count; g++) {
      const __mmask16 mask = g == count - 1 ? last : (__mmask16)0xffff;
      float *to            = out + g * GROUP;
      _mm512_mask_storeu_ps(to, mask, add ? _mm512_add_ps(sum[i][g], _mm512_maskz_loadu_ps(mask, to)) : sum[i][g]);
    }
}

FAST static void fast_product(float out[], bool add, const float in[], const uint16_t W[], int n, int nin, int nout)
{
  const size_t group   = (size_t)pairs(nin) * 2 * GROUP;
  const __mmask16 tail = (__mmask16)(nout % GROUP ? (1 << nout % GROUP) - 1 : 0xffff);
  uint32_t block[ROWS][DEPTH / 2];
  for (int first = 0; first < n; first += ROWS) {
    const int rows = n - first < ROWS ? n - first : ROWS;
    for (int k = 0; k < nin; k += DEPTH) {
      const int width = nin - k < DEPTH ? nin - k : DEPTH, depth = pairs(width);
      const bool sum = add || k > 0;
      round_rows(block, in + (size_t)first * (size_t)nin + k, nin, rows, width);
      for (int g = 0; g < groups(nout); g += 4) {
        const int count      = groups(nout) - g < 4 ? groups(nout) - g : 4;
        const __mmask16 last = g + count == groups(nout) ? tail : (__mmask16)0xffff;
        float *to            = out + (size_t)first * (size_t)nout + g * GROUP;
        const uint16_t *w    = W + (size_t)g * group + (size_t)k * GROUP;
        switch (count) {
        case 4:
          block_product(to, nout, sum, block, w, group, rows, depth, 4, last);
          break;
        case 3:
          block_product(to, nout, sum, block, w, group, rows, depth, 3, last);
          break;
        case 2:
          block_product(to, nout, sum, block, w, group, rows, depth, 2, last);
          break;
        default:
          block_product(to, nout, sum, block, w, group, rows, depth, 1, last);
        }
      }
    }
  }
}

void packed_product(float out[], bool add, const float in[], const uint16_t W[], int n, int nin, int nout)
{
  if (packed_is_fast())
    fast_product(out, add, in, W, n, nin, nout);
  else
    packed_product_plain(out, add, in, W, n, nin, nout);
}

#else
bool packed_is_fast(void)
{
  return false;
}

void packed_product(float out[], bool add, const float in[], const uint16_t W[], int n, int nin, int nout)
{
  packed_product_plain(out, add, in, W, n, nin, nout);
}
#endif

void packed_conv1d(float out[], bool add, const float in[], const uint16_t W[], Tall t, int taps, int nin, int nout)
{
  for (int k = 0; k < taps; k++) {
    const ptrdiff_t shift = k - (taps - 1) / 2;
    packed_product(out, add || k > 0, in + shift * nin, W + (size_t)k * packed_size(nin, nout), tall_rows(t) - t.gap,
                   nin, nout);
  }
}
