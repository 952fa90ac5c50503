"""The torchvision path, without a network: files laid out locally, and a loopback mirror."""

import gzip
import hashlib
import http.server
import io
import pickle
import struct
import tarfile
import threading

import numpy as np
import pytest
from torchvision import datasets

from reglab.data import download, sources
from reglab.data.dataset import load_dataset
from reglab.data.download import fetch
from reglab.errors import ReglabError


def tiny(shape, classes=10):
    rng = np.random.default_rng(0)
    arrays = {}
    for split, size in (("train", 30), ("test", 20)):
        arrays[f"x_{split}"] = rng.integers(0, 256, (size, *shape), dtype=np.uint8)
        arrays[f"y_{split}"] = (np.arange(size) % classes).astype(np.uint8)
    return arrays


def idx_files(arrays):
    """The four gzipped idx files of MNIST's layout, by name."""
    names = {"train": "train", "test": "t10k"}
    files = {}
    for split, prefix in names.items():
        x, y = arrays[f"x_{split}"], arrays[f"y_{split}"]
        images = struct.pack(">IIII", 0x803, *x.shape) + x.tobytes()
        labels = struct.pack(">II", 0x801, len(y)) + y.tobytes()
        files[f"{prefix}-images-idx3-ubyte.gz"] = gzip.compress(images)
        files[f"{prefix}-labels-idx1-ubyte.gz"] = gzip.compress(labels)
    return files


def cifar_archive(arrays):
    """CIFAR-10's tar.gz, made small: its members and their bytes."""
    members = {"batches.meta": pickle.dumps({"label_names": list("abcdefghij")})}
    parts = np.array_split(np.arange(30), 5)
    for k, part in enumerate(parts, start=1):
        members[f"data_batch_{k}"] = _batch(arrays["x_train"][part], arrays["y_train"][part])
    members["test_batch"] = _batch(arrays["x_test"], arrays["y_test"])
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue(), members


def _batch(x, y):
    return pickle.dumps({"data": x.transpose(0, 3, 1, 2).reshape(len(x), -1), "labels": y.tolist()})


class Cut(bytes):
    """Served by half: the connection ends before the length that was announced."""


