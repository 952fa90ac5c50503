"""The recorded ledger against a second one, made from the raw records by other code.

`apart.py` has the statistics and the decisions, `apart_claims.py` what each claim compares, from
its words and not from its rules.
"""

import copy
import math
import re
from pathlib import Path

import numpy as np
import pytest
from apart import (
    CHOSEN,
    Runs,
    charitable,
    claim_p,
    estimate,
    holm,
    least_favourable,
    p_against,
    p_for,
    p_small,
    read,
    verdict,
)
from apart_claims import FAMILIES, NOTHING_TO_MEASURE, Claims

from reglab import paper, verdicts
from reglab.results import recorded
from reglab.verdicts import judging

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "book" / "results"


def second_ledger(raw, whole=None):
    """Return by claim: the word, the estimate with its bounds and n, and what else would differ."""
    claims = _claims(raw, whole)
    asked = claims.all()
    seen = {name: _with_runs(readings.values()) for name, readings in asked.items()}
    adjusted = _adjusted({name: readings for name, readings in seen.items() if readings})
    beside = claims.beside()
    return {
        name: _row(asked[name], readings, adjusted.get(name), beside.get(name, {}))
        for name, readings in seen.items()
    }


def _claims(raw, whole=None):
    return Claims({name: Runs(name, records, whole) for name, records in raw.items()})


def _adjusted(asked):
    """Return each claim's p-value after Holm's correction within its family."""
    adjusted = {}
    for family in map(str.split, FAMILIES):
        adjusted |= holm({name: claim_p(asked[name]) for name in family if name in asked})
    return adjusted


def _with_runs(readings):
    kept = [[contrast for contrast in reading if contrast.values] for reading in readings]
    return [reading for reading in kept if reading]


def _row(asked, readings, adjusted, beside):
    if not readings:
        return ("not testable", (None,) * 4, {})
    contrasts = [contrast for reading in asked.values() for contrast in reading]
    word = verdict(readings, adjusted)
    complete = all(contrast.values for contrast in contrasts)
    refuted = word == "refuted" and len(readings) == len(asked)
    if any(c.levels and not c.whole for c in contrasts) or not (complete or refuted):
        word = "not testable"
    others = {}
    for name, other in beside.items():
        if all(contrast.values for contrast in other):
            said, (mean, _, high, _) = verdict([other], claim_p([other])), least_favourable(other)
            others |= {name: (said, mean, high - mean)} if said != word else {}
    return (word, least_favourable(charitable(readings)), others)


def disagreements(rows, second):
    """Return one line for each figure or word in which the two ledgers differ."""
    lines = []
    for row in rows:
        word, figures, others = second.get(row.id, ("not testable", (None,) * 4, {}))
        ours = (row.estimate, row.low, row.high, row.n_seeds)
        if row.by_runs != word:
            lines.append(f"{row.id}: {row.by_runs}, apart {word}")
        if not all(map(_alike, ours, figures)):
            lines.append(f"{row.id}: {ours}, apart {figures}")
        said = dict(map(_parsed, row.differs))
        for name in sorted(said.keys() | others.keys()):
            one, two = said.get(name, ("the same",)), others.get(name, ("the same",))
            if one[0] != two[0] or not all(map(_printed_alike, one[1:], two[1:])):
                lines.append(f"{row.id}, {name}: {one}, apart {two}")
    return lines


def _parsed(text):
    name, word, mean, half = re.fullmatch(r"(.*): ([a-z ]+) \((\S+)(?: ± (\S+))?\)", text).groups()
    return name, (word, float(mean), float(half) if half else None)


def _printed_alike(one, two):
    return _alike(one, two, 0.0051)  # two decimals


def _alike(one, two, within=1e-4):
    one, two = (None if x is None or math.isnan(x) else x for x in (one, two))
    return one is two if None in (one, two) else abs(one - two) <= within


@pytest.fixture(scope="module")
def raw():
    return read(RESULTS)


@pytest.fixture(scope="module")
def studies():
    return recorded.studies(RESULTS)


@pytest.fixture(scope="module")
def rows(studies):
    return verdicts.ledger(studies)


def test_every_number_and_verdict_by_runs_comes_out_again(raw, rows):
    second = second_ledger(raw)
    assert {row.id for row in rows} == NOTHING_TO_MEASURE | set(second)
    assert not NOTHING_TO_MEASURE & set(second)
    assert disagreements(rows, second) == []


