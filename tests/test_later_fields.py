"""Fields that came later, against plain loops: which weights L2 acts on, where BN is, probes."""

import copy
import dataclasses

import pytest
import torch
from torch.nn.functional import batch_norm, conv2d, cross_entropy, linear, max_pool2d, relu

from reglab.config import RunConfig
from reglab.data.dataset import dataset_version
from reglab.training.model import Dropout
from reglab.training.networks import build_model
from reglab.training.order import BatchOrder
from reglab.training.probes import statistics
from reglab.training.run import Run, load_for, train


@pytest.fixture
def small():
    return RunConfig(
        dataset="cifar10",
        data_version=dataset_version("cifar10", "sample"),
        n_train=150,
        seed=2,
        width=4,
        lr=0.02,
        max_epochs=1,
        batch_size=135,  # one step of all images: later ones amplify rounding
        batch_norm=True,
        patience=0,
    )


def forward(weights, images, config, training):
    """The network written out; running statistics are updated in ``weights``."""
    x = images
    for i in range(1, 5):
        x = conv2d(x, weights[f"conv{i}.weight"], weights.get(f"conv{i}.bias"), padding=1)

        def norm(x, bn=f"bn{i}"):
            if not config.batch_norm:
                return x
            mean, var = weights[f"{bn}.running_mean"], weights[f"{bn}.running_var"]
            scale, shift = weights[f"{bn}.weight"], weights[f"{bn}.bias"]
            return batch_norm(x, mean, var, scale, shift, training=training)

        x = norm(relu(x)) if config.norm_order == "after_relu" else relu(norm(x))
        x = x if i % 2 else max_pool2d(x, 2)
    hidden = relu(linear(x.flatten(1), weights["fc.weight"], weights["fc.bias"]))
    return linear(hidden, weights["out.weight"], weights["out.bias"])


def plain_loop(config, data, penalized):
    """Train with the penalty in the loss and momentum by hand; return the weights."""
    model = build_model(config, data)
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    names = [name for name, _ in model.named_parameters()]
    speed = {name: torch.zeros_like(weights[name]) for name in names}
    order = BatchOrder(config, len(data.y_train))
    for _ in range(config.max_epochs):
        for index in order.epoch():
            for name in names:
                weights[name] = weights[name].detach().requires_grad_()
            images = data.standardize(data.x_train[index])
            loss = cross_entropy(forward(weights, images, config, True), data.y_train[index])
            squares = sum(weights[name].square().sum() for name in penalized)
            loss = loss + config.lam / 2 * squares
            found = torch.autograd.grad(loss, [weights[name] for name in names])
            with torch.no_grad():
                for name, gradient in zip(names, found, strict=True):
                    speed[name] = config.momentum * speed[name] + gradient
                    weights[name] = weights[name] - config.lr * speed[name]
    return weights


CONV = [f"conv{i}.weight" for i in range(1, 5)]
DENSE = ["fc.weight", "out.weight"]
CASES = [
    ({"lam": 0.3, "decay_on": "conv"}, CONV),
    ({"lam": 0.3, "decay_on": "dense"}, DENSE),
    ({"lam": 0.3, "decay_on": "dense", "batch_norm": False}, DENSE),
    ({"lam": 0.3}, CONV + DENSE),
]


@pytest.mark.parametrize(("changes", "penalized"), CASES)
def test_training_is_what_a_plain_loop_gives(small, changes, penalized):
    config = small.replace(**changes)
    data = load_for(config)
    record = train(config, data)
    weights = plain_loop(config, data, penalized)
    for name in CONV + DENSE:
        norm = float(torch.linalg.vector_norm(weights[name]))
        assert record.trace.weight_norms[name][-1] == pytest.approx(norm, rel=2e-5)
    with torch.no_grad():
        logits = forward(weights, data.standardize(data.x_train), config, False)
    loss = float(cross_entropy(logits, data.y_train))
    assert record.history.train_loss[-1] == pytest.approx(loss, rel=1e-4)


def test_the_plain_loop_tells_the_cases_apart(small):
    """Weights that L2 does not act on stay far longer than its tolerance."""
    norms = {
        on: train(small.replace(lam=0.3, decay_on=on)).trace.weight_norms for on in ("conv", "all")
    }
    for name, (conv, both) in {
        n: (norms["conv"][n][-1], norms["all"][n][-1]) for n in DENSE
    }.items():
        assert conv > 1.004 * both, name


