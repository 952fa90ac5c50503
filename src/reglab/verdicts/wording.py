"""What a ledger's row says of runs: sentences for whoever has not seen the code.

Differences have their sign, levels have none; the sentence names what is compared, in which unit,
what the claim says of it, and which runs stand behind it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.deciding import Reading
from reglab.verdicts.lookup import Missing
from reglab.verdicts.words import ALPHA, UNDECIDED


def figure(contrast: Contrast) -> str:
    """Return a contrast's number with its interval and unit, e.g. "+0.29 ± 0.68 points"."""
    shown = contrast.shown
    mean = f"{shown.mean:z.2f}" if contrast.unit == "%" else f"{shown.mean:+z.2f}"
    half = "" if shown.n < 2 else f" ± {shown.half_width:.2f}"
    return f"{mean}{half} {contrast.unit}"


def claimed(contrast: Contrast) -> str:
    """Return what the claim says of that number, e.g. "claimed: above 0"."""
    if contrast.level:
        return f"printed: {' / '.join(f'{value:.1f}' for value in contrast.level)}"
    if contrast.size is not None:
        return f"claimed: {contrast.size:+g}"
    if contrast.below is not None:
        return f"claimed: below {contrast.below:g}"
    return "claimed: above 0"


def missing(runs: Iterable[Missing]) -> str:
    """Return what is not recorded, its data sets together."""
    where: dict[str, list[str]] = {}
    for one in runs:
        ours = where.setdefault(one.what, [])
        ours += [] if one.where in ours else [one.where]
    return "; ".join(f"{what} ({', '.join(titles)})" for what, titles in where.items())


def not_for_runs(why: str) -> str:
    """Return why no run speaks about a claim, or what would be needed for one."""
    if why.startswith("nothing"):
        return f"{why[0].upper()}{why[1:]}."
    return f"Not testable; missing: {why}."


def compared(contrast: Contrast) -> str:
    """Return what is compared and what was measured, e.g. "BN minus L2, MNIST: +0.20 ± ..."."""
    label = contrast.label  # begun with a capital letter, but for a lambda
    label = label if label.startswith("λ") else label[0].upper() + label[1:]
    return f"{label}: {_measured(contrast)}"


def reading(reading: Reading, verdict: str, readings: int, best: Mapping[str, str]) -> str:
    """Return the sentence on one reading of a claim: its least favourable comparison.

    Args:
        verdict: on the claim.
        readings: how many of the claim that were tried.
        best: the best recorded profile of each data set.
    """
    contrast, count = reading.worst, len(reading.contrasts)
    label = compared(contrast)
    label = f"Read as “{reading.name}”: {label}" if reading.name else label
    both = f"± {contrast.images:.2f} over test images as well; " if contrast.images else ""
    runs = f"{both}{_seeds(contrast)}{_for_want(contrast, best)}"
    finding = _finding(reading, contrast, verdict, readings)
    return f"{label} ({claimed(contrast)}; {runs}): {finding}.{_among(count)}"


def otherwise(contrast: Contrast, verdict: str, usual: str) -> str:
    """Return what another arm gives, e.g. "refuted (-1.20 ± 0.40 points)".

    Args:
        contrast: the one that decides there.
        usual: the profile of the row, not said again.
    """
    profile = "" if contrast.profile == usual else f", {_seeds(contrast)}"
    return f"{verdict} ({figure(contrast)}{profile})"


def of_reading(reading: Reading) -> str:
    """Return the figure of a row, what is claimed of it, and under which reading it is taken."""
    under = f"; read as “{reading.name}”" if reading.name else ""
    return f"{figure(reading.worst)}; {claimed(reading.worst)}{under}"


def _among(count: int) -> str:
    """Say that one comparison of several is on the page (`Reading.worst`)."""
    if count == 1:
        return ""
    return f" Of the {count} comparisons that must hold, this one speaks least for the claim."


def _measured(contrast: Contrast) -> str:
    """Return number and measure: "test accuracy 54.87 ± 1.94 %", "+13.00 ± 2.48 epochs until"."""
    if contrast.unit == "%":
        return f"{contrast.measure} {figure(contrast)}"
    rest = contrast.measure.removeprefix(f"{contrast.unit} ")
    link = " " if rest != contrast.measure else " of "  # "epochs until the stop" names its unit
    return f"{figure(contrast)}{link}{rest}"


def _seeds(contrast: Contrast) -> str:
    n = contrast.estimate.n
    kinds = f", of two kinds: {contrast.kinds}" if contrast.kinds else ""
    return f"{n} seed{'' if n == 1 else 's'}, profile {contrast.profile}{kinds}"


def _for_want(contrast: Contrast, best: Mapping[str, str]) -> str:
    """Say why a worse profile than the best recorded one is taken."""
    better = best.get(contrast.dataset, contrast.profile)
    return "" if contrast.profile == better else f", as {better} has no two seeds of this"


def _finding(reading: Reading, contrast: Contrast, verdict: str, readings: int) -> str:
    """Say what a reading shows, and where a correction keeps it from deciding."""
    if reading.p_against < ALPHA:
        return "the printed size is excluded" if contrast.sized else "the opposite is shown"
    if reading.p_for < ALPHA:
        if verdict == UNDECIDED:
            among = "" if readings == 1 else f" for its {readings} readings and"
            return f"as claimed, but not after correction{among} for its family (Holm)"
        return "as claimed, in direction" if _unsized(contrast) else "as claimed"
    if contrast.sized and reading.p_direction < ALPHA:
        return "as claimed in direction, while its size is undecided"
    if reading.negligible:
        return f"smaller than {contrast.small:g} {contrast.unit}"
    return f"undecided{_though(reading, contrast)}"


def _though(reading: Reading, contrast: Contrast) -> str:
    """Say why an interval that leaves out zero, or what is claimed, does not decide."""
    if contrast.against_it < ALPHA:
        what = "exclude the printed size" if contrast.sized else "show the opposite"
        count = len(reading.contrasts)
        return f"; by itself it would {what}, but not as one of {count} comparisons (Holm)"
    estimate = contrast.estimate
    if estimate.n > 1 and estimate.sd == 0 and estimate.mean:
        return f", since {estimate.n} equal runs are too few for a sign test"
    return ""


def _unsized(contrast: Contrast) -> bool:
    return contrast.size is not None and not contrast.sized
