"""A plan: one data set under one profile on one kind of device."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace

from reglab.config import DEVICES, PRECISIONS, RunConfig, shown
from reglab.data.dataset import dataset_size, dataset_version, resolve_source
from reglab.errors import ReglabError
from reglab.study.profiles import PROFILES, Profile, profile_named
from reglab.training import machine

PROTOCOL = "protocol"  # the study that a plan is of where nothing else is said
# Disjoint, so that no choice is made on a seed it is later judged by.
EVALUATION_SEED, SELECTION_SEED = 0, 1000
MOST_SEEDS = SELECTION_SEED - EVALUATION_SEED  # beyond that, arms are judged on selection seeds
_ALLOWED = {
    "dataset": "the name of a data set",
    "profile": f"one of {', '.join(PROFILES)}",
    "device": f"one of auto, {', '.join(DEVICES)}",
    "precision": f"one of {', '.join(PRECISIONS)}",
    "study": "protocol, or the name of a further study",
}


@dataclass(frozen=True)
class Plan:
    """One data set under one profile: all that the protocol needs to name its runs.

    Attributes:
        data_version: see `reglab.data.dataset.dataset_version`.
        n_train: images of the training half that are used.
        seeds: evaluation seeds, >= 1.
        study: `PROTOCOL`, or the name of a further study (`reglab.study.further`).
    """

    dataset: str
    data_version: str
    n_train: int
    profile: Profile
    device: str
    seeds: int
    precision: str = "fp32"
    study: str = PROTOCOL

    @classmethod
    def from_profile(
        cls,
        profile: Profile,
        dataset: str,
        device: str,
        seeds: int | None = None,
        precision: str | None = None,
    ) -> Plan:
        """Return the plan of a data set under a profile, for any device, here or not.

        Args:
            seeds: evaluation seeds; None = the profile's.
            precision: fp32 or bf16; None = the profile's.

        Raises:
            ReglabError: the profile's images are not here.
        """
        profile = profile.for_dataset(dataset)
        source = resolve_source(dataset, profile.source)
        size = dataset_size(dataset, source)
        return cls(
            dataset=dataset,
            data_version=dataset_version(dataset, source),
            n_train=min(size, profile.n_train or size),
            profile=profile,
            device=device,
            seeds=profile.factorial_seeds if seeds is None else seeds,
            precision=precision or profile.precision,
        )

    def baseline(self, seed: int, lr: float, **changes: object) -> RunConfig:
        """Return the unregularized run, or with ``changes`` another."""
        config = RunConfig(
            dataset=self.dataset,
            data_version=self.data_version,
            n_train=self.n_train,
            seed=seed,
            width=self.profile.width,
            lr=lr,
            max_epochs=self.profile.max_epochs,
            device=self.device,
            precision=self.precision,
        )
        return config.replace(**changes)

    @property
    def selection_seeds(self) -> range:
        """Seeds on which learning rate, lambda and p are chosen."""
        return range(SELECTION_SEED, SELECTION_SEED + self.profile.sweep_seeds)

    @property
    def evaluation_seeds(self) -> range:
        """Seeds on which the chosen settings are judged; paired across cells."""
        return range(EVALUATION_SEED, EVALUATION_SEED + self.seeds)


def make_plan(
    dataset: str,
    profile: str = "pilot",
    *,
    seeds: int | None = None,
    device: str = "auto",
    precision: str | None = None,
    study: str = PROTOCOL,
) -> Plan:
    """Return the plan of a data set under a profile on this machine.

    Args:
        dataset: a known name, or that of an own NAME.npz in the data folder.
        profile: smoke, pilot, reduced, full or paper.
        seeds: evaluation seeds, 1 to 1000; None = the profile's.
        device: auto, cpu or cuda.
        precision: fp32 or bf16; None = the profile's.
        study: the protocol, or a further study's name (`reglab.study.further`).

    Raises:
        ReglabError: an argument is not of these, or the profile's images are not here; one line.
    """
    texts = {"dataset": dataset, "profile": profile, "device": device, "study": study}
    texts |= {} if precision is None else {"precision": precision}
    for name, value in texts.items():
        if not isinstance(value, str):
            raise ReglabError(f"{name} must be {_ALLOWED[name]}, got {shown(value)}")
    if precision not in (None, *PRECISIONS):
        raise ReglabError(f"precision must be {_ALLOWED['precision']}, got {precision!r}")
    chosen = profile_named(profile)
    seeds = None if seeds is None else _count(seeds)
    plan = Plan.from_profile(chosen, dataset, machine.resolve_device(device), seeds, precision)
    return replace(plan, study=study)


def _count(seeds: object) -> int:
    """Return ``seeds`` as an int; NumPy's integers are fine, True and 3.0 are not."""
    try:
        count = 0 if isinstance(seeds, bool) else operator.index(seeds)
    except TypeError:
        count = 0
    if not 1 <= count <= MOST_SEEDS:
        raise ReglabError(f"seeds must be an integer >= 1 and <= {MOST_SEEDS}, got {shown(seeds)}")
    return count