@pytest.mark.parametrize("batch_norm", [True, False])
def test_gradients_are_those_of_the_network_written_out(small, batch_norm):
    """In double precision: in single, a unit next to zero may fall on its other side."""
    losses = []
    for order in ("before_relu", "after_relu"):
        config = small.replace(norm_order=order, batch_norm=batch_norm)
        data = load_for(config)
        images, labels = data.standardize(data.x_train).double(), data.y_train
        model = build_model(config, data).double()
        weights = {name: value.clone() for name, value in model.state_dict().items()}
        names = [name for name, _ in model.named_parameters()]
        weights |= {name: weights[name].requires_grad_() for name in names}
        loss = cross_entropy(forward(weights, images, config, True), labels)
        expected = torch.autograd.grad(loss, [weights[name] for name in names])
        cross_entropy(model(images), labels).backward()
        for parameter, gradient in zip(model.parameters(), expected, strict=True):
            torch.testing.assert_close(parameter.grad, gradient, rtol=1e-9, atol=1e-12)
        losses.append(loss.item())
    assert (losses[0] == losses[1]) == (not batch_norm)


def test_a_convolution_keeps_its_bias_where_the_relu_comes_first(small):
    data = load_for(small)
    with_bias = build_model(small.replace(norm_order="after_relu"), data)
    assert {"conv1.bias", "conv4.bias"} <= set(with_bias.state_dict())
    assert "conv1.bias" not in build_model(small, data).state_dict()


@pytest.fixture
def shifted(small):
    """A trained run with dropout before BN layers 3 and 4."""
    config = small.replace(dropout=0.4, placement="all", probes="statistics")
    data = load_for(config)
    run = Run(config, data, torch.device("cpu"))
    for _ in range(config.max_epochs):
        run.end_epoch(run.epoch())
    return run


def test_a_probe_changes_nothing_else(small):
    config = small.replace(dropout=0.4, placement="all")
    plain, probed = train(config).reproducible(), train(config.replace(probes="statistics"))
    assert "probed" not in plain
    found = probed.reproducible()
    assert set(found.pop("probed")) == {"with dropout", "without dropout", "variance ratio"}
    assert found.pop("config") == plain.pop("config") | {"probes": "statistics"}
    assert found == plain


def test_statistics_are_means_over_the_training_batches(shifted):
    before = copy.deepcopy(shifted.model.state_dict())
    order = copy.copy(shifted.order)
    order.generator = shifted.order.generator.clone_state()
    found = statistics(shifted)
    after = shifted.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert [m.drop for m in shifted.model.modules() if isinstance(m, Dropout)] == [0.4] * 3

    variances = []
    seen = shifted.model.bn3.register_forward_hook(
        lambda _, inputs, __: variances.append(inputs[0].transpose(0, 1).flatten(1).var(1))
    )
    data, model = shifted.data, shifted.model
    with torch.no_grad():
        for masked in (True, False):
            for index in order_again(order):
                model.train()
                for module in model.modules():
                    if isinstance(module, Dropout):
                        module.train(masked)
                model(data.standardize(data.x_train[index]))
    seen.remove()
    half = len(variances) // 2
    masked, plain = (torch.stack(part).mean(0) for part in (variances[:half], variances[half:]))
    ratio = ((masked + 1e-5) / (plain + 1e-5)).mean().item()
    assert found["variance ratio"]["bn3"] == pytest.approx(ratio, rel=0.1)
    assert found["variance ratio"]["bn1"] == pytest.approx(1, abs=1e-6)
    assert found["variance ratio"]["bn3"] > 1.02  # dropout adds to the variance


def order_again(order):
    again = copy.copy(order)
    again.generator = order.generator.clone_state()
    return list(again.epoch())


def test_dropout_behind_every_bn_layer_shifts_nothing(small):
    found = train(small.replace(dropout=0.5, placement="fc", probes="statistics")).probed
    assert found["with dropout"] == found["without dropout"]
    assert found["variance ratio"] == {f"bn{i}": 1.0 for i in range(1, 5)}


def test_a_run_that_diverged_at_once_has_nothing_to_probe(small):
    record = train(small.replace(lr=1e9, batch_norm=False, probes="statistics"))
    assert record.best is None and record.probed is None
    assert dataclasses.replace(record, probed=None) == record
