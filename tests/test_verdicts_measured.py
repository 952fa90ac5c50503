"""The ledger with runs: verdicts by recorded runs, and that they follow the runs."""

import dataclasses
import hashlib
import json
import re
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from conftest import fake_record, finish

from reglab import verdicts
from reglab.data.dataset import dataset_version
from reglab.errors import ReglabError
from reglab.pages import chapters, ledger
from reglab.record import Scores, pack_bits
from reglab.results import recorded
from reglab.runs.store import write_table
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES

# Means of the eight cells in percent: the paper's own, CIFAR-10.
PAPERS = {"none": 81.2, "l2": 83.2, "dropout": 84.0, "bn": 84.3, "l2+dropout": 83.6,
          "l2+bn": 84.3, "dropout+bn": 85.0, "all": 86.2}  # fmt: skip


def cell_of(config):
    parts = [name for name, strength in (("l2", config.lam), ("dropout", config.dropout),
                                   ("bn", config.batch_norm)) if strength]  # fmt: skip
    return {0: "none", 3: "all"}.get(len(parts), "+".join(parts))


def mean_of(config, means):
    """The mean of a run: its cell's, or of a strength that is given one of its own.

    A strength that is not given one does nothing under the readings that only the sweep has.
    """
    if config.lam == 0.1 and f"λ {config.l2}" in means:
        return means[f"λ {config.l2}"]
    if config.dropout == 0.5 and "p 0.5" in means and not config.lam and not config.batch_norm:
        return means["p 0.5"]
    return means["none"] if config.l2 != "coupled" else means[cell_of(config)]


def planted(means, sd=0.05, images=10_000):
    """Return a maker of made-up runs: test accuracy is its mean, give or take ``sd``."""

    def make(config):
        chosen = config.dropout == 0.3 or config.lam == 0.01
        record = fake_record(config, **({"val_acc": 0.99, "val_loss": 0.01} if chosen else {}))
        seed = int(hashlib.sha256(config.key.encode()).hexdigest()[:8], 16)
        value = mean_of(config, means) / 100 + np.random.default_rng(seed).normal(0, sd / 100)
        correct = np.arange(images) < round(value * images)
        scores = Scores(0.5, float(correct.mean()), 0.05, pack_bits(correct[:80]))
        return dataclasses.replace(record, best=scores, last=scores)

    return make


def plan_for(dataset, profile):
    chosen = PROFILES[profile].for_dataset(dataset)
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
                if profile != "reduced":
                    plan = dataclasses.replace(
                        plan, n_train=50_000 if name == "cifar10" else 60_000
                    )
                runs = finish(plan, planted(means, sd))
                write_table(runs.values(), folder / profile / f"{name}.jsonl.gz")
            folders[key] = folder
        return folders[key]

    return write


def said(row):
    """What a row says of runs, as one text."""
    return " ".join(row.runs_say)


@cache
def by_id(folder):
    """The ledger by claim; the folders are made once and not changed."""
    return {row.id: row for row in verdicts.ledger(recorded.all_profiles(folder))}


def test_direction_is_decided_at_the_reduced_profile(recorded_runs):
    rows = by_id(recorded_runs("reduced"))
    assert rows["N11"].by_runs == "confirmed"
    assert (rows["N11"].profile, rows["N11"].n_seeds, rows["N11"].unit) == ("reduced", 5, "points")
    assert rows["N11"].low > 0
    # all minus (dropout + BN) is 1.2 in these runs: the direction holds, the size is not judged
    assert rows["N19"].by_runs == "direction confirmed"
    assert "as claimed, in direction" in said(rows["N19"])
    # 2.6 > 1.9 > 1.2 is the reverse of the prose
    assert rows["N22"].by_runs == "refuted"
    # every two-way interaction is below zero
    assert rows["N24"].by_runs == "refuted"
    assert rows["N15"].by_runs == "refuted"  # L2 + dropout lies below dropout
    assert rows["N1"].by_runs == "not testable"
    assert "runs on all training images" in said(rows["N1"])


@pytest.mark.parametrize("profile", ["paper", "full"])
def test_size_is_decided_on_all_images(recorded_runs, profile):
    rows = by_id(recorded_runs(profile))
    assert rows["N16"].by_runs == "confirmed"  # 86.2 - 84.0, as printed
    assert rows["N19"].by_runs == "refuted"  # 1.2 here, printed 3.5
    assert "the printed size is excluded" in said(rows["N19"])
    assert rows["N1"].by_runs == "confirmed"
    assert rows["N3"].by_runs == "undecided"  # 81.2 on MNIST too: no single width refutes a level
    assert rows["N16"].profile == profile


def test_noise_decides_nothing(recorded_runs):
    level = dict.fromkeys(PAPERS, 80.0)
    rows = by_id(recorded_runs("reduced", level, 1.0))
    for name in ("N4", "N11", "N15", "N24", "N30"):
        assert rows[name].by_runs == "undecided"
    assert rows["N11"].low < 0 < rows["N11"].high


