"""Drifting noise behind BN: what is measured, without disturbing, and what is concluded."""

import json

import pytest
import torch
from torch.nn.functional import cross_entropy

from reglab import bench
from reglab.bench import shift, shift_text
from reglab.errors import ReglabError
from reglab.training.evaluate import ready
from reglab.training.run import Run, load_for, train


@pytest.fixture
def small(monkeypatch):
    real = shift.config_of

    def config_of(network, seed):
        return real(network, seed).replace(n_train=160, width=2, max_epochs=2, batch_size=32)

    monkeypatch.setattr(shift, "config_of", config_of)
    monkeypatch.setattr(shift, "MEASURED_EVERY", 3)
    return config_of


def new_run(config):
    return Run(config, load_for(config), torch.device("cpu"))


@pytest.mark.parametrize("network", ["plain", "bn"])
def test_measuring_leaves_the_training_alone(small, network):
    found, record = shift.measured(network, 0), train(small(network, 0))
    assert found["train_loss"] == record.history.train_loss[-1]
    assert found["test_acc"] == record.trace.test_acc[-1]


def test_noise_is_that_of_its_step_and_of_training_only():
    layer, y = torch.nn.BatchNorm2d(3).train(), torch.zeros(400, 3, 5, 5)
    noise = shift.Noise(seed=0, layer="bn1", amount=0.5)
    first = noise(layer, (), y)
    assert torch.equal(noise(layer, (), y), first)
    noise.step = 1
    second = noise(layer, (), y)
    means = torch.stack([first.mean((0, 2, 3)), second.mean((0, 2, 3))])
    assert len(means.flatten().unique()) == 6  # each step and channel has its own
    assert means.abs().max() < 0.55
    assert first.std((0, 2, 3)).max() < 0.55
    assert torch.equal(noise(layer.eval(), (), y), y)


def test_seen_is_autograds_gradient_and_changes_nothing(small):
    run = new_run(small("bn", 0))
    run.model.train()
    batch = ready(run.fit[0][:32], run.data), run.fit[1][:32]
    before = {name: value.clone() for name, value in run.model.state_dict().items()}
    inputs, gradient = shift.seen(run.model, shift.state_of(run.model), batch)
    assert all(torch.equal(before[k], v) for k, v in run.model.state_dict().items())
    first = run.model.bn1(run.model.conv1(batch[0])).relu()
    torch.testing.assert_close(inputs["conv2"], first)
    assert inputs["fc"].shape == (32, 2 * 2 * 8 * 8)
    cross_entropy(run.model(batch[0]), batch[1]).backward()
    for name, parameter in run.model.named_parameters():
        torch.testing.assert_close(gradient[name], parameter.grad)


def test_only_what_lies_below_a_layer_has_moved(small):
    model = new_run(small("bn", 0)).model
    before = shift.state_of(model)
    after = {name: value + 1 for name, value in before.items()}
    for layer, below in {
        "conv2": {"conv1", "bn1"},
        "conv3": {"conv1", "bn1", "conv2", "bn2"},
        "fc": {f"{k}{i}" for k in ("conv", "bn") for i in range(1, 5)},
    }.items():
        state = shift.mixed(before, after, layer)
        moved = {k.partition(".")[0] for k in state if not torch.equal(state[k], before[k])}
        assert moved == below  # fmt: skip


def test_noise_makes_inputs_move_and_a_still_network_does_not(small):
    quiet, noisy = shift.measured("bn", 0), shift.measured("strong", 0)
    assert noisy["input_shift"] > 3 * quiet["input_shift"]
    run = new_run(small("bn", 0))
    for group in run.optimizer.param_groups:
        group["lr"] = 0.0
    run.model.train()
    still = shift._measured_step(run, next(run.order.epoch()), [])
    assert (still["input_shift"], still["gradient_shift"]) == (0, 0)
    assert still["predictiveness"] > 0  # that looks ahead, whether or not the step is taken


def test_whole_measurement_in_every_format(small):
    found = json.loads(bench.render(shift.shift("cpu", seeds=2), "json"))
    assert found["runs"].keys() == shift.NETWORKS.keys()
    for form in ("table", "markdown"):
        text = bench.render(found, form, "shift")
        assert "with BN and strong noise" in text
        assert "internal covariate shift, %" in text
    with pytest.raises(ReglabError, match="on a processor only, got device 'cuda'"):
        shift.shift("cuda")


def made_up(shifts, losses):
    """A measurement in which each network's two seeds lie close to the values given."""
    runs = {
        network: [
            dict.fromkeys(shift_text.MEASURES, 0.5)
            | {"input_shift": a + e / 1000, "train_loss": b + e / 1000}
            for e in (-1, 1, 2)
        ]
        for network, a, b in zip(shift.NETWORKS, shifts, losses, strict=True)
    }
    for run in runs["bn"]:  # seeds that do not move together
        run["input_shift"] *= 1.001
    return {"noise": shift.NOISE, "runs": runs}


@pytest.mark.parametrize(
    ("shifts", "losses", "said"),
    [
        ((0.1, 0.02, 0.2, 0.5), (2.0, 1.0, 1.5, 1.7),
         ["moved less with BN", "weak noise and the network with BN and strong noise had inputs "
          "that moved more", "lower training loss"]),
        ((0.1, 0.2, 0.3, 0.5), (2.0, 1.0, 2.5, 2.5), ["moved more with BN", "went together"]),
        ((0.3, 0.1, 0.2, 0.2), (2.0, 1.0, 1.5, 1.7), ["tests nothing"]),
        ((0.1, 0.02, 0.2, 0.5), (2.0, 1.0, 2.0, 1.7), ["not decided", "lower training loss"]),
    ],
)  # fmt: skip
def test_the_conclusion_follows_the_runs_in_every_direction(shifts, losses, said):
    found = made_up(shifts, losses)
    if losses[2] == losses[0]:
        for sign, run in zip((1, -1, 1), found["runs"]["weak"], strict=True):
            run["train_loss"] += 0.1 * sign
    text = str(shift_text.conclusion(found))
    assert [words for words in said if words not in text] == []
    assert ("cannot have been" in text) == ("lower training loss" in text)
