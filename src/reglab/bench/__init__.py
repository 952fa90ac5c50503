"""What is measured beside the study: speed, times with BN, and drifting noise behind it."""

from reglab.bench.measure import bench
from reglab.bench.report import (
    PARTS,
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
    "PARTS",
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
