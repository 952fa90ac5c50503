"""Image files from outside are taken or refused in one line; nothing in them is executed."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest
from fuzzing import FUZZ, taken_or_refused
from hypothesis import given
from hypothesis import strategies as st

from reglab.data.sources import load_file
from reglab.errors import ReglabError


def arrays(n=12):
    labels = np.arange(n) % 3
    images = np.zeros((n, 8, 8), np.uint8)
    return {"x_train": images, "y_train": labels, "x_test": images, "y_test": labels}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").mkdir(exist_ok=True)  # where conftest points REGLAB_DATA_DIR
    return tmp_path / "data"


DTYPES = ["u1", "i8", "f4", "f8", "c8", "?", "M8[s]", "m8[s]", "U3", "S3", "V4", "O"]


@FUZZ
@given(
    name=st.sampled_from(["x_train", "y_train", "x_test", "y_test"]),
    dtype=st.sampled_from(DTYPES),
    shape=st.lists(st.sampled_from([0, 1, 3, 8, 12]), max_size=5).map(tuple),
)
def test_any_array_in_an_image_file(folder, name, dtype, shape):
    given = np.zeros(shape, dtype=dtype)
    np.savez(folder / "own.npz", **{**arrays(), name: given})
    loaded = taken_or_refused(load_file, "own")
    assert loaded is None or getattr(loaded, name).shape == shape


@FUZZ
@given(labels=st.lists(st.integers(-2, 5), min_size=12, max_size=12))
def test_labels_out_of_range(folder, labels):
    np.savez(folder / "own.npz", **{**arrays(), "y_train": np.array(labels)})
    loaded = taken_or_refused(load_file, "own")
    whole = set(labels) == set(range(max(labels) + 1)) and max(labels) >= 2
    assert (loaded is not None) == whole


class Trap:
    """Unpickled, it leaves a file behind."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return open, (str(self.marker), "w")


@pytest.mark.parametrize("name", ["x_train", "y_test", "classes"])
def test_python_objects_are_never_unpickled(folder, tmp_path, name):
    marker = tmp_path / "sprung"
    trap = np.empty(12, dtype=object)
    trap[:] = [Trap(marker)] * 12
    np.savez(folder / "own.npz", **{**arrays(), name: trap})
    with pytest.raises(ReglabError, match=f"{name} cannot be read .it holds Python objects"):
        load_file("own")
    (folder / "own.npz").write_bytes(pickle.dumps(Trap(marker)))
    with pytest.raises(ReglabError, match="is not a whole npz file"):
        load_file("own")
    assert not marker.exists()
    np.load(io.BytesIO(pickle.dumps(Trap(marker))), allow_pickle=True)
    assert marker.exists()  # the trap works


def member(header_shape, content, path, name="x_train"):
    """Write an npz whose member's header claims a shape that its content need not have."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": header_shape}
    )
    rest = {key: value for key, value in arrays().items() if key != name}
    np.savez(path, **rest)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(f"{name}.npy", header.getvalue() + content)


def test_a_header_that_claims_too_much_is_refused_before_memory_is_taken(folder):
    member((2**40, 8, 8), b"\0" * 64, folder / "own.npz")
    with pytest.raises(
        ReglabError, match=r"its header claims uint8 of shape \(1099511627776, 8, 8"
    ):
        load_file("own")


def test_a_zip_bomb_is_refused_before_it_is_unpacked(folder, monkeypatch):
    from reglab.data import npz

    monkeypatch.setattr(npz, "BOMB_BYTES", 2**20)
    member((2**15, 8, 8), b"\0" * 2**21, folder / "own.npz")
    with pytest.raises(ReglabError, match="would unpack to 2097152"):
        load_file("own")


def test_a_member_that_lies_about_its_size_is_refused_before_memory_is_taken(folder):
    header = io.BytesIO()
    claimed = {"descr": "|u1", "fortran_order": False, "shape": (2**40, 8, 8)}
    np.lib.format.write_array_header_1_0(header, claimed)
    np.savez(folder / "own.npz", **{key: a for key, a in arrays().items() if key != "x_train"})
    with zipfile.ZipFile(folder / "own.npz", "a") as packed:
        packed.writestr("x_train.npy", header.getvalue())
        packed.getinfo("x_train.npy").file_size += 2**46  # what the directory then says
    with pytest.raises(ReglabError, match=f"would unpack to {2**46}"):
        load_file("own")


def test_an_array_that_is_there_twice_is_refused(folder):
    np.savez(folder / "own.npz", **arrays())
    with zipfile.ZipFile(folder / "own.npz", "a") as packed:
        packed.writestr("x_test", b"another")
    with pytest.raises(ReglabError, match="x_test is there 2 times; it must be there once"):
        load_file("own")


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "own.npz")
    held = os.open(folder / "own.npz", os.O_RDWR)  # so that a mistake here does not wait either
    with pytest.raises(ReglabError, match="is not a regular file"):
        load_file("own")
    os.close(held)


def test_members_that_are_not_asked_for_are_left_alone(folder, tmp_path):
    np.savez(folder / "own.npz", **arrays())
    with zipfile.ZipFile(folder / "own.npz", "a") as packed:
        packed.writestr("../../escaped.npy", b"no array")
        packed.writestr("x_train.npy.bak", b"no array")
    assert len(load_file("own").y_train) == 12
    assert not list(tmp_path.rglob("escaped*"))
