"""What others report of the techniques, beside the paper's numbers and ours.

Their figures are typed in, each as its source has it; ours and the paper's are computed.
Differences are in points of test accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from reglab import paper
from reglab.pages import display
from reglab.results import augmentation, criteria, gains, recorded

UNKNOWN = "not known to us"


@dataclass(frozen=True)
class Reported:
    """A figure of another work.

    Attributes:
        what: which networks are compared.
        source: the work, as the page cites it.
        setting: its network and data.
        before, after: test accuracies in percent, if it has both; else None.
        words: what it says where it has no such pair.
        runs: networks behind each number.
        dataset, treated, control: our nearest comparison.
    """

    what: str
    source: str
    setting: str
    before: float | None
    after: float | None
    words: str
    runs: str
    dataset: str
    treated: str
    control: str

    @property
    def said(self) -> str:
        """What it reports, in words."""
        if self.before is None or self.after is None:
            return self.words
        pair = f"{self.before:.2f} → {self.after:.2f} ({self.after - self.before:+z.2f})"
        return f"{pair}; {self.words}" if self.words else pair


_GARBIN = ("Garbin et al. (2020)", "small CNN, CIFAR-10, augmented, RMSprop")
_CIFAR = ("1", "cifar10")
REPORTED = (
    Reported("dropout over none", *_GARBIN, 80.21, 74.26, "same rate", *_CIFAR, "dropout", "none"),
    Reported("BN over none", *_GARBIN, 80.21, 82.66, "same rate", *_CIFAR, "bn", "none"),
    Reported("BN over none", *_GARBIN, 80.21, 84.47, "best rate each", *_CIFAR, "bn", "none"),
    Reported(
        "dropout + BN over BN", *_GARBIN, 82.66, 80.02, "same rate", *_CIFAR, "dropout+bn", "bn"
    ),
    Reported(
        "dropout + BN over BN", "Li et al. (2019)", "DenseNet, CIFAR-100, dropout before BN",
        77.42, 68.55, "", UNKNOWN, "cifar10", "dropout+bn", "bn",
    ),
    Reported(
        "L2 + BN over BN", "van Laarhoven (2017)", "theory, normalized layers", None, None,
        "no regularizing effect; another effective learning rate", "–", "cifar10", "l2+bn", "bn",
    ),
    Reported(
        "L2 + dropout over L2", "Srivastava et al. (2014)", "fully connected, MNIST", 98.38, 98.75,
        "quoted from a reproduction", UNKNOWN, "mnist", "l2+dropout", "l2",
    ),
)  # fmt: skip
# Slow criteria for early stopping beside fast ones: what we have beside it is no gain of a cell.
PRECHELT = {
    "what": "slow over fast stopping criteria",
    "source": "Prechelt (1998)",
    "network and data": "multi-layer perceptrons, 12 problems",
    "reported": "generalization better by about 4 %, for about 4 times the training time",
    "runs": "1,296 in all",
    "paper": None,
}
# With augmentation, do the others still help?
HERNANDEZ = {
    "what": "L2 + dropout over none, both with augmentation",
    "source": "Hernández-García & König (2018)",
    "network and data": "several networks for object recognition",
    "reported": "none does as well, or better",
    "runs": UNKNOWN,
    "paper": None,
}


def table(
    studies: Mapping[str, pd.DataFrame],
    stopping: Mapping[str, pd.DataFrame] | None = None,
    augmented: Mapping[str, pd.DataFrame] | None = None,
) -> display.Shown:
    """Return a row a figure: what is reported, from how many runs, the paper's and ours.

    Args:
        studies: recorded studies by data set.
        stopping, augmented: the studies *early_stopping* and *augmentation* by data set; None =
            `reglab.results.recorded.further`.
    """
    stopping = recorded.further("early_stopping") if stopping is None else stopping
    augmented = recorded.further("augmentation") if augmented is None else augmented
    rows = [_row(one, studies) for one in REPORTED]
    rows.append(PRECHELT | {"ours": "; ".join(map(_stopping, stopping.values())) or None})
    rows.append(HERNANDEZ | {"ours": "; ".join(map(_augmented, augmented.values())) or None})
    return display.show(
        pd.DataFrame(rows),
        "What others report, in percent of test images, with the gain in points; the paper's gain, "
        "and ours with its 95 % interval and number of seeds. Of stopping criteria: the change of "
        "test loss and of test error in percent of themselves, and how many times the epochs, from "
        "the fastest to the slowest of each family, mean of four families and eight networks.",
    )


def _stopping(frame: pd.DataFrame) -> str:
    """Return what slow criteria bring in one data set's runs that were not stopped."""
    found, title = criteria.slow_against_fast(frame), paper.title(frame["dataset"].iloc[0])
    if found["loss"] is None:
        return f"{title}: not measured"
    loss, error = (
        f"{found[it].mean:+z.1f} ± {found[it].half_width:.1f} %" for it in ("loss", "error")
    )
    time = f"{found['time'].mean:z.1f} ± {found['time'].half_width:.1f}"
    return f"{title}: loss {loss}, error {error}, {time} times the epochs (n = {found['time'].n})"


def _augmented(frame: pd.DataFrame) -> str:
    """Return what L2 and dropout bring with augmentation, and beside it without, on a data set."""
    found = [augmentation.cell_gain(frame, "l2+dropout", augmented=on) for on in (True, False)]
    title = paper.title(frame["dataset"].iloc[0])
    if any(one is None for one in found):
        return f"{title}: not measured"
    with_it, without = (f"{one.mean:+z.2f} ± {one.half_width:.2f}" for one in found)
    return f"{title}: {with_it}, and {without} without augmentation (n = {found[0].n})"


def _row(one: Reported, studies: Mapping[str, pd.DataFrame]) -> dict[str, str | None]:
    ours = printed = None
    if one.dataset in studies:
        gain = gains.gain(studies[one.dataset], one.treated, one.control)
        printed = gain.paper or None
        if gain.estimate is not None:
            ours = f"{gain.estimate.mean:+z.2f} ± {gain.estimate.half_width:.2f} "
            ours += f"({paper.title(one.dataset)}, n = {gain.estimate.n})"
    return {
        "what": one.what,
        "source": one.source,
        "network and data": one.setting,
        "reported": one.said,
        "runs": one.runs,
        "paper": printed,
        "ours": ours,
    }
