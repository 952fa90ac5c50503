"""The further studies: what they run, under which settings, from the command line to the table."""

import dataclasses

import pytest
from conftest import fake_record, finish

from reglab.config import RunConfig
from reglab.data.dataset import load_dataset
from reglab.errors import ReglabError
from reglab.runs.store import RunStore
from reglab.study import sweep
from reglab.study.frame import load_frame, load_own
from reglab.study.further import (
    STUDIES,
    augmentation,
    datasets_of,
    distillation,
    pruning,
    study_named,
)
from reglab.study.outlook import outlook, own_configs
from reglab.study.plan import make_plan
from reglab.study.profiles import PROFILES
from reglab.study.protocol import settings, stages


@pytest.fixture
def reduced(plan):
    """The profile whose runs are recorded, without its data."""
    return dataclasses.replace(plan, profile=PROFILES["reduced"], n_train=10_000)


@pytest.fixture
def done(reduced):
    """A finished protocol of made-up runs, by key."""
    return finish(reduced)


def arms_of(plan, records, name):
    seen = outlook(dataclasses.replace(plan, study=name), lambda _: records)
    return seen.arms, seen.missing


# Runs a study adds to the protocol's on two seeds, where the chosen drop rate is none of its own.
NEW = {"order": 1, "decay_on": 4, "early_stopping": 8}
NEW |= {"dropout_bn": 8, "batch_size": 4, "robustness": 8, "augmentation": 11}
NEW |= {"pruning": 25, "distillation": 18}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_runs_paired_arms_on_evaluation_seeds_only(reduced, done, name):
    arms, missing = arms_of(reduced, done, name)
    assert {arm.config.seed for arm in arms} == set(reduced.evaluation_seeds)
    by_seed = [[arm for arm in arms if arm.config.seed == seed] for seed in (0, 1)]
    assert arms == by_seed[0] + by_seed[1]  # so that each finished seed is a whole block
    first, second = by_seed
    assert [arm.label for arm in first] == [arm.label for arm in second]
    assert len({arm.label for arm in first}) == len({arm.config.key for arm in first}) == len(first)
    assert [arm.config.replace(seed=1) for arm in first] == [arm.config for arm in second]
    shared = name == "dropout_bn" and settings(reduced, lambda _: done).dropout in (0.2, 0.3)
    assert len(missing) == 2 * (NEW.get(name, len(missing) // 2) - shared)


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_takes_the_settings_that_validation_chose(reduced, done, name):
    """And so the same ones where every test score is another."""
    chosen = settings(reduced, lambda _: done)
    arms, _ = arms_of(reduced, done, name)
    cells = {a.cell: a.config for a in stages(reduced, lambda _: done)[0] if a.study == "factorial"}
    assert chosen.lam == cells["l2"].lam
    assert {arm.config.lam for arm in arms} <= {0.0, chosen.lam}
    altered = {
        key: dataclasses.replace(run, best=dataclasses.replace(run.best, accuracy=0.0), last=None)
        for key, run in done.items()
    }
    assert arms_of(reduced, altered, name) == (arms, arms_of(reduced, done, name)[1])


def test_what_each_study_varies(reduced, done):
    chosen = settings(reduced, lambda _: done)

    def configs(name):
        return {arm.label: arm.config for arm in arms_of(reduced, done, name)[0]}

    order = configs("order")
    assert order["bn after_relu"] == order["bn before_relu"].replace(norm_order="after_relu")
    decay = configs("decay_on")
    assert decay["l2+bn dense"] == decay["bn"].replace(lam=chosen.lam, decay_on="dense")
    assert decay["l2 all"] == decay["none"].replace(lam=chosen.lam)
    unstopped = configs("early_stopping")
    assert (
        {config.patience for config in unstopped.values()}
        == {50}
        == {config.max_epochs for config in unstopped.values()}
    )
    cells = {a.cell: a.config for a in stages(reduced, lambda _: done)[0] if a.study == "factorial"}
    for cell, config in configs("robustness").items():
        assert config.replace(probes="", seed=cells[cell].seed) == cells[cell]
    drop = configs("dropout_bn")["dropout+bn all 0.3"]
    assert (drop.dropout, drop.placement, drop.probes) == (0.3, "all", "statistics")
    assert configs("dropout_bn")["dropout all 0.3"].probes == ""
    whole = "rotation:15+scale:0.1+shift:2"
    augmented = configs("augmentation")
    assert augmented["all"] == cells["all"].replace(seed=augmented["all"].seed)
    assert augmented[f"l2+bn {whole}"] == augmented["l2+bn"].replace(augment=whole)
    assert augmented["none shift:2"] == augmented["none"].replace(augment="shift:2")
    sizes = configs("batch_size")
    assert sizes["bn 16"] == sizes["bn 64"].replace(batch_size=16, lr=chosen.lr / 4)
    assert sizes["none 256"] == sizes["none 64"].replace(batch_size=256, lr=chosen.lr * 4)


def test_images_are_mirrored_only_where_that_is_known_to_be_right(reduced, done):
    """Not digits, and no own data set."""
    chosen = settings(reduced, lambda _: done)
    for dataset, mirrored in (
        ("mnist", False), ("mine", False), ("fashion_mnist", True), ("cifar10", True),
    ):  # fmt: skip
        plain = dataclasses.replace(reduced, dataset=dataset).baseline(0, chosen.lr)
        asked = {arm.config.augment for arm in STUDIES["augmentation"].arms(plain, chosen)}
        assert any("flip" in text for text in asked) == mirrored
        assert asked == {"", *augmentation.alone(dataset), augmentation.together(dataset)}
        assert len(asked) == (7 if mirrored else 5)


def test_a_study_waits_for_the_settings(reduced):
    with pytest.raises(ReglabError, match="has not chosen yet; first run `reglab reproduce") as why:
        arms_of(reduced, {}, "order")
    assert "\n" not in str(why.value)


def test_studies_are_known_by_name():
    assert datasets_of("protocol") == datasets_of("order") == ("mnist", "fashion_mnist", "cifar10")
    assert datasets_of("decay_on") == ("cifar10",)
    with pytest.raises(ReglabError, match="unknown study 'ordre'; the studies are protocol, order"):
        study_named("ordre")


@pytest.fixture
def chosen_here(tmp_path, monkeypatch):
    """A store with a finished smoke protocol of MNIST, made up, whose runs see 100 test images."""

    def load(*asked, **options):
        data = load_dataset(*asked, **options)
        return dataclasses.replace(data, x_test=data.x_test[:100], y_test=data.y_test[:100])

    monkeypatch.setattr("reglab.training.run.load_dataset", load)
    # one of each kind of run is enough to see it made
    monkeypatch.setattr(pruning, "SPARSITIES", (0.9,))
    monkeypatch.setattr(distillation, "TEMPERATURES", (4.0,))
    monkeypatch.setattr(distillation, "STUDENTS", {"half": 2})
    plan, store = make_plan("mnist", "smoke", seeds=1, device="cpu"), RunStore(tmp_path / "runs")
    for record in finish(plan).values():
        store.put(record)
    return plan, store


def test_each_study_is_trained_recorded_and_read_back(chosen_here, tmp_path):
    plan, store = chosen_here
    for name in STUDIES:
        of = dataclasses.replace(plan, study=name)
        expected = {config.key for config in outlook(of, store.load).missing}
        assert sweep.reproduce([of], store, workers=1) == len(expected) > 0
        own = {config.key for config in own_configs(of, store.load)}
        assert expected <= own | {arm.config.key for arm in stages(plan, store.load)[0]}
        assert {record.config.key for record in load_own(of, store)} == own
        frame = load_frame(of, store)
        assert set(frame["study"]) == {name}
        assert frame["test_acc"].notna().all()
        for record in load_own(of, store):
            assert (record.probed is not None) == (record.config.probes != "")


def test_a_made_up_record_with_probes_comes_back(config: RunConfig, tmp_path):
    record = dataclasses.replace(fake_record(config), probed={"here": {"accuracy": 0.5, "x": None}})
    assert type(record).from_json(record.to_json()) == record
    for wrong in ([], {"here": 0.5}, {"here": {"accuracy": "high"}}):
        bad = dataclasses.replace(record, probed=wrong)
        with pytest.raises(ReglabError, match=r"^probed is"):
            type(record).from_json(bad.to_json())
