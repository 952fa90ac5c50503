"""Data sets: the bundled sample, own files, splits, and what bad files meet."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reglab.data import sources
from reglab.data.dataset import dataset_size, dataset_version, load_dataset, stratified_order
from reglab.data.sources import CLASSES, FULL_SHA256, KNOWN, load_sample, sample_manifest, verify
from reglab.errors import ReglabError


def own_arrays(n=40, shape=(12, 20, 3), classes=4, seed=0):
    rng = np.random.default_rng(seed)
    arrays = {}
    for split, size in (("train", n), ("test", n // 2)):
        arrays[f"x_{split}"] = rng.integers(0, 256, (size, *shape), dtype=np.uint8)
        arrays[f"y_{split}"] = np.arange(size) % classes
    return arrays


@pytest.fixture
def own(tmp_path):
    """Write an own data set as NAME.npz; changes replace arrays, None leaves one out."""

    def write(name="mine", **changes):
        arrays = {**own_arrays(), **changes}
        folder = tmp_path / "data"
        folder.mkdir(exist_ok=True)
        np.savez(folder / f"{name}.npz", **{key: a for key, a in arrays.items() if a is not None})
        return folder / f"{name}.npz"

    return write


@pytest.mark.parametrize("name", KNOWN)
def test_sample_is_whole_and_stratified(name):
    sample = load_sample(name)
    assert sample.x_train.dtype == np.uint8
    assert (len(sample.x_train), len(sample.x_test)) == (2000, 1000)
    assert sample.x_train.shape[1:] == ((32, 32, 3) if name == "cifar10" else (28, 28))
    counts = np.bincount(sample.y_train, minlength=10)
    assert counts.min() >= 178  # MNIST's rarest digit, 5, is 9 % of the full set
    assert sample.classes == CLASSES[name]
    assert sources.digest(vars(sample) | _labels(sample)) == sample_manifest()[name]["sha256"]


def _labels(sample):
    return {key: getattr(sample, key).astype(np.uint8) for key in ("y_train", "y_test")}


def test_sample_images_look_like_their_class():
    """Nearest class mean is far above chance: labels and pixels belong together."""
    for name, at_least in (("mnist", 0.7), ("fashion_mnist", 0.6), ("cifar10", 0.2)):
        s = load_sample(name)
        x, t = (a.reshape(len(a), -1) / 255 for a in (s.x_train, s.x_test))
        means = np.stack([x[s.y_train == k].mean(0) for k in range(10)])
        nearest = ((t[:, None] - means) ** 2).sum(2).argmin(1)
        assert (nearest == s.y_test).mean() > at_least


def test_sample_fits_the_repository():
    folder = sources.files("reglab") / "sample"
    sizes = [path.stat().st_size for path in folder.iterdir()]
    assert max(sizes) < 5_000_000
    assert sum(sizes) < 7_000_000


def test_damaged_sample_is_one_line(monkeypatch):
    manifest = sample_manifest()
    manifest["mnist"]["sha256"] = "0" * 64
    monkeypatch.setattr(sources, "sample_manifest", lambda: manifest)
    load_sample.cache_clear()
    with pytest.raises(ReglabError, match="bundled sample of mnist is damaged"):
        load_sample("mnist")


@pytest.mark.parametrize("name", KNOWN)
def test_tensors(name):
    data = load_dataset(name, source="sample", seed=3, n_train=500)
    assert data.x_train.dtype == torch.uint8
    assert data.y_train.dtype == torch.int64
    assert data.x_train.shape[1:] == data.in_shape
    assert (len(data.y_train), len(data.y_val), len(data.y_test)) == (450, 50, 1000)
    ready = data.standardize(data.x_train)
    assert ready.dtype == torch.float32
    torch.testing.assert_close(
        ready.mean((0, 2, 3)), torch.zeros(len(data.mean)), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(ready.std((0, 2, 3)), torch.ones(len(data.std)), atol=1e-3, rtol=0)
    pixel = data.x_test[:1].double() / 255
    by_hand = (pixel - data.mean.double().view(1, -1, 1, 1)) / data.std.double().view(1, -1, 1, 1)
    torch.testing.assert_close(
        data.standardize(data.x_test[:1]).double(), by_hand, atol=1e-5, rtol=0
    )


def test_split_is_stratified_paired_and_nested():
    small = load_dataset("mnist", source="sample", seed=1, n_train=200)
    again = load_dataset("mnist", source="sample", seed=1, n_train=200)
    other = load_dataset("mnist", source="sample", seed=2, n_train=200)
    assert torch.equal(small.x_train, again.x_train)
    assert not torch.equal(small.x_train, other.x_train)
    shares = small.y_train.bincount(minlength=10) / len(small.y_train)
    sample = np.bincount(load_sample("mnist").y_train) / 2000
    assert np.abs(shares.numpy() - sample).max() < 2.5 / 180
    rows = {tuple(image.flatten().tolist()) for image in small.x_train[:20]}
    large = load_dataset("mnist", source="sample", seed=1, n_train=1000)
    both = torch.cat([large.x_train, large.x_val])
    assert rows <= {tuple(image.flatten().tolist()) for image in both}


@given(
    counts=st.lists(st.integers(1, 30), min_size=2, max_size=5),
    seed=st.integers(0, 1000),
    share=st.floats(0.1, 1.0),
)
@settings(deadline=None)
def test_every_prefix_of_the_order_is_stratified(counts, seed, share):
    labels = np.repeat(np.arange(len(counts)), counts)
    order = stratified_order(labels, seed)
    assert sorted(order) == list(range(len(labels)))
    k = max(1, round(share * len(labels)))
    found = np.bincount(labels[order[:k]], minlength=len(counts))
    assert np.abs(found - k * np.array(counts) / len(labels)).max() <= len(counts)


def test_training_and_validation_do_not_overlap(own):
    distinct = np.arange(40, dtype=np.uint8)[:, None, None] * np.ones((1, 8, 8), np.uint8)
    own(x_train=distinct, x_test=distinct[:20])
    data = load_dataset("mine", seed=5)
    seen = [set(part[:, 0, 0, 0].tolist()) for part in (data.x_train, data.x_val)]
    assert seen[0] | seen[1] == set(range(40))
    assert not seen[0] & seen[1]


@given(
    height=st.integers(8, 14),
    width=st.integers(8, 14),
    channels=st.sampled_from([None, 1, 3]),
    classes=st.integers(2, 5),
)
@settings(max_examples=15, deadline=None)
def test_any_own_shape_round_trips(tmp_path_factory, height, width, channels, classes):
    shape = (height, width) if channels is None else (height, width, channels)
    arrays = own_arrays(shape=shape, classes=classes)
    folder = tmp_path_factory.mktemp("own")
    np.savez(folder / "mine.npz", **arrays)
    data = load_dataset("mine", data_dir=folder)
    assert data.source == "full"
    assert data.in_shape == (channels or 1, height, width)
    assert data.n_classes == classes
    pixels = data.x_test.permute(0, 2, 3, 1).numpy().reshape(arrays["x_test"].shape)
    assert np.array_equal(pixels, arrays["x_test"])


def test_own_class_names(own):
    own(classes=np.array(["a", "b", "c", "d"]))
    assert load_dataset("mine").classes == ("a", "b", "c", "d")


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
    "shapes differ": ({"x_test": X[:20, :8]}, "image shape"),
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
    path = own(**changes)
    with pytest.raises(ReglabError) as caught:
        load_dataset("mine")
    message = str(caught.value)
    assert words in message
    assert str(path) in message
    assert "\n" not in message


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


def test_changed_tensors_do_not_reach_a_later_run():
    first = load_dataset("mnist", source="sample")
    before = first.x_test.clone(), first.y_test.clone(), first.x_train.clone()
    for tensor in (first.x_test, first.y_test, first.x_train):
        tensor.zero_()
    again = load_dataset("mnist", source="sample")
    for was, now in zip(before, (again.x_test, again.y_test, again.x_train), strict=True):
        assert torch.equal(was, now)


def test_a_class_with_one_training_image_is_kept_for_training(own):
    labels = np.append(np.arange(39) % 3, 3)
    own(y_train=labels)
    for seed in range(60):
        data = load_dataset("mine", seed=seed, val_fraction=0.5)
        assert (data.y_train == 3).sum() == 1
        assert not (data.y_val == 3).any()


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


def test_auto_prefers_the_full_set_and_says_where_from(own):
    assert load_dataset("mnist").origin == "bundled sample"
    own("mnist")
    with pytest.raises(ReglabError, match="SHA-256"):
        load_dataset("mnist")


def test_versions_and_sizes_of_known_sets_need_no_file():
    assert dataset_version("cifar10", "full") == f"full:{FULL_SHA256['cifar10'][:12]}"
    assert dataset_size("cifar10", "full") == 50_000
    assert dataset_version("mnist", "sample") == load_dataset("mnist").version


def test_verify_lists_samples_and_files(own, tmp_path):
    own()
    (tmp_path / "data" / "broken.npz").write_bytes(b"PK not really")
    found = {(status.name, status.source): status for status in verify()}
    assert len(found) == 5
    assert found["mine", "full"].ok
    assert found["mine", "full"].shape == (12, 20, 3)
    assert not found["broken", "full"].ok
    assert all(found[name, "sample"].ok for name in KNOWN)
