"""Techniques combined: interactions between them, and shares of their joint gain."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations, permutations

from reglab.errors import ReglabError

__all__ = ["interaction_contrasts", "shapley_shares"]

TECHNIQUES = ("l2", "dropout", "bn")


def _cell(techniques: tuple[str, ...]) -> str:
    """Return the factorial's name of a set of techniques: "none", "l2+bn", "all", ..."""
    names = [name for name in TECHNIQUES if name in techniques]
    return {0: "none", 3: "all"}.get(len(names), "+".join(names))


def _check(cells: Mapping[str, float]) -> None:
    needed = {_cell(subset) for size in range(4) for subset in combinations(TECHNIQUES, size)}
    if missing := sorted(needed - set(cells)):
        raise ReglabError(f"a factorial needs all eight cells, missing: {', '.join(missing)}")


def interaction_contrasts(cells: Mapping[str, float]) -> dict[str, float]:
    r"""Return :math:`\sum_{T \subseteq S} (-1)^{|S| - |T|} v(T)` for each S of two or three.

    Zero means that the gains over the unregularized cell add up; above zero is synergy, below zero
    redundancy. Keys are the cells' names, "all" for the three-way contrast; unit as ``cells``.

    Args:
        cells: v, one value for each of the eight cells of the factorial.

    Raises:
        ReglabError: a cell is missing.
    """
    _check(cells)
    found = {}
    for size in (2, 3):
        for chosen in combinations(TECHNIQUES, size):
            subsets = [part for n in range(size + 1) for part in combinations(chosen, n)]
            found[_cell(chosen)] = sum(
                (-1) ** (size - len(part)) * cells[_cell(part)] for part in subsets
            )
    return found


def shapley_shares(cells: Mapping[str, float]) -> dict[str, float]:
    """Return each technique's gain averaged over the six orders of adding the three.

    The shares sum to the gain of all three over none (Shapley 1953); unit as ``cells``.

    Args:
        cells: one value for each of the eight cells of the factorial.

    Raises:
        ReglabError: a cell is missing.
    """
    _check(cells)
    shares = dict.fromkeys(TECHNIQUES, 0.0)
    orders = list(permutations(TECHNIQUES))
    for order in orders:
        for place, name in enumerate(order):
            gain = cells[_cell(order[: place + 1])] - cells[_cell(order[:place])]
            shares[name] += float(gain) / len(orders)
    return shares
