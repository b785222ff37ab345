/* CRC32C: published answers (RFC 3720, B.4; the check value of the CRC catalogue), and both implementations alike. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "io/private.h"

typedef uint32_t (*Crc)(uint32_t, const void *, size_t);

static void check_known(Crc crc)
{
  unsigned char bytes[32];

  assert_int_equal(crc(0, "123456789", 9), 0xe3069283u);
  memset(bytes, 0, sizeof bytes);
  assert_int_equal(crc(0, bytes, sizeof bytes), 0x8a9136aau);
  memset(bytes, 0xff, sizeof bytes);
  assert_int_equal(crc(0, bytes, sizeof bytes), 0x62a8ab43u);
  for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)i;
  assert_int_equal(crc(0, bytes, sizeof bytes), 0x46dd794eu);
  for (int i = 0; i < 32; i++) bytes[i] = (unsigned char)(31 - i);
  assert_int_equal(crc(0, bytes, sizeof bytes), 0x113fdb5cu);
  assert_int_equal(crc(0, NULL, 0), 0);
}

static void test_known_answers(void **state)
{
  (void)state;
  check_known(crc32c);
  check_known(crc32c_software);
}

static void test_hardware_known_answers(void **state)
{
  (void)state;
  if (!crc32c_has_hardware()) skip();
  check_known(crc32c_hardware);
}

static void fill(size_t n, unsigned char bytes[])
{
  uint32_t x = 1;

  for (size_t i = 0; i < n; i++) {
    x        = x * 1664525u + 1013904223u;
    bytes[i] = (unsigned char)(x >> 24);
  }
}

/* Every length up to 300 at every alignment, in one piece and chained at every cut. */
static void test_both_ways_alike(void **state)
{
  unsigned char bytes[320];

  (void)state;
  if (!crc32c_has_hardware()) skip();
  fill(sizeof bytes, bytes);
  for (size_t shift = 0; shift < 8; shift++) {
    for (size_t n = 0; n <= 300; n++)
      assert_int_equal(crc32c_software(0, bytes + shift, n), crc32c_hardware(0, bytes + shift, n));
  }
  for (size_t cut = 0; cut <= 300; cut++) {
    const uint32_t whole = crc32c(0, bytes, 300);

    assert_int_equal(crc32c_software(crc32c_software(0, bytes, cut), bytes + cut, 300 - cut), whole);
    assert_int_equal(crc32c_hardware(crc32c_hardware(0, bytes, cut), bytes + cut, 300 - cut), whole);
  }
}

/* Lengths about those that are taken in lanes side by side, one to four times over, at any alignment. */
static void test_long_ones_alike(void **state)
{
  enum { LANES = 3 * 4096, MOST = 4 * LANES + 64 };
  static unsigned char bytes[MOST + 8];

  (void)state;
  if (!crc32c_has_hardware()) skip();
  fill(sizeof bytes, bytes);
  for (size_t shift = 0; shift < 8; shift++)
    for (size_t whole = LANES; whole <= 4 * LANES; whole += LANES)
      for (size_t n = whole - 9; n <= whole + 9; n++)
        assert_int_equal(crc32c_software(7, bytes + shift, n), crc32c_hardware(7, bytes + shift, n));
}

/* Any single flipped bit changes a CRC: that is what it is kept for. */
static void test_every_bit_counts(void **state)
{
  unsigned char bytes[64] = {1, 2, 3};
  const uint32_t good     = crc32c(0, bytes, sizeof bytes);

  (void)state;
  for (int bit = 0; bit < 8 * 64; bit++) {
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
    assert_int_not_equal(crc32c(0, bytes, sizeof bytes), good);
    bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
  }
}

/* Sums of two parts joined are the sum of the whole, at every cut, and with a part far longer than 32 bits count. */
static void test_joined(void **state)
{
  unsigned char bytes[300];
  uint32_t x = 7;

  (void)state;
  for (size_t i = 0; i < sizeof bytes; i++) {
    x        = x * 1664525u + 1013904223u;
    bytes[i] = (unsigned char)(x >> 24);
  }
  for (size_t cut = 0; cut <= sizeof bytes; cut++)
    assert_int_equal(
        crc32c_join(crc32c(0, bytes, cut), crc32c(0, bytes + cut, sizeof bytes - cut), (int64_t)(sizeof bytes - cut)),
        crc32c(0, bytes, sizeof bytes));
  const uint32_t a = crc32c(0, bytes, 100), zero = crc32c(0, "", 1);
  uint32_t zeros = zero; /* of 2^k zero bytes */
  for (int k = 0; k < 40; k++) zeros = crc32c_join(zeros, zeros, INT64_C(1) << k);
  /* joining is associative: a, then 2^40 zeros and one more */
  assert_int_equal(crc32c_join(crc32c_join(a, zeros, INT64_C(1) << 40), zero, 1),
                   crc32c_join(a, crc32c_join(zeros, zero, 1), (INT64_C(1) << 40) + 1));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_known_answers),    cmocka_unit_test(test_hardware_known_answers),
      cmocka_unit_test(test_both_ways_alike),  cmocka_unit_test(test_long_ones_alike),
      cmocka_unit_test(test_every_bit_counts), cmocka_unit_test(test_joined),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
