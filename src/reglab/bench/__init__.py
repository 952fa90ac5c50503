"""Speed: the usual loop against this library, and both against what the machine can do."""

from reglab.bench.measure import bench
from reglab.bench.report import (
    gains,
    growth,
    growth_table,
    rate_table,
    ratio_table,
    recorded,
    render,
    source,
)

__all__ = [
    "bench",
    "gains",
    "growth",
    "growth_table",
    "rate_table",
    "ratio_table",
    "recorded",
    "render",
    "source",
]
