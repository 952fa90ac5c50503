"""What others report of the three techniques, beside the paper's numbers and ours.

Their figures are typed in, each as its source has it; ours and the paper's are computed.
Differences are in points of test accuracy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from reglab import paper
from reglab.pages import display
from reglab.results import gains

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
        pair = f"{self.before:.2f} → {self.after:.2f} ({self.after - self.before:+.2f})"
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


def table(studies: Mapping[str, pd.DataFrame]) -> display.Shown:
    """Return a row a figure: what is reported, from how many runs, the paper's and ours."""
    rows = [_row(one, studies) for one in REPORTED]
    return display.show(
        pd.DataFrame(rows),
        "What others report, in percent of test images, with the gain in points; the paper's gain, "
        "and ours with its 95 % interval and number of seeds.",
    )


def _row(one: Reported, studies: Mapping[str, pd.DataFrame]) -> dict[str, str | None]:
    ours = printed = None
    if one.dataset in studies:
        gain = gains.gain(studies[one.dataset], one.treated, one.control)
        printed = gain.paper or None
        if gain.estimate is not None:
            ours = f"{gain.estimate.mean:+.2f} ± {gain.estimate.half_width:.2f} "
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
