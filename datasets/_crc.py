"""The checksums of FLAC frames."""


def crc8(data: bytes) -> int:
    """Return the checksum of a frame's header."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x07 if crc & 0x80 else crc << 1) & 0xFF
    return crc


def crc16(data: bytes) -> int:
    """Return the checksum of a frame, 0 for one that ends in its own."""
    crc = 0
    for byte in data:
        crc = crc << 8 & 0xFFFF ^ _TABLE16[crc >> 8 ^ byte]
    return crc


def _table16() -> tuple[int, ...]:
    table: list[int] = []
    for byte in range(256):
        crc = byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x8005 if crc & 0x8000 else crc << 1) & 0xFFFF
        table.append(crc)
    return tuple(table)


_TABLE16 = _table16()
