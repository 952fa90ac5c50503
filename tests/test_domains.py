"""Data sets of other kinds: the bundled ones, splits by group, own files, remarks, sheets."""

import dataclasses

import numpy as np
import pytest
from owndata import assert_refused_in_one_line, own_tokens, own_vectors

from reglab.data import bundled, sources
from reglab.data.dataset import dataset_size, dataset_version, load_dataset
from reglab.data.download import fetch
from reglab.data.importing.make import import_data
from reglab.data.kinds import FORMS
from reglab.data.remarks import remarks
from reglab.data.sources import available, load_bundled, verify
from reglab.data.splitting import held_out, split
from reglab.errors import ReglabError
from reglab.pages.contact import contact_sheet

SEEDS = range(12)


def rows(x):
    return {one.tobytes() for one in x}


OWN = {"vectors": own_vectors, "tokens": own_tokens}


@pytest.fixture
def own(tmp_path, monkeypatch):
    monkeypatch.setenv("REGLAB_DATA_DIR", str(tmp_path))

    def write(kind, name="mine", **changes):
        arrays = {**OWN[kind](), **changes}
        kept = {key: value for key, value in arrays.items() if value is not None}
        np.savez(tmp_path / f"{name}.npz", **kept)
        return tmp_path / f"{name}.npz"

    return write


@pytest.mark.parametrize("name", bundled.NAMES)
def test_a_bundled_set_is_what_its_manifest_says(name):
    data, entry = load_dataset(name), bundled.manifest()[name]
    assert data.version == dataset_version(name, "sample") == f"full:{entry['sha256'][:12]}"
    assert dataset_size(name, "full") == len(data.y_train) + len(data.y_val) == entry["n_train"]
    assert len(data.y_test) == entry["n_test"]
    assert list(reversed(data.in_shape)) == entry["shape"]
    assert data.vocabulary == entry["vocabulary"]
    assert data.classes == tuple(entry["classes"])


def test_a_damaged_bundled_set_is_one_line(monkeypatch):
    monkeypatch.setitem(bundled.manifest()["watch"], "sha256", "0" * 64)
    load_bundled.cache_clear()
    with pytest.raises(ReglabError, match="bundled watch is damaged") as caught:
        load_dataset("watch")
    assert "\n" not in str(caught.value)
    load_bundled.cache_clear()


def test_no_address_is_on_both_sides():
    """Neither of the test part, nor of validation, whatever the seed."""
    packed = bundled.stored("sotu")
    test = packed["test"][packed["address"]]
    assert not set(packed["address"][test]) & set(packed["address"][~test])
    arrays = load_bundled("sotu")
    assert set(arrays.groups) == set(packed["address"][~test])
    assert not rows(arrays.x_train) & rows(arrays.x_test)
    for seed in SEEDS:
        fit, val = split(arrays.y_train, seed, None, 0.1, arrays.groups)
        assert not set(arrays.groups[fit]) & set(arrays.groups[val])


def test_no_subject_is_on_both_sides():
    packed = bundled.stored("watch")
    of_test = set(packed["subjects"][packed["test"]])
    assert len(of_test) == 3
    assert not of_test & set(packed["subjects"][~packed["test"]])
    arrays = load_bundled("watch")
    assert set(arrays.groups) == set(packed["subjects"]) - of_test
    for seed in SEEDS:
        fit, val = split(arrays.y_train, seed, 1000, 0.1, arrays.groups)
        assert not set(arrays.groups[fit]) & set(arrays.groups[val])


def test_windows_are_the_recordings():
    """Whole sums of the stored differences, every 50 steps to train on, every 100 to test on."""
    packed, arrays = bundled.stored("watch"), load_bundled("watch")
    first = np.cumsum(packed["steps"][: packed["lengths"][0]].astype(np.int64), axis=0) / 128
    x = arrays.x_test if packed["test"][0] else arrays.x_train
    stride = 100 if packed["test"][0] else 50
    for k in range(3):
        assert np.array_equal(x[k], first[k * stride : k * stride + 100].astype(np.float32))


def test_the_vocabulary_holds_no_number_and_no_word_of_the_test_part_alone():
    arrays = load_bundled("sotu")
    assert arrays.vocabulary[:2] == ("<padding>", "<rare>")
    assert "<number>" in arrays.vocabulary
    assert not any(character.isdigit() for word in arrays.vocabulary for character in word)
    counts = np.bincount(arrays.x_train.ravel(), minlength=len(arrays.vocabulary))
    assert counts[1:].min() >= 5


@pytest.mark.parametrize("fraction", [0.01, 0.2, 0.9])
def test_whole_groups_are_held_out_as_near_to_the_share_as_they_come(fraction):
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 9, 400)
    labels = (groups + rng.integers(0, 2, 400)) % 3
    for seed in SEEDS:
        out = held_out(labels, groups, seed, fraction)
        inside = {group: out[groups == group] for group in np.unique(groups)}
        assert all(taken.all() or not taken.any() for taken in inside.values())
        assert 0 < sum(taken.all() for taken in inside.values()) < 9
        largest = max(map(len, inside.values()))
        assert abs(out.sum() - fraction * 400) <= largest


def test_subsets_of_a_split_by_groups_are_nested_and_of_their_size():
    arrays = load_bundled("sotu")
    parts = {n: split(arrays.y_train, 3, n, 0.1, arrays.groups) for n in (200, 1000, 5665)}
    for n, (fit, val) in parts.items():
        assert len(fit) + len(val) == n
        assert set(fit) <= set(parts[5665][0])
        assert set(val) <= set(parts[5665][1])
        assert len(np.unique(arrays.y_train[fit])) == 5
    assert set(parts[200][0]) <= set(parts[1000][0])


