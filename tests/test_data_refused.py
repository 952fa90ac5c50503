"""Data sets that are damaged, ill-formed or unknown: one line says what is wrong."""

import re
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from owndata import assert_refused_in_one_line, own_arrays, write_own

from reglab.data import sources
from reglab.data.dataset import load_dataset
from reglab.data.sources import FULL_SHA256, load_sample, sample_manifest
from reglab.errors import ReglabError


@pytest.fixture
def own(tmp_path):
    return partial(write_own, tmp_path / "data")


def test_damaged_sample_is_one_line(monkeypatch):
    manifest = sample_manifest()
    manifest["mnist"]["sha256"] = "0" * 64
    monkeypatch.setattr(sources, "sample_manifest", lambda: manifest)
    load_sample.cache_clear()
    with pytest.raises(ReglabError, match="bundled sample of mnist is damaged"):
        load_sample("mnist")


X = own_arrays()["x_train"]

BAD = {
    "float images": ({"x_train": X / 255.0}, "x_train is float64"),
    "two channels": ({"x_train": X[..., :2]}, "C 1 or 3"),
    "tiny images": ({"x_train": X[:, :4]}, "at least 8"),
    "no test images": ({"x_test": X[:0], "y_test": np.arange(0)}, "at least 1 image"),
    "labels too long": ({"y_train": np.arange(41) % 4}, "40 integer labels"),
    "float labels": ({"y_train": np.zeros(40)}, "integer labels"),
    "negative label": ({"y_train": np.arange(40) % 4 - 1}, "labels 0..K-1"),
    "one class": ({"y_train": np.zeros(40, int)}, "K >= 2"),
    "a class left out": ({"y_train": np.arange(40) % 2 * 2}, "each there"),
    "test label too large": ({"y_test": np.arange(20) % 5}, "below 4"),
    "shapes differ": ({"x_test": X[:20, :8]}, "shape but for N"),
    "an array missing": ({"y_test": None}, "no array 'y_test'"),
    "objects": ({"y_train": np.array([object()] * 40)}, "without Python objects"),
    "too few names": ({"classes": np.array(["a", "b"])}, "4 different names"),
    "numbers as names": ({"classes": np.arange(4)}, "different names (strings)"),
    "one name twice": ({"classes": np.array(["a", "b", "c", "a"])}, "3 of them different"),
    "one name for all": ({"classes": np.array("abcd")}, "4 different names"),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_bad_own_file_is_one_line(own, case):
    changes, words = BAD[case]
    assert_refused_in_one_line(own(**changes), words)


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"\x80\x04]\x94.", b"PK not really"])
def test_a_file_that_is_no_zip_is_refused_in_our_own_words(own, content):
    path = own()
    path.write_bytes(content)
    with pytest.raises(ReglabError, match="not a whole npz file") as caught:
        load_dataset("mine")
    assert "pickle" not in str(caught.value)  # numpy's own words advise to load it unsafely


def test_a_data_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ReglabError) as caught:
        load_dataset("mine", data_dir=tmp_path / "file")
    assert "\n" not in str(caught.value)


@given(cut=st.floats(0, 0.99), flip=st.booleans())
@settings(max_examples=25, deadline=None)
def test_truncated_or_altered_file_never_loads_as_the_known_set(tmp_path_factory, cut, flip):
    folder = tmp_path_factory.mktemp("cut")
    path = folder / "mnist.npz"
    np.savez(path, **own_arrays(shape=(28, 28)))
    whole = bytearray(path.read_bytes())
    if flip:
        whole[int(cut * len(whole))] ^= 0xFF
    else:
        whole = whole[: int(cut * len(whole))]
    path.write_bytes(whole)
    with pytest.raises(ReglabError) as caught:
        load_dataset("mnist", source="full", data_dir=folder)
    assert "\n" not in str(caught.value)


def test_wrong_digest_names_both(own):
    own("cifar10")
    with pytest.raises(ReglabError) as caught:
        load_dataset("cifar10")
    assert FULL_SHA256["cifar10"][:12] in str(caught.value)
    assert "reglab data fetch cifar10" in str(caught.value)


@pytest.mark.parametrize("name", ["nosuch", "../etc", "", "Mnist", "a b"])
def test_unknown_name_is_one_line(name):
    with pytest.raises(ReglabError) as caught:
        load_dataset(name)
    assert "\n" not in str(caught.value)
    if re.fullmatch("[a-z]+", name):
        assert "mnist, fashion_mnist, cifar10" in str(caught.value)


BAD_ARGUMENTS = [
    {"n_train": 1},
    {"n_train": 5},
    {"n_train": 2001},
    {"n_train": 200.0},
    {"n_train": "all"},
    {"val_fraction": "a tenth"},
    {"val_fraction": float("nan")},
    {"val_fraction": 1.0},
    {"val_fraction": 0.0},
    {"source": "web"},
    {"source": "full"},
]


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS)
def test_bad_arguments_are_one_line(arguments):
    with pytest.raises(ReglabError) as caught:
        load_dataset("mnist", **{"source": "sample", **arguments})
    assert "\n" not in str(caught.value)
