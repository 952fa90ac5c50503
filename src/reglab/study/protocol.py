"""The protocol as data: studies, arms, selection; which runs are still to be made.

Staged: the learning rate is chosen first, then lambda and p under it, then the factorial and the
other evaluation arms run with what was chosen. `next_configs` is a pure function of the records,
and the choices are functions of validation figures only (`Validation` holds nothing else).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from reglab.config import RunConfig
from reglab.record import RunRecord
from reglab.study.profiles import (
    ADAMW_RATES,
    DROP_RATES,
    PAPER_LAMBDAS,
    PRINTED_LAMBDA,
    PRINTED_P,
    SGD_RATES,
    Profile,
)
from reglab.study.selection import Choices, select, validation_of

# Disjoint, so that no choice is made on a seed it is later judged by.
EVALUATION_SEED, SELECTION_SEED = 0, 1000

# The 2^3 factorial, in the order of the paper's tables: (name, L2, dropout, BN).
CELLS = (
    ("none", False, False, False),
    ("l2", True, False, False),
    ("dropout", False, True, False),
    ("bn", False, False, True),
    ("l2+dropout", True, True, False),
    ("l2+bn", True, False, True),
    ("dropout+bn", False, True, True),
    ("all", True, True, True),
)


@dataclass(frozen=True)
class Plan:
    """One data set under one profile: all that the protocol needs to name its runs.

    Attributes:
        data_version: see `reglab.data.dataset.dataset_version`.
        n_train: images of the training half that are used.
        seeds: evaluation seeds, >= 1.
    """

    dataset: str
    data_version: str
    n_train: int
    profile: Profile
    device: str
    seeds: int
    precision: str = "fp32"

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


@dataclass(frozen=True)
class Arm:
    """One run's place in a study. One run may serve in several (the key decides, not the arm)."""

    study: str
    label: str
    config: RunConfig


def lr_arms(plan: Plan) -> list[Arm]:
    """Stage 1: the unregularized baseline under each learning rate and optimizer."""
    arms = []
    for seed in plan.selection_seeds:
        for lr in SGD_RATES:
            arms.append(Arm("lr", f"sgd {lr:g}", plan.baseline(seed, lr)))
        for lr in plan.profile.adamw_rates:
            config = plan.baseline(seed, lr, optimizer="adamw", l2="decoupled")
            arms.append(Arm("lr", f"adamw {lr:g}", config))
    return arms


def sweep_arms(plan: Plan, chosen: Choices) -> list[Arm]:
    """Stage 2: lambda under its three readings, and the drop rates."""
    arms = []
    for seed in plan.selection_seeds:
        plain = plan.baseline(seed, chosen.lr)
        adamw = plan.baseline(seed, chosen.adamw_lr, optimizer="adamw", l2="decoupled")
        for lam in (0.0, *plan.profile.small_lambdas, *PAPER_LAMBDAS):
            arms.append(Arm("lambda", f"coupled {lam:g}", plain.replace(lam=lam)))
        for lam in PAPER_LAMBDAS:
            config = plain.replace(lam=lam, l2="per_sample")
            arms.append(Arm("lambda", f"per_sample {lam:g}", config))
        for lam in (0.0, *PAPER_LAMBDAS):
            arms.append(Arm("lambda", f"decoupled {lam:g}", adamw.replace(lam=lam)))
        for placement, drop in product(plan.profile.placements, (0.0, *DROP_RATES)):
            changes = {"dropout": drop, "placement": placement if drop else "fc"}
            arms.append(Arm("dropout", f"{placement} {drop:g}", plain.replace(**changes)))
    return arms


def evaluation_arms(plan: Plan, chosen: Choices) -> list[Arm]:
    """Stage 3: the factorial, the paper's printed strengths, the baseline without stopping."""
    arms = []
    for seed in plan.evaluation_seeds:
        plain = plan.baseline(seed, chosen.lr)
        for name, *parts in CELLS:
            arms.append(Arm("factorial", name, _cell(plain, chosen, *parts)))
        printed_l2 = plain.replace(lam=PRINTED_LAMBDA)
        printed_dropout = plain.replace(dropout=PRINTED_P)
        arms.append(Arm("literal", f"l2={PRINTED_LAMBDA:g}", printed_l2))
        arms.append(Arm("literal", f"dropout={PRINTED_P:g}", printed_dropout))
        if plan.profile.max_epochs > plain.patience + 1:  # else stopping early cannot happen
            arms.append(Arm("no_early_stop", "none", plain.replace(patience=0)))
    arms += size_arms(plan, chosen)
    return arms + rate_arms(plan, chosen)


def size_arms(plan: Plan, chosen: Choices) -> list[Arm]:
    """No technique and each alone, on fewer images; all images are in the factorial."""
    return [
        Arm("size", f"{name} {n}", _cell(plan.baseline(seed, chosen.lr, n_train=n), chosen, *parts))
        for n in plan.profile.sizes
        if n < plan.n_train
        for seed in plan.evaluation_seeds
        for name, *parts in CELLS[:4]
    ]


