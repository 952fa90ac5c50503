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
    charitable,
    claim_p,
    estimate,
    holm,
    least_favourable,
    p_against,
    p_for,
    p_small,
    verdict,
)
from apart_claims import FAMILIES, NOTHING_TO_MEASURE, Claims
from apart_others import ALONE, beside
from apart_runs import CHOSEN, MARGIN, Runs, read

from reglab import paper, verdicts
from reglab.results import recorded
from reglab.verdicts import judging, trying
from reglab.verdicts.lookup import opened

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "book" / "results"


def second_ledger(raw, whole=None):
    """Return by claim: the word, the estimate with its bounds and n, and the same of other arms.

    ``raw`` has records by profile, the best first, and data set.
    """
    runs = [{name: Runs(name, records, whole if whole is None else profile == whole)
             for name, records in tables.items()} for profile, tables in raw.items()]  # fmt: skip
    asked = _at_the_best([Claims(one).all() for one in runs] or [Claims({}).all()])
    others = [beside(one) for one in runs]
    ways = {way: _at_the_best([one[way] for one in others]) for way in (others or [{}])[0]}
    if len(runs) > 1:
        alone = (Claims(one).all() for one in runs)
        ways |= {f"at the profile {name}": one for name, one in zip(raw, alone, strict=True)}
    seen = {name: _with_runs(readings) for name, readings in asked.items()}
    adjusted = _adjusted({name: [*ours.values()] for name, ours in seen.items() if ours})
    return {
        name: _row(asked[name], own, adjusted.get(name),
                   {way: ours[name] for way, ours in ways.items() if name in ours})
        for name, own in seen.items()
    }  # fmt: skip


def _at_the_best(claims):
    """Return, of what each profile has, the best that has two seeds or more of all, else any.

    A data set is taken as a whole, and so is what compares several.
    """
    return {name: {reading: _of_each([one[name][reading] for one in claims])
                   for reading in claims[0][name]} for name in claims[0]}  # fmt: skip


def _of_each(profiles):
    """Return one reading's contrasts, by data set of the best profile; ``profiles``: best first."""
    chosen = {}
    for where in dict.fromkeys(contrast.where for contrast in profiles[0]):
        parts = [[c for c in contrasts if c.where == where] for contrasts in profiles]
        there = [part for part in parts if all(c.values for c in part)]
        enough = [part for part in there if all(c.n > 1 for c in part)]
        chosen[where] = iter((enough + there + parts)[0])
    return [next(chosen[contrast.where]) for contrast in profiles[0]]


def _adjusted(asked):
    """Return each claim's p-value after Holm's correction within its family."""
    adjusted = {}
    for family in map(str.split, FAMILIES):
        adjusted |= holm({name: claim_p(asked[name]) for name in family if name in asked})
    return adjusted


def _with_runs(readings):
    """Return the readings with contrasts: those of data sets that have all that is needed."""
    found = {}
    for name, contrasts in readings.items():
        lacking = {contrast.where for contrast in contrasts if not contrast.values}
        found[name] = [contrast for contrast in contrasts if contrast.where not in lacking]
    return {name: contrasts for name, contrasts in found.items() if contrasts}


def _row(asked, own, adjusted, ways):
    if not own:
        return ("not testable", (None,) * 4, {})
    contrasts = [contrast for reading in asked.values() for contrast in reading]
    word = verdict([*own.values()], adjusted)
    complete = all(contrast.values for contrast in contrasts)
    refuted = word == "refuted" and len(own) == len(asked)
    if any(c.levels and not c.whole for c in contrasts) or not (complete or refuted):
        word = "not testable"
    figures = least_favourable(charitable([*own.values()]))
    others = {way: found for way, readings in ways.items()
              if (found := _other({} if way in ALONE else own, readings))}  # fmt: skip
    return (word, figures, {} if word == "not testable" else others)


def _other(own, readings):
    """Return the word and figures under other arms; None where those are not other runs."""
    changed = {
        name: contrasts
        for name, contrasts in readings.items()
        if _scores(contrasts) != _scores(own.get(name, ()))
        and all(contrast.values and contrast.n > 1 for contrast in contrasts)
        and not any(contrast.levels and not contrast.whole for contrast in contrasts)
    }
    if not changed:
        return None
    word = verdict([*(own | changed).values()], claim_p([*changed.values()]))
    return (word, *least_favourable(charitable([*changed.values()])))


def _scores(contrasts):
    return [(contrast.where, contrast.values, contrast.against) for contrast in contrasts]


