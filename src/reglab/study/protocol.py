"""The protocol as data: studies, arms, selection; which runs are still to be made.

Staged: the learning rate is chosen first, then lambda and p under it, then the factorial and the
other evaluation arms run with what was chosen. `next_configs` is a pure function of the records,
and the choices are functions of validation figures only (`Validation` holds nothing else).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from reglab.cells import CELL_ORDER, CELLS
from reglab.config import RunConfig
from reglab.record import RunRecord
from reglab.study.plan import Plan
from reglab.study.profiles import (
    ADAMW_RATES,
    DROP_RATES,
    PAPER_LAMBDAS,
    PRINTED_LAMBDA,
    PRINTED_P,
    SGD_RATES,
)
from reglab.study.selection import Choices, select, validation_of


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One run's place in a study. One run may serve in several (the key decides, not the arm).

    Attributes:
        study: lr, lambda, dropout, factorial, literal, no_early_stop, size, rate or fair; or the
            name of a further study (`reglab.study.further`).
        config: the run.
        cell: of the factorial, where the study has cells.
        reading: of lambda, in the sweep of it.
        place: of dropout, in the sweep of it (at a drop rate of zero too, where no unit is dropped
            anywhere and the config has "fc").
        strength: lambda, drop rate or batch size, where the study is about one.
        variant: what else the study varies, as its config calls it.
    """

    study: str
    config: RunConfig
    cell: str | None = None
    reading: str | None = None
    place: str | None = None
    strength: float | None = None
    variant: str | None = None

    @property
    def label(self) -> str:
        """The arm in short, e.g. "coupled 0.1": what tables are grouped by. Nothing parses it."""
        if self.study == "lr":
            return f"{self.config.optimizer} {self.config.lr:g}"
        if self.study in ("lambda", "dropout"):
            return f"{self.reading or self.place} {self.strength:g}"
        if self.study == "literal":
            return f"{self.cell}={self.strength:g}"
        if self.study == "size":
            return f"{self.cell} {self.config.n_train}"
        if self.study == "rate":
            return f"{self.cell} {self.config.lr:g}"
        strength = None if self.strength is None else f"{self.strength:g}"
        parts = (self.cell, self.variant, self.place, strength)
        return " ".join(part for part in parts if part is not None)


def lr_arms(plan: Plan) -> list[Arm]:
    """Stage 1: the unregularized baseline under each learning rate and optimizer."""
    arms = []
    for seed in plan.selection_seeds:
        for lr in SGD_RATES:
            arms.append(Arm(study="lr", config=plan.baseline(seed, lr)))
        for lr in plan.profile.adamw_rates:
            config = plan.baseline(seed, lr, optimizer="adamw", l2="decoupled")
            arms.append(Arm(study="lr", config=config))
    return arms


def sweep_arms(plan: Plan, chosen: Choices) -> list[Arm]:
    """Stage 2: lambda under its three readings, and the drop rates."""
    arms = []

    def add_lambda(config: RunConfig) -> None:
        arms.append(Arm(study="lambda", config=config, reading=config.l2, strength=config.lam))

    for seed in plan.selection_seeds:
        plain = plan.baseline(seed, chosen.lr)
        adamw = plan.baseline(seed, chosen.adamw_lr, optimizer="adamw", l2="decoupled")
        for lam in (0.0, *plan.profile.small_lambdas, *PAPER_LAMBDAS):
            add_lambda(plain.replace(lam=lam))
        for lam in PAPER_LAMBDAS:
            add_lambda(plain.replace(lam=lam, l2="per_sample"))
        for lam in (0.0, *PAPER_LAMBDAS):
            add_lambda(adamw.replace(lam=lam))
        for placement, drop in product(plan.profile.placements, (0.0, *DROP_RATES)):
            config = plain.replace(dropout=drop, placement=placement if drop else "fc")
            arms.append(Arm(study="dropout", config=config, place=placement, strength=drop))
    return arms


def evaluation_arms(plan: Plan, chosen: Choices) -> list[Arm]:
    """Stage 3: the factorial, the paper's printed strengths, the baseline without stopping."""
    arms = []
    for seed in plan.evaluation_seeds:
        plain = plan.baseline(seed, chosen.lr)
        for name, *parts in CELLS:
            arms.append(Arm(study="factorial", config=_cell(plain, chosen, *parts), cell=name))
        printed = (("l2", "lam", PRINTED_LAMBDA), ("dropout", "dropout", PRINTED_P))
        for name, field, strength in printed:
            config = plain.replace(**{field: strength})
            arms.append(Arm(study="literal", config=config, cell=name, strength=strength))
        if plan.profile.max_epochs > plain.patience + 1:  # else stopping early cannot happen
            arms.append(Arm(study="no_early_stop", config=plain.replace(patience=0), cell="none"))
    arms += size_arms(plan, chosen)
    return arms + rate_arms(plan, chosen)


