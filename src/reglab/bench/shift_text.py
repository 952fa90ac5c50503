"""The measurement of drifting noise (`reglab.bench.shift`) as a table and as sentences."""

from __future__ import annotations

import pandas as pd

from reglab import stats
from reglab.bench.shift import NETWORKS
from reglab.pages.clauses import Said, clause, grouped, listed, points

MEASURES = {
    "input_shift": "shift of layers' inputs, %",
    "gradient_shift": "internal covariate shift, %",
    "predictiveness": "change of the gradient ahead, %",
    "train_loss": "training loss at the end",
    "test_acc": "test accuracy, %",
}


def values(measured: dict, network: str, measure: str) -> dict[int, float]:
    """Return a measure of a network's runs by seed; in percent, but for the loss, in nats.

    The shift of inputs is in percent of their deviation, the two of gradients in percent of theirs.
    """
    scale = 1 if measure == "train_loss" else 100
    return dict(enumerate(scale * run[measure] for run in measured["runs"][network]))


def difference(measured: dict, treated: str, control: str, measure: str) -> stats.Estimate:
    """Return treated minus control over seeds with its 95 % interval."""
    return stats.paired_difference(
        values(measured, treated, measure), values(measured, control, measure)
    )


def table(measured: dict) -> pd.DataFrame:
    """Return every measure of every network, mean and interval over seeds."""
    return pd.DataFrame(
        [
            {"network": label}
            | {
                title: stats.mean_interval(list(values(measured, network, measure).values()))
                for measure, title in MEASURES.items()
            }
            for network, label in NETWORKS.items()
        ]
    )


def findings(measured: dict) -> Said:
    """Return what BN does to the measures, and whether noise that undoes it costs the training."""
    measures = {name: title for name, title in MEASURES.items() if name != "test_acc"}
    treated = {"bn": "with BN"} | {noisy: NETWORKS[noisy] for noisy in measured["noise"]}
    parts = {
        f"The network {words}, against that without BN": _said(measured, name, "plain", measures)
        for name, words in treated.items()
    }
    loss = {"train_loss": MEASURES["train_loss"]}
    parts |= {
        f"The network {NETWORKS[noisy]}, against that with BN alone": _said(
            measured, noisy, "bn", loss
        )
        for noisy in measured["noise"]
    }
    return grouped(parts)


def conclusion(measured: dict) -> Said:
    """Return what follows for "reduces the internal covariate shift", whichever way it came out.

    The explanation needs that a network whose layers' inputs move more does not train better. A
    noisy network speaks against it where both are shown: larger shift, smaller loss than without
    BN. It is in accord with it where the larger shift goes with no smaller loss.
    """
    shifts = [difference(measured, noisy, "plain", "input_shift") for noisy in measured["noise"]]
    losses = [difference(measured, noisy, "plain", "train_loss") for noisy in measured["noise"]]
    kinds: dict[str, list[str]] = {"against": [], "for": [], "open": [], "no test": []}
    for noisy, shift, loss in zip(measured["noise"], shifts, losses, strict=True):
        kinds[_kind(shift, loss)].append(f"the network {NETWORKS[noisy]}")
    steady = difference(measured, "bn", "plain", "input_shift")
    return points(
        _steadier(steady),
        *(_with(networks, _SAID[kind]) for kind, networks in kinds.items()),
    )


_SAID = {
    "against": "had inputs that moved more than those of the network without BN, and still ended "
    "at a lower training loss: what helped it cannot have been that its inputs held still",
    "for": "had inputs that moved more, and ended at a higher training loss than the network "
    "without BN: there, unsteady inputs and slow training went together",
    "open": "had inputs that moved more; whether it ended at another training loss than the "
    "network without BN is not decided by these seeds",
    "no test": "is not shown to have inputs that moved more than those of the network without BN, "
    "so that it tests nothing",
}


def _kind(shift: stats.Estimate, loss: stats.Estimate) -> str:
    if not shift.low > 0:
        return "no test"
    return "against" if loss.high < 0 else "for" if loss.low > 0 else "open"


def _steadier(estimate: stats.Estimate) -> str:
    less, more = "moved less", "moved more"
    if estimate.high < 0:
        return f"layers' inputs {less} with BN than without, by this measure"
    if estimate.low > 0:
        return f"layers' inputs {more} with BN than without, by this measure"
    return "whether layers' inputs move less with BN is not decided by these seeds"


def _with(networks: list[str], finding: str) -> str:
    return f"{listed(networks)} {finding}" if networks else ""


def _said(measured: dict, treated: str, control: str, measures: dict[str, str]) -> list[str]:
    return [
        f"{title}: {_clause(difference(measured, treated, control, name))}"
        for name, title in measures.items()
    ]


def _clause(estimate: stats.Estimate) -> str:
    return clause(estimate, up="larger by", down="smaller by", unit="")


def source(measured: dict) -> str:
    """Return what was run, and by which versions, in a line."""
    config, seeds = measured["config"], len(measured["runs"]["plain"])
    return (
        f"CIFAR-10, {config['n_train']:,} images of the sample, width {config['width']}, learning "
        f"rate {config['lr']:g}, {config['max_epochs']} epochs; measured at every "
        f"{measured['measured_every']}th step; {seeds} seeds; torch {measured['torch']}; reglab "
        f"{measured['code_version']}"
    )
