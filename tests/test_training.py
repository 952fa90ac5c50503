"""train: real learning, determinism, early stopping, the readings of lambda, divergence."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from reglab import formulas
from reglab.config import RunConfig
from reglab.data.dataset import dataset_version, load_dataset
from reglab.errors import ReglabError
from reglab.record import RunRecord, unpack_bits
from reglab.training import evaluate, run
from reglab.training.fitting import fit
from reglab.training.model import decayed_parameters
from reglab.training.networks import build_model
from reglab.training.optimizer import build_optimizer
from reglab.training.order import BatchOrder
from reglab.training.run import train
from reglab.training.stopping import EarlyStopping

ODD = {"batch_norm": True, "dropout": 0.5, "placement": "all", "lam": 1e-3}


def mnist(**changes) -> RunConfig:
    values = {
        "dataset": "mnist",
        "data_version": dataset_version("mnist", "sample"),
        "n_train": 300,
        "seed": 0,
        "width": 4,
        "lr": 0.02,
        "max_epochs": 2,
    }
    return RunConfig(**{**values, **changes})


def test_a_network_learns_to_read_digits():
    record = train(mnist(n_train=1000, width=8, max_epochs=6, lr=0.01))
    assert record.best.accuracy > 0.8
    assert record.history.train_loss[-1] < record.history.train_loss[0]
    assert not record.diverged


def test_record_holds_what_it_says():
    config = mnist(**ODD)
    record = train(config)
    data = run.load_for(config)
    assert record.config == config
    assert record.epochs == 2 == len(record.history.train_acc) == len(record.costs.epoch_seconds)
    assert record.n_fit == 270 == len(data.y_train)
    correct = unpack_bits(record.best.correct)
    assert len(correct) == len(data.y_test)
    assert correct.mean() == pytest.approx(record.best.accuracy)
    assert 0 <= record.best.ece <= 1
    assert record.best_epoch == 1 + int(np.argmin(record.history.val_loss))
    assert record.costs.seconds > sum(record.costs.epoch_seconds) > 0
    assert record.costs.inference_ms > 0
    assert {"device_name", "torch", "code_version", "threads"} <= set(record.environment)
    assert RunRecord.from_json(record.to_json()) == record


@pytest.mark.parametrize("changes", [{}, ODD, {"optimizer": "adamw", "l2": "decoupled"}])
def test_same_config_gives_the_same_bits(changes):
    first, second = train(mnist(**changes)), train(mnist(**changes))
    assert first.reproducible() == second.reproducible()


@pytest.mark.parametrize("changes", [{}, ODD])
def test_what_is_measured_only_at_the_end_is_the_same(changes):
    config = mnist(**changes, patience=0, max_epochs=3)
    record, fitted = train(config), fit(config)
    assert fitted.last == record.last
    assert fitted.history.val_loss == record.history.val_loss[-1:]
    with pytest.raises(ReglabError, match="patience must be 0 to measure only at the end, got 5"):
        fit(config.replace(patience=5))


def test_the_scores_are_those_of_the_restored_and_of_the_last_weights():
    config = mnist(lr=0.3, max_epochs=4, patience=0, batch_size=8)
    under_way = run.Run(config, run.load_for(config), torch.device("cpu"))
    under_way.finish()
    test = under_way.test, under_way.data, config
    last = evaluate.score(under_way.model, *test)
    record = under_way.record()
    assert 1 <= record.best_epoch < 4  # so that the two differ
    assert record.last == last != record.best
    assert record.best == evaluate.score(under_way.model, *test)


def test_same_config_gives_the_same_bits_in_another_process():
    config = mnist(**ODD)
    code = (
        "import json, sys; from reglab.config import RunConfig;"
        "from reglab.training.run import train;"
        "torch = __import__('torch'); torch.set_num_threads(2); torch.manual_seed(99);"
        "config = RunConfig.from_dict(json.loads(sys.argv[1])); print(train(config).to_json())"
    )
    arguments = [sys.executable, "-c", code, json.dumps(config.to_dict())]
    printed = subprocess.run(arguments, capture_output=True, text=True, check=True, env=os.environ)
    assert RunRecord.from_json(printed.stdout).reproducible() == train(config).reproducible()


def test_training_leaves_the_global_state_alone():
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    train(mnist(max_epochs=1, **ODD))
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_seed_changes_split_weights_and_order():
    one, two = train(mnist()), train(mnist(seed=1))
    assert one.history.val_loss != two.history.val_loss


@pytest.mark.parametrize("reading", ["coupled", "per_sample"])
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_weight_decay_is_the_printed_penalty(reading, optimizer):
    """One step with the optimizer's decay equals one with the penalty added to the loss."""
    config = mnist(lam=0.3, l2=reading, optimizer=optimizer, batch_norm=True)
    data = run.load_for(config)
    images, labels = data.standardize(data.x_train[:64]), data.y_train[:64]
    stepped = []
    for by_hand in (False, True):
        model = build_model(config, data)
        used = config.replace(lam=0.0) if by_hand else config
        steps = build_optimizer(model, used, len(data.y_train))
        loss = torch.nn.functional.cross_entropy(model(images), labels)
        if by_hand:
            factor = formulas.effective_lambda(config.lam, reading, len(data.y_train))
            loss = loss + formulas.l2_penalty(decayed_parameters(model)[0], factor)
        loss.backward()
        steps.step()
        stepped.append(model.state_dict())
    for name, value in stepped[0].items():
        torch.testing.assert_close(value, stepped[1][name], rtol=1e-4, atol=1e-5)


