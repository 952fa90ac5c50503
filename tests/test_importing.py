"""`reglab data import`: class folders, arrays, CSV and parquet become one strict NAME.npz."""

import gzip
import io
import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from reglab.data.importing.draft import Options
from reglab.data.importing.make import import_data
from reglab.data.sources import load_file
from reglab.errors import ReglabError

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (24, 10, 12), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (24, 10, 12, 3), dtype=np.uint8)
LABELS = np.arange(24) % 3
FIFTH = Options(test_fraction=0.25)


@pytest.fixture
def made(tmp_path):
    """Return a function that imports a source: the arrays that are then read, and what was said."""

    def run(source, **options):
        said = import_data(
            source, "own", Options(**options), folder=tmp_path / "data", replace=True
        )
        return load_file("own", tmp_path / "data"), dict(said)

    return run


def npz(folder, **arrays):
    path = folder / "source.npz"
    np.savez(path, **arrays)
    return path


def halves(x, y, names=("x_train", "y_train", "x_test", "y_test")):
    return dict(zip(names, (x[:18], y[:18], x[18:], y[18:]), strict=True))


def folders(root, images, suffix="png", parts=("train", "test")):
    """Write images as class folders a, b, c; every fourth goes to the test part."""
    for number, image in enumerate(images):
        folder = root / (parts[number % 4 == 3] if parts else "") / "abc"[number % 3]
        folder.mkdir(parents=True, exist_ok=True)
        picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
        picture.save(folder / f"{number:02}.{suffix}")
    return root


def test_class_folders_with_parts(made, tmp_path):
    arrays, said = made(folders(tmp_path / "in", COLOUR))
    assert arrays.classes == ("a", "b", "c")
    assert (arrays.x_train.shape, arrays.x_test.shape) == ((18, 10, 12, 3), (6, 10, 12, 3))
    order = [n for c in range(3) for n in range(c, 24, 3) if n % 4 != 3]  # class after class
    np.testing.assert_array_equal(arrays.x_train, COLOUR[order])
    np.testing.assert_array_equal(arrays.y_train, LABELS[order])
    assert said["source"] == "class folders in train, test, read as 10 x 12, colour"


def test_class_folders_alone_are_cut_by_class_and_seed(made, tmp_path):
    source = folders(tmp_path / "in", GREY, parts=())
    arrays, said = made(source, test_fraction=0.25)
    assert np.bincount(arrays.y_test).tolist() == [2, 2, 2]
    assert arrays.x_train.shape == (18, 10, 12)
    assert said["test part"] == "6 of 24 images, 0.25 of each class, seed 0"
    again, _ = made(source, test_fraction=0.25)
    other, _ = made(source, test_fraction=0.25, seed=1)
    assert (again.sha256 == arrays.sha256, other.sha256 == arrays.sha256) == (True, False)
    kept = {image.tobytes() for half in (arrays.x_train, arrays.x_test) for image in half}
    assert kept == {image.tobytes() for image in GREY}  # none lost, none twice


