"""What `reglab bench` measures is what it says; no test here depends on a time."""

import json

import pytest
import torch

from reglab import bench
from reglab.bench import measure
from reglab.bench.ceiling import Products
from reglab.bench.usual import UsualLoop, loader
from reglab.data.dataset import load_dataset
from reglab.training.evaluate import ready
from reglab.training.model import multiplications


@pytest.fixture(scope="module", params=["cifar10", "mnist"])
def shape(request):
    return request.param


def data_of(shape):
    return load_dataset(shape, source="sample", seed=0, n_train=80)


def test_the_usual_loop_sees_the_same_images(shape):
    data = data_of(shape)
    batch, labels = next(iter(loader(data, 72, 0)))
    ours = ready(data.x_train, data)
    assert len(batch) == len(ours) == 72
    order = [int((ours - image).abs().amax((1, 2, 3)).argmin()) for image in batch]
    assert sorted(order) == list(range(72))
    torch.testing.assert_close(batch, ours[order].contiguous(), rtol=1e-4, atol=1e-4)
    assert torch.equal(labels, data.y_train[order])


def test_the_usual_loop_learns(shape):
    data = data_of(shape)
    config = measure.config_for(shape, "fp32", "cpu").replace(width=4, batch_size=24)
    loop = UsualLoop(config, data, 0)
    before = [p.clone() for p in loop.model.parameters()]
    assert loop.images_per_second(0.0) > 0
    assert any(not torch.equal(a, b) for a, b in zip(before, loop.model.parameters(), strict=True))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_ceiling_is_every_product_and_nothing_else(shape, precision):
    config = measure.config_for(shape, precision, "cpu").replace(width=4)
    products = Products(config, data_of(shape), batch=8)
    kinds = [type(layer).__name__ for layer, *_ in products.parts]
    assert kinds == ["Conv2d"] * 4 + ["Linear"] * 2
    assert [inputs.requires_grad for _, inputs, _ in products.parts] == [False] + [True] * 5
    assert all(len(inputs) == len(up) == 8 for _, inputs, up in products.parts)
    assert products.images_per_second(0.0) > 0


def turn(usual, fast, ceiling):
    rates = dict.fromkeys(["usual_0_workers", "train", "fast_bf16", "ceiling_bf16"], usual)
    return rates | {"usual_2_workers": usual / 2, "fast_fp32": fast, "ceiling_fp32": ceiling}


def test_ratios_are_formed_within_a_turn_against_the_better_usual_loop():
    found = measure._summary("mnist", [turn(10.0, 30.0, 40.0), turn(20.0, 30.0, 60.0),
                                       turn(10.0, 50.0, 50.0)])  # fmt: skip
    assert found["ratio_fp32"] == 3.0
    assert found["ratio_fp32_range"] == [1.5, 5.0]
    assert found["ceiling_fraction"] == 0.75
    assert found["ratio_bf16"] == 1.0
    assert found["runs_per_hour"]["fast_fp32"] == pytest.approx(30 * 3600 / measure.RUN_IMAGES)
    assert "ceiling_fp32" not in found["runs_per_hour"]


def test_whole_measurement_in_every_format(monkeypatch):
    monkeypatch.setattr(measure, "SECONDS", 0.0)
    monkeypatch.setattr(measure, "TURNS", 1)
    monkeypatch.setattr(measure, "SHAPES", {"cifar10": 2})
    monkeypatch.setattr(measure, "BATCHES", (8,))
    monkeypatch.setattr(measure, "WIDTHS", (2, 4))
    found = json.loads(bench.render(bench.bench("cpu"), "json"))
    part = found["shapes"]["cifar10"]
    assert {"ratio_fp32", "ratio_bf16", "ceiling_fraction"} <= set(part)
    assert all(rate > 0 for rate in part["images_per_second"].values())
    assert [row["width"] for row in found["growth"]] == [2, 4]
    for form in ("table", "markdown"):
        assert "many runs over the usual loop, fp32" in bench.render(found, form)
    assert found["device_name"] in bench.source(found)


def test_products_an_image_grow_with_the_square_of_the_width():
    narrow, wide = (multiplications((3, 32, 32), width) for width in (16, 32))
    by_hand = sum(
        places * 9 * inputs * outputs
        for places, inputs, outputs in ((1024, 3, 16), (1024, 16, 16), (256, 16, 32), (256, 32, 32))
    ) + 32 * 64 * 256 + 256 * 10  # fmt: skip
    assert narrow == by_hand
    assert 3.8 < wide / narrow < 4
