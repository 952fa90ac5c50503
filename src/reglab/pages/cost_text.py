"""What the pages on accuracy and its cost say in words, with numbers from the recorded runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from reglab import paper
from reglab.pages.chapters import missing_remark
from reglab.pages.clauses import Said, say, shown
from reglab.results import provenance, tables
from reglab.results.costs import (
    in_trillions,
    megabytes,
    multiplications_an_epoch,
    settings,
    slowest_over_fastest,
)
from reglab.results.prices import Price, choosing, prices
from reglab.stats import Estimate


def sources(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return what the numbers of the recorded data sets are from, and what is missing, as Markdown.

    One item a data set: profile, images, and the multiplications of an epoch.
    """
    items = []
    for name, study in studies.items():
        judged = tables.study_rows(study, "factorial")
        first, each = judged.iloc[0], multiplications_an_epoch(judged)
        amount = "" if each is None else in_trillions(each / 1e12, 3)
        products = f", {amount} multiplications an epoch" if amount else ""
        items.append(
            f"- {paper.title(name)}: profile *{first['profile']}*, {first['n_train']:,} training "
            f"{provenance.items(study)}, width {first['width']}{products}."
        )
    remark = missing_remark(studies)
    return "\n".join(items + ([f"- {remark}"] if remark else []))


def answer(studies: Mapping[str, pd.DataFrame]) -> Said:
    """Return what a point of accuracy costs, an item a data set: the cheapest and the largest gain.

    Only gains count whose interval lies above zero.
    """
    if not studies:
        return Said("No runs are recorded with this copy of the book.")
    items = "\n".join(f"- {_answer(name, study)}" for name, study in studies.items())
    return Said(
        f"{items}\n\nIn brackets stands the 95 % interval of a price. The cheapest and the largest "
        "were picked from seven after looking, which flatters both a little."
    )


def _answer(name: str, study: pd.DataFrame) -> str:
    title, measured = f"**{paper.title(name)}.**", prices(study)
    gained = [one for one in measured if shown(one.gain) == "up"]
    if not gained:
        fewest, most = min(_epochs(measured)), max(_epochs(measured))
        return (
            f"{title} No combination is shown to gain anything, so there is no price to name. They "
            f"trained for between {_more(fewest)} and {_more(most)}."
        )
    cheapest = min(gained, key=lambda one: one.a_point)
    largest = max(gained, key=lambda one: one.gain.mean)
    plain = tables.arm(study, "factorial", "none")["epochs"].mean()
    text = f"{title} The network without regularization stops after {plain:.1f} epochs. "
    text += f"The cheapest gain that is shown: {_bought(cheapest)}, {_a_point(cheapest)}."
    if largest is not cheapest:
        text += f" The largest: {_bought(largest)}, {_a_point(largest)}."
    return text


def _epochs(measured: Sequence[Price]) -> list[float]:
    return [one.epochs.mean for one in measured] or [0.0]


def _bought(one: Price) -> str:
    gain = f"{one.gain.mean:z.1f}{_half(one.gain)} points"
    few = "fewer" if one.epochs.mean < 0 else "more"
    return f"{one.name}, {gain} for {abs(one.epochs.mean):.1f}{_half(one.epochs)} epochs {few}"


def _half(estimate: Estimate) -> str:
    return "" if estimate.n < 2 else f" ± {estimate.half_width:.1f}"


def _more(epochs: float) -> str:
    return f"{abs(epochs):.1f} epochs {'fewer' if epochs < 0 else 'more'}"


def _a_point(one: Price) -> str:
    if one.between is None:
        return f"{one.a_point:.1f} epochs a point"
    low, high = one.between
    if high <= 0:
        return "at no cost"
    return f"{one.a_point:.1f} epochs a point ({low:.1f} to {high:.1f})"


def finding(studies: Mapping[str, pd.DataFrame]) -> Said:
    """Return what the sweeps took, in trained networks; "" where there were none."""
    said = [
        f"{count} runs on {paper.title(name)}, with the epochs of {share:.0f} plain networks"
        for name, study in studies.items()
        for count, share in [choosing(study) or (0, 0.0)]
        if count
    ]
    return (
        say(f"here the sweeps over rate, λ and drop rate took {'; '.join(said)}")
        if said
        else Said("")
    )


def machine(studies: Mapping[str, pd.DataFrame]) -> str:
    """Return a sentence a data set on how far seconds and memory vary, as Markdown.

    Seconds between runs of one setting, which do equal work an epoch; memory between settings.
    """
    items = []
    for name, study in studies.items():
        said, ratio = [], slowest_over_fastest(study)
        if ratio is not None:
            said.append(
                f"between seeds of one setting, seconds an epoch differ by a factor of up to "
                f"{ratio:.1f}"
            )
        if peaks := [peak for each in settings(study) if (peak := megabytes(each)) is not None]:
            said.append(
                f"over all settings, peak memory lies between {min(peaks):,.0f} and "
                f"{max(peaks):,.0f} MB"
            )
        if said:
            items.append(f"- {paper.title(name)}: {'; '.join(said)}.")
    return "\n".join(items)
