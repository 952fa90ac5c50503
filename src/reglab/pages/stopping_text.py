"""Early stopping on a page: what the recorded runs say of it, in sentences that follow them.

From the study *early_stopping* by data set, or from the protocol where a function says so; right
for none to all of the data sets being recorded.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from reglab import paper
from reglab.cells import CELL_NAMES, CELL_ORDER
from reglab.pages import clauses
from reglab.pages.further import missing
from reglab.results import criteria, early_stopping, stopping, tables
from reglab.results.criteria import (
    ALL,
    BY_ACCURACY,
    LAST,
    PROTOCOL,
    RULES,
    Replays,
    against,
    loss_change,
)
from reglab.results.further import contrast
from reglab.stats import Estimate

Frames = Mapping[str, pd.DataFrame]
NOT_YET = clauses.say("Not recorded yet, as said above")
SINGLE = {"no regularization": "none", "all three": "all"}


def in_short(frames: Frames, studies: Frames) -> clauses.Said:
    """Return what the runs show in a few lines: the chapter's beginning and end.

    Args:
        frames: the study *early_stopping* by data set.
        studies: the protocol's, for the network without regularization.
    """
    going_on = {
        name: stopping.unstopped_changes(study)
        for name, study in stopping.not_stopped(studies).items()
    }
    sentences = []
    if going_on:
        accuracy, loss = (
            {name: change[it] for name, change in going_on.items()} for it in ("accuracy", "loss")
        )
        words = {"up": "higher by", "down": "lower by", "unit": "nats"}
        sentences = [
            "Without regularization, to go on to the last epoch instead of stopping with a patience"
            f" of 5 {clauses.effect(accuracy, figures=True)}",
            "Test loss at the last epoch, against that of the patience of 5. "
            + clauses.by_dataset(loss, small=False, **words),
        ]
    names = {"l2": "L2", "dropout": "dropout", "bn": "batch normalization", "all": "all three"}
    for cell, words in names.items() if frames else ():
        gain = {it: early_stopping.gain(frame, cell, last=True) for it, frame in frames.items()}
        effect = clauses.effect(gain, several=cell == "all", figures=True)
        sentences.append(f"Where nothing is stopped, {words} {effect}")
    if not frames:
        sentences.append("Who still gains where nothing is stopped is not recorded yet")
    return clauses.points(*sentences)


def not_recorded(frames: Frames) -> clauses.Said:
    """Return which data sets are not recorded and how to make their runs; empty if all are."""
    return clauses.say(missing("early_stopping", frames))


def spent(studies: Frames) -> clauses.Said:
    """Return how long criteria go on with the protocol's network that was not stopped.

    Args:
        studies: finished studies by data set; those without that network are left out.
    """
    sentences = []
    for name, study in stopping.not_stopped(studies).items():
        table = criteria.on_validation(tables.arm(study, "no_early_stop", "none"))
        epochs, found = table["epochs"], table["excess"][PROTOCOL] == 0
        if epochs.empty:
            continue
        patience, gl, pq, _ = (
            (rule.label(rule.tried[0]), rule.label(rule.tried[-1])) for rule in RULES
        )
        five, most = (_level(contrast(epochs, {it: 1})) for it in (PROTOCOL, patience[1]))
        same = (epochs[gl[0]] == epochs[gl[1]]).sum()
        never, n = (epochs[pq[0]] == epochs[ALL]).sum(), len(epochs)
        sentences.append(
            f"{paper.title(name)}. A patience of 5 spends {five} of {epochs[ALL].max():.0f} epochs "
            f"and has found the lowest validation loss of all in {found.sum()} of {n} runs; "
            f"{patience[1]} spends {most}. {gl[1]} stops where {gl[0]} does in {same} of {n} runs, "
            f"and {pq[0]} never stops in {never} of {n}"
        )
    return clauses.points(*sentences)


def price(frames: Frames) -> clauses.Said:
    """Return what a patience of 5 spends and what it costs, for no technique and for all three."""
    found = {}
    for words, cell in SINGLE.items():
        replays = {name: criteria.replay(frame, (cell,)) for name, frame in frames.items()}
        found[words.capitalize()] = [
            f"A patience of 5 saves {_levels(_all(replays, 'epochs', ALL), 'epochs')}",
            f"Going on and keeping the lowest validation loss {_effect(replays, ALL)}",
            f"Going on and keeping the highest validation accuracy {_effect(replays, BY_ACCURACY)}",
            f"Going on and keeping the last epoch {_effect(replays, LAST)}",
            f"The last epoch's test loss, against that of a patience of 5. {_loss(replays, LAST)}",
        ]
    return clauses.grouped(found) if frames else NOT_YET


def families(frames: Frames) -> clauses.Said:
    """Return what the slowest criterion of each family brings over its fastest, and what it takes.

    For the mean of the eight networks.
    """
    replays = {name: criteria.replay(frame) for name, frame in frames.items()}
    sentences = []
    for rule in RULES:
        fast, slow = rule.label(rule.tried[0]), rule.label(rule.tried[-1])
        accuracy = {it: against(table, "accuracy", slow, fast) for it, table in replays.items()}
        spent = {it: against(table, "epochs", slow, fast) for it, table in replays.items()}
        sentences.append(
            f"{slow} instead of {fast} {clauses.effect(accuracy, figures=True)}; "
            f"it takes {_levels(spent, 'epochs more')}"
        )
    return clauses.points(*sentences) if frames else NOT_YET


def loss_and_accuracy(frames: Frames) -> clauses.Said:
    """Return how much later than the lowest loss the highest accuracy comes, on test images."""
    words = {"up": "later by", "down": "earlier by", "unit": "epochs"}
    sentences = []
    for name, cell in SINGLE.items():
        later = {it: early_stopping.later(frame, cell) for it, frame in frames.items()}
        sentences.append(
            f"{name}, epoch of the highest accuracy on test images against that of the lowest "
            f"loss on them. {clauses.by_dataset(later, small=False, **words)}"
        )
    return clauses.points(*sentences) if frames else NOT_YET


def gains(frames: Frames) -> clauses.Said:
    """Return of each combination what it gains, both networks stopped and neither."""
    sentences = []
    for cell in CELL_ORDER[1:] if frames else ():
        stopped, going_on = (
            clauses.effect(
                {it: early_stopping.gain(frame, cell, last=last) for it, frame in frames.items()},
                figures=True,
            )
            for last in (False, True)
        )
        sentences.append(
            f"{CELL_NAMES[cell]}. Both stopped, it {stopped}. Neither stopped, it {going_on}"
        )
    return clauses.points(*sentences) if frames else NOT_YET


def _all(replays: Mapping[str, Replays], measure: str, name: str) -> dict[str, Estimate | None]:
    return {it: against(table, measure, name) for it, table in replays.items()}


def _effect(replays: Mapping[str, Replays], name: str) -> str:
    return clauses.effect(_all(replays, "accuracy", name), figures=True)


def _loss(replays: Mapping[str, Replays], name: str) -> str:
    words = {"up": "higher by", "down": "lower by", "unit": "percent"}
    changes = {it: loss_change(table, name) for it, table in replays.items()}
    return clauses.by_dataset(changes, small=False, **words)


def _levels(estimates: Mapping[str, Estimate | None], unit: str) -> str:
    """Return "12.3 ± 1.2 epochs on MNIST and ...": figures that are no question of sign."""
    return clauses.listed(
        f"{_level(one)} {unit} on {paper.title(name)}"
        for name, one in estimates.items()
        if one is not None
    )


def _level(one: Estimate) -> str:
    return f"{one.mean:z.1f} ± {one.half_width:.1f}"