def test_validation_joins_training_and_numbers_are_ordered_as_numbers(made, tmp_path):
    for number, image in enumerate(GREY):
        part = ("train", "train", "valid", "testing")[number // 2 % 4]
        folder = tmp_path / "in" / part / str(8 + number % 2 * 2)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.bmp")
    arrays, said = made(tmp_path / "in")
    assert arrays.classes == ("8", "10")
    assert len(arrays.x_train) == 18
    assert "joined to the training half" in said["validation"]


KINDS = {
    "grey among colour": ([*COLOUR[:-1], GREY[-1]], "1 grey among colour images, made colour"),
    "alpha": ([Image.fromarray(i).convert("RGBA") for i in COLOUR], "24 with alpha, all of it opa"),
    "16 bits": ([Image.fromarray(i.astype(np.uint16) * 257) for i in GREY], "24 16 bits deep, bro"),
    "palette": ([Image.fromarray(i).convert("L").convert("P") for i in GREY], ""),
    "one bit": ([Image.fromarray(i > 127) for i in GREY], ""),
}


@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_image_files(made, tmp_path, kind):
    images, words = KINDS[kind]
    arrays, said = made(folders(tmp_path / "in", images))
    assert words in said.get("images", "")
    got = arrays.x_train if arrays.x_train.ndim == 4 else arrays.x_train[..., None]
    whole = [np.asarray(Image.fromarray(i) if isinstance(i, np.ndarray) else i) for i in images]
    first = whole[0].astype(int)
    if kind == "16 bits":
        first = first // 257
    elif kind == "one bit":
        first = first * 255
    first = first if first.ndim == 3 else first[..., None]
    assert (got[0] == first[..., : got.shape[-1]]).all()


SEE_THROUGH = {
    "colour": ("RGBA", (9, 99, 199, 51), (206, 224, 244)),  # a fifth of the colour, the rest white
    "grey": ("LA", (99, 51), 224),
    "palette": ("P", 0, (255, 255, 255)),
}


@pytest.mark.filterwarnings("error")  # Pillow warns of palettes with transparency
@pytest.mark.parametrize("kind", SEE_THROUGH)
def test_what_is_transparent_is_laid_over_white(made, tmp_path, kind):
    """What lies below, hidden to whoever looks at the image, is not learned from."""
    mode, colour, wanted = SEE_THROUGH[kind]
    images = [Image.new(mode, (8, 8), colour) for _ in range(24)]
    source = folders(tmp_path / "in", images)
    if mode == "P":
        for path, image in zip(sorted(source.rglob("*.png")), images, strict=True):
            image.putpalette([9, 99, 199])
            image.save(path, transparency=bytes([0]))
    arrays, said = made(source)
    assert "24 transparent in part, laid over white" in said["images"]
    assert (arrays.x_train == wanted).all()


def test_a_turned_photograph_is_set_upright(made, tmp_path):
    images = [Image.fromarray(image) for image in COLOUR]
    source = folders(tmp_path / "in", images)
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    for path in source.rglob("*.png"):
        with Image.open(path) as image:
            image.load()
        image.save(path, exif=exif)
    arrays, said = made(source)
    assert arrays.x_train.shape[1:] == (12, 10, 3)
    assert said["images"] == "24 turned as their EXIF data say"


def test_unequal_sizes_need_a_size(made, tmp_path):
    source = folders(tmp_path / "in", [*COLOUR[:-1], COLOUR[-1][:9]])
    with pytest.raises(ReglabError, match=r"images of 2 sizes .* give --resize HEIGHTxWIDTH"):
        made(source)
    arrays, _ = made(source, resize=(16, 20))
    assert arrays.x_train.shape[1:] == (16, 20, 3)


def test_broken_images_are_named_and_left_out_only_when_asked(made, tmp_path):
    source = folders(tmp_path / "in", COLOUR)
    (source / "train/a/00.png").write_bytes((source / "train/a/00.png").read_bytes()[:60])
    (source / "train/b/notes.txt").write_text("no image")
    with pytest.raises(ReglabError, match=r"1 broken images: .*00\.png .* --skip-broken"):
        made(source)
    arrays, said = made(source, skip_broken=True)
    assert len(arrays.x_train) == 17
    assert "00.png" in said["left out"]
    assert said["ignored"] == "1 files that are no images"


def test_medmnist_and_keras_names(made, tmp_path):
    column = LABELS[:, None].astype(np.uint8)
    names = ("train_images", "train_labels", "test_images", "test_labels")
    val = {"val_images": GREY[:3], "val_labels": column[:3]}
    arrays, said = made(npz(tmp_path, **halves(GREY, column, names), **val))
    assert (len(arrays.x_train), len(arrays.x_test)) == (21, 6)
    assert "joined" in said["validation"]
    keras, _ = made(npz(tmp_path, **halves(COLOUR, LABELS)))
    np.testing.assert_array_equal(keras.x_test, COLOUR[18:])
    np.testing.assert_array_equal(keras.y_test, LABELS[18:])


def test_parquet_with_names_of_classes(made, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    def cell(image):
        file = io.BytesIO()
        Image.fromarray(image).save(file, "png")
        return {"bytes": file.getvalue(), "path": None}

    names = {"info": {"features": {"label": {"names": ["cat", "dog", "eel"]}}}}
    (tmp_path / "in").mkdir()
    for part, at in (("train", slice(0, 18)), ("test", slice(18, 24))):
        table = pa.table({"image": map(cell, COLOUR[at]), "label": LABELS[at], "fine": LABELS[at]})
        table = table.replace_schema_metadata({"huggingface": json.dumps(names)})
        parquet.write_table(table, tmp_path / "in" / f"{part}-00000-of-00001.parquet")
    arrays, said = made(tmp_path / "in")
    np.testing.assert_array_equal(arrays.x_train, COLOUR[:18])
    assert arrays.classes == ("cat", "dog", "eel")
    assert said["source"] == "columns 'image' and 'label' of train, test"
    (tmp_path / "in/test-00000-of-00001.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(ReglabError, match="cannot be read as parquet"):
        made(tmp_path / "in")


def test_parquet_that_only_names_its_images(made, tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    cells = [{"bytes": None, "path": f"{number}.png"} for number in range(24)]
    table = pyarrow.table({"image": cells, "label": LABELS})
    parquet.write_table(table, tmp_path / "in.parquet")
    with pytest.raises(ReglabError, match="'image' names files and holds no image; give the fold"):
        made(tmp_path / "in.parquet", image="image", test_fraction=0.25)


def test_csv_of_pixels_with_and_without_names(made, tmp_path):
    table = pd.DataFrame(GREY.reshape(24, -1))
    table.insert(0, "label", LABELS)
    for names in (True, False):
        file = tmp_path / ("in.csv" if names else "in.csv.gz")
        table.to_csv(file, index=False, header=names)
        label = {} if names else {"label": "0"}
        arrays, said = made(file, shape=(10, 12), test_fraction=0.25, **label)
        kept = {image.tobytes() for half in (arrays.x_train, arrays.x_test) for image in half}
        assert kept == {image.tobytes() for image in GREY}
        assert said["shape"] == "rows of 120 pixels folded to 10 x 12"
    with pytest.raises(ReglabError, match=r"which column is the label\? Give --label"):
        made(tmp_path / "in.csv.gz", shape=(10, 12))


def test_a_damaged_csv_gz_is_one_line(made, tmp_path):
    whole = gzip.compress(b"label," + b"1," * 999 + b"1\n")
    for damaged in (whole[:-9], whole[:20] + b"no" + whole[22:], b"no"):
        (tmp_path / "in.csv.gz").write_bytes(damaged)
        with pytest.raises(ReglabError, match=r"in\.csv\.gz cannot be read as CSV"):
            made(tmp_path / "in.csv.gz", shape=(10, 12))


@pytest.mark.parametrize("sep", [";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])  # a mark in front, as Excel writes it
def test_csv_as_spreadsheets_write_it(made, tmp_path, sep, encoding):
    table = pd.DataFrame(GREY.reshape(24, -1))
    table.insert(0, "label", LABELS)
    table.to_csv(tmp_path / "in.csv", index=False, sep=sep, encoding=encoding)
    arrays, _ = made(tmp_path / "in.csv", shape=(10, 12), test_fraction=0.25)
    kept = {image.tobytes() for half in (arrays.x_train, arrays.x_test) for image in half}
    assert kept == {image.tobytes() for image in GREY}


def test_a_file_that_is_there_is_kept(tmp_path):
    source, folder = npz(tmp_path, **halves(GREY, LABELS)), tmp_path / "data"
    import_data(source, "own", folder=folder)
    before = (folder / "own.npz").read_bytes()
    with pytest.raises(ReglabError, match="is there already; choose another --name, or give --rep"):
        import_data(npz(tmp_path, **halves(COLOUR, LABELS)), "own", folder=folder)
    assert (folder / "own.npz").read_bytes() == before


def test_a_disk_that_is_full_leaves_nothing(tmp_path, monkeypatch):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    source = npz(tmp_path, **halves(GREY, LABELS))
    with pytest.raises(ReglabError, match="No space left on device; free some space"):
        import_data(source, "own", folder=tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []
