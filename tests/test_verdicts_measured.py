"""The ledger with runs: verdicts by recorded runs, and that they follow the runs."""

import dataclasses
import hashlib
import json
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from conftest import fake_record, finish

from reglab import verdicts
from reglab.data.dataset import dataset_version
from reglab.errors import ReglabError
from reglab.pages import chapters
from reglab.record import Scores, pack_bits
from reglab.results import recorded
from reglab.runs.store import write_table
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES
from reglab.verdicts import by_runs, judging

# Means of the eight cells in percent: the paper's own, CIFAR-10.
PAPERS = {"none": 81.2, "l2": 83.2, "dropout": 84.0, "bn": 84.3, "l2+dropout": 83.6,
          "l2+bn": 84.3, "dropout+bn": 85.0, "all": 86.2}  # fmt: skip


def cell_of(config):
    parts = [name for name, on in (("l2", config.lam), ("dropout", config.dropout),
                                   ("bn", config.batch_norm)) if on]  # fmt: skip
    return {0: "none", 3: "all"}.get(len(parts), "+".join(parts))


def planted(means, sd=0.05, images=10_000):
    """Return a maker of made-up runs: test accuracy is the cell's mean, give or take ``sd``."""

    def make(config):
        record = fake_record(config)
        seed = int(hashlib.sha256(config.key.encode()).hexdigest()[:8], 16)
        value = means[cell_of(config)] / 100 + np.random.default_rng(seed).normal(0, sd / 100)
        correct = np.arange(images) < round(value * images)
        scores = Scores(0.5, float(correct.mean()), 0.05, pack_bits(correct[:80]))
        return dataclasses.replace(record, best=scores, last=scores)

    return make


def plan_for(dataset, profile):
    chosen = PROFILES[profile]
    return Plan(dataset, dataset_version(dataset, "full"), chosen.n_train or 50_000, chosen, "cpu",
                chosen.factorial_seeds)  # fmt: skip


@pytest.fixture(scope="module")
def recorded_runs(tmp_path_factory):
    """Write made-up recorded studies of all three data sets, and give their folder."""
    folders = {}

    def write(profile, means=PAPERS, sd=0.05, names=("mnist", "fashion_mnist", "cifar10")):
        key = (profile, str(means), sd, names)
        if key not in folders:
            folder = tmp_path_factory.mktemp("recorded")
            for name in names:
                plan = plan_for(name, profile)
                if profile == "paper":
                    plan = dataclasses.replace(
                        plan, n_train=50_000 if name == "cifar10" else 60_000
                    )
                runs = finish(plan, planted(means, sd))
                write_table(runs.values(), folder / profile / f"{name}.jsonl.gz")
            folders[key] = folder
        return folders[key]

    return write


@cache
def by_id(folder):
    """The ledger by claim; the folders are made once and not changed."""
    return {row.id: row for row in verdicts.ledger(recorded.studies(folder))}


def test_direction_is_decided_at_the_reduced_profile(recorded_runs):
    rows = by_id(recorded_runs("reduced"))
    assert rows["N11"].by_runs == "confirmed"
    assert (rows["N11"].profile, rows["N11"].n_seeds) == ("reduced", 5)
    assert rows["N11"].low > 0
    # all minus (dropout + BN) is 1.2 in these runs: the direction holds, the size is not judged
    assert rows["N19"].by_runs == "confirmed"
    assert "direction only" in rows["N19"].reason
    # 2.6 > 1.9 > 1.2 is the reverse of the prose
    assert rows["N22"].by_runs == "refuted"
    # every two-way interaction is below zero
    assert rows["N24"].by_runs == "refuted"
    assert rows["N15"].by_runs == "refuted"
    assert rows["N1"].by_runs == "not testable"
    assert "paper profile" in rows["N1"].reason


def test_size_is_decided_at_the_paper_profile(recorded_runs):
    rows = by_id(recorded_runs("paper"))
    assert rows["N4"].by_runs == "confirmed"  # 83.2 - 81.2 = 2.0, printed 1.9, rounding 0.1
    assert rows["N19"].by_runs == "refuted"  # 1.2 here, printed 3.5
    assert rows["N1"].by_runs == "confirmed"
    assert rows["N3"].by_runs == "refuted"  # these runs have 81.2 on MNIST too
    assert rows["N27"].profile == "paper"


def test_noise_decides_nothing(recorded_runs):
    level = dict.fromkeys(PAPERS, 80.0)
    rows = by_id(recorded_runs("reduced", level, 1.0))
    for name in ("N4", "N11", "N15", "N24", "N30"):
        assert rows[name].by_runs == "not distinguishable"
        assert rows[name].low < 0


