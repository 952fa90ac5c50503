"""Where a study stands: what is done, what is left, and about how many hours of a core that is."""

from __future__ import annotations

from dataclasses import dataclass

from reglab.config import RunConfig
from reglab.runs.progress import roughly
from reglab.runs.store import RunStore
from reglab.study.outlook import outlook
from reglab.study.plan import PROTOCOL, Plan
from reglab.study.profiles import run_seconds


@dataclass(frozen=True)
class Standing:
    """One data set under a profile, as a store has it.

    Attributes:
        done, total: runs; ``total`` is the most there can be unless ``exact``.
        exact: whether all arms can be named.
        blocks: evaluation seeds of which every run is there, and how many there will be.
        core_seconds: what the finished runs took, all together.
        left_seconds: what the rest would take at their mean, or at the profile's where none is.
        left_images: images that the rest is trained on if no run stops early.
        study: the protocol, or a further one.
    """

    dataset: str
    profile: str
    done: int
    total: int
    exact: bool
    blocks: tuple[int, int]
    core_seconds: float
    left_seconds: float
    left_images: int
    study: str

    def __str__(self) -> str:
        most = "" if self.exact else "up to "
        left = self.total - self.done
        study = "" if self.study == PROTOCOL else f", study {self.study}"
        text = (
            f"{self.dataset} ({self.profile}{study}): {self.done} of {most}{self.total} runs done"
        )
        text += f" ({roughly(self.core_seconds)} of one core)" if self.done else ""
        text += f", {self.blocks[0]} of {self.blocks[1]} evaluation seeds complete"
        if not left:
            return text
        text += f"; {most}{left} left, about {roughly(self.left_seconds)}"
        if not self.exact:
            return text
        return f"{text} (at most {self.left_images / 1e6:.1f} million images trained on)"


def survey(plan: Plan, store: RunStore) -> Standing:
    """Return where a plan stands; nothing is trained."""
    seen = outlook(plan, store.load)
    keys = {arm.config.key: arm.config for arm in seen.arms}
    absent = {config.key for config in seen.missing}
    records = store.load(config for key, config in keys.items() if key not in absent)
    exact, total = seen.exact, seen.total
    seconds = sum(record.costs.seconds for record in records.values())
    each = seconds / len(records) if records else run_seconds(plan.profile.name, plan.dataset)
    judged = [arm for arm in seen.arms if exact and arm.config.seed in plan.evaluation_seeds]
    lacking = {arm.config.seed for arm in judged if arm.config.key not in records}
    complete = len(plan.evaluation_seeds) - len(lacking) if judged else 0
    return Standing(
        plan.dataset,
        plan.profile.name,
        len(records),
        total,
        exact,
        (complete, len(plan.evaluation_seeds)),
        seconds,
        each * (total - len(records)),
        sum(map(_images, seen.missing)),
        plan.study,
    )


def _images(config: RunConfig) -> int:
    """Return how many images a run is trained on if it does not stop early, about."""
    return round(config.n_train * (1 - config.val_fraction)) * config.max_epochs
