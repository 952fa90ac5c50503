"""The eight cells of the factorial: which techniques are on, and what each cell is called."""

from __future__ import annotations

from collections.abc import Collection
from itertools import combinations

TECHNIQUES = ("l2", "dropout", "bn")
_TITLES = {"l2": "L2", "dropout": "dropout", "bn": "BN"}


def cell_name(techniques: Collection[str]) -> str:
    """Return the name of the cell with these techniques on: "none", "l2+bn", "all", ..."""
    names = [name for name in TECHNIQUES if name in techniques]
    return {0: "none", len(TECHNIQUES): "all"}.get(len(names), "+".join(names))


# None first, then each alone, pairs, all: the order of the paper's tables.
_SUBSETS = [
    subset
    for size in range(len(TECHNIQUES) + 1)
    for subset in combinations(TECHNIQUES, size)
]  # fmt: skip

# (name, L2, dropout, BN)
CELLS = tuple(
    (cell_name(techniques), *(name in techniques for name in TECHNIQUES)) for techniques in _SUBSETS
)
CELL_ORDER = tuple(name for name, *_ in CELLS)
# For people.
CELL_NAMES = {
    cell_name(techniques): " + ".join(_TITLES[name] for name in techniques) or "no regularization"
    for techniques in _SUBSETS
}

# Combination -> the techniques it is made of.
PAIRS = {cell_name(techniques): techniques for techniques in _SUBSETS if len(techniques) == 2}
COMBINATIONS = {**PAIRS, "all": TECHNIQUES}
# Technique -> the cell that is left when it is taken out of "all".
WITHOUT = {name: cell_name(set(TECHNIQUES) - {name}) for name in TECHNIQUES}
