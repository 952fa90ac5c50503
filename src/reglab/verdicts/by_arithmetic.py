"""Claims against the paper's own printed numbers: exact decimal arithmetic, no run needed."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal

from reglab import paper
from reglab.cells import CELL_NAMES, COMBINATIONS, PAIRS, TECHNIQUES, WITHOUT
from reglab.data.sources import FULL_SIZE, KNOWN
from reglab.errors import ReglabError
from reglab.study.profiles import PAPER_LAMBDAS
from reglab.verdicts import mathematics
from reglab.verdicts.words import CONSISTENT, INCONSISTENT, NOT_CHECKABLE, ROUNDING, Finding


def judge(rule: str, **arguments: object) -> Finding:
    """Return what ``rule`` (a function of this module) finds with the claim's arguments."""
    return RULES[rule](**arguments)


def stated(verdict: str, reason: str) -> Finding:
    """Return a finding that is a matter of reading: nothing to compute."""
    return Finding(verdict, reason)


def formula(check: str, otherwise: str = INCONSISTENT, remark: str = "") -> Finding:
    """Return what a numerical check of the formula finds (`reglab.verdicts.mathematics`).

    Args:
        otherwise: the verdict if it does not hold, where a charitable reading is left.
        remark: a sentence on that reading.
    """
    right, reason = mathematics.CHECKS[check]()
    verdict = CONSISTENT if right else otherwise
    return Finding(verdict, reason if right or not remark else f"{reason} {remark}")


def baselines_agree(dataset: str) -> Finding:
    """Do the three tables print the same unregularized network alike?"""
    values = paper.printed_baselines(dataset)
    text = " / ".join(map(str, values))
    if len(values) == 1:
        return Finding(CONSISTENT, f"All three tables print {text}.", text)
    apart = values[-1] - values[0]
    reason = f"One network, two numbers: {text}, {apart} points apart."
    if apart > ROUNDING:
        return Finding(INCONSISTENT, reason, text)
    between = f" {values[0] + apart / 2} would be rounded to either."
    return Finding(CONSISTENT, reason + between, text)


def gain(table: str, dataset: str, value: Decimal) -> Finding:
    """Is a stated gain the difference of the table's two columns?"""
    treated, base = _cell(table, dataset, table), _cell(table, dataset, "none")
    others = [treated - other for other in paper.printed_baselines(dataset) if other != base]
    reason = f"{treated} - {base} = {treated - base}; in points, not percent."
    if others:
        reason += f" With another table's baseline it is {', '.join(map(str, others))}."
    return Finding(_agree(abs(treated - base - value) <= ROUNDING), reason, str(value))


def largest_gain(table: str, dataset: str) -> Finding:
    """Is this data set's gain the table's largest? In points, and as a share of the errors."""
    points = {name: _gain(table, name) for name in KNOWN}
    errors = {name: 100 * points[name] / (100 - _cell(table, name, "none")) for name in KNOWN}
    largest = max(points, key=points.__getitem__)
    most_errors = max(errors, key=errors.__getitem__)
    reason = (
        f"In points, {paper.title(largest)} gains most ({points[largest]}); as a share of the "
        f"errors removed, {paper.title(most_errors)} does ({errors[most_errors]:.1f} %, here "
        f"{errors[dataset]:.1f} %)."
    )
    return Finding(_agree(largest == dataset), reason, str(points[dataset]))


def gains_positive(table: str) -> Finding:
    """Does the technique gain on each data set of its table?"""
    gains = {name: _gain(table, name) for name in KNOWN}
    text = ", ".join(f"{paper.title(name)} {value:+}" for name, value in gains.items())
    return Finding(_agree(min(gains.values()) > 0), f"Gains in points: {text}.", text)


def converged_without_bn(dataset: str) -> Finding:
    """Did networks without BN fail? Not if one of them comes within a point of BN's accuracy."""
    with_bn = _cell("bn", dataset, "bn")
    without = {cell: paper.printed_cell(dataset, cell)[0] for cell in ("l2", "dropout")}
    without["none"] = _cell("bn", dataset, "none")
    without["l2+dropout"] = _cell("combined", dataset, "l2+dropout")
    best = max(without, key=without.__getitem__)
    reason = (
        f"The network said to fail reaches {without['none']} %, chance being 10 %; without BN, "
        f"{CELL_NAMES[best]} reaches {without[best]} against {with_bn} with BN."
    )
    return Finding(_agree(with_bn - without[best] > 1), reason, str(without["none"]))


def combinations_beat_singles() -> Finding:
    """Is each combination above the best of its parts, on each data set?"""
    win, tie, lose = 0, [], []
    for name in KNOWN:
        for cell, parts in COMBINATIONS.items():
            ahead = _cell("combined", name, cell) - max(_cell(part, name, part) for part in parts)
            win += ahead > 0
            if ahead == 0:
                tie.append(f"{CELL_NAMES[cell]} on {paper.title(name)}")
            elif ahead < 0:
                lose.append(f"{CELL_NAMES[cell]} on {paper.title(name)} ({ahead})")
    reason = (
        f"Of {win + len(tie) + len(lose)} comparisons with the best part, {win} are ahead, "
        f"{len(tie)} equal ({', '.join(tie) or 'none'}), {len(lose)} behind "
        f"({', '.join(lose) or 'none'})."
    )
    return Finding(_agree(not tie and not lose), reason)


