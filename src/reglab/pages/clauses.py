"""Sentences on recorded runs that follow the records: few patterns, filled in by code.

A sentence typed by hand says what the runs said on one day, and an assertion that it still holds
makes a build fail where more runs have decided more. These clauses say what is shown, in either
direction, what is shown to be small, and otherwise that nothing is shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import pandas as pd
from scipy import stats

from reglab import paper
from reglab.stats import Estimate, TwoKinds
from reglab.study import measures
from reglab.verdicts.words import margin as margin_of


@dataclass(frozen=True)
class Said:
    """Text that a notebook and the book show as Markdown, and a terminal as it is."""

    text: str

    def _repr_markdown_(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text


def say(*sentences: str) -> Said:
    """Return sentences as one paragraph, each begun with a capital letter and ended with a stop.

    A question keeps its mark.
    """
    return Said(" ".join(map(_sentence, filter(None, sentences))))


def points(*sentences: str) -> Said:
    """Return sentences as a list, one a point; made as in `say`."""
    return Said("\n".join(f"- {_sentence(text)}" for text in filter(None, sentences)))


def grouped(parts: Mapping[str, Iterable[str]]) -> Said:
    """Return a list with a list under each of its titles; a title without sentences is left out.

    Args:
        parts: title -> sentences, made as in `say`.
    """
    lines = []
    for title, texts in parts.items():
        items = [f"  - {_sentence(text)}" for text in texts if text]
        lines += [f"- **{title}**", *items] if items else []
    return Said("\n".join(lines))


def _sentence(text: str) -> str:
    stop = "" if text.endswith("?") else "."
    return f"{text[0].upper()}{text[1:].rstrip('.')}{stop}"


def clause(
    estimate: Estimate | None,
    *,
    up: str = "raises test accuracy by",
    down: str = "lowers test accuracy by",
    margin: float | None = None,
    unit: str = "points",
) -> str:
    """Return what an estimate shows, e.g. "raises test accuracy by 3.10 ± 0.60 points".

    Args:
        estimate: a mean difference over seeds with its 95 % interval; None = nothing was measured.
        up, down: what to say where the interval lies above, or below, zero.
        margin: half-width of what counts as small; two one-sided t tests at 5 % decide it.
        unit: of the estimate; "" = none.
    """
    if estimate is None:
        return "not measured"
    if isinstance(estimate, TwoKinds):
        return f"of two kinds, some runs having learned and some not ({estimate.words})"
    unit = f" {unit}" if unit else ""
    if estimate.n < 2 or math.isnan(estimate.low):
        return f"undecided, with one run: {estimate.mean:z.2f}{unit}"
    kind = shown(estimate, margin)
    if kind in ("up", "down"):
        verb = up if kind == "up" else down
        return f"{verb} {_apart(abs(estimate.mean), estimate.half_width)}{unit}"
    measured = f"{estimate.mean:z.2f} ± {estimate.half_width:.2f}{unit}"
    if kind == "small":
        return f"no difference larger than {margin:g}{unit} is left ({measured})"
    return f"undecided ({measured})"


def shown(estimate: Estimate | None, margin: float | None = None) -> str:
    """Return what an estimate shows: "up", "down", "small" or "open".

    Args and tests as `clause`; nothing measured, and one run, leave it open.
    """
    if estimate is None or estimate.n < 2 or math.isnan(estimate.low):
        return "open"
    if estimate.low > 0:
        return "up"
    if estimate.high < 0:
        return "down"
    return "small" if margin is not None and _is_small(estimate, margin) else "open"


def _apart(mean: float, half: float) -> str:
    """Return "0.48 ± 0.47" with as many decimals as it takes to see that zero is left out."""
    digits = next((n for n in (2, 3, 4) if round(mean, n) > round(half, n)), 5)
    return f"{mean:z.{digits}f} ± {half:.{digits}f}"


def by_dataset(
    estimates: Mapping[str, Estimate | None],
    *,
    small: bool | Mapping[str, bool] = True,
    **words: str,
) -> str:
    """Return `clause` for each data set, e.g. "MNIST: undecided (...); CIFAR-10: raises ...".

    Args:
        estimates: by data set.
        small: whether the data set's own margin (`reglab.verdicts.words.margin`) says what is
            small, or of which it does; it is in points of accuracy.
        words: as `clause`.
    """
    has = small if isinstance(small, Mapping) else dict.fromkeys(estimates, small)
    margins = {name: margin_of(name) if has[name] else None for name in estimates}
    return "; ".join(
        f"{paper.title(name)}: {clause(estimate, margin=margins[name], **words)}"
        for name, estimate in estimates.items()
    )


def of_study(
    frames: Mapping[str, pd.DataFrame],
    value: Callable[[pd.DataFrame], Estimate | None],
    *,
    small: bool = True,
    **words: str,
) -> str:
    """Return `by_dataset` of one estimate of a study.

    Args:
        frames: the study by data set.
        value: the estimate, of one data set's runs.
        small: as `by_dataset`; of R² nothing is said to be small.
        words: as `by_dataset`.
    """
    found = {name: value(frame) for name, frame in frames.items()}
    has = {name: small and is_accuracy(frame) for name, frame in frames.items()}
    return by_dataset(found, small=has, **words)


def is_accuracy(frame: pd.DataFrame) -> bool:
    """Whether a study's networks are judged by accuracy, of which the margins are."""
    return measures.of(frame) is measures.ACCURACY