def rate_arms(plan: Plan, chosen: Choices) -> list[Arm]:
    """Cells under each learning rate, on selection seeds: the fair arm chooses from all eight."""
    return [
        Arm("rate", f"{name} {lr:g}", _cell(plan.baseline(seed, lr), chosen, *parts))
        for seed in plan.selection_seeds
        for lr in SGD_RATES
        for name, *parts in CELLS
        if plan.profile.fair or name in plan.profile.rate_cells
    ]


def fair_arms(plan: Plan, chosen: Choices, rates: Mapping[str, float]) -> list[Arm]:
    """Stage 4: the factorial with each cell's own learning rate."""
    return [
        Arm("fair", name, _cell(plan.baseline(seed, rates[name]), chosen, *parts))
        for seed in plan.evaluation_seeds
        for name, *parts in CELLS
    ]


def _cell(plain: RunConfig, chosen: Choices, l2: bool, drop: bool, norm: bool) -> RunConfig:
    return plain.replace(
        lam=chosen.lam if l2 else 0.0,
        dropout=chosen.dropout if drop else 0.0,
        batch_norm=norm,
    )


Records = Mapping[str, RunRecord]
Lookup = Callable[[Sequence[RunConfig]], Records]


def stages(plan: Plan, lookup: Lookup) -> tuple[list[Arm], list[RunConfig]]:
    """Return the arms that can be named by now, and the configs still missing among them.

    A stage selects only when the one before is complete: the walk ends at the first stage with a
    run missing, and nothing missing means the whole study is done.

    Args:
        plan: data set and profile.
        lookup: gives the finished runs among some configs, by key (e.g. `RunStore.load`).
    """
    arms: list[Arm] = []
    chosen: Choices | None = None
    builders = [
        lambda: lr_arms(plan),
        lambda: sweep_arms(plan, chosen),
        lambda: evaluation_arms(plan, chosen),
    ]
    if plan.profile.fair:
        builders.append(lambda: fair_arms(plan, chosen, _fair_rates(arms, records)))
    records: dict[str, RunRecord] = {}
    for build in builders:
        stage = build()
        arms += stage
        unique = {arm.config.key: arm.config for arm in stage}
        records |= lookup(list(unique.values()))
        if missing := [config for key, config in unique.items() if key not in records]:
            return arms, missing
        chosen = choose(arms, records)
    return arms, []


def next_configs(plan: Plan, records: Records) -> list[RunConfig]:
    """Return what can run now: the missing configs of the first incomplete stage. Pure."""
    return stages(plan, lambda _: records)[1]


def choose(arms: Sequence[Arm], records: Records) -> Choices:
    """Choose learning rates, lambda and p from the validation figures of complete stages."""
    views = [(arm, validation_of(records[arm.config.key])) for arm in arms]

    def pick(field: str, by: str, keep: Callable[[Arm], bool]) -> float | None:
        candidates = [view for arm, view in views if keep(arm)]
        return select(candidates, field, by=by) if candidates else None

    def grid(study: str, prefix: str, field: str) -> float | None:
        return pick(
            field,
            "accuracy",
            lambda arm: (
                arm.study == study
                and arm.label.startswith(prefix)
                and getattr(arm.config, field) > 0
            ),
        )

    return Choices(
        lr=pick("lr", "loss", lambda arm: arm.study == "lr" and arm.config.optimizer == "sgd"),
        adamw_lr=pick(
            "lr", "loss", lambda arm: arm.study == "lr" and arm.config.optimizer == "adamw"
        ),
        lam=grid("lambda", "coupled", "lam"),
        dropout=grid("dropout", "fc", "dropout"),
    )


def _fair_rates(arms: Sequence[Arm], records: Records) -> dict[str, float]:
    rates = {}
    for name, *_ in CELLS:
        cell = [arm for arm in arms if arm.study == "rate" and arm.label.split()[0] == name]
        views = [validation_of(records[arm.config.key]) for arm in cell]
        rates[name] = select(views, "lr", by="loss")
    return rates


def expected_runs(plan: Plan) -> int:
    """Return how many runs the whole study takes at most, for a progress bar.

    A choice that is one of the paper's printed strengths saves the runs at that strength.
    """
    unprinted = min(set(DROP_RATES) - {PRINTED_P})
    guess = Choices(SGD_RATES[2], ADAMW_RATES[1], PAPER_LAMBDAS[0], unprinted)
    arms = lr_arms(plan) + sweep_arms(plan, guess) + evaluation_arms(plan, guess)
    if plan.profile.fair:
        arms += fair_arms(plan, guess, dict.fromkeys((name for name, *_ in CELLS), SGD_RATES[3]))
    return len({arm.config.key for arm in arms})