def disagreements(rows, second):
    """Return one line for each figure or word in which the two ledgers differ."""
    found = []
    for row in rows:
        word, figures, others = second.get(row.id, ("not testable", (None,) * 4, {}))
        if row.by_runs != word:
            found.append(f"{row.id}: {row.by_runs}, apart {word}")
        if not all(map(_alike, _figures(row), figures)):
            found.append(f"{row.id}: {_figures(row)}, apart {figures}")
        said = {other.name: (other.by_runs, *_figures(other)) for other in row.others}
        for name in sorted(said.keys() | others.keys()):
            one, two = said.get(name, ("none",)), others.get(name, ("none",))
            if one[0] != two[0] or not all(map(_alike, one[1:], two[1:])):
                found.append(f"{row.id}, {name}: {one}, apart {two}")
    return found


def _figures(row):
    return (row.estimate, row.low, row.high, row.n_seeds)


def _alike(one, two, within=1e-4):
    one, two = (None if x is None or math.isnan(x) else x for x in (one, two))
    return one is two if None in (one, two) else abs(one - two) <= within


@pytest.fixture(scope="module")
def raw():
    return read(RESULTS)


@pytest.fixture(scope="module")
def studies():
    return recorded.all_profiles(RESULTS)


@pytest.fixture(scope="module")
def rows(studies):
    return verdicts.ledger(studies)


def renamed(studies, profile):
    """The best recorded study of each data set, as if of a profile."""
    return {name: [ours[0].assign(profile=profile)] for name, ours in studies.items()}


def best_of(raw):
    """The best recorded table of each data set."""
    return {name: next(tables[name] for tables in raw.values() if name in tables)
            for name in MARGIN}  # fmt: skip


def test_every_number_and_verdict_by_runs_comes_out_again(raw, rows):
    second = second_ledger(raw)
    assert {row.id for row in rows} == NOTHING_TO_MEASURE | set(second)
    assert not NOTHING_TO_MEASURE & set(second)
    assert disagreements(rows, second) == []


@pytest.mark.parametrize("whole", [False, True])
def test_every_comparison_behind_a_verdict_comes_out_again(raw, studies, whole):
    """Not only the least favourable one: mean and p-values of each, and each claim's p-value."""
    named = opened(renamed(studies, "full" if whole else "reduced"))
    claims = paper.contents()["claims"]
    tried = {claim["id"]: trying.attempt(claim["by_runs"], named).readings for claim in claims}
    runs = {name: Runs(name, records, whole) for name, records in best_of(raw).items()}
    ours = Claims(runs).all()
    for name, readings in ours.items():
        for one, two in zip(readings.values(), tried[name], strict=True):
            found = sorted(map(_tests, one)), sorted(map(_their_tests, two.contrasts))
            np.testing.assert_allclose(*found, rtol=0, atol=1e-6, err_msg=name)
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
    rows = verdicts.ledger(renamed(studies, "full"))
    assert disagreements(rows, second_ledger({"full": best_of(raw)}, whole="full")) == []
    assert {"direction confirmed", "refuted"} <= {row.by_runs for row in rows}
    assert "not testable" not in {row.by_runs for row in rows if row.id in ("N1", "N2", "N3")}


def test_so_does_what_is_missing(raw, studies):
    """Without the studies of size, of rates, and of dropout after the pools."""
    fewer = {
        name: [study[~study["study"].isin(["size", "rate"]) & (study["place"] != "all")]
               for study in ours] for name, ours in studies.items()
    }  # fmt: skip
    rows = {row.id: row for row in verdicts.ledger(fewer)}
    kept = {key: {name: [run for run in runs if _in_fewer(run)] for name, runs in tables.items()}
            for key, tables in raw.items()}  # fmt: skip
    assert disagreements(rows.values(), second_ledger(kept)) == []
    assert rows["N27"].by_runs == rows["N12"].by_runs == "not testable"


def _in_fewer(run):
    config = run["config"]
    of_rates = config["lr"] == 0.1 or (config["seed"] >= 1000 and config["batch_norm"])
    return config["n_train"] >= 10_000 and config["placement"] == "fc" and not of_rates


def test_the_second_ledger_is_made_without_the_package():
    for name in ("apart.py", "apart_claims.py", "apart_others.py", "apart_runs.py"):
        text = (ROOT / "tests" / name).read_text("utf-8")
        imported = set(re.findall(r"^\s*(?:from|import) (\w+)", text, re.M))
        assert imported <= {
            "apart",
            "apart_claims",
            "apart_runs",
            "dataclasses",
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
    spoilt = {"reduced": raw["reduced"] | {name: copy.deepcopy(raw["reduced"][name])}}
    run = Runs(name, spoilt["reduced"][name]).run(arm, seed)
    run[scores]["accuracy"] -= 0.1
    found = disagreements(rows, second_ledger(raw | spoilt))
    assert expected <= {re.match(r"\w+", line).group() for line in found}
