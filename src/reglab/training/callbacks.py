"""What is called while runs are being trained, so that somebody can tell how far they are."""

from __future__ import annotations

from collections.abc import Callable

OnEpoch = Callable[[str, int], None]  # with a run's key, and how many epochs it has by now


def silent(key: str, epochs: int) -> None:
    """Tell nobody."""
