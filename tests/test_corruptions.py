"""Corruptions of known answer, and the probe that scores a run on them."""

import math
import sys

import pytest
import torch
from test_training import mnist

from reglab import corruptions
from reglab.errors import ReglabError
from reglab.record import RunRecord
from reglab.training import corrupting, evaluate
from reglab.training.corrupting import corrupted
from reglab.training.run import Run, load_for, train


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (4, 3, 12, 12), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize(
    ("kind", "nothing"),
    [("noise", 0.0), ("blur", 0.0), ("brightness", 1.0), ("contrast", 1.0), ("shift", 0),
     ("rotation", 0.0)],
)  # fmt: skip
def test_a_strength_of_nothing_changes_nothing(images, kind, nothing):
    assert torch.equal(corrupted(images, kind, nothing), images)


def test_noise_has_its_deviation_and_is_the_same_each_time():
    grey = torch.full((20, 1, 28, 28), 128, dtype=torch.uint8)
    before = torch.get_rng_state()
    noisy = corrupted(grey, "noise", 0.1)
    assert torch.equal(torch.get_rng_state(), before)
    # 15,680 values: the standard error of their deviation is 0.6 %
    assert noisy.double().std().item() == pytest.approx(25.5, rel=0.03)
    assert noisy.double().mean().item() == pytest.approx(128, abs=1)
    assert torch.equal(corrupted(grey, "noise", 0.1), noisy)
    assert corrupted(grey * 0, "noise", 0.1).min() == 0  # and not 255 - something


def test_blur_spreads_a_point_as_the_normal_density():
    point = torch.zeros(1, 1, 15, 15, dtype=torch.uint8)
    point[..., 7, 7] = 255
    weights = [math.exp(-0.5 * (x / 1.0) ** 2) for x in range(-3, 4)]
    line = torch.tensor(weights) / sum(weights)
    expected = (255 * line[:, None] * line).round()
    assert torch.equal(corrupted(point, "blur", 1.0)[0, 0, 4:11, 4:11].float(), expected)
    assert (corrupted(point * 0 + 90, "blur", 2.0) == 90).all()  # its reach, 6, goes over the edge


def test_brightness_and_contrast():
    halves = torch.tensor([[[[0, 200], [200, 0]]]], dtype=torch.uint8)
    assert corrupted(halves, "brightness", 0.5).unique().tolist() == [0, 100]
    assert corrupted(halves, "contrast", 0.5).unique().tolist() == [50, 150]  # about the mean, 100


def test_a_shift_repeats_the_edge(images):
    shifted = corrupted(images, "shift", 2)
    assert torch.equal(shifted[..., 2:], images[..., :-2])
    assert all(torch.equal(shifted[..., i], images[..., 0]) for i in (0, 1))


def test_a_rotation_turns_counter_clockwise_and_repeats_the_edge(images):
    assert torch.equal(corrupted(images, "rotation", 90), images.rot90(dims=(2, 3)))
    bright = torch.full((1, 1, 28, 28), 250, dtype=torch.uint8)
    for degrees in corruptions.CORRUPTIONS["rotation"]:
        assert (corrupted(bright, "rotation", degrees) == 250).all()  # no dark corners
    ten = corrupted(images, "rotation", 10)
    assert not torch.equal(ten, images)
    assert torch.equal(ten, corrupted(images, "rotation", 10))


def test_an_unknown_corruption_is_one_line(images):
    with pytest.raises(ReglabError, match=r"corruption must be one of noise, blur.*got 'fog'"):
        corrupted(images, "fog", 1)


def test_a_record_has_every_condition_and_is_else_the_same():
    config = mnist(probes="robustness", max_epochs=1)
    record, plain = train(config), train(config.replace(probes=""))
    assert list(record.probed) == ["clean", *corruptions.conditions()]
    assert len(record.probed) == 19
    assert record.probed["clean"]["accuracy"] == record.best.accuracy
    assert record.probed["clean"]["ece"] == record.best.ece
    assert record.best == plain.best
    assert record.history == plain.history
    assert plain.probed is None
    assert "probed" not in plain.to_json()
    assert RunRecord.from_json(record.to_json()) == record
    assert record.reproducible() == train(config).reproducible()


def test_a_condition_is_the_score_of_these_images(monkeypatch):
    monkeypatch.setattr(corruptions, "IMAGES", 300)
    config = mnist(probes="robustness", max_epochs=1, width=8, lr=0.05)
    record, data = train(config), load_for(config)
    run = Run(config, data, torch.device("cpu"))
    run.epoch()
    images, labels = data.x_test[:300], data.y_test[:300]
    moved = torch.cat([images[..., :1].repeat(1, 1, 1, 4), images[..., :-4]], dim=3)
    for name, part in (("clean", images), ("shift 4", moved)):
        logits = evaluate.predict(run.model, part, data, config)
        share = (logits.argmax(1) == labels).double().mean().item()
        assert record.probed[name]["accuracy"] == share
    assert record.probed["shift 4"]["accuracy"] < record.probed["clean"]["accuracy"]


def test_without_torchvision_everything_else_is_trained(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchvision.transforms.v2", None)
    assert train(mnist(max_epochs=1)).probed is None
    steps = []
    monkeypatch.setattr(Run, "step", lambda *_: steps.append(1))
    with pytest.raises(ReglabError, match="probes='robustness' needs torchvision"):
        train(mnist(max_epochs=1, probes="robustness"))
    assert steps == []  # refused before, not after, the training


@pytest.mark.parametrize("shape", [(2, 16, 16), (3, 7, 28)])
def test_images_that_cannot_be_corrupted_are_refused(shape):
    class Odd:
        name, in_shape, kind = "odd", shape, "image"

    with pytest.raises(ReglabError, match=r"needs images of 1 or 3 channels .* have the shape"):
        corrupting.check(mnist(probes="robustness"), Odd)
