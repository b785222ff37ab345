"""CRC-32C (Castagnoli) from its polynomial, a byte at a time: an independent check of the program's own."""

_table = []
for _i in range(256):
    for _ in range(8):
        _i = (_i >> 1) ^ (0x82F63B78 if _i & 1 else 0)
    _table.append(_i)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _table[(crc ^ byte) & 255] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF
