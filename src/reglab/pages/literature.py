"""What others report of the techniques, beside the paper's numbers and ours.

Their figures are typed in, each as its source has it; ours and the paper's are computed.
Differences are in points of test accuracy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from reglab import paper
from reglab.pages import display
from reglab.results import augmentation, criteria, distillation, gains, pruning, recorded
from reglab.stats import Estimate
from reglab.study.further.distillation import CONTROL

UNKNOWN, MISSING = "not known to us", "not measured"
TAUGHT = ("half taught", CONTROL)  # half as wide as its teacher, at temperature 4


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
    Reported(
        "dropout over none", "Zaremba et al. (2014)", "LSTM, language modelling and more", None,
        None, "much less overfitting, if connections over time are left alone", UNKNOWN,
        "sotu", "dropout", "none",
    ),
    Reported(
        "dropout over none", "Zhang & Wallace (2017)", "one-layer CNN, nine sets of sentences",
        None, None, "little, as from a limit on the norm of the weights", UNKNOWN,
        "sotu", "dropout", "none",
    ),
    Reported(
        "BN over none", "Ismail Fawaz et al. (2019)", "several networks, 97 sets of time series",
        None, None, "the two that do best on univariate series have BN", "8,730 in all",
        "watch", "bn", "none",
    ),
)  # fmt: skip
# What is beside these is no gain of a cell of the factorial, but of another study.
PRECHELT = {
    "what": "slow over fast stopping criteria",
    "source": "Prechelt (1998)",
    "network and data": "multi-layer perceptrons, 12 problems",
    "reported": "generalization better by about 4 %, for about 4 times the training time",
    "runs": "1,296 in all",
}
HERNANDEZ = {
    "what": "L2 + dropout over none, both with augmentation",
    "source": "Hernández-García & König (2018)",
    "network and data": "several networks for object recognition",
    "reported": "none does as well, or better",
    "runs": UNKNOWN,
}
HAN = {
    "what": "a pruned network over a dense one",
    "source": "Han et al. (2015)",
    "network and data": "AlexNet, ImageNet",
    "reported": "a ninth of the parameters, without loss of accuracy",
    "runs": UNKNOWN,
}
STANTON = {
    "what": "a student and its teacher",
    "source": "Stanton et al. (2021)",
    "network and data": "not named in their abstract",
    "reported": "students can gain, and yet often differ much from their teachers; "
    "those closer to them are not always better",
    "runs": UNKNOWN,
}


def table(
    studies: Mapping[str, pd.DataFrame],
    further: Callable[[str], Mapping[str, pd.DataFrame]] = recorded.further,
) -> display.Shown:
    """Return a row a figure: what is reported, from how many runs, the paper's and ours.

    Args:
        studies: recorded studies by data set.
        further: gives a further study's runs, by its name, by data set.
    """
    rows = [_row(one, studies) for one in REPORTED]
    for reported, study, ours in (
        (PRECHELT, "early_stopping", _stopping),
        (HERNANDEZ, "augmentation", _augmented),
        (HAN, "pruning", _pruned),
        (STANTON, "distillation", _taught),
    ):
        found = [f"{paper.title(name)}: {ours(frame)}" for name, frame in further(study).items()]
        rows.append(reported | {"paper": None, "ours": "; ".join(found) or None})
    return display.show(
        pd.DataFrame(rows),
        "What others report, in percent of test images, with the gain in points; the paper's gain, "
        "and ours with its 95 % interval and number of seeds. Of stopping criteria: the change of "
        "test loss and of test error in percent of themselves, and how many times the epochs, from "
        "the fastest to the slowest of each family, mean of four families and eight networks.",
    )


def _stopping(frame: pd.DataFrame) -> str:
    """Return what slow criteria bring in one data set's runs that were not stopped."""
    found = criteria.slow_against_fast(frame)
    if found["loss"] is None:
        return MISSING
    loss, error = (f"{_size(found[it], 1)} %" for it in ("loss", "error"))
    time = f"{found['time'].mean:.1f} ± {found['time'].half_width:.1f}"
    return f"loss {loss}, error {error}, {time} times the epochs (n = {found['time'].n})"


def _augmented(frame: pd.DataFrame) -> str:
    """Return what L2 and dropout bring with augmentation, and beside it without."""
    found = [augmentation.cell_gain(frame, "l2+dropout", augmented=on) for on in (True, False)]
    if any(one is None for one in found):
        return MISSING
    with_it, without = map(_size, found)
    return f"{with_it}, and {without} without augmentation (n = {found[0].n})"


def _pruned(frame: pd.DataFrame) -> str:
    """Return what is lost, or gained, with a tenth of the weights."""
    found = pruning.against_dense(frame, 0.9)
    if found is None:
        return MISSING
    return f"{_size(found)} with a tenth of the weights (n = {found.n})"


def _taught(frame: pd.DataFrame) -> str:
    """Return what a student of half the width gains, and how often it agrees."""
    found, agreed = distillation.gain(frame, "half"), distillation.agreement(frame, *TAUGHT)
    if found is None or agreed.empty:
        return MISSING
    return f"{_size(found)}, agreeing on {agreed.mean():.1f} % of test images (n = {found.n})"


def _size(one: Estimate, digits: int = 2) -> str:
    return f"{one.mean:+z.{digits}f} ± {one.half_width:.{digits}f}"


def _row(one: Reported, studies: Mapping[str, pd.DataFrame]) -> dict[str, str | None]:
    ours = printed = None
    if one.dataset in studies:
        gain = gains.gain(studies[one.dataset], one.treated, one.control)
        printed = gain.paper or None
        if gain.estimate is not None:
            ours = f"{_size(gain.estimate)} ({paper.title(one.dataset)}, n = {gain.estimate.n})"
    return {
        "what": one.what,
        "source": one.source,
        "network and data": one.setting,
        "reported": one.said,
        "runs": one.runs,
        "paper": printed,
        "ours": ours,
    }
