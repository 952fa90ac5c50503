"""The paper's tables and claims (`paper.toml`), and the arithmetic between the printed numbers."""

from reglab.paper.numbers import (
    TITLES,
    WITHOUT,
    implied_drop,
    numbers,
    printed,
    printed_baselines,
    printed_cell,
    title,
)

__all__ = [
    "TITLES",
    "WITHOUT",
    "implied_drop",
    "numbers",
    "printed",
    "printed_baselines",
    "printed_cell",
    "title",
]