@pytest.mark.parametrize("kind", OWN)
def test_an_own_file_is_a_data_set(own, kind):
    own(kind)
    data = load_dataset("mine", seed=1)
    assert data.kind == kind
    assert len(data.x_train) + len(data.x_val) == 120
    ready = data.standardize(data.x_train)
    if kind == "vectors":
        assert data.in_shape == (2, 16)
        assert ready.mean((0, 2)).abs().max() < 1e-5
        assert (ready.std((0, 2)) - 1).abs().max() < 1e-2
    else:
        assert data.in_shape == (12,)
        assert data.vocabulary == 11
        assert ready is data.x_train


def test_a_constant_channel_becomes_zeros(own):
    arrays = own_vectors()
    arrays["x_train"][..., 1] = 7
    own("vectors", x_train=arrays["x_train"])
    data = load_dataset("mine")
    assert (data.standardize(data.x_train)[:, 1] == 0).all()


def test_groups_and_vocabulary_are_part_of_a_files_version(own):
    versions = set()
    for changes in ({}, {"groups_train": np.arange(120) % 7}, {"groups_train": np.arange(120) % 9}):
        own("tokens", **changes)
        sources._load_file.cache_clear()
        versions.add(load_dataset("mine").version)
    assert len(versions) == 3


VECTORS, TOKENS = own_vectors(), own_tokens()
BAD = {
    "doubles": ("vectors", {"x_train": VECTORS["x_train"].astype(float)}, "it must be uint8"),
    "not a number": ("vectors", {"x_test": VECTORS["x_test"] * np.nan}, "not finite"),
    "too few steps": ("vectors", {"x_train": VECTORS["x_train"][:, :5]}, "length at least 8"),
    "no channel": ("vectors", {"x_train": VECTORS["x_train"][..., :0]}, "without channels"),
    "no vocabulary": ("tokens", {"vocabulary": None}, "no array 'vocabulary'"),
    "numbers as words": ("tokens", {"vocabulary": np.arange(11)}, "strings, each once"),
    "a word twice": ("tokens", {"vocabulary": np.array(["", *"aabcdefghi"])}, "each once"),
    "token too large": ("tokens", {"vocabulary": np.array(["", "a", "b"])}, "0..2"),
    "negative token": ("tokens", {"x_train": TOKENS["x_train"] - 1}, "from -1"),
    "only padding": ("tokens", {"x_test": TOKENS["x_test"] * 0}, "at least one token"),
    "two kinds": ("tokens", {"x_test": VECTORS["x_test"]}, "x_train's"),
    "lengths differ": ("tokens", {"x_test": TOKENS["x_test"][:, :9]}, "shape but for N"),
    "groups too few": ("tokens", {"groups_train": np.arange(9)}, "120 integers"),
    "one group": ("tokens", {"groups_train": np.zeros(120, int)}, "two of them different"),
    "groups are words": ("tokens", {"groups_train": np.array(["a"] * 120)}, "120 integers"),
}


@pytest.mark.parametrize("case", sorted(BAD))
def test_a_bad_own_file_is_one_line(own, case):
    kind, changes, words = BAD[case]
    assert_refused_in_one_line(own(kind, **changes), words)


def test_two_kinds_of_one_shape_are_refused(own):
    images = np.zeros((60, 16, 8), np.uint8)
    own("vectors", x_train=np.zeros((120, 16, 8), np.float32), x_test=images)
    with pytest.raises(ReglabError, match="x_test is uint8; it must be float32"):
        load_dataset("mine")


def test_what_is_of_no_kind_is_told_all_kinds(own):
    own("vectors", x_train=np.zeros((120, 4)))
    with pytest.raises(ReglabError) as caught:
        load_dataset("mine")
    assert FORMS in str(caught.value)


def test_a_file_of_a_bundled_sets_name_is_told_so(own):
    own("vectors", name="watch")
    bad = [status for status in verify() if not status.ok]
    assert [status.name for status in bad] == ["watch"]
    assert "another" in bad[0].message
    assert available().count("watch") == 1


def test_what_is_bundled_is_not_fetched_nor_imported_over(tmp_path):
    with pytest.raises(ReglabError, match="nothing to fetch"):
        fetch("sotu", tmp_path)
    with pytest.raises(ReglabError, match="one of the bundled data sets"):
        import_data(tmp_path, "watch", folder=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", bundled.NAMES)
def test_nothing_is_amiss_with_the_bundled_sets(name):
    assert remarks(load_bundled(name)) == []


@pytest.mark.parametrize("name", bundled.NAMES)
def test_labels_in_another_order_are_remarked_on(name):
    arrays, rng = load_bundled(name), np.random.default_rng(0)
    changes = {y: rng.permutation(getattr(arrays, y)) for y in ("y_train", "y_test")}
    (remark,) = remarks(dataclasses.replace(arrays, **changes))
    assert "sequences belong together" in remark


@pytest.mark.parametrize("name", bundled.NAMES)
def test_a_contact_sheet_shows_every_class(name):
    arrays = load_bundled(name)
    figure = contact_sheet(arrays, name)
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert sum(any(text.startswith(one) for text in texts) for one in arrays.classes) == len(
        arrays.classes
    )
    lines = sum(len(axes.lines) for axes in figure.axes)
    assert lines == {"watch": 7 * 5 * 6, "sotu": 0, "weather": 4 * 5 * 4}[name]
    assert any("fellow citizens" in text for text in texts) == (name == "sotu")
