"""What `reglab bench` measures is what it says; no test here depends on a time."""

import json
from concurrent.futures import Future

import numpy as np
import pandas as pd
import pytest
import scipy.stats
import torch
from conftest import fake_record

from reglab import bench
from reglab.bench import measure, precision
from reglab.bench.ceiling import Products
from reglab.bench.usual import UsualLoop, loader
from reglab.data.dataset import load_dataset
from reglab.record import unpack_bits
from reglab.runs import executors
from reglab.stats import equivalence
from reglab.training.evaluate import ready
from reglab.training.networks import multiplications


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
    summary = measure._summary("mnist", [turn(10.0, 30.0, 40.0), turn(20.0, 30.0, 60.0),
                                       turn(10.0, 50.0, 50.0)])  # fmt: skip
    assert summary["ratio_fp32"] == 3.0
    assert summary["ratio_fp32_range"] == [1.5, 5.0]
    assert summary["ceiling_fraction"] == 0.75
    assert summary["ratio_bf16"] == 1.0
    assert summary["runs_per_hour"]["fast_fp32"] == pytest.approx(30 * 3600 / measure.RUN_IMAGES)
    assert "ceiling_fp32" not in summary["runs_per_hour"]


def test_rates_of_workers_add_up_and_each_is_asked_once():
    class Pool:
        asked = 0

        def submit(self, function, *arguments):
            self.asked += 1
            job = Future()
            job.set_result(float(self.asked))
            return job

    pool = Pool()
    assert measure.Together(pool, 3).images_per_second("run", None, 8, 0.0) == 1.0 + 2.0 + 3.0
    assert pool.asked == 3


def test_whole_measurement_in_every_format(monkeypatch):
    monkeypatch.setattr(executors, "default_workers", lambda device: 1)  # each takes long to start
    monkeypatch.setattr(measure, "SECONDS", 0.0)
    monkeypatch.setattr(measure, "TURNS", 1)
    monkeypatch.setattr(measure, "SHAPES", {"cifar10": 2})
    monkeypatch.setattr(measure, "BATCHES", (8,))
    monkeypatch.setattr(measure, "WIDTHS", (2, 4))
    measured = json.loads(bench.render(bench.bench("cpu"), "json"))
    part = measured["shapes"]["cifar10"]
    assert {"ratio_fp32", "ratio_bf16", "ceiling_fraction"} <= set(part)
    assert all(rate > 0 for rate in part["images_per_second"].values())
    assert [row["width"] for row in measured["growth"]] == [2, 4]
    for form in ("table", "markdown"):
        assert "many runs over the usual loop, fp32" in bench.render(measured, form)
    assert measured["device_name"] in bench.source(measured)


def test_products_an_image_grow_with_the_square_of_the_width():
    narrow, wide = (multiplications((3, 32, 32), width) for width in (16, 32))
    by_hand = sum(
        places * 9 * inputs * outputs
        for places, inputs, outputs in ((1024, 3, 16), (1024, 16, 16), (256, 16, 32), (256, 32, 32))
    ) + 32 * 64 * 256 + 256 * 10  # fmt: skip
    assert narrow == by_hand
    assert 3.8 < wide / narrow < 4


@pytest.mark.parametrize(("sd", "margin"), [(1.3, 0.5), (0.4, 0.5), (0.0, 0.1)])
def test_as_many_pairs_as_are_said_to_be_needed_show_equality_in_four_of_five_studies(sd, margin):
    n = precision.pairs_needed(sd, margin)
    drawn = np.random.default_rng(0).normal(0, sd, (2000, n))
    if sd == 0:  # all studies are the same one
        p = [equivalence(drawn[0], margin)]
    else:  # all at once, as one by one they take a hundred times as long
        above = scipy.stats.ttest_1samp(drawn, -margin, axis=1, alternative="greater").pvalue
        below = scipy.stats.ttest_1samp(drawn, margin, axis=1, alternative="less").pvalue
        p = np.maximum(above, below)
        assert p[:5] == pytest.approx([equivalence(shifts, margin) for shifts in drawn[:5]])
    assert np.mean(np.less(p, 0.05)) > 0.78
    assert n == 5 if sd == 0 else precision.pairs_needed(sd / 2, margin) < n


def test_the_comparison_of_precisions_says_what_was_run():
    records = [fake_record(config) for config in precision.configs("mnist", seeds=3)]
    said = str(precision.setup({"mnist": records}))
    assert said.startswith("Pairs of runs on MNIST: 3, in this order. Each network was given 1,000")
    assert "at most 8 epochs, with width 16, learning rate 0.01" in said
    images = unpack_bits(records[0].best.correct).size
    assert f"on {images} test images, so that one image is {100 / images:g} points" in said
    sentence = str(precision.finding({"mnist": records}))
    pairs = precision.comparison({"mnist": records})["pairs to show it"].item()
    assert sentence.startswith("MNIST: ")
    assert f"{pairs} pairs for a margin of 0.15 points" in sentence


def test_the_precision_in_use_is_that_of_the_records():
    study = pd.DataFrame({"precision": ["bf16", "bf16"]})
    assert str(precision.in_use({"mnist": study})).endswith("verdicts: MNIST in bf16.")
    assert str(precision.in_use({})) == ""


def test_sentences_on_a_measurement_follow_its_turns():
    part = {"width": 16, "ratio_train_range": [0.8, 1.1], "ratio_fp32_range": [1.2, 1.4]}
    said = str(bench.gains({"shapes": {"mnist": part}}))
    assert said.startswith(
        "- MNIST at width 16, compared with the usual loop: one run by itself is "
    )
    assert "faster in some turns and slower" in said
    assert said.endswith("a run on each core, in fp32, is faster in every turn.")
    rows = [{"width": w, "multiplications": m, "images_per_second": s}
            for w, m, s in ((8, 100, 60.0), (16, 400, 20.0))]  # fmt: skip
    said = str(bench.growth({"growth": rows}))
    assert said.endswith("width 16 an image takes 4 times the multiplications and 3 times as long.")
