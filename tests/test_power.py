"""The power of the rules: simulated studies are judged as the ledger would, and by true effects."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import power_of_rules
import pytest
from statsmodels.stats.power import TTestPower

from reglab import paper
from reglab.errors import ReglabError
from reglab.verdicts import power, simulated
from reglab.verdicts.contrasts import Contrast
from reglab.verdicts.deciding import Reading, adjust, decide, p_of
from reglab.verdicts.judging import families
from reglab.verdicts.words import margin

STUDIES = 200
EFFECTS = {"N4", "N11", "N30"}  # directions of single techniques


def made_up(profile="reduced", seeds=5, sd=1.0, lift=0.0):
    """Scores of made-up runs, correlated within a seed; the arms share half of their variance."""
    rng = np.random.default_rng(7)
    scores = {}
    for name in paper.TITLES:
        own, shared = rng.standard_normal((seeds, len(simulated.ARMS))), rng.standard_normal(seeds)
        values = 50 + lift + sd * (own + shared[:, None]) / math.sqrt(2)
        scores[name] = pd.DataFrame(values, columns=simulated.ARMS)
    return simulated.Basis(scores, dict.fromkeys(scores, profile))


@pytest.fixture(scope="module")
def given():
    return made_up()


@pytest.fixture(scope="module")
def nothing(given):
    """Verdicts where all arms are equal."""
    return simulated.simulate(given, "equal", 5, studies=5 * STUDIES)


def at_most(share, level, studies):
    return share <= level + 4 * math.sqrt(level * (1 - level) / studies)


def test_every_claim_is_of_test_accuracy_and_has_a_family(given):
    claims = {claim["id"]: claim["by_runs"] for claim in paper.contents()["claims"]}
    assert list(simulated.comparisons(given)) == list(simulated.CLAIMS)
    for name in simulated.CLAIMS:
        assert claims[name].get("metric", "test_acc") == "test_acc"
        assert name in families(paper.contents()["claims"])[claims[name]["family"]]


def test_the_covariance_is_that_of_the_scores(given):
    scores = given.scores["mnist"]
    assert np.allclose(simulated.covariance(scores), np.cov(scores.to_numpy(), rowvar=False))
    many = simulated.covariance(made_up(seeds=4000).scores["mnist"]).to_numpy()
    expected = 0.5 + 0.5 * np.eye(len(many))
    assert np.abs(many - expected).max() < 0.12


def test_draws_have_the_means_and_the_spread_that_were_asked_for(given, monkeypatch):
    monkeypatch.setattr(simulated, "judged", lambda readings, draws: draws)
    drawn = simulated.simulate(given, "tables", 4, spread=0.5, studies=5000)["cifar10"]
    assert drawn.shape == (5000, 4, len(simulated.ARMS))
    flat, true = drawn.reshape(-1, len(simulated.ARMS)), simulated.means("tables", "cifar10")
    assert np.abs(flat.mean(axis=0) - [true[name] for name in simulated.ARMS]).max() < 0.03
    expected = 0.25 * simulated.covariance(given.scores["cifar10"]).to_numpy()
    assert np.abs(np.cov(flat, rowvar=False) - expected).max() < 0.03


def test_means_are_the_papers():
    tables, ablation = (simulated.means(name, "cifar10") for name in ("tables", "ablation"))
    assert tables["all"] == ablation["all"] == 86.2
    assert tables["none"] == pytest.approx(81.2333, abs=0.05)
    assert tables["literal:l2=0.1"] == tables["l2"] == 83.2
    assert ablation["all"] - ablation["dropout+bn"] == pytest.approx(3.5)
    assert ablation["all"] - ablation["l2+dropout"] == pytest.approx(1.5)
    assert simulated.means("ablation", "mnist") == simulated.means("tables", "mnist")
    assert len(set(simulated.means("equal", "mnist").values())) == 1
    with pytest.raises(ReglabError, match="no truth 'hope'"):
        simulated.means("hope", "mnist")


@pytest.mark.parametrize("profile", ["reduced", "full"])
def test_a_simulated_study_is_judged_as_the_ledger_would(given, profile):
    readings = simulated.comparisons(given.judged_as(profile))
    rng = np.random.default_rng(3)
    draws = {
        name: rng.normal([[list(simulated.means("tables", name).values())] * 5] * 3, 0.4)
        for name in given.scores
    }
    verdicts = simulated.judged(readings, draws)
    for study in range(3):
        own = {
            name: [Reading(one.name, tuple(real(c, draws, study) for c in one.contrasts))
                   for one in ours]
            for name, ours in readings.items()
        }  # fmt: skip
        p = {name: p_of(ours) for name, ours in own.items()}
        adjusted = adjust(p, families(paper.contents()["claims"]))
        for name, ours in own.items():
            assert verdicts[name][study] == decide(ours, adjusted[name])


def real(template, draws, study):
    """The ledger's own contrast, of one simulated study; its three p-values are compared too."""
    values, against = simulated._values(template, draws)
    other = None if against is None else tuple(against[study])
    contrast = replace(template, values=tuple(values[study]), against=other)
    fast = simulated.p_values(template, values, against)[study]
    slow = (contrast.for_it, contrast.upwards, contrast.against_it, contrast.is_small)
    assert fast == pytest.approx(slow, rel=1e-8)
    return contrast


def test_without_effects_hardly_anything_is_confirmed_in_a_family(nothing):
    for row in power.alarms(nothing).itertuples():
        assert at_most(row.confirmed, 0.05, len(nothing)), row


def test_without_effects_a_claim_is_hardly_ever_confirmed_or_refuted(nothing):
    # Each claim: half of 5 % either way. Refutations are not corrected within a family, so of four
    # claims one is refuted in up to 10 % of studies: the rules promise no more.
    decided = power.confirmed(nothing) + (nothing == "refuted").mean()
    for name, share in decided.items():
        assert at_most(share, 0.05, len(nothing)), name
    for row in power.alarms(nothing).itertuples():
        claims = len(row.claims.split(", "))
        assert at_most(row.refuted, 0.025 * claims, len(nothing)), row


def test_huge_effects_are_seen(given):
    verdicts = simulated.simulate(given, "ablation", 5, spread=0.01, studies=STUDIES)
    confirmed = power.confirmed(verdicts)
    for name in (*EFFECTS, "N5", "N16", "N17", "N19", "N20", "N21", "N22"):
        assert confirmed[name] > 0.95, name
    shares = power.shares(verdicts)
    assert np.allclose(shares.sum(axis=1), 1)
    assert shares.loc["N15", "refuted"] > 0.95  # the paper's own tables contradict it
    assert shares.loc["N24", "refuted"] > 0.95


def test_a_printed_size_that_is_false_is_refuted_on_all_images(given):
    verdicts = simulated.simulate(
        given.judged_as("full"), "tables", 5, spread=0.05, studies=STUDIES
    )
    assert (verdicts["N19"] == "refuted").mean() > 0.95
    assert (verdicts["N16"] == "confirmed").mean() > 0.95