def size_arms(plan: Plan, chosen: Choices) -> list[Arm]:
    """No technique and each alone, on fewer images; all images are in the factorial."""
    return [
        Arm(
            study="size",
            config=_cell(plan.baseline(seed, chosen.lr, n_train=n), chosen, *parts),
            cell=name,
        )
        for n in plan.profile.sizes
        if n < plan.n_train
        for seed in plan.evaluation_seeds
        for name, *parts in CELLS[:4]
    ]


def rate_arms(plan: Plan, chosen: Choices) -> list[Arm]:
    """Cells under each learning rate, on selection seeds: the fair arm chooses from all eight."""
    return [
        Arm(study="rate", config=_cell(plan.baseline(seed, lr), chosen, *parts), cell=name)
        for seed in plan.selection_seeds
        for lr in SGD_RATES
        for name, *parts in CELLS
        if plan.profile.fair or name in plan.profile.rate_cells
    ]


def fair_arms(plan: Plan, chosen: Choices, rates: Mapping[str, float]) -> list[Arm]:
    """Stage 4: the factorial with each cell's own learning rate."""
    return [
        Arm(study="fair", config=_cell(plan.baseline(seed, rates[name]), chosen, *parts), cell=name)
        for seed in plan.evaluation_seeds
        for name, *parts in CELLS
    ]


def _cell(plain: RunConfig, chosen: Choices, l2: bool, drop: bool, norm: bool) -> RunConfig:
    return plain.replace(
        lam=chosen.lam if l2 else 0.0,
        dropout=chosen.dropout if drop else 0.0,
        batch_norm=norm,
    )


def in_cell(plain: RunConfig, chosen: Choices, name: str) -> RunConfig:
    """Return a run of the factorial's cell ``name``, from the unregularized one of its seed."""
    (parts,) = (parts for cell, *parts in CELLS if cell == name)
    return _cell(plain, chosen, *parts)


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


def settings(plan: Plan, lookup: Lookup) -> Choices | None:
    """Return what the protocol's selection runs chose; None while one of them is missing."""
    arms, _ = stages(plan, lookup)
    if not any(arm.study == "factorial" for arm in arms):
        return None
    selection = [arm for arm in arms if arm.study in ("lr", "lambda", "dropout")]
    return choose(selection, lookup([arm.config for arm in selection]))


def choose(arms: Sequence[Arm], records: Records) -> Choices:
    """Choose learning rates, lambda and p from the validation figures of complete stages.

    Rates by validation loss; lambda and p by validation accuracy (of a regression, loss), among
    strengths above zero: the coupled reading, dropout after the hidden layer.
    """

    def pick(field: str, criterion: str, keep: Callable[[Arm], bool]) -> float | None:
        views = [validation_of(records[arm.config.key]) for arm in arms if keep(arm)]
        return select(views, field, criterion=criterion) if views else None

    def rate(optimizer: str) -> Callable[[Arm], bool]:
        return lambda arm: arm.study == "lr" and arm.config.optimizer == optimizer

    def is_penalty(arm: Arm) -> bool:
        return arm.study == "lambda" and arm.reading == "coupled" and arm.strength > 0

    def is_drop(arm: Arm) -> bool:
        return arm.study == "dropout" and arm.place == "fc" and arm.strength > 0

    return Choices(
        lr=pick("lr", "loss", rate("sgd")),
        adamw_lr=pick("lr", "loss", rate("adamw")),
        lam=pick("lam", "score", is_penalty),
        dropout=pick("dropout", "score", is_drop),
    )


def _fair_rates(arms: Sequence[Arm], records: Records) -> dict[str, float]:
    rates = {}
    for name in CELL_ORDER:
        runs = [arm.config.key for arm in arms if arm.study == "rate" and arm.cell == name]
        rates[name] = select([validation_of(records[key]) for key in runs], "lr", criterion="loss")
    return rates


def expected_runs(plan: Plan) -> int:
    """Return how many runs the whole study takes at most, for a progress bar.

    A choice that is one of the paper's printed strengths saves the runs at that strength.
    """
    unprinted = min(set(DROP_RATES) - {PRINTED_P})
    guess = Choices(SGD_RATES[2], ADAMW_RATES[1], PAPER_LAMBDAS[0], unprinted)
    arms = lr_arms(plan) + sweep_arms(plan, guess) + evaluation_arms(plan, guess)
    if plan.profile.fair:
        arms += fair_arms(plan, guess, dict.fromkeys(CELL_ORDER, SGD_RATES[3]))
    return len({arm.config.key for arm in arms})