@pytest.mark.parametrize("whole", [False, True])
def test_every_comparison_behind_a_verdict_comes_out_again(raw, studies, whole):
    """Not only the least favourable one: mean and p-values of each, and each claim's p-value."""
    profile = "full" if whole else "reduced"
    named = {name: study.assign(profile=profile) for name, study in studies.items()}
    claims = paper.contents()["claims"]
    tried = {claim["id"]: judging.attempt(claim["by_runs"], named).readings for claim in claims}
    ours = _claims(raw, whole).all()
    for name, readings in ours.items():
        for one, two in zip(readings.values(), tried[name], strict=True):
            both = sorted(map(_tests, one)), sorted(map(_their_tests, two.contrasts))
            np.testing.assert_allclose(*both, rtol=0, atol=1e-6, err_msg=name)
    p_values = {name: judging.p_of(readings) for name, readings in tried.items() if readings}
    theirs = judging.adjust(p_values, judging.families(claims))
    expected = _adjusted({name: [*readings.values()] for name, readings in ours.items()})
    assert set(theirs) == set(expected)
    for name, pair in theirs.items():
        assert pair == pytest.approx(expected[name]), name


def _tests(contrast):
    return estimate(contrast)[0], p_for(contrast), p_against(contrast), p_small(contrast)


def _their_tests(contrast):
    return contrast.estimate.mean, contrast.for_it, contrast.against_it, contrast.is_small


def test_so_do_sizes_and_levels_if_the_runs_are_taken_for_whole_ones(raw, studies):
    """The same runs under another profile's name: printed sizes and levels are judged then."""
    whole = {name: study.assign(profile="full") for name, study in studies.items()}
    rows = verdicts.ledger(whole)
    assert disagreements(rows, second_ledger(raw, whole=True)) == []
    assert {"direction confirmed", "refuted"} <= {row.by_runs for row in rows}
    assert "not testable" not in {row.by_runs for row in rows if row.id in ("N1", "N2", "N3")}


def test_so_does_what_is_missing(raw, studies):
    """Without the studies of size, of rates, and of dropout after the pools."""
    fewer = {
        name: study[~study["study"].isin(["size", "rate"]) & (study["place"] != "all")]
        for name, study in studies.items()
    }
    rows = {row.id: row for row in verdicts.ledger(fewer)}
    kept = {name: [run for run in runs if _in_fewer(run)] for name, runs in raw.items()}
    assert disagreements(rows.values(), second_ledger(kept)) == []
    assert rows["N27"].by_runs == rows["N12"].by_runs == "not testable"


def _in_fewer(run):
    config = run["config"]
    return config["n_train"] >= 10_000 and config["lr"] < 0.1 and config["placement"] == "fc"


def test_the_second_ledger_is_made_without_the_package():
    for name in ("apart.py", "apart_claims.py"):
        text = (ROOT / "tests" / name).read_text("utf-8")
        imported = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.M))
        assert imported <= {
            "apart",
            "dataclasses",
            "functools",
            "gzip",
            "json",
            "math",
            "numpy",
            "scipy",
        }


SPOILS = {
    # which run (with what differs from the plain network), which score: the claims it is in
    "dropout at 0.5": ("mnist", 0, {"dropout": 0.5}, "best", {"N11"}),
    "a cell": ("cifar10", 3, {"lam": CHOSEN, "batch_norm": True}, "best", {"N20", "N22", "N24"}),
    "a swept strength": (
        "cifar10", 1001, {"lam": 0.1, "l2": "decoupled"}, "best", {"N4", "N5"}
    ),
    "a last epoch": ("cifar10", 0, {"patience": 0}, "last", {"N10"}),
}  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILS)
def test_one_spoilt_accuracy_is_seen(raw, rows, spoil):
    """Ten points less in one of 645 records, and the claims whose printed figures it changes."""
    name, seed, arm, scores, expected = SPOILS[spoil]
    spoilt = raw | {name: copy.deepcopy(raw[name])}
    run = Runs(name, spoilt[name]).run(arm, seed)
    run[scores]["accuracy"] -= 0.1
    lines = disagreements(rows, second_ledger(spoilt))
    assert expected == {re.match(r"\w+", line).group() for line in lines}
