"""What a further study is: a question, and the runs of one evaluation seed that answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reglab.config import RunConfig
from reglab.data.sources import KNOWN
from reglab.study.protocol import Arm
from reglab.study.selection import Choices


@dataclass(frozen=True)
class Study:
    """A further study.

    Attributes:
        name: what ``--study`` takes, and the folder of its recorded runs.
        question: what it asks, one sentence.
        arms: the arms of one seed, from that seed's unregularized baseline under the chosen rate
            and all that the protocol chose. Arms that the protocol has as well are listed too: the
            key decides, and no run is made twice.
        datasets: those that "all" stands for; any other can be asked for by name.
        labels: whether it is of classes alone: of accuracies, confidence, or a teacher's view.
    """

    name: str
    question: str
    arms: Callable[[RunConfig, Choices], list[Arm]]
    datasets: tuple[str, ...] = KNOWN
    labels: bool = True