def test_decoupled_decay_shrinks_by_lr_times_lambda():
    config = mnist(lam=0.5, l2="decoupled", optimizer="adamw", lr=0.01)
    data = run.load_for(config)
    model = build_model(config, data)
    before = model.fc.weight.detach().clone()
    optimizer = build_optimizer(model, config, len(data.y_train))
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    torch.testing.assert_close(model.fc.weight, before * (1 - 0.01 * 0.5))


def test_strong_coupled_penalty_collapses_to_chance():
    """lambda = 10 as the paper prints it: loss ln K and constant predictions."""
    record = train(mnist(lam=10.0, max_epochs=3, lr=0.01))
    assert record.history.train_loss[-1] == pytest.approx(math.log(10), abs=0.02)
    assert record.best.accuracy < 0.2


def test_nan_ends_the_run_and_is_recorded():
    record = train(mnist(lr=1e12, max_epochs=4))
    assert record.diverged
    assert record.best is None
    assert record.last is None
    assert record.epochs < 4
    assert RunRecord.from_json(record.to_json()) == record


def test_divergence_after_good_epochs_keeps_the_best_weights(monkeypatch):
    values = iter([(1.0, 0.5), (1.1, 0.5), (0.9, 0.6), (math.nan, 0.1), (0.5, 0.5)])
    monkeypatch.setattr(run, "evaluate", lambda *_: next(values))
    record = train(mnist(max_epochs=5))
    assert record.diverged
    assert (record.epochs, record.best_epoch) == (1, 1)
    assert record.best is not None
    assert record.last is None


def test_early_stopping_counts_and_restores(monkeypatch):
    losses = iter([2.0, 1.0, 1.5, 1.4, 1.3, 1.2, 0.1])
    real = run.evaluate

    def scripted(model, part, data, config):
        if len(part[1]) == len(data.y_val):
            return next(losses), 0.5
        return real(model, part, data, config)

    with monkeypatch.context() as patched:
        patched.setattr(run, "evaluate", scripted)
        record = train(mnist(max_epochs=20, patience=3))
    assert (record.best_epoch, record.epochs) == (2, 5)
    two_epochs = train(mnist(max_epochs=2, patience=0))
    assert record.best == two_epochs.last
    assert record.last != record.best


def test_patience_zero_never_stops():
    stopper = EarlyStopping(0)
    assert [stopper.improved(loss) for loss in (1.0, 2.0, 3.0)] == [True, False, False]
    assert not stopper.should_stop


def test_patience_is_epochs_without_improvement():
    stopper = EarlyStopping(2)
    stops = []
    for loss in (1.0, 1.0, 0.9, 0.95, 0.9):
        stopper.improved(loss)
        stops.append(stopper.should_stop)
    assert stops == [False, False, False, False, True]
    assert stopper.best_epoch == 3


def test_batches_cover_each_epoch_once_and_drop_the_rest():
    order = BatchOrder(mnist(batch_size=64), 270)
    first, second = list(order.epoch()), list(order.epoch())
    assert [len(batch) for batch in first] == [64] * 4
    assert len(set(torch.cat(first).tolist())) == 256
    assert not torch.equal(first[0], second[0])


def test_a_training_part_smaller_than_a_batch_is_one_batch():
    assert [len(batch) for batch in BatchOrder(mnist(), 18).epoch()] == [18]


def test_wrong_data_are_refused():
    data = load_dataset("mnist", source="sample", seed=1, n_train=300)
    with pytest.raises(ReglabError, match="seed=0"):
        train(mnist(), data)
    with pytest.raises(ReglabError, match="data_version"):
        train(mnist(data_version="sample:000000000000"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="asks for a device that is missing")
def test_missing_cuda_is_one_line():
    with pytest.raises(ReglabError, match="--device cpu"):
        train(mnist(device="cuda"))


def test_bf16_is_recorded_and_close():
    record = train(mnist(precision="bf16", max_epochs=1))
    full = train(mnist(max_epochs=1))
    assert record.config.precision == "bf16"
    assert record.history.train_loss[0] == pytest.approx(full.history.train_loss[0], abs=0.1)
    assert record.history.train_loss != full.history.train_loss


def test_another_versions_config_is_refused():
    with pytest.raises(ReglabError, match="train_version=99, this reglab trains as version 1"):
        train(mnist(train_version=99))
