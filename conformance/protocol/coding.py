"""Content codings of a stream, as far as its bytes tell whether every event was flushed.

A compressor that is flushed after an event (``Z_SYNC_FLUSH``, RFC 1951 §3.2.4) ends what it wrote
with an empty stored block, ``00 00 FF FF`` on a byte boundary. Without a flush there is none: the
events wait in the compressor until it has enough, or until the stream ends.

>>> squeeze = zlib.compressobj(wbits=31)
>>> flushes(squeeze.compress(b"data: 1") + squeeze.flush(zlib.Z_SYNC_FLUSH) + squeeze.flush())
1
"""

from __future__ import annotations

import zlib
from typing import Final

__all__ = ["flushes", "inflate"]

_FLUSHED: Final = b"\x00\x00\xff\xff"
_ANY_HEADER: Final = 47  # zlib's window bits: gzip or zlib, whichever the header says
_LIMIT: Final = 8 * 1024 * 1024


def flushes(body: bytes) -> int:
    """How often the compressor of a gzip or deflate body was flushed."""
    return body.count(_FLUSHED)


def inflate(body: bytes) -> bytes | None:
    """A gzip or zlib body without its coding, at most 8 MiB of it; None where it is neither."""
    try:
        return zlib.decompressobj(wbits=_ANY_HEADER).decompress(body, _LIMIT)
    except zlib.error:
        return None
