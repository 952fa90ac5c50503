"""The paper's tables and claims (`paper.toml`), and the arithmetic between the printed numbers."""

from reglab.paper.numbers import (
    TITLES,
    contents,
    implied_drop,
    printed,
    printed_baselines,
    printed_cell,
    printed_cells,
    title,
)

__all__ = [
    "TITLES",
    "contents",
    "implied_drop",
    "printed",
    "printed_baselines",
    "printed_cell",
    "printed_cells",
    "title",
]
