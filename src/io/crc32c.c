/* CRC32C: the Castagnoli polynomial 0x1EDC6F41, reflected (0x82F63B78), all ones before and after (RFC 3720, B.4).
 * The instruction of SSE4.2 computes exactly this; elsewhere eight table look-ups per eight bytes do ("slicing by
 * eight", Kounavis and Berry 2005). */
#include "private.h"
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "rows are stored, and their CRCs taken, little-endian");

static uint32_t table[8][256];

static void table_fill(void)
{
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;

    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0x82F63B78u & (0u - (crc & 1u)));
    table[0][i] = crc;
  }
  for (int k = 1; k < 8; k++) {
    for (int i = 0; i < 256; i++) table[k][i] = (table[k - 1][i] >> 8) ^ table[0][table[k - 1][i] & 0xff];
  }
}

uint32_t crc32c_software(uint32_t crc, const void *data, size_t size)
{
  const unsigned char *p = data;

  if (!table[0][1]) table_fill();
  crc = ~crc;
  for (; size >= 8; size -= 8, p += 8) {
    uint64_t word;

    memcpy(&word, p, 8);
    word ^= crc;
    crc = table[7][word & 0xff] ^ table[6][(word >> 8) & 0xff] ^ table[5][(word >> 16) & 0xff] ^
          table[4][(word >> 24) & 0xff] ^ table[3][(word >> 32) & 0xff] ^ table[2][(word >> 40) & 0xff] ^
          table[1][(word >> 48) & 0xff] ^ table[0][word >> 56];
  }
  for (; size > 0; size--, p++) crc = (crc >> 8) ^ table[0][(crc ^ *p) & 0xff];
  return ~crc;
}

/* Product of two polynomials modulo that of the CRC; reflected, so that bit 31 is the coefficient of 1. */
static uint32_t times(uint32_t a, uint32_t b)
{
  uint32_t product = 0;

  for (uint32_t bit = 1u << 31; bit; bit >>= 1) {
    if (a & bit) product ^= b;
    b = (b >> 1) ^ (0x82F63B78u & (0u - (b & 1u)));
  }
  return product;
}

/* x^(8 n), by which a register is multiplied as n bytes of zeros follow. */
static uint32_t power_of_x8(int64_t n)
{
  uint32_t power = 1u << 31, square = 1u << 23; /* 1 and x^8 */

  for (; n > 0; n >>= 1, square = times(square, square))
    if (n & 1) power = times(power, square);
  return power;
}

/* n bytes behind a are n zero bytes plus b; the ones before and after cancel. */
uint32_t crc32c_join(uint32_t a, uint32_t b, int64_t n)
{
  return times(power_of_x8(n), a) ^ b;
}

#if defined(__x86_64__)
bool crc32c_has_hardware(void)
{
  return __builtin_cpu_supports("sse4.2");
}

/* The instruction takes three cycles and can begin in every one: three lanes side by side, of LANE bytes each, whose
 * registers are joined afterwards (Gopal et al. 2011). */
#define LANE 4096

static __attribute__((target("sse4.2"))) uint64_t lanes(uint64_t state, const unsigned char *p)
{
  static uint32_t shift; /* of a register by a lane of zeros */
  uint64_t next = 0, last = 0;

  if (!shift) shift = power_of_x8(LANE);
  for (int i = 0; i < LANE; i += 8) {
    uint64_t word[3];

    for (int k = 0; k < 3; k++) memcpy(&word[k], p + k * LANE + i, 8);
    state = __builtin_ia32_crc32di(state, word[0]);
    next  = __builtin_ia32_crc32di(next, word[1]);
    last  = __builtin_ia32_crc32di(last, word[2]);
  }
  return times(shift, times(shift, (uint32_t)state) ^ (uint32_t)next) ^ (uint32_t)last;
}

__attribute__((target("sse4.2"))) uint32_t crc32c_hardware(uint32_t crc, const void *data, size_t size)
{
  const unsigned char *p = data;
  uint64_t state         = ~crc;

  for (; size >= 3 * LANE; size -= 3 * LANE, p += 3 * LANE) state = lanes(state, p);
  for (; size >= 8; size -= 8, p += 8) {
    uint64_t word;

    memcpy(&word, p, 8);
    state = __builtin_ia32_crc32di(state, word);
  }
  for (; size > 0; size--, p++) state = __builtin_ia32_crc32qi((uint32_t)state, *p);
  return ~(uint32_t)state;
}
#else
bool crc32c_has_hardware(void)
{
  return false;
}

uint32_t crc32c_hardware(uint32_t crc, const void *data, size_t size)
{
  return crc32c_software(crc, data, size);
}
#endif

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
  return crc32c_has_hardware() ? crc32c_hardware(crc, data, size) : crc32c_software(crc, data, size);
}
