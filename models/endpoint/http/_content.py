"""Decodes compressed bodies."""

import zlib
from collections.abc import Iterator


class Inflater:
    """Decompresses a body of the encoding `gzip` or `deflate`.

    Args:
        gzip: Whether it is `gzip`, which may come in several parts.
        most: Most bytes that are made of it at a time.
    """

    def __init__(self, *, gzip: bool, most: int) -> None:
        self._gzip, self._most = gzip, most
        self._inflate = None if not gzip else zlib.decompressobj(16 + zlib.MAX_WBITS)

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decompress more of the body, piece by piece.

        Raises:
            zlib.error: It is not compressed so.
        """
        while data:
            inflate = self._inflate
            if inflate is None:  # some servers send the bare form, which lacks the header
                bits = zlib.MAX_WBITS if data[0] & 0xF == 8 else -zlib.MAX_WBITS
                inflate = self._inflate = zlib.decompressobj(bits)
            if inflate.eof:
                if not self._gzip:
                    return
                inflate = self._inflate = zlib.decompressobj(16 + zlib.MAX_WBITS)
            made = inflate.decompress(data, self._most)
            if made:
                yield made
            data = inflate.unconsumed_tail or inflate.unused_data

    @property
    def ended(self) -> bool:
        """Whether the body is whole."""
        return self._inflate is None or self._inflate.eof
