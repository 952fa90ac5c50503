"""Independent random streams from one seed."""

from __future__ import annotations

import hashlib


def stream_seed(seed: int, *names: str) -> int:
    """Return a 63-bit seed that depends on ``seed`` and the stream's names."""
    text = "/".join([str(seed), *names])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