def test_a_seed_makes_the_same_studies_again(given):
    first, again, other = (
        simulated.simulate(given, "tables", 5, studies=40, seed=seed) for seed in (1, 1, 2)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_data_sets_may_have_seeds_of_their_own(given):
    counts = {"mnist": 10, "fashion_mnist": 10, "cifar10": 5}
    table = power.table(given, counts, studies=20)
    assert list(table.index) == list(simulated.CLAIMS)
    assert len(simulated.simulate(given, "tables", counts, studies=3)) == 3


def test_more_seeds_confirm_more(given):
    shares = power.over_seeds(given, [3, 30], studies=40)
    assert list(shares.index) == [3, 30]
    assert (shares.loc[30, sorted(EFFECTS)] > shares.loc[3, sorted(EFFECTS)]).all()


def test_without_recorded_runs_there_is_no_spread():
    with pytest.raises(ReglabError, match="no recorded study"):
        simulated.simulate(simulated.basis({}), "equal", 5)


def test_claims_without_their_arms_are_left_out(given):
    bare = {name: scores.drop(columns="literal:l2=0.1") for name, scores in given.scores.items()}
    readings = simulated.comparisons(simulated.Basis(bare, given.profiles))
    assert set(simulated.CLAIMS) - set(readings) == {"N4", "N5"}
    del bare["mnist"]
    readings = simulated.comparisons(simulated.Basis(bare, given.profiles))
    assert set(readings) == {"N16", "N17", "N19", "N20", "N21", "N22"}


@pytest.mark.parametrize("asked", [{"n": 1}, {"spread": 0.0}, {"studies": 0}])
def test_impossible_studies_are_refused(given, asked):
    with pytest.raises(ReglabError, match="needs n >= 2"):
        simulated.simulate(given, "equal", **({"n": 5} | asked))


@pytest.mark.parametrize(
    ("effect", "sd", "n"), [(1, 1.3, 5), (0, 2, 3), (-0.4, 0.5, 20), (9, 1, 4)]
)
def test_power_is_statsmodels(effect, sd, n):
    expected = TTestPower().power(abs(effect) / sd, n, 0.05)
    assert power.chance(effect, sd, n) == pytest.approx(expected, abs=1e-9)


def test_visible_and_needed_turn_power_round():
    for n in (2, 5, 30):
        assert power.chance(power.visible(1.7, n), 1.7, n) == pytest.approx(0.8)
    n = power.needed(1.0, 1.5)
    assert power.chance(1.0, 1.5, n) >= 0.8 > power.chance(1.0, 1.5, n - 1)
    assert power.needed(0, 1) == power.needed(-1, 1) == math.inf
    with pytest.raises(ReglabError, match="sd > 0"):
        power.chance(1, 0, 5)


def test_power_of_one_difference_is_what_simulated_studies_have(given):
    contrast = Contrast("a", "cifar10", (1.0,) + (0.0,) * 9, small=margin("cifar10"))
    rng = np.random.default_rng(1)
    values = rng.normal(1.0, 1.2, (4000, 5))
    seen = [p < 0.05 for p, *_ in simulated.p_values(contrast, values, None)]
    assert abs(np.mean(seen) - power.chance(1.0, 1.2, 5)) < 0.03


def test_the_weakest_part_decides(given):
    row = power.table(given, 5, studies=20).loc["N11"]
    parts = [
        power.part(given, one, "tables", 5)
        for one in simulated.comparisons(given)["N11"][0].contrasts
    ]
    assert row["visible"] == max(power.visible(one.sd, one.n) for one in parts)
    assert row["effect"] == pytest.approx(0.5)
    assert all(one.sd > 0 and one.freedom == 1 for one in parts)
    (two, _) = simulated.comparisons(given)["N5"][0].contrasts
    assert 1 < power.part(given, two, "tables", 5).freedom <= 2


def test_looking_again_inflates_false_alarms():
    once, four = power.looking((20,), 4000), power.looking((5, 10, 15, 20), 4000)
    assert abs(once - 0.05) < 0.015
    assert 0.11 < four < 0.16


def test_one_seed_has_no_spread(monkeypatch, given):
    monkeypatch.setattr(simulated, "_scores", lambda frame: given.scores["mnist"].head(1))
    with pytest.raises(ReglabError, match="mnist: a spread over seeds needs two"):
        simulated.basis({"mnist": pd.DataFrame({"profile": ["reduced"]})})


def test_the_tool_prints_both_tables(monkeypatch, given, capsys):
    monkeypatch.setattr(simulated, "basis", lambda studies: given)
    monkeypatch.setattr("reglab.results.recorded.studies", dict)
    assert power_of_rules.main(["--studies", "20", "--seeds", "4", "--profile", "full"]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in (*simulated.CLAIMS, "interactions", "visible"))
