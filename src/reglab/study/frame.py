"""A data set under a profile: its plan, its runs as a table, its results."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from reglab.data.tasks import REGRESSION
from reglab.errors import ReglabError
from reglab.record import RunRecord
from reglab.runs.store import RunStore
from reglab.stats import pooled
from reglab.study import measures
from reglab.study.outlook import outlook, own_configs
from reglab.study.plan import PROTOCOL, Plan
from reglab.study.protocol import Arm

CLASSES = 10  # of every data set that records without ``learned`` are of


def load_frame(plan: Plan, store: RunStore) -> pd.DataFrame:
    """Return a finished study as a table, one row per arm and run.

    Columns: ``study``, ``arm`` (its label), the fields of `reglab.study.protocol.Arm`, every config
    field, the scores at the restored epoch
    (``test_acc``, ``val_loss``, ...), those of the last epoch (``last_...``), ``test_correct``
    (which test images are classified right, packed; None if the run diverged), ``learned``,
    costs and provenance; ``history``, ``trace`` and ``probed`` are the record's, the last two None
    where it has none. Accuracies are shares in [0, 1], losses nats, times seconds. ``task`` says
    which it is: a regression has R² (``test_r2``, ...) in place of accuracies, and squared errors.

    Raises:
        ReglabError: runs are missing; it says how many and how to make them.
    """
    return frame(plan, *load_records(plan, store))


def load_records(
    plan: Plan, store: RunStore, *, partial: bool = False
) -> tuple[list[Arm], dict[str, RunRecord]]:
    """Return a finished study's arms and its runs by key; errors as `load_frame`.

    With ``partial`` an unfinished study gives the arms that can be named and the runs it has.
    """
    seen = outlook(plan, store.load)
    if seen.missing and not partial:
        further = "" if plan.study == PROTOCOL else f" --study {plan.study}"
        raise ReglabError(
            f"{plan.dataset}: the {plan.profile.name} study is not complete "
            f"({len(seen.missing)} runs of the next stage are missing in {store.root}); run "
            f"`reglab reproduce --dataset {plan.dataset} --profile {plan.profile.name}{further}`"
        )
    return seen.arms, store.load({arm.config.key: arm.config for arm in seen.arms}.values())


def load_own(plan: Plan, store: RunStore, *, partial: bool = False) -> list[RunRecord]:
    """Return a study's runs that are not the protocol's as well; all of them for the protocol.

    Arguments and errors as `load_records`.
    """
    records = load_records(plan, store, partial=partial)[1]
    own = (config.key for config in own_configs(plan, store.load))
    return [records[key] for key in own if key in records]


def frame(plan: Plan, arms: Sequence[Arm], records: dict[str, RunRecord]) -> pd.DataFrame:
    """Return one row per arm and run; see `load_frame`."""
    return pd.DataFrame([_row(plan, arm, records[arm.config.key]) for arm in arms])


def has_learned(record: RunRecord) -> bool:
    """Return whether training accuracy ever was above twice that of guessing.

    Newer records say so themselves; older ones, all of ten classes, are asked by their history.
    """
    if record.learned is not None:
        return record.learned
    if record.task == REGRESSION:
        raise ReglabError(f"the run {record.config.key} does not say whether it learned")
    return max(record.history.train_acc, default=0.0) > 2 / CLASSES


def summarize(frame: pd.DataFrame) -> pd.DataFrame:
    """Return mean, 95 % interval and n of test accuracy (percent) for every arm of every study.

    One row per dataset, study and arm with its settings; of a regression it is R² in percent, which
    ``measure`` says, and ``validation`` is of the same. Diverged runs without a finite epoch have
    none: they are counted in ``n_diverged`` and left out of the mean. Runs that did not
    learn (`has_learned`) are in it, and counted in ``n_unlearned``. The interval is Student's t
    over seeds; it is missing with one run, and where some runs learned and some did not.
    """
    settings = ["batch_norm", "dropout", "placement", "l2", "lam", "optimizer", "lr", "patience"]
    rows = []
    for (dataset, study, arm), group in frame.groupby(["dataset", "study", "arm"], sort=False):
        rows.append(_summary(group, dataset, study, arm, settings))
    return pd.DataFrame(rows)


def _summary(
    group: pd.DataFrame, dataset: str, study: str, arm: str, settings: list[str]
) -> dict[str, object]:
    measure = measures.of(group)
    kept = group.dropna(subset=measure.test)
    row = {"dataset": dataset, "profile": group["profile"].iloc[0], "study": study, "arm": arm}
    values = (100 * kept[measure.test]).tolist()
    estimate = pooled(values, kept["learned"]) if values else None
    row["measure"] = measure.name
    for name in ("mean", "low", "high", "sd"):
        row[name] = getattr(estimate, name) if estimate else None
    row |= {"n": len(values), "n_diverged": int(group["diverged"].sum())}
    row["n_unlearned"] = int((~group["learned"]).sum())
    row["validation"] = 100 * group[measure.val].astype(float).mean()
    return row | {name: group[name].iloc[0] for name in settings}


def _row(plan: Plan, arm: Arm, record: RunRecord) -> dict[str, object]:
    history, best, last = record.history, record.best, record.last
    row = {"study": arm.study, "arm": arm.label, "profile": plan.profile.name}
    fields = ("cell", "reading", "place", "strength", "variant")
    row |= {name: getattr(arm, name) for name in fields}
    row |= vars(record.config)
    row |= {"key": record.config.key, "best_epoch": record.best_epoch, "epochs": record.epochs}
    row["task"] = record.task
    for name, values in vars(history).items():
        row[name] = values[record.best_epoch - 1] if values and record.best_epoch else None
        row[f"last_{name}"] = values[-1] if values else None
    for prefix, scores in (("", best), ("last_", last)):
        row[f"{prefix}test_acc"] = scores.accuracy if scores else None
        row[f"{prefix}test_r2"] = scores.r2 if scores else None
        row[f"{prefix}test_loss"] = scores.loss if scores else None
        row[f"{prefix}test_ece"] = scores.ece if scores else None
    costs = record.costs
    epoch_seconds = sum(costs.epoch_seconds) / len(costs.epoch_seconds)
    row["test_correct"] = best.correct if best else None
    row |= {"learned": has_learned(record), "diverged": record.diverged}
    row |= {"n_params": record.n_params, "n_fit": record.n_fit}
    row |= {"seconds": costs.seconds, "seconds_per_epoch": epoch_seconds}
    row |= {"inference_ms": costs.inference_ms, "peak_memory_bytes": costs.peak_memory_bytes}
    row |= {"code_version": record.environment["code_version"]}
    row |= {"torch_version": record.environment["torch"]}
    row |= {"device_name": record.environment["device_name"]}
    trace = None if record.trace is None else record.trace.written()
    return row | {"history": history.written(), "trace": trace, "probed": record.probed}