def test_a_difference_shown_to_be_small_is_negligible(recorded_runs):
    rows = by_id(recorded_runs("reduced", dict.fromkeys(PAPERS, 80.0), 0.01))
    for name in ("N11", "N15", "N30"):
        assert rows[name].by_runs == "negligible"
    assert re.search(r"smaller than 0\.\d+ points", said(rows["N11"]))


def test_a_claim_is_refuted_only_if_every_reading_is(recorded_runs):
    """λ = 0.1 costs ten points read as coupled, and does nothing as the two others."""
    coupled = by_id(recorded_runs("reduced", PAPERS | {"λ coupled": 71.0}))
    assert "Read as “λ = 0.1, coupled”" in said(coupled["N4"])
    assert "the opposite is shown" in said(coupled["N4"])
    assert coupled["N4"].by_runs != "refuted"
    harm = {f"λ {reading}": 71.0 for reading in ("coupled", "per_sample", "decoupled")}
    assert by_id(recorded_runs("reduced", PAPERS | harm))["N4"].by_runs == "refuted"


def test_an_arm_that_the_words_do_not_name_is_said_to_differ(recorded_runs):
    rows = by_id(recorded_runs("reduced", PAPERS | {"p 0.5": 79.0, "dropout": 84.0}))
    assert rows["N11"].by_runs == "refuted"
    others = {other.name: other.by_runs for other in rows["N11"].differs}
    assert others["the strength that validation chose"] == "confirmed"
    # the made-up runs score the same after the last epoch: that is no other arm
    assert "after the last epoch" not in {other.name for other in rows["N11"].others}
    page = ledger.LedgerPage([rows["N11"]])
    for text in (page._repr_html_(), repr(page)):
        assert "would be another. The strength that validation chose: confirmed (+" in text
        stays = "the verdict stays the same: the unregularized network not stopped; dropout after"
        assert stays in text


def test_a_changed_recorded_number_changes_the_verdict(recorded_runs):
    assert by_id(recorded_runs("reduced"))["N11"].by_runs == "confirmed"
    harmful = PAPERS | {"dropout": 79.0, "p 0.5": 79.0}
    assert by_id(recorded_runs("reduced", harmful))["N11"].by_runs == "refuted"


def test_one_data_set_alone_decides_its_own_claims_only(recorded_runs):
    rows = by_id(recorded_runs("reduced", names=("cifar10",)))
    assert rows["N22"].by_runs == "refuted"
    assert rows["N11"].by_runs == "not testable"
    assert "recorded runs at the printed strengths (MNIST" in said(rows["N11"])


def test_one_data_set_can_refute_a_claim_about_all(recorded_runs):
    found = by_id(recorded_runs("reduced", PAPERS | {"p 0.5": 80.0}, names=("cifar10",)))
    assert found["N11"].by_runs == "refuted"
    assert "Still missing: recorded runs at the printed strengths (MNIST" in said(found["N11"])
    waiting = by_id(recorded_runs("reduced", names=("cifar10",)))["N11"]
    assert (waiting.by_runs, waiting.n_seeds) == ("not testable", 5)
    assert "missing: recorded runs at the printed strengths (MNIST" in said(waiting)
    assert "So far: Dropout at a rate of 0.5 minus no regularization, CIFAR-10" in said(waiting)


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
    (begun,) = recorded.begun(tmp_path)
    assert (begun.dataset, begun.profile, begun.blocks) == ("cifar10", "reduced", (4, 5))
    assert begun.total - begun.done == 1
    assert recorded.begun(recorded_runs("reduced")) == []


@pytest.mark.parametrize("kind", list(chapters._TABLES))
def test_recorded_tables(recorded_runs, kind):
    studies = recorded.studies(recorded_runs("reduced", names=("cifar10",)))
    stack = chapters.table(kind, studies)
    assert "reduced: 10,000 images, 5 seeds an arm" in repr(stack)
    assert "Not recorded yet at a deciding scale: MNIST, Fashion-MNIST." in stack._repr_html_()
    assert chapters.table(kind, {})._repr_html_()


def test_recorded_tables_refuse_an_unknown_kind():
    with pytest.raises(ReglabError, match="no table 'l3'; there are l2, "):
        chapters.table("l3", {})


def test_command_prints_the_ledger(recorded_runs, tmp_path, monkeypatch):
    recorded_here = recorded_runs("reduced", names=("cifar10",))
    monkeypatch.setenv("REGLAB_RESULTS", str(recorded_here))
    command = [sys.executable, "-m", "reglab.cli", "claims"]
    done = subprocess.run(
        [*command, "--format", "json"], capture_output=True, text=True, check=True
    )
    rows = json.loads(done.stdout)
    assert len(rows) >= 33
    keys = (
        "id quote place paper_value estimate low high unit n_seeds profile figure reason runs_say "
        "compared evidence others"
    )
    assert set(rows[0]) == {*keys.split(), "by_arithmetic", "by_runs"}
    assert any(row["by_runs"] == "direction confirmed" and row["n_seeds"] == 5 for row in rows)
    monkeypatch.setenv("REGLAB_RESULTS", str(tmp_path))  # the words need no run
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "by arithmetic inconsistent: 9" in text
