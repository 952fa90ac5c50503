"""What is said of a data set before anything is trained on it, and its contact sheet."""

import dataclasses

import numpy as np
import pytest

from reglab.data.remarks import remarks, roughness
from reglab.data.sources import KNOWN, load_sample
from reglab.pages.contact import contact_sheet

RNG = np.random.default_rng(0)


def changed(name, **arrays):
    return dataclasses.replace(load_sample(name), **arrays)


@pytest.mark.parametrize("name", KNOWN)
def test_nothing_is_amiss_with_the_papers_sets(name):
    assert remarks(load_sample(name)) == []


def apart(images):
    """Return the same bytes, written with one colour after the other and read as interleaved."""
    return np.moveaxis(images, -1, 1).reshape(images.shape)


def turned(images):
    """Return the same bytes of 20 x 28 pixels, read as 28 x 20."""
    return np.ascontiguousarray(images[:, 4:24]).reshape(-1, 28, 20)


SPOILT = {
    "labels in another order": (
        "mnist", {"y_train": RNG.permutation, "y_test": RNG.permutation},
        ["neither a linear rule nor the nearest training example"],
    ),
    "one colour after the other": (
        "cifar10", {"x_train": apart, "x_test": apart}, ["read as one colour after the other"],
    ),
    "height and width": (
        "fashion_mnist", {"x_train": turned, "x_test": turned}, ["read as 20 x 28, neighbouring"],
    ),
    "few test images": (
        "mnist", {"x_test": lambda x: x[:25], "y_test": lambda y: y[:25]},
        ["25 test images: an accuracy has a standard error of up to 10 points"],
    ),
    "a class without a test image": (
        "mnist", {"y_test": lambda y: np.where(y == 3, 8, y)}, ["1 of 10 classes have no test im"],
    ),
    "a constant channel": (
        "cifar10", {"x_train": lambda x: x * np.array([1, 0, 1], np.uint8)},
        ["channel 1 is constant and adds nothing"],
    ),
    "test images in the training half": (
        "mnist", {"x_train": lambda x: np.concatenate([x[:-50], load_sample("mnist").x_test[:50]])},
        ["50 of 1,000 test images are in the training half as well"],
    ),
    "one large class": (
        "mnist", {"y_train": lambda y: np.where((y > 0) & (np.arange(len(y)) % 8 > 0), 1, y)},
        ["classes have ", "training images: always naming the largest"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILT)
def test_what_is_amiss_is_said(kind):
    name, changes, wanted = SPOILT[kind]
    before = load_sample(name)
    said = " / ".join(
        remarks(changed(name, **{k: f(getattr(before, k)) for k, f in changes.items()}))
    )
    for words in wanted:
        assert words in said


def test_many_classes():
    labels = np.arange(2000) % 200
    arrays = changed(
        "mnist", y_train=labels, y_test=labels[:1000], classes=tuple(map(str, range(200)))
    )
    assert any(
        remark.startswith("200 classes: guessing is right in 0.5 %") for remark in remarks(arrays)
    )


def test_images_of_one_value():
    arrays = changed("mnist", x_train=np.zeros((2000, 28, 28), np.uint8))
    assert "every pixel of every training image has the same value" in " ".join(remarks(arrays))


def test_noise_is_as_rough_as_two_independent_values():
    """Two normal values differ by 2 / sqrt(pi) deviations in the mean."""
    noise = RNG.normal(size=(50, 40, 40, 1))
    assert roughness(noise) == pytest.approx(2 / np.sqrt(np.pi), rel=0.01)


def test_a_contact_sheet_has_a_row_a_class():
    arrays = load_sample("fashion_mnist")
    figure = contact_sheet(arrays, "Fashion-MNIST")
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == [f"{name}\n200 + 100" for name in arrays.classes]
    shown = figure.axes[10].get_images()[0].get_array()  # the first of the second class
    np.testing.assert_array_equal(shown, arrays.x_train[arrays.y_train == 1][0])
