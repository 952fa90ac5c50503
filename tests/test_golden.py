"""Golden records: a silent change of training shows, and the version must rise with it."""

import sys
from dataclasses import replace

import pytest
import torch
from conftest import fake_record

from reglab import cli, verify
from reglab.errors import ReglabError
from reglab.runs.store import write_table
from reglab.training import networks, run
from reglab.verify import GOLDEN_TOLERANCE, RECORDED_TOLERANCE, RENEW, compare, golden_checks

GROUPS = {"lr": 1.01, "momentum": 0.89 / 0.9, "weight_decay": 1.02}


def deviating(*names: str) -> set[str]:
    """Make these golden runs and return the names of those that are not as recorded.

    A test below makes the runs in which its fault must show and one in which it must not: all
    eleven each time took a minute and told no more.
    """
    checks = {check.name.removeprefix("golden, "): check for check in golden_checks()}
    return {name for name in names if checks[name].make().wrong}


def test_training_is_as_recorded(monkeypatch, capsys):
    """By the command, in this process."""
    ended, out = verify_by_command(monkeypatch, capsys)
    assert ended == 0, f"{out}\n{RENEW}"
    assert out.count("ok    golden, ") == 11
    assert "0 of 11 runs deviate" in out


def verify_by_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["reglab", "verify", "--share", "0", "--workers", "1"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return ended.value.code or 0, capsys.readouterr().out


def test_workers_find_what_this_process_finds():
    checks = [check for check in golden_checks() if check.expected.config.lam == 0.3]
    findings = sorted(verify.verify(checks, workers=2), key=lambda finding: finding.name)
    assert findings == sorted((c.make() for c in checks), key=lambda finding: finding.name)
    assert len(findings) == 2


def test_golden_runs_cover_each_way_of_training():
    runs = verify.golden_configs().values()
    assert {run.dataset for run in runs} == {"mnist", "fashion_mnist", "cifar10"}
    assert {run.l2 for run in runs if run.lam} == {"coupled", "per_sample", "decoupled"}
    assert {run.placement for run in runs if run.dropout} == {"fc", "all"}
    assert {run.optimizer for run in runs} == {"sgd", "adamw"}
    records = verify.golden_records()
    expected = {name: records[run.key] for name, run in verify.golden_configs().items()}
    assert expected["diverging"].diverged
    early = expected["stopped early"]
    assert early.best_epoch < early.epochs < early.config.max_epochs


@pytest.mark.parametrize("setting", GROUPS)
def test_a_changed_optimizer_shows(setting, monkeypatch):
    real = run.build_optimizer

    def changed(*arguments):
        optimizer = real(*arguments)
        for group in optimizer.param_groups:
            if setting in group:
                group[setting] *= GROUPS[setting]
        return optimizer

    monkeypatch.setattr(run, "build_optimizer", changed)
    # which has nothing of it to change
    without = {"lr": "diverging", "momentum": "L2, decoupled", "weight_decay": "plain"}[setting]
    both = {"L2, coupled", "L2, per sample"}
    assert deviating(*both, without) == both


def test_decay_of_biases_and_scales_shows(monkeypatch):
    """In eight steps biases hardly leave zero; it is batch normalization's scale that shows."""
    real = run.build_optimizer

    def changed(*arguments):
        optimizer = real(*arguments)
        weights, rest = optimizer.param_groups
        rest["weight_decay"] = weights["weight_decay"]
        return optimizer

    monkeypatch.setattr(run, "build_optimizer", changed)
    assert deviating("all three", "L2, coupled", "batch normalization") == {"all three"}


@pytest.mark.parametrize("name, value", [("eps", 1e-3), ("momentum", 0.11)])
def test_changed_batch_normalization_shows(name, value, monkeypatch):
    real = run.build_model

    def changed(*arguments):
        model = real(*arguments)
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                setattr(module, name, value)
        return model

    monkeypatch.setattr(run, "build_model", changed)
    both = {"batch normalization", "all three"}
    assert deviating(*both, "plain") == both


def test_unscaled_dropout_shows(monkeypatch):
    from reglab.training.model import Dropout

    real = Dropout.forward

    def unscaled(self, x):
        return real(self, x) * (1 - self.drop) if self.training else x

    monkeypatch.setattr(Dropout, "forward", unscaled)
    three = {"dropout", "dropout everywhere", "all three"}
    assert deviating(*three, "plain") == three


@pytest.mark.parametrize("stream", ["initialize", "seed_dropout"])
def test_other_random_numbers_show(stream, monkeypatch):
    module = networks if stream == "initialize" else run
    real = getattr(module, stream)
    monkeypatch.setattr(module, stream, lambda model, seed, *rest: real(model, seed + 1, *rest))
    both = {"dropout", "dropout everywhere"}
    expected = both | {"plain"} if stream == "initialize" else both
    assert deviating(*both, "plain") == expected


def test_versions_and_golden_records_change_together(monkeypatch):
    """A raised version has other keys, so that the old table is refused as out of date."""
    monkeypatch.setattr(verify, "TRAIN_VERSION", 2)
    configs = {name: run.replace(train_version=2) for name, run in verify.golden_configs().items()}
    monkeypatch.setattr(verify, "golden_configs", lambda: configs)
    with pytest.raises(ReglabError, match="no golden record of 'plain' for training version 2"):
        verify.golden_records()


def test_compare_names_each_deviation(config):
    run = fake_record(config)
    assert compare(run, run, GOLDEN_TOLERANCE) == []
    history = replace(run.history, val_loss=[run.history.val_loss[0], run.history.val_loss[1] + 1])
    scores = replace(run.best, accuracy=run.best.accuracy - 0.1)
    changed = replace(run, n_params=999, best_epoch=1, history=history, best=scores)
    deviations = "; ".join(compare(changed, run, GOLDEN_TOLERANCE))
    for phrase in ("n_params 999", "best_epoch 1", "val_loss of epoch 2", "best.accuracy"):
        assert phrase in deviations
    assert "train_loss" not in deviations
    assert "val_loss" not in "; ".join(compare(changed, run, RECORDED_TOLERANCE))
    ended = fake_record(config, diverged=True)
    assert "diverged True instead of False" in compare(ended, run, RECORDED_TOLERANCE)
    assert compare(ended, ended, RECORDED_TOLERANCE) == []


def test_a_share_of_the_recorded_runs_is_made_again(tmp_path, config, monkeypatch):
    runs = [fake_record(config.replace(seed=seed)) for seed in range(100)]
    write_table(runs, tmp_path / "reduced" / "mnist.jsonl.gz")
    write_table(runs[:3], tmp_path / "reduced" / "cifar10.jsonl.gz")
    monkeypatch.setattr(verify, "is_cached", lambda name: name == "mnist")
    checks, left_out = verify.recorded_checks(0.02, seed=5, folder=tmp_path)
    assert len(checks) == 2
    assert left_out == ["cifar10: the full data set is not here (`reglab data fetch cifar10`)"]
    again, _ = verify.recorded_checks(0.02, seed=5, folder=tmp_path)
    other, _ = verify.recorded_checks(0.02, seed=6, folder=tmp_path)
    assert again == checks != other
    assert len(verify.recorded_checks(0.001, seed=5, folder=tmp_path)[0]) == 1
    assert verify.recorded_checks(0, seed=5, folder=tmp_path) == ([], [])
    write_table(runs[:-1], tmp_path / "reduced" / "mnist.jsonl.gz")
    write_table(runs[-1:], tmp_path / "reduced" / "order" / "mnist.jsonl.gz")  # a further study's
    everything, _ = verify.recorded_checks(1, seed=5, folder=tmp_path)
    assert {check.expected.config for check in everything} == {run.config for run in runs}
    with pytest.raises(ReglabError, match=r"share must be in \[0, 1\], got 2"):
        verify.recorded_checks(2, seed=5)


def test_the_command_fails_when_a_run_deviates(monkeypatch, capsys):
    finding = verify.Finding("golden, plain", False, ("val_loss of epoch 1 is 2 instead of 1",))
    monkeypatch.setattr(verify, "verify", lambda checks, workers: iter([finding]))
    ended, out = verify_by_command(monkeypatch, capsys)
    assert ended == 1
    assert "WRONG golden, plain: val_loss of epoch 1 is 2 instead of 1" in out
    assert RENEW in out