@pytest.fixture
def mirror():
    """A loopback HTTP server; files are served from a dictionary, the rest is 404."""
    files = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = files.get(self.path.lstrip("/"))
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            served = content or b""
            self.wfile.write(served[: len(served) // 2] if isinstance(served, Cut) else served)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", files
    server.shutdown()
    server.server_close()


def md5(content):
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def tiny_mnist(monkeypatch, mirror):
    """torchvision's MNIST, pointed at the mirror with tiny files, and our digest of them."""
    url, files = mirror
    arrays = tiny((28, 28))
    files.update(idx_files(arrays))
    resources = [(name, md5(content)) for name, content in files.items()]
    monkeypatch.setattr(datasets.MNIST, "mirrors", [url])
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    monkeypatch.setitem(sources.FULL_SHA256, "mnist", sources.digest(arrays))
    return arrays, files


@pytest.fixture
def tiny_cifar(monkeypatch, mirror):
    url, files = mirror
    arrays = tiny((32, 32, 3))
    archive, members = cifar_archive(arrays)
    kind = datasets.CIFAR10
    files[kind.filename] = archive
    monkeypatch.setattr(kind, "url", url + kind.filename)
    monkeypatch.setattr(kind, "tgz_md5", md5(archive))
    batches = [[f"data_batch_{k}", md5(members[f"data_batch_{k}"])] for k in range(1, 6)]
    monkeypatch.setattr(kind, "train_list", batches)
    monkeypatch.setattr(kind, "test_list", [["test_batch", md5(members["test_batch"])]])
    monkeypatch.setattr(kind, "meta", {**kind.meta, "md5": md5(members["batches.meta"])})
    monkeypatch.setattr(download, "CIFAR10_ARCHIVE_SHA256", hashlib.sha256(archive).hexdigest())
    monkeypatch.setitem(sources.FULL_SHA256, "cifar10", sources.digest(arrays))
    return arrays, files


def test_mnist_from_the_mirror(tiny_mnist, tmp_path):
    arrays, _ = tiny_mnist
    path = fetch("mnist", tmp_path)
    assert path == tmp_path / "mnist.npz"
    assert [p.name for p in tmp_path.iterdir()] == ["mnist.npz"]
    with np.load(path, allow_pickle=False) as file:
        for key, expected in arrays.items():
            assert np.array_equal(file[key], expected)
    assert load_dataset("mnist", data_dir=tmp_path).origin == str(path)


def test_cifar_from_the_mirror(tiny_cifar, tmp_path):
    arrays, _ = tiny_cifar
    with np.load(fetch("cifar10", tmp_path), allow_pickle=False) as file:
        for key, expected in arrays.items():
            assert np.array_equal(file[key], expected)


def test_files_laid_out_locally_need_no_download(tiny_mnist, tmp_path):
    arrays, files = tiny_mnist
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, content in files.items():
        (raw / name.removesuffix(".gz")).write_bytes(gzip.decompress(content))
    files.clear()  # whoever asks the mirror now gets a 404
    read = download._arrays("mnist", tmp_path)
    assert all(np.array_equal(read[key], arrays[key]) for key in arrays)


def test_second_fetch_downloads_nothing(tiny_mnist, tmp_path):
    _, files = tiny_mnist
    first = fetch("mnist", tmp_path)
    files.clear()
    assert fetch("mnist", tmp_path) == first


def refused(name, folder, *words):
    with pytest.raises(ReglabError) as caught:
        fetch(name, folder)
    message = str(caught.value)
    assert "\n" not in message
    for word in words:
        assert word in message
    assert not folder.exists() or list(folder.iterdir()) == []


def test_missing_on_the_mirror(tiny_mnist, tmp_path):
    tiny_mnist[1].clear()
    refused("mnist", tmp_path / "data", "could not download mnist", "check the network")


def test_damaged_download(tiny_mnist, tmp_path):
    files = tiny_mnist[1]
    name = next(iter(files))
    files[name] = files[name][:-9] + b"corrupted"
    refused("mnist", tmp_path / "data", "could not download mnist")


def test_other_pixels_than_the_published(tiny_mnist, tmp_path, monkeypatch):
    monkeypatch.setitem(sources.FULL_SHA256, "mnist", "0" * 64)
    refused("mnist", tmp_path / "data", "not the published one", "nothing was kept")


def test_archive_is_checked_before_anything_is_unpickled(tiny_cifar, tmp_path, monkeypatch):
    def unpickled(*_, **__):
        raise AssertionError("torchvision opened an unchecked archive")

    monkeypatch.setattr(download, "CIFAR10_ARCHIVE_SHA256", "0" * 64)
    monkeypatch.setattr(datasets.cifar.pickle, "load", unpickled)
    refused("cifar10", tmp_path / "data", "cifar-10-python.tar.gz is not the published one")


def test_an_interrupted_download_leaves_nothing_behind(tiny_mnist, tmp_path, monkeypatch):
    folder = tmp_path / "data"

    def interrupted(name, root):
        (root / "half-a-file.gz").write_bytes(b"half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(download, "_arrays", interrupted)
        with pytest.raises(KeyboardInterrupt):
            download.fetch("mnist", folder)
    assert list(folder.iterdir()) == []
    assert download.fetch("mnist", folder) == folder / "mnist.npz"
    assert [path.name for path in folder.iterdir()] == ["mnist.npz"]


def test_a_connection_that_ends_early_leaves_nothing_behind(tiny_mnist, tmp_path):
    files, folder = tiny_mnist[1], tmp_path / "data"
    name = next(iter(files))
    whole = files[name]
    files[name] = Cut(whole)
    refused("mnist", folder, "could not download mnist")
    files[name] = whole
    assert download.fetch("mnist", folder) == folder / "mnist.npz"


def test_an_interruption_while_the_file_is_written_leaves_nothing_behind(
    tiny_mnist, tmp_path, monkeypatch
):
    folder = tmp_path / "data"

    def interrupted(file, **arrays):
        file.write(b"PK half of it")
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(download.np, "savez", interrupted)
        with pytest.raises(KeyboardInterrupt):
            download.fetch("mnist", folder)
    assert list(folder.iterdir()) == []
    assert download.fetch("mnist", folder) == folder / "mnist.npz"


def test_no_network(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", ["http://127.0.0.1:9/"])
    refused("fashion_mnist", tmp_path / "data", "could not download fashion_mnist")


def test_no_folder_to_write_to(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReglabError, match="cannot write to"):
        fetch("mnist", tmp_path / "file" / "data")


def test_own_names_cannot_be_fetched(tmp_path):
    refused("mine", tmp_path / "data", "only mnist, fashion_mnist, cifar10")
