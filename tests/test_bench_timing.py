"""Times with BN and without: what is measured and said; no test here depends on a time."""

import json

import pytest

from reglab import bench
from reglab.bench import timing
from reglab.training.run import Run, train


@pytest.fixture
def small(monkeypatch):
    real = timing.config_of

    def config_of(*args):
        return real(*args).replace(n_train=100, width=2, max_epochs=2, batch_size=32)

    monkeypatch.setattr(timing, "config_of", config_of)
    monkeypatch.setattr(timing, "KNOWN", ["mnist"])
    return config_of


def times(epoch, epochs, target):
    return {"seconds_per_epoch": epoch, "epochs": epochs, "seconds": epoch * epochs,
            "seconds_to_target": target}  # fmt: skip


WITHOUT = [times(2.0, 10, 8.0), times(2.0, 20, None), times(4.0, 10, 4.0)]
WITH = [times(3.0, 8, 2.0), times(3.0, 10, 1.0), times(5.0, 16, 3.0)]


def made_up(without, with_bn):
    measured = timing.ratios(without, with_bn)
    part = {"without": without, "with": with_bn, "ratios": measured}
    return {"datasets": {"mnist": part}}


def test_ratios_are_formed_within_a_seed():
    measured = timing.ratios(WITHOUT, WITH)
    assert measured["seconds_per_epoch"] == {"median": 1.5, "range": [1.25, 1.5], "n": 3}
    assert measured["epochs"] == {"median": 0.8, "range": [0.5, 1.6], "n": 3}
    assert measured["seconds"] == {"median": 1.2, "range": [0.75, 2.0], "n": 3}
    assert measured["seconds_to_target"] == {"median": 0.5, "range": [0.25, 0.75], "n": 2}
    never = [times(1.0, 5, None)]
    assert timing.ratios(never, never)["seconds_to_target"] == {
        "median": None, "range": None, "n": 0,
    }  # fmt: skip


def test_sentences_follow_the_ratios_in_both_directions():
    said = str(timing.findings(made_up(WITHOUT, WITH)))
    head, title, epoch, epochs, _, target = filter(None, said.splitlines())
    assert head == "The paper's saving would be a ratio of about 0.85."
    assert title == "- **MNIST**"
    assert epoch == (
        "  - Seconds of an epoch: more with BN in every seed; 0.85 lies outside the range of 1.25 "
        "to 1.50."
    )
    assert epochs.endswith(
        "more with BN in some seeds, fewer in others; 0.85 lies within the range of 0.50 to 1.60."
    )
    assert "fewer with BN in every seed; 0.85 lies outside the range of 0.25 to 0.75" in target
    never = [times(1.0, 5, None)]
    assert "no seed in which both networks came that far" in str(
        timing.findings(made_up(never, never))
    )


def test_epochs_of_a_pair_take_turns_and_the_first_one_changes(small, monkeypatch):
    seen, real = [], Run.epoch
    monkeypatch.setattr(
        Run, "epoch", lambda run: (seen.append(run.config.batch_norm), real(run))[1]
    )
    timing._pair("mnist", "cpu", 0)
    assert seen == [False, True] + [False, True] * 2  # warm-up, then two epochs of each
    seen.clear()
    timing._pair("mnist", "cpu", 1)
    assert seen == [False, True] + [True, False] * 2


def test_the_timed_runs_are_the_librarys(small):
    plain, with_bn = timing._pair("mnist", "cpu", 0)
    assert plain["epochs"] == train(small("mnist", 0, False)).epochs
    assert with_bn["epochs"] == train(small("mnist", 0, True)).epochs
    assert plain["seconds"] > 0
    assert plain["seconds_to_target"] is not None  # the target is a share of its own best


def test_whole_measurement_in_every_format_and_recorded(small, tmp_path):
    measured = json.loads(bench.render(timing.timing("cpu", seeds=2), "json"))
    assert [len(measured["datasets"]["mnist"][k]) for k in ("without", "with")] == [2, 2]
    for form in ("table", "markdown"):
        assert "epochs until the stop" in bench.render(measured, form, "time")
    (tmp_path / "bench/time").mkdir(parents=True)
    (tmp_path / "bench/time/a.json").write_text(json.dumps(measured))
    assert bench.recorded("time", tmp_path) == [measured]
    assert bench.recorded("shift", tmp_path) == []
