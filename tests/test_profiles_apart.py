"""Two recorded profiles: what the better one lacks is judged at the other, and each is said.

The better one is made of the recorded runs: other accuracies, one seed a sweep, no study of sizes
and none of learning rates, as the profile full has it.
"""

import copy

import pytest
from apart_runs import read
from test_ledger_apart import RESULTS, best_of, disagreements, second_ledger

from reglab import verdicts
from reglab.results import recorded


def less(seed, batch_norm, lam):
    """What the made-up profile's accuracies lie below the recorded ones."""
    return 0.01 * ((3 * seed + 5 * batch_norm + (lam > 0)) % 4)


def better_frame(frame):
    kept = frame[~frame["study"].isin(["size", "rate"]) & (frame["seed"] <= 1000)]
    by = [less(*each) for each in zip(kept["seed"], kept["batch_norm"], kept["lam"], strict=True)]
    return kept.assign(
        profile="full",
        test_acc=kept["test_acc"] - by,
        last_test_acc=kept["last_test_acc"] - by,
    )


def better_runs(records):
    kept = copy.deepcopy([record for record in records if _kept(record["config"])])
    for record in kept:
        config = record["config"]
        for scores in (record["best"], record["last"]):
            if scores:
                scores["accuracy"] -= less(config["seed"], config["batch_norm"], config["lam"])
    return kept


def _kept(config):
    swept = config["seed"] >= 1000
    of_rates = swept and config["batch_norm"]
    return config["seed"] <= 1000 and config["n_train"] == 10_000 and not of_rates


@pytest.fixture(scope="module")
def raw():
    reduced = best_of(read(RESULTS) | {"full": {}})
    return {"full": {name: better_runs(runs) for name, runs in reduced.items()}, "reduced": reduced}


@pytest.fixture(scope="module")
def rows():
    reduced = {name: ours[-1] for name, ours in recorded.all_profiles(RESULTS).items()}
    two = {name: [better_frame(frame), frame] for name, frame in reduced.items()}
    return {row.id: row for row in verdicts.ledger(two)}


def test_both_ledgers_agree_on_two_profiles(raw, rows):
    assert disagreements(rows.values(), second_ledger(raw, whole="full")) == []


def test_what_the_better_profile_has_is_judged_there(rows):
    for name in ("N1", "N11", "N15", "N19", "N24", "N30"):
        assert rows[name].profile == "full"
    assert "at the profile reduced" in {other.name for other in rows["N11"].others}


@pytest.mark.parametrize("name", ["N6", "N8", "N27"])
def test_what_it_lacks_is_judged_at_the_other_and_said(rows, name):
    row = rows[name]
    assert (row.profile, row.by_runs != "not testable") == ("reduced", True)
    assert "as full has no two seeds of this" in " ".join(row.runs_say)
    assert not {other.name for other in row.others if other.name.startswith("at the profile")}


def test_readings_can_be_of_two_profiles(rows):
    coupled, per_sample, _ = rows["N4"].runs_say
    assert "5 seeds, profile full" in coupled
    assert "3 seeds, profile reduced, as full has no two seeds of this" in per_sample
