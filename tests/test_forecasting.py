"""Data with numbers to predict: the bundled weather, own files, remarks, sheets."""

import dataclasses
from functools import partial

import numpy as np
import pytest
import torch
from owndata import assert_refused_in_one_line, own_numbers, own_vectors, write_numbers

from reglab.data import bundled
from reglab.data.dataset import dataset_version, load_dataset, parts_of
from reglab.data.remarks import remarks
from reglab.data.sources import load_bundled, load_file
from reglab.data.tasks import REGRESSION
from reglab.errors import ReglabError
from reglab.pages.contact import contact_sheet
from reglab.training.sequences import SequenceCNN

SEEDS = range(12)
SIZES = {"train": 120, "test": 60}  # of `own_numbers`


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("REGLAB_DATA_DIR", str(tmp_path))
    return partial(write_numbers, tmp_path)


def days():
    """Return every city's days in degrees, mm and m/s, and of each day the year and quarter."""
    packed = bundled.stored("weather")
    return packed["days"] / 10, packed["year"], packed["quarter"]


def places(x, y, cities):
    """Return where each window is, (city, day of its target); each is there, and only once."""
    found = []
    width = x.shape[1]
    for window, target in zip(x, y, strict=True):
        hits = [
            (city, start + width)
            for city, series in enumerate(cities)
            for start in np.flatnonzero(np.isclose(series[:-width, 0], window[0, 0]))
            if np.allclose(series[start : start + width], window)
        ]
        ((city, day),) = hits
        assert np.isclose(cities[city][day, 0], target)
        found.append((city, day))
    assert len(set(found)) == len(found)
    return found


def test_weather_is_cut_in_time():
    """Sixteen days and the next one's warmest hour; the last year, and nothing else, is tested."""
    cities, year, quarter = days()
    arrays = load_bundled("weather")
    fit = places(arrays.x_train, arrays.y_train[:, 0], cities)
    test = places(arrays.x_test, arrays.y_test[:, 0], cities)
    assert {year[day] for _, day in fit} == {2012, 2013, 2014}
    assert {year[day - 16] for _, day in test} == {year[day] for _, day in test} == {2015}
    assert len(test) == 2 * (365 - 16)
    groups = {}
    for (city, day), group in zip(fit, arrays.groups, strict=True):
        assert quarter[day - 16] == quarter[day]
        groups.setdefault(group, set()).add((city, quarter[day]))
    assert len(groups) == 24
    assert all(len(one) == 1 for one in groups.values())


def test_no_day_is_on_both_sides():
    """Neither as a step nor as what is to be predicted, whatever the seed."""
    cities, _, _ = days()
    arrays = load_bundled("weather")
    where = places(arrays.x_train, arrays.y_train[:, 0], cities)
    for seed in (*SEEDS, 1000, 1001, 1002):
        fit, val = parts_of(arrays, seed)
        seen, held = (
            {(where[i][0], where[i][1] - back) for i in part for back in range(17)}
            for part in (fit, val)
        )
        assert not seen & held
        assert 0.04 < len(val) / len(arrays.y_train) < 0.2


def test_targets_are_standardized_by_the_training_part_alone():
    data = load_dataset("weather", seed=3)
    assert (data.task, data.n_outputs, data.n_classes) == (REGRESSION, 1, 0)
    y = data.targets(data.y_train).double()
    assert abs(y.mean()) < 1e-5
    assert y.std(correction=0).item() == pytest.approx(1, abs=1e-5)
    back = data.targets(data.y_test) * data.target_std + data.target_mean
    torch.testing.assert_close(back, data.y_test)
    assert data.target_std.item() == pytest.approx(data.y_train.numpy().std(), rel=1e-5)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"y_train": np.zeros(120)}, "y_train is float64 of shape (120,); it must be float32"),
        ({"y_train": np.zeros(7, np.float32)}, "y_train is float32 of shape (7,)"),
        ({"y_train": np.full(120, np.nan, np.float32)}, "y_train is not finite everywhere"),
        ({"y_test": np.zeros(60, np.int64)}, "y_test is int64 of shape (60,)"),
        ({"y_train": np.ones((120, 2), np.float32)}, "y_train is the same number everywhere"),
        ({"y_test": np.ones((60, 3), np.float32)}, "of y_train's shape but for N"),
        ({"y_train": np.ones((120, 0), np.float32)}, "y_train is float32 of shape (120, 0)"),
        ({"y_train": np.ones((120, 2, 1), np.float32)}, "of shape (120, 2, 1)"),
        ({"classes": np.array(["a", "b"])}, "left out where y_train has numbers to predict"),
        ({"y_train": np.float32(1)}, "y_train is float32 of shape ()"),
        ({"y_test": np.ones((60, 2), np.float32)}, "y_test is the same number everywhere"),
    ],
)
def test_bad_numbers_are_one_line(own, changes, words):
    assert_refused_in_one_line(own(**changes), words)


