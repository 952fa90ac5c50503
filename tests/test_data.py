"""Data sets: the bundled sample, own files, and splits."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from owndata import own_arrays, write_own

from reglab.data import bundled, sources
from reglab.data.dataset import dataset_size, dataset_version, load_dataset
from reglab.data.sources import CLASSES, FULL_SHA256, KNOWN, load_sample, sample_manifest, verify
from reglab.data.splitting import stratified_order
from reglab.errors import ReglabError


@pytest.fixture
def own(tmp_path):
    return partial(write_own, tmp_path / "data")


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
    taken = np.bincount(labels[order[:k]], minlength=len(counts))
    assert np.abs(taken - k * np.array(counts) / len(labels)).max() <= len(counts)


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
    statuses = {(status.name, status.source): status for status in verify()}
    assert len(statuses) == len(KNOWN) + len(bundled.NAMES) + 2
    assert statuses["mine", "full"].ok
    assert statuses["mine", "full"].shape == (12, 20, 3)
    assert not statuses["broken", "full"].ok
    assert all(statuses[name, "sample"].ok for name in KNOWN)
    assert all(statuses[name, "full"].ok for name in bundled.NAMES)
