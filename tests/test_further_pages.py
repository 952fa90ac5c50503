"""The further studies' tables and sentences, from small made-up records of known effects."""

import dataclasses

import pytest
from conftest import fake_record, finish

from reglab import corruptions
from reglab.config import RunConfig
from reglab.errors import ReglabError
from reglab.pages import further as pages
from reglab.record import History, Trace
from reglab.results import early_stopping, further, recorded
from reglab.runs.store import RunStore, write_table
from reglab.study.frame import frame, load_own
from reglab.study.further import STUDIES
from reglab.study.outlook import outlook
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES


def accuracy(config: RunConfig) -> float:
    """What each setting does to accuracy; seeds differ by a thousandth more than they share."""
    value = 0.5 + 0.01 * (config.seed % 10) + 0.001 * (config.seed * config.batch_norm % 3)
    value += 0.05 * config.batch_norm + 0.03 * (config.norm_order == "after_relu")
    value += {"conv": 0.01, "dense": 0.02, "all": 0.04}[config.decay_on] * (config.lam > 0)
    value += 0.02 * (config.batch_norm and config.lam > 0 and config.decay_on == "conv")
    value -= 0.1 * config.dropout * (1 + 2 * config.batch_norm * (config.placement == "all"))
    return value - 0.01 * config.batch_norm * (config.batch_size == 16)


def record_of(config: RunConfig):
    """A run of six epochs: its validation loss is lowest at the second."""
    record, best = fake_record(config), accuracy(config)
    losses = [0.9, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1]
    wave = [best - 0.1, best, *[best + 0.001 * step for step in range(1, 7)]]
    probed = None
    if config.probes == "statistics":
        gained = 0.02 if config.placement == "all" else 0.0
        conditions = {"with dropout": {"accuracy": best}}
        conditions |= {"without dropout": {"accuracy": best + gained}}
        probed = conditions | {"variance ratio": {"bn3": 1 + config.dropout}}
    return dataclasses.replace(
        record,
        history=History(losses, wave, losses, wave),
        best=dataclasses.replace(record.best, accuracy=best),
        trace=Trace(losses, wave, {}),
        probed=probed,
    )


@pytest.fixture(scope="module")
def made():
    """Plan and records of a finished protocol and all further studies."""
    plan = Plan(
        dataset="cifar10",
        data_version="full:0123456789ab",
        n_train=10_000,
        profile=PROFILES["reduced"],
        device="cpu",
        seeds=4,
    )
    records = finish(plan, record_of)
    for name in STUDIES:
        missing = outlook(
            dataclasses.replace(plan, study=name), lambda _, made=records: made
        ).missing
        records |= {config.key: record_of(config) for config in missing}
    return plan, records


@pytest.fixture
def study(made):
    plan, records = made

    def one(name):
        arms = outlook(dataclasses.replace(plan, study=name), lambda _: records).arms
        return frame(plan, arms, records)

    return one


def test_order(study):
    made_up = study("order")
    assert further.order_effect(made_up).mean == pytest.approx(3)
    table = further.order_table(made_up)
    assert table["after minus before"].notna().tolist() == [False, False, True]
    found = pages.study("order", {"cifar10": made_up})
    assert "CIFAR-10: higher by 3.00 ± 0.00 points" in found.remark
    assert found.remark.startswith(
        "Does it matter whether BN stands before the ReLU or after it?\n\n- T"
    )
    assert found._repr_html_().startswith("<table")  # else it would not be numbered
    assert found._repr_html_().count("<table") == 1
    assert "Not recorded yet on 3 seeds: MNIST and Fashion-MNIST; reglab reproduce" in found.remark
    assert "convolution, ReLU, BN" in repr(found) and "| network |" in found._repr_markdown_()


def test_decay_on(study):
    made_up = study("decay_on")
    assert further.decay_gain(made_up, "conv", bn=False).mean == pytest.approx(1)
    assert further.decay_gain(made_up, "conv", bn=True).mean == pytest.approx(3)
    assert further.decay_interaction(made_up, "conv").mean == pytest.approx(2)
    assert further.decay_interaction(made_up, "dense").mean == pytest.approx(0)
    assert further.decay_table(made_up)["L2 on"].tolist() == list(further.WEIGHTS.values())
    shown = pages.study("decay_on", {"cifar10": made_up})
    first = "L2 on convolutions without batch normalization. CIFAR-10: raises test accuracy by 1.00"
    assert shown.remark.startswith(f"{STUDIES['decay_on'].question}\n\n- {first}")
    assert f"</p>\n<ul><li>{first}" in shown._repr_html_()