def test_a_changed_recorded_number_changes_the_verdict(recorded_runs):
    assert by_id(recorded_runs("reduced"))["N11"].by_runs == "confirmed"
    harmful = PAPERS | {"dropout": 79.0}
    assert by_id(recorded_runs("reduced", harmful))["N11"].by_runs == "refuted"


def test_one_data_set_alone_decides_its_own_claims_only(recorded_runs):
    rows = by_id(recorded_runs("reduced", names=("cifar10",)))
    assert rows["N22"].by_runs == "refuted"
    assert rows["N11"].by_runs == "not testable"
    assert "recorded factorial runs of MNIST" in rows["N11"].reason


def test_one_data_set_can_refute_a_claim_about_all(recorded_runs):
    found = by_id(recorded_runs("reduced", PAPERS | {"dropout": 80.0}, names=("cifar10",)))
    assert found["N11"].by_runs == "refuted"
    assert "Still missing: recorded factorial runs of MNIST" in found["N11"].reason
    waiting = by_id(recorded_runs("reduced", names=("cifar10",)))["N11"]
    assert (waiting.by_runs, waiting.n_seeds) == ("not testable", 5)
    assert "missing: recorded factorial runs of MNIST" in waiting.reason
    assert "So far: Measured: dropout minus no regularization, CIFAR-10" in waiting.reason


def test_the_better_profile_is_taken(recorded_runs, tmp_path):
    for profile in ("reduced", "paper"):
        source = recorded_runs(profile) / profile / "cifar10.jsonl.gz"
        target = tmp_path / profile / "cifar10.jsonl.gz"
        target.parent.mkdir()
        target.write_bytes(source.read_bytes())
    assert set(recorded.studies(tmp_path)["cifar10"]["profile"]) == {"paper"}


def test_an_unfinished_study_is_left_out(recorded_runs, tmp_path):
    from reglab.runs.store import read_table

    plan, full = plan_for("cifar10", "reduced"), recorded_runs("reduced") / "reduced"
    runs = list(read_table(full / "cifar10.jsonl.gz"))
    kept = [run for run in runs if not (run.config.seed == 4 and cell_of(run.config) == "all")]
    assert len(kept) == len(runs) - 1
    write_table(kept, tmp_path / "reduced" / "cifar10.jsonl.gz")
    assert plan.seeds == 5
    assert recorded.studies(tmp_path) == {}


@pytest.mark.parametrize("kind", list(chapters._TABLES))
def test_recorded_tables(recorded_runs, kind):
    found = recorded.studies(recorded_runs("reduced", names=("cifar10",)))
    stack = chapters.table(kind, found)
    assert "Profile reduced: 5 seeds" in repr(stack)
    assert "Not recorded yet at a deciding scale: MNIST, Fashion-MNIST." in stack._repr_html_()
    assert chapters.table(kind, {})._repr_html_()


def test_recorded_tables_refuse_an_unknown_kind():
    with pytest.raises(ReglabError, match="no table 'l3'; there are l2, "):
        chapters.table("l3", {})


def test_equality_needs_evidence():
    def decide(values, margin):
        contrast = by_runs.Contrast("a", "cifar10", tuple(values), margin=margin)
        estimate = judging.mean_interval(values)
        return judging.decide([judging._Tested(contrast, estimate, judging._p(contrast), "paper")])[
            0
        ]

    assert decide([0.1, -0.1, 0.05, 0.0, -0.05], 0.5) == "confirmed"
    assert decide([3.0, 3.2, 2.9, 3.1, 3.0], 0.5) == "refuted"
    assert decide([3.0, -2.0, 1.0, -1.5, 0.5], 0.5) == "not distinguishable"


def test_command_prints_the_ledger(recorded_runs, tmp_path, monkeypatch):
    recorded_here = recorded_runs("reduced", names=("cifar10",))
    monkeypatch.setenv("REGLAB_RESULTS", str(recorded_here))
    command = [sys.executable, "-m", "reglab.cli", "claims"]
    done = subprocess.run(
        [*command, "--format", "json"], capture_output=True, text=True, check=True
    )
    rows = json.loads(done.stdout)
    assert len(rows) >= 33
    keys = "id quote place paper_value estimate low high n_seeds profile reason evidence"
    assert set(rows[0]) == {*keys.split(), "by_arithmetic", "by_runs"}
    assert any(row["by_runs"] == "confirmed" and row["n_seeds"] == 5 for row in rows)
    monkeypatch.setenv("REGLAB_RESULTS", str(tmp_path))  # the words need no run
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "by arithmetic inconsistent: 22" in text
