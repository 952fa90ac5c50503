"""What a plan's study consists of: the arms that can be named by now, and what is missing."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from reglab.config import RunConfig
from reglab.data.dataset import dataset_task
from reglab.data.tasks import REGRESSION
from reglab.errors import ReglabError
from reglab.study.further import STUDIES, study_named
from reglab.study.plan import PROTOCOL, Plan
from reglab.study.protocol import Arm, Lookup, expected_runs, settings, stages


@dataclass(frozen=True)
class Outlook:
    """A study as far as it can be seen.

    Attributes:
        arms: those that can be named by now.
        missing: configs among them that are not made yet.
        total: runs in all; the most there can be unless ``exact``.
        exact: whether all arms can be named.
    """

    arms: list[Arm]
    missing: list[RunConfig]
    total: int
    exact: bool

    @property
    def needed(self) -> set[str]:
        """Keys of runs that missing ones begin with or learn from."""
        return {run.key for config in self.missing for run in config.before}

    @property
    def ready(self) -> list[RunConfig]:
        """Those missing runs that wait for no other missing one."""
        missing = {config.key for config in self.missing}
        return [it for it in self.missing if missing.isdisjoint(run.key for run in it.before)]


def outlook(plan: Plan, lookup: Lookup) -> Outlook:
    """Return what a plan's study, the protocol or a further one, consists of.

    Args:
        lookup: gives the finished runs among some configs, by key (e.g. `RunStore.load`).

    Raises:
        ReglabError: no such study, or a further one before the protocol has chosen its settings.
    """
    if plan.study != PROTOCOL:
        return _further(plan, lookup)
    arms, missing = stages(plan, lookup)
    last = "fair" if plan.profile.fair else "factorial"  # a study of the last stage
    exact = any(arm.study == last for arm in arms)
    known = len({arm.config.key for arm in arms})
    return Outlook(arms, missing, known if exact else max(known, expected_runs(plan)), exact)


def own_configs(plan: Plan, lookup: Lookup) -> list[RunConfig]:
    """Return the runs of a study that the protocol does not have, each once.

    Arguments and errors as `outlook`; all runs where the study is the protocol.
    """
    configs = {arm.config.key: arm.config for arm in outlook(plan, lookup).arms}
    if plan.study == PROTOCOL:
        return list(configs.values())
    protocol = outlook(dataclasses.replace(plan, study=PROTOCOL), lookup).arms
    shared = {arm.config.key for arm in protocol}
    return [config for key, config in configs.items() if key not in shared]


def _further(plan: Plan, lookup: Lookup) -> Outlook:
    study = study_named(plan.study)
    if study.labels and dataset_task(plan.dataset, plan.profile.source) == REGRESSION:
        others = ", ".join(name for name, one in STUDIES.items() if not one.labels)
        raise ReglabError(
            f"{plan.dataset}: the study {plan.study} needs classes, and these are numbers to "
            f"predict; take one of {others}"
        )
    chosen = settings(plan, lookup)
    if chosen is None:
        raise ReglabError(
            f"{plan.dataset}: the study {plan.study} takes the settings that the protocol chose, "
            f"and the {plan.profile.name} profile has not chosen yet; first run `reglab reproduce "
            f"--dataset {plan.dataset} --profile {plan.profile.name}`"
        )
    arms = [
        arm
        for seed in plan.evaluation_seeds
        for arm in study.arms(plan.baseline(seed, chosen.lr), chosen)
    ]
    configs = {arm.config.key: arm.config for arm in arms}
    recorded = lookup(list(configs.values()))
    missing = [config for key, config in configs.items() if key not in recorded]
    return Outlook(arms, missing, len(configs), exact=True)