# What is said of an effect, by what is shown of it: of one thing, of several.
_EFFECTS = {
    "up": ("raises {} on", "raise {} on"),
    "down": ("lowers {} on", "lower {} on"),
    "small": ("makes no difference that matters on", "make no difference that matters on"),
    "open": ("is not shown to help or to harm on", "are not shown to help or to harm on"),
}


def effect(
    estimates: Mapping[str, Estimate | None],
    *,
    several: bool = False,
    figures: bool = False,
    what: str = "test accuracy",
    small: bool = True,
) -> str:
    """Return "raises test accuracy on A and B, and is not shown to help or to harm on C", as it is.

    Args:
        estimates: gains in points by data set; each has its own margin.
        several: whether what is spoken of is several things ("raise").
        figures: add to each data set "(+1.2 ± 0.5)".
        what: is raised or lowered.
        small: whether the data sets' margins, which are of accuracies, say what is small.
    """
    words = {kind: verbs[several].format(what) for kind, verbs in _EFFECTS.items()}
    return ", and ".join(_by_kind(estimates, words, figures=figures, small=small))


# What is said of one thing beside another.
_BESIDE = {
    "up": "better on",
    "down": "worse on",
    "small": "as good within the margin on",
    "open": "not shown to differ on",
}


def beside(estimates: Mapping[str, Estimate | None], words: Mapping[str, str] = _BESIDE) -> str:
    """Return "better on A and B, not shown to differ on C", as it is.

    Args:
        estimates: differences in points by data set; each has its own margin.
        words: what to say of each kind that `shown` knows.
    """
    return ", ".join(_by_kind(estimates, words))


def _by_kind(
    estimates: Mapping[str, Estimate | None],
    words: Mapping[str, str],
    *,
    figures: bool = False,
    small: bool = True,
) -> list[str]:
    """Return the words of each kind of effect that there is, with the data sets that have it."""
    names: dict[str, list[str]] = {kind: [] for kind in words}
    for name, one in estimates.items():
        figure = _figure(one) if figures else ""
        kind = shown(one, margin_of(name) if small else None)
        names[kind].append(paper.title(name) + figure)
    return [f"{said} {listed(names[kind])}" for kind, said in words.items() if names[kind]]


def _figure(one: Estimate | None) -> str:
    if one is None or one.n < 2 or math.isnan(one.low):
        return ""
    return f" ({figure(one)})"


def figure(one: Estimate) -> str:
    """Return "+1.2 ± 0.5", with more decimals where one hides what is shown."""
    if one.n < 2:
        return f"{one.mean:+z.1f}, one run"
    mean, half, apart = abs(one.mean), one.half_width, shown(one) != "open"
    fits = (n for n in (1, 2, 3) if round(mean, n) > round(half, n) > 0 or not apart)
    digits = next(fits, 1)
    return f"{one.mean:+z.{digits}f} ± {half:.{digits}f}"


def shown_on(
    estimates: Mapping[str, Estimate | None], *, above: bool = True, none: str = "none of them"
) -> str:
    """Return the data sets whose interval lies above zero (below it), e.g. "MNIST and CIFAR-10".

    Where there is none: ``none``.
    """
    names = [
        paper.title(name)
        for name, estimate in estimates.items()
        if estimate is not None and (estimate.low > 0 if above else estimate.high < 0)
    ]
    return listed(names) or none


def listed(words: Iterable[str]) -> str:
    """Return words as a list in a sentence: "a", "a and b", "a, b and c"; "" of none."""
    *first, last = list(words) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def _is_small(estimate: Estimate, margin: float) -> bool:
    """Whether two one-sided t tests at 5 % show the mean to lie within the margin."""
    half = stats.t.ppf(0.95, estimate.n - 1) * estimate.sd / math.sqrt(estimate.n)
    return abs(estimate.mean) + half < margin
