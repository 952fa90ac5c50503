"""`reglab data import`: what pixels and labels may be, and what is refused with a question."""

import numpy as np
import pytest
from PIL import Image

from reglab.data.importing.draft import Options, sizes
from reglab.data.importing.make import import_data
from reglab.data.sources import load_file
from reglab.errors import ReglabError

RNG = np.random.default_rng(1)
GREY = RNG.integers(0, 256, (12, 9, 11), dtype=np.uint8)
GREY[0, 0, :2] = 0, 255
COLOUR = RNG.integers(0, 256, (12, 9, 11, 3), dtype=np.uint8)
LABELS = np.arange(12) % 3


def brought_in(folder, images, labels, **options):
    """Import two thirds as training half; return the arrays that are read and what was said."""
    path = folder / "source.npz"
    cut = {"x_train": images[:8], "y_train": labels[:8]}
    np.savez(path, **cut, x_test=images[8:], y_test=labels[8:])
    said = import_data(path, "own", Options(**options), folder=folder, replace=True)
    return load_file("own", folder), dict(said)


TWELVE_BITS = GREY.astype(np.uint16) * 16  # up to 4080
OPAQUE = np.full((12, 9, 11, 1), 255, np.uint8)
PIXELS = {
    # images as they come, options, what they must become, what is said
    "floats to 1": (GREY / np.float32(255), {}, GREY, "float32 from 0 to 1, brought"),
    "floats to 255": (GREY.astype(float), {}, GREY, "float64 from 0 to 255, brought"),
    "int64": (GREY.astype(np.int64), {}, GREY, "int64 up to 255, kept as 8 bits"),
    "uint16": (GREY.astype(np.uint16) * 257, {}, GREY, "uint16 from 0 to 65535, brought"),
    "12 bits": (TWELVE_BITS, {"white": 4080}, GREY, "uint16 from 0 to 4080, brought"),
    "true or false": (GREY > 99, {}, (GREY > 99) * np.uint8(255), "bool from 0 to 1, brought"),
    "one channel": (GREY[..., None], {}, GREY, None),
    "channels first": (np.moveaxis(COLOUR, -1, 1), {}, COLOUR, None),
    "rows": (GREY.reshape(12, -1), {"shape": (9, 11)}, GREY, None),
    "rows, colours apart": (
        np.moveaxis(COLOUR, -1, 1).reshape(12, -1), {"shape": (3, 9, 11)}, COLOUR, None,
    ),
    "rows, colours together": (COLOUR.reshape(12, -1), {"shape": (9, 11, 3)}, COLOUR, None),
    "alpha": (np.concatenate([COLOUR, OPAQUE], axis=-1), {}, COLOUR, None),
    # a fifth of the colour, the rest white
    "transparent": (np.concatenate([COLOUR, OPAQUE // 5], axis=-1), {},
                    np.rint(COLOUR / 5 + 255 * 4 / 5), None),
}  # fmt: skip


@pytest.mark.parametrize("kind", PIXELS)
def test_pixels(tmp_path, kind):
    images, options, wanted, said = PIXELS[kind]
    arrays, steps = brought_in(tmp_path, images, LABELS, **options)
    np.testing.assert_array_equal(arrays.x_train, wanted[:8])
    np.testing.assert_array_equal(arrays.x_test, wanted[8:])
    assert (said or "") in steps.get("pixels", "")


NAMED = np.array(["eel", "cat", "dog"])
CLASSES = {
    "a column": (LABELS[:, None], ("0", "1", "2"), LABELS),
    "one-hot": (np.eye(3)[LABELS], ("0", "1", "2"), LABELS),
    "from 1": (LABELS + 1, ("1", "2", "3"), LABELS),
    "gapped": (LABELS * 10 + 5, ("5", "15", "25"), LABELS),
    "below 0": (LABELS - 1, ("-1", "0", "1"), LABELS),
    "floats": (LABELS.astype(float), ("0", "1", "2"), LABELS),
    "text": (NAMED[LABELS], ("cat", "dog", "eel"), np.array([2, 0, 1])[LABELS]),
    "true or false": (LABELS > 0, ("False", "True"), (LABELS > 0).astype(int)),
}


@pytest.mark.parametrize("kind", CLASSES)
def test_labels(tmp_path, kind):
    labels, names, wanted = CLASSES[kind]
    arrays, steps = brought_in(tmp_path, GREY, labels)
    assert arrays.classes == names
    np.testing.assert_array_equal(arrays.y_train, wanted[:8])
    np.testing.assert_array_equal(arrays.y_test, wanted[8:])
    mapped = kind in ("from 1", "gapped", "below 0", "text", "true or false")
    assert ("classes" in steps) == mapped
    if kind == "gapped":
        assert steps["classes"] == "5 -> 0, 15 -> 1, 25 -> 2"


SQUARE = RNG.integers(0, 256, (12, 3, 9, 3), dtype=np.uint8)
REFUSED = {
    # images, labels, options, the one line
    "both layouts": (
        SQUARE,
        LABELS,
        {},
        r"are channels the last axis \(--layout nhwc\) or the sec",
    ),
    "neither": (np.zeros((12, 32, 3, 32), np.uint8), LABELS, {}, "no axis of 1, 3 or 4 channels"),
    "wrong layout": (COLOUR, LABELS, {"layout": "nchw"}, "--layout nchw does not fit"),
    "rows": (GREY.reshape(12, -1), LABELS, {}, "rows of 99 pixels; say of which shape"),
    "rows, square": (np.zeros((12, 784), np.uint8), LABELS, {}, "e.g. --shape 28x28$"),
    "rows of colour": (np.zeros((12, 3072)), LABELS, {}, "--shape 32x32x3, or --shape 3x32x32 if"),
    "wrong shape": (GREY.reshape(12, -1), LABELS, {"shape": (9, 9)}, "9x9 is 81 pixels, and a row"),
    "standardized": (GREY / 128 - 1.0, LABELS, {}, "go down to -1: they look standardized"),
    "NaN": (np.full((12, 9, 11), np.nan), LABELS, {}, "NaN or infinite"),
    "up to 1.5": (GREY / 170, LABELS, {}, "float64 up to 1.5: which value is white"),
    "invisible": (np.concatenate([COLOUR, 0 * OPAQUE], axis=-1), LABELS, {}, "0 everywhere"),
    "12 or 16 bits": (TWELVE_BITS, LABELS, {}, "--white 4095 or --white 65535"),
    "white too low": (GREY, LABELS, {"white": 100}, "--white 100 is below the largest pixel, 255"),
    "complex": (GREY * 1j, LABELS, {}, "pixels are of type complex128"),
    "one long array": (np.arange(12), LABELS, {}, r"an array of shape \(8,\)"),
    "small": (GREY[:, :7], LABELS, {}, "H and W at least 8"),
    "several classes": (GREY, np.ones((12, 3)), {}, "none or several of them set"),
    "probabilities": (GREY, np.full((12, 3), 1 / 3), {}, "3 columns that are not one-hot"),
    "regression": (GREY, LABELS + 0.5, {}, "not whole numbers; reglab knows classes only"),
    "a cube": (GREY, np.zeros((12, 2, 2)), {}, "an array of shape"),
    "new class": (GREY, np.arange(12) // 4, {}, "classes without a training image: 2"),
    "one class": (GREY, LABELS * 0, {}, "K >= 2"),
    "own test part": (GREY, LABELS, {"test_fraction": 0.2}, "has a test part of its own"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_refused_with_one_line(tmp_path, kind):
    images, labels, options, line = REFUSED[kind]
    with pytest.raises(ReglabError, match=line) as caught:
        brought_in(tmp_path, images, labels, **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "own.npz").exists()


def test_layout_settles_the_question(tmp_path):
    images = np.repeat(np.repeat(SQUARE, 3, axis=1), 3, axis=3)[:, :9, :9, :9]  # 9 x 9 x 9 is none
    with pytest.raises(ReglabError, match="no axis"):
        brought_in(tmp_path, images, LABELS)
    wide = RNG.integers(0, 256, (12, 4, 9, 3), dtype=np.uint8)
    with pytest.raises(ReglabError, match="H and W at least 8"):  # read as asked, then too small
        brought_in(tmp_path, wide, LABELS, layout="nhwc")


@pytest.mark.parametrize(
    ("arrays", "line"),
    [
        ({"x_train": GREY, "y_train": LABELS[:5]}, "12 images and 5 labels"),
        ({"x_train": GREY}, "expected x_train and y_train"),
        ({"x_train": GREY, "train_images": GREY, "y_train": LABELS}, "could both be the images of"),
        ({"x_train": GREY, "y_train": np.array([None] * 12)}, "without Python objects"),
        ({"x_train": GREY, "y_train": LABELS}, "has no test part; say how many"),
        ({"x_train": GREY[:4], "y_train": np.array([0, 0, 1, 2])}, "has no test part"),
    ],
)
def test_arrays_that_are_not_enough(tmp_path, arrays, line):
    np.savez(tmp_path / "source.npz", **arrays)
    with pytest.raises(ReglabError, match=line):
        import_data(tmp_path / "source.npz", "own", folder=tmp_path)


def test_a_class_of_one_image_cannot_be_cut(tmp_path):
    np.savez(tmp_path / "source.npz", images=GREY[:5], labels=[0, 0, 1, 1, 2])
    with pytest.raises(ReglabError, match=r"one image only \(2\)"):
        import_data(tmp_path / "source.npz", "own", Options(test_fraction=0.5), folder=tmp_path)


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"test_fraction": 1.0}, "--test-fraction must be between 0 and 1"),
        ({"layout": "hwcn"}, "--layout must be nhwc or nchw"),
        ({"white": 0}, "--white must be above 0"),
        ({"seed": -1}, "--seed must be 0 or more"),
    ],
)
def test_options_that_cannot_be_meant(options, line):
    with pytest.raises(ReglabError, match=line):
        Options(**options)


def test_sizes():
    assert sizes("28x32", "--resize", (2,)) == (28, 32)
    for text in ("28", "0x3", "28x28x1", "ax3", "-1x3", ""):
        with pytest.raises(ReglabError, match="--resize must be HEIGHTxWIDTH, as in 28x28"):
            sizes(text, "--resize", (2,))


def test_sources_of_no_known_kind(tmp_path):
    (tmp_path / "notes.txt").write_text("?")
    (tmp_path / "empty").mkdir()
    (tmp_path / "mixed/train/a").mkdir(parents=True)
    (tmp_path / "mixed/cats").mkdir()
    (tmp_path / "hollow/a").mkdir(parents=True)
    (tmp_path / "hollow/b").mkdir()
    Image.fromarray(GREY[0]).save(tmp_path / "hollow/a/0.png")
    for name, line in {
        "notes.txt": "of no known kind; expected a folder of class folders",
        "missing": "is not there",
        "empty": "holds no folders",
        "mixed": r"holds parts \(train, test\) beside other folders: cats",
        "hollow": "class folder .*b holds no image",
    }.items():
        with pytest.raises(ReglabError, match=line):
            import_data(tmp_path / name, "own", folder=tmp_path)
    with pytest.raises(ReglabError, match="mnist is one of the paper's data sets"):
        import_data(tmp_path, "mnist", folder=tmp_path)