def gain_over_single(dataset: str, value: Decimal) -> Finding:
    """Is the stated gain of all three that over one of the single techniques?"""
    whole = _cell("combined", dataset, "all")
    gains = {single: whole - _cell(single, dataset, single) for single in TECHNIQUES}
    text = ", ".join(f"{CELL_NAMES[name]} {points:+}" for name, points in gains.items())
    apart = {name: abs(points - value) for name, points in gains.items()}
    nearest = min(apart, key=apart.__getitem__)
    fits = apart[nearest] <= ROUNDING
    within = ", within what rounding two numbers allows" if fits and apart[nearest] else ""
    reason = f"All three against one: {text}; the best single technique leaves " + (
        f"{min(gains.values()):+}. "
        + (
            f"The stated {value} is against {CELL_NAMES[nearest]}{within}."
            if fits
            else f"None gives {value}."
        )
    )
    return Finding(_agree(fits), reason, str(value))


def ablation_drop(technique: str, dataset: str) -> Finding:
    """Is the stated drop the difference of Table 3's own cells?"""
    stated_drop = _cell("ablation", dataset, technique)
    implied = paper.implied_drop(dataset, technique)
    whole = _cell("combined", dataset, "all")
    reason = (
        f"Without {CELL_NAMES[technique]}, {CELL_NAMES[WITHOUT[technique]]} is left: Table 3 gives "
        f"{whole} - {whole - implied} = {implied}. A drop of {stated_drop} would leave "
        f"{whole - stated_drop}."
    )
    return Finding(_agree(abs(implied - stated_drop) <= ROUNDING), reason, str(stated_drop))


def ablation_order(dataset: str) -> Finding:
    """Is the order of importance in the prose that of Table 3?"""
    prose = {name: _cell("ablation", dataset, name) for name in TECHNIQUES}
    table = {name: paper.implied_drop(dataset, name) for name in TECHNIQUES}
    orders = [sorted(drops, key=drops.__getitem__, reverse=True) for drops in (prose, table)]
    texts = [" > ".join(f"{CELL_NAMES[name]} ({drops[name]})" for name in order)
             for order, drops in zip(orders, (prose, table), strict=True)]  # fmt: skip
    verdict = _agree(orders[0] == orders[1])
    return Finding(verdict, f"Prose: {texts[0]}. Table 3: {texts[1]}.", texts[0])


def interactions_positive() -> Finding:
    """Is any pair's gain more than the sum of its parts' gains, by the tables?"""
    contrasts = {}
    for name in KNOWN:
        for cell, parts in PAIRS.items():
            for base in paper.printed_baselines(name):
                gains = [_cell(part, name, part) - base for part in parts]
                contrasts[name, cell, base] = _cell("combined", name, cell) - base - sum(gains)
    positive = sum(value > 0 for value in contrasts.values())
    ahead = [
        _cell("combined", name, "all") - max(_cell(part, name, part) for part in TECHNIQUES)
        for name in KNOWN
    ]
    reason = (
        "The paper does not define synergy. As more than the sum of the parts' gains, over "
        f"{len(PAIRS)} pairs, {len(KNOWN)} data sets and each printed baseline: {positive} of "
        f"{len(contrasts)} above zero, from {min(contrasts.values())} to "
        f"{max(contrasts.values())} points. As all three ahead of the best alone: by "
        f"{', '.join(map(str, ahead))} points."
    )
    everywhere = positive == len(contrasts) and min(ahead) > 0
    return Finding(CONSISTENT if everywhere else NOT_CHECKABLE, reason)


def training_sets_smaller(datasets: list[str], than: str) -> Finding:
    """Are these training sets smaller than that one, by a third at least?"""
    sizes = {name: FULL_SIZE[name] for name in (*datasets, than)}
    text = ", ".join(f"{paper.title(name)} {size:,}" for name, size in sizes.items())
    small = all(3 * sizes[name] <= 2 * sizes[than] for name in datasets)
    reason = f"Training images: {text}. Small relative to what, the paper does not say."
    return Finding(CONSISTENT if small else NOT_CHECKABLE, reason, text)


def grid_above_bound() -> Finding:
    """What does each strength of the grid allow the weights to be, if the formula is minimized?"""
    bounds = {lam: 2 * math.log(10) / lam for lam in PAPER_LAMBDAS}
    text = ", ".join(f"λ={lam:g}: {bound:.4g}" for lam, bound in bounds.items())
    reason = (
        "θ = 0 has loss ln 10, so the lowest minimum has ‖θ‖² of at most 2 ln 10 / λ: "
        f"{text}. The tables show trained networks; which convention of λ they used is not said."
    )
    return Finding(NOT_CHECKABLE, reason)


def _agree(right: bool) -> str:
    return CONSISTENT if right else INCONSISTENT


def _cell(table: str, dataset: str, column: str) -> Decimal:
    value = paper.printed(table, dataset, column)
    if value is None:
        raise ReglabError(f"paper.toml: table {table!r} has no {column!r} for {dataset}")
    return value


def _gain(table: str, dataset: str) -> Decimal:
    return _cell(table, dataset, table) - _cell(table, dataset, "none")


RULES: dict[str, Callable[..., Finding]] = {
    rule.__name__: rule
    for rule in (
        stated,
        formula,
        baselines_agree,
        gain,
        largest_gain,
        gains_positive,
        converged_without_bn,
        combinations_beat_singles,
        gain_over_single,
        ablation_drop,
        ablation_order,
        interactions_positive,
        training_sets_smaller,
        grid_above_bound,
    )
}