def test_batch_size(study):
    made_up = study("batch_size")
    gains = [further.batch_gain(made_up, size).mean for size in (16, 64, 256)]
    assert gains[1] - gains[0] == pytest.approx(1)
    assert further.batch_change(made_up, 16).mean == pytest.approx(-1)
    assert further.batch_change(made_up, 64) is None
    table = further.batch_size_table(made_up)
    rates = table["learning rate"].astype(float)
    assert (rates / rates[0]).tolist() == [1, 4, 16]
    assert "against what it brings with 64: CIFAR-10: smaller by 1.00" in (
        pages.study("batch_size", {"cifar10": made_up}).remark
    )


def test_dropout_and_bn(study):
    made_up = study("dropout_bn")
    assert further.dropout_gain(made_up, "all", 0.3, bn=False).mean == pytest.approx(-3)
    assert further.dropout_gain(made_up, "all", 0.3, bn=True).mean == pytest.approx(-9)
    assert further.dropout_interaction(made_up, "all", 0.2).mean == pytest.approx(-4)
    assert further.dropout_interaction(made_up, "fc", 0.2).mean == pytest.approx(0, abs=1e-9)
    assert further.variance_ratio(made_up, "fc", 0.2).mean == pytest.approx(1.2)
    assert further.shift(made_up, "all", 0.3).mean == pytest.approx(2)
    assert further.shift(made_up, "fc", 0.3).mean == pytest.approx(0, abs=1e-9)
    assert len(further.dropout_table(made_up)) == 4
    said = pages.study("dropout_bn", {"cifar10": made_up}).remark
    assert "Test accuracy with statistics taken without dropout, against with it" in said


def test_early_stopping_is_replayed(study):
    """Validation loss is lowest at the second epoch, and the last is 0.6 points better."""
    made_up = study("early_stopping")
    assert early_stopping.change(made_up, "bn").mean == pytest.approx(0.6)
    assert early_stopping.change(made_up, "bn", "loss").mean == pytest.approx(0.6)
    assert early_stopping.gain(made_up, "l2", last=True).mean == pytest.approx(4)
    table = early_stopping.table(made_up)
    assert len(table) == 8 and {it.mean for it in table["epochs until the stop"]} == {7}
    bare = made_up.assign(trace=None)
    assert early_stopping.change(bare, "bn") is None
    assert early_stopping.gain(bare, "l2", last=False) is None
    assert len(early_stopping.table(bare)) == 8


def test_what_is_not_recorded_is_not_shown(tmp_path):
    assert recorded.further("order", tmp_path) == {}
    for name in pages._SHOWN:
        said = pages.study(name, {}).text
        assert said.startswith(STUDIES[name].question)
        assert f"CIFAR-10; reglab reproduce --profile reduced --study {name} makes" in said
    with pytest.raises(ReglabError, match="no page shows a study 'ordre'; there are order"):
        pages.study("ordre")


def test_recorded_studies_appear_from_three_complete_seeds(tmp_path):
    """Through files, as `reglab record` writes them, with the real data sets' digests."""
    plan = Plan.from_profile(PROFILES["reduced"], "cifar10", "cpu")
    store, folder = RunStore(tmp_path / "store"), tmp_path / "recorded"
    for record in finish(plan, record_of).values():
        store.put(record)
    ordered = dataclasses.replace(plan, study="order")
    missing = outlook(ordered, store.load).missing
    own = [record_of(config) for config in missing]
    write_table(finish(plan, record_of).values(), folder / "reduced" / "cifar10.jsonl.gz")
    for count, seeds in ((2, None), (4, 4), (5, 5)):
        write_table(own[:count], folder / "reduced" / "order" / "cifar10.jsonl.gz")
        found = recorded.further("order", folder)
        assert (found["cifar10"]["seed"].nunique() if found else None) == seeds
    assert set(found) == {"cifar10"}
    assert load_own(ordered, store, partial=True) == []


def test_robustness(study, monkeypatch):
    """All three lose four points fewer to every corruption than nothing does, clean or not."""
    made_up = study("robustness")
    conditions = ["clean", *corruptions.conditions()]
    made_up["probed"] = [
        {
            name: {
                "accuracy": clean - (name != "clean") * (0.2 - 0.04 * (cell == "all")),
                "ece": 0.1,
            }
            for name in conditions
        }
        for cell, clean in zip(made_up["cell"], made_up["test_acc"], strict=True)
    ]
    shown = pages.study("robustness", {"cifar10": made_up})
    assert len(shown.shown) == 3
    assert shown.shown[0].table["points lost"].iloc[0] == "20.00 ± 0.00"
    assert "points lost to corruptions: CIFAR-10: smaller by 4.00" in shown.remark
    assert "noise, blur, brightness, contrast, shift and rotation" in shown.remark
    assert "Points of accuracy lost to each kind" in shown._repr_html_()