def test_one_column_is_as_none(own):
    whole = own_numbers()
    flat = {f"y_{part}": whole[f"y_{part}"][:, 0] for part in ("train", "test")}
    own(**flat)
    data, version = load_dataset("mine"), dataset_version("mine", "full")
    own(**{name: y[:, None] for name, y in flat.items()})
    again = load_dataset("mine")
    assert data.y_train.shape == again.y_train.shape == (108, 1)
    assert dataset_version("mine", "full") == version


def test_remarks_on_numbers(own):
    own()
    arrays = load_file("mine")
    (few,) = remarks(arrays)
    assert few == "60 test sequences: R² will depend on a few of them"
    rng = np.random.default_rng(0)
    mixed = {y: rng.permutation(getattr(arrays, y)) for y in ("y_train", "y_test")}
    assert (
        "foretells anything of the test numbers"
        in remarks(dataclasses.replace(arrays, **mixed))[-1]
    )


def test_classes_given_as_floats_are_remarked_on(own):
    numbers = own_numbers()
    classes = {f"y_{part}": np.arange(n).astype(np.float32) % 3 for part, n in SIZES.items()}
    own(**classes)
    assert "3 different whole ones" in remarks(load_file("mine"))[1]
    own(y_train=numbers["y_train"].round(), y_test=numbers["y_test"])
    assert not [one for one in remarks(load_file("mine")) if "whole" in one]


def test_steps_that_poolings_leave_out_are_remarked_on():
    """Of fourteen two; of sixteen none."""
    arrays = load_bundled("weather")
    shorter = {f"x_{part}": getattr(arrays, f"x_{part}")[:, 2:] for part in ("train", "test")}
    (said,) = remarks(dataclasses.replace(arrays, **shorter))
    assert "leave out the last 2" in said
    assert "give 12 or 16" in said
    generator = torch.Generator().manual_seed(0)
    model = SequenceCNN((4, 14), 1, width=2)
    for weight in (it for it in model.parameters() if it.ndim > 1):
        weight.data = torch.rand(weight.shape, generator=generator)  # no unit is dead
    for conv in (model.conv1, model.conv2, model.conv3, model.conv4):
        conv.weight.data[..., (0, 2)] = 0  # no step sees its neighbours
    x = torch.rand(3, 4, 14, generator=generator)
    other = torch.cat([x[..., :12], torch.randn(3, 4, 2)], 2)
    assert torch.equal(model(x), model(other))
    assert not torch.equal(model(x), model(x.flip(2)))


def test_a_trend_in_groups_can_be_split(own):
    """Numbers to predict need no class in each part."""
    trend = np.linspace(0, 1, 120, dtype=np.float32)
    own(y_train=trend, y_test=trend[:60], groups_train=np.arange(120) // 30)
    for seed in SEEDS:
        data = load_dataset("mine", seed=seed)
        assert len(data.y_val) == 30
    own(y_train=trend, y_test=trend[:60])
    with pytest.raises(ReglabError, match="or no training example; take more of the 120 examples"):
        load_dataset("mine", n_train=2, val_fraction=0.99)


def test_windows_that_overlap_are_remarked_on():
    """Of a series cut at each step, unless groups keep stretches of it apart."""
    series = np.random.default_rng(0).normal(size=(400, 2)).astype(np.float32).cumsum(axis=0)
    x = np.stack([series[i : i + 16] for i in range(380)])
    parts = {"x_train": x[:250], "x_test": x[266:]}
    parts |= {"y_train": series[16:266, :1], "y_test": series[282:396, :1]}
    arrays = dataclasses.replace(load_bundled("weather"), **parts)
    alone = dataclasses.replace(arrays, groups=None)
    said = [remark for remark in remarks(alone) if "overlap" in remark]
    assert len(said) == 1
    assert "groups_train" in said[0]
    grouped = dataclasses.replace(arrays, groups=np.arange(250) // 50)
    assert not [remark for remark in remarks(grouped) if "overlap" in remark]
    whole = own_vectors()
    apart = dataclasses.replace(alone, x_train=whole["x_train"], y_train=series[:120, :1])
    assert not [remark for remark in remarks(apart) if "overlap" in remark]


@pytest.mark.parametrize("n", [2, 3, 5])
def test_a_contact_sheet_of_few_has_fewer_rows(n):
    arrays = load_bundled("weather")
    few = dataclasses.replace(arrays, x_train=arrays.x_train[:n], y_train=arrays.y_train[:n])
    figure = contact_sheet(few, "few")
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert len(texts) == min(n, 4)
    assert sum(int(text.split("\n")[1].split(" + ")[0]) for text in texts) == n


def test_a_contact_sheet_has_a_row_a_fourth():
    arrays = load_bundled("weather")
    figure = contact_sheet(arrays, "weather")
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    names, counts = zip(*(text.split("\n") for text in texts), strict=True)
    assert [int(text.split(" + ")[0].replace(",", "")) for text in counts] == [452] * 4
    assert sum(int(text.split(" + ")[1].replace(",", "")) for text in counts) == 698
    lows = [float(name.split(" to ")[0]) for name in names]
    assert lows == sorted(lows)
    assert "each fourth" in figure.get_suptitle()
