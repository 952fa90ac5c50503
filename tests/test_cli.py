"""The command line: help, one-line errors, and the whole way for an own data set."""

import json
import re
import shutil
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from conftest import finish
from owndata import own_numbers, own_tokens, own_vectors

from reglab import cli
from reglab.runs.store import RunStore, read_table, write_table
from reglab.study.plan import make_plan


@dataclass
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def reglab(monkeypatch, capfd):
    """Call the command line in this process; keywords set environment variables."""

    def call(*arguments, **environment):
        monkeypatch.setattr(sys, "argv", ["reglab", *map(str, arguments)])
        monkeypatch.setattr("urllib.request._opener", None)  # it would keep a test's proxies
        for name, value in environment.items():
            monkeypatch.setenv(name, str(value))
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return Done(ended.value.code or 0, *capfd.readouterr())

    return call


@pytest.mark.parametrize(
    "command",
    [[], ["reproduce"], ["results"], ["data"], ["data", "fetch"], ["data", "verify"], ["verify"]],
)
def test_help(reglab, command):
    done = reglab(*command, "--help")
    assert done.returncode == 0
    assert "Usage" in done.stdout
    if command in (["reproduce"], ["results"], ["data", "fetch"]):
        assert "Example: reglab" in done.stdout


@pytest.fixture
def damaged(tmp_path):
    folder = tmp_path / "damaged"
    folder.mkdir()
    (folder / "cut.npz").write_bytes(b"PK\x03\x04 cut short")
    pixels = np.zeros((10, 28, 28), np.uint8)
    labels = np.arange(10)
    wrong = {"x_train": pixels, "y_train": labels, "x_test": pixels, "y_test": labels}
    np.savez(folder / "mnist.npz", **wrong)
    return folder


ERRORS = [
    (["reproduce", "--dataset", "nosuch"], "unknown data set 'nosuch'"),
    (["reproduce", "--dataset", "../x"], "a-z, 0-9"),
    (["reproduce", "--profile", "huge"], "smoke, pilot, reduced, full, paper"),
    (["reproduce", "--seeds", "0", "--profile", "smoke"], "seeds must be an integer >= 1"),
    (["reproduce", "--device", "tpu", "--profile", "smoke"], "device must be one of"),
    (["reproduce", "--workers", "0", "--profile", "smoke"], "workers must be an integer >= 1"),
    (["reproduce", "--dataset", "cut", "--profile", "smoke"], "not a whole npz"),
    (["reproduce", "--dataset", "mnist", "--profile", "reduced"], "SHA-256 begins"),
    (
        ["reproduce", "--dataset", "cifar10", "--profile", "reduced", "--workers", "1"],
        "reglab data fetch cifar10",
    ),
    (["results", "--dataset", "mnist", "--profile", "smoke"], "study is not complete"),
    (["record", "--merge"], "go together: give both"),
    (["record", "a.jsonl.gz"], "go together: give both"),
    (["record", "--merge", "a.jsonl.gz"], "a.jsonl.gz is damaged after run 0"),
    (["data", "fetch", "mine"], "only mnist, fashion_mnist, cifar10"),
]


@pytest.mark.parametrize(("arguments", "words"), ERRORS)
def test_bad_input_is_one_line_on_stderr(reglab, arguments, words, damaged):
    done = reglab(*arguments, REGLAB_DATA_DIR=str(damaged))
    assert done.returncode == 1
    assert done.stdout == ""
    # what a worker finds wrong with the data comes after the line on what is to be made, and after
    # those that tell how long it has been at it, on a machine where it is long
    *before, last = done.stderr.splitlines()
    assert last.startswith("reglab: ")
    assert words in last
    before = [line for line in before if not line.startswith("reglab: 0 of ")]
    assert all("none of them finished" in line for line in before)
    assert len(before) <= 1


def test_recorded_study_needs_no_store(reglab, tmp_path):
    """`record` writes one table; with it alone, `results` gives what it gave from the runs."""
    study = make_plan("mnist", "smoke", device="cpu")
    store, records = RunStore(tmp_path / "runs"), finish(study)
    for run in records.values():
        store.put(run)
    asked = ["--dataset", "mnist", "--profile", "smoke", "--device", "cpu"]
    first = reglab("results", *asked, "--format", "json")
    recorded = reglab("record", *asked, "--to", tmp_path / "results")
    assert recorded.stdout.startswith(
        f"{tmp_path}/results/smoke/mnist.jsonl.gz: {len(records)} runs"
    )
    shutil.rmtree(tmp_path / "runs")
    assert reglab("results", *asked, "--format", "json") == first


def test_progress_and_merge_on_two_machines(reglab, tmp_path):
    """Each machine makes a part; --progress says what is left; joined, the study is whole."""
    study = make_plan("mnist", "smoke", device="cpu")
    runs = list(finish(study).values())
    halves = {"here": runs[::2], "there": runs[1::2]}
    for name, half in halves.items():
        store = RunStore(tmp_path / name)
        for run in half:
            store.put(run)
        write_table(half, tmp_path / f"{name}.jsonl.gz")
    asked = ["--dataset", "mnist", "--profile", "smoke", "--device", "cpu"]
    said = reglab("reproduce", *asked, "--progress", "--store", tmp_path / "here").stdout
    assert "0 of 2 evaluation seeds complete" in said
    assert re.search(r"left, about \d+ s", said)
    tables = [tmp_path / f"{name}.jsonl.gz" for name in halves]
    where = ["--profile", "smoke", "--to", tmp_path / "results"]
    for several in (tables[:1], tables[1:], tables):  # what is there already is joined, too
        reglab("record", "--merge", *several, *where)
    said = reglab("reproduce", *asked, "--progress", "--store", tmp_path / "nowhere").stdout
    assert f"{len(runs)} of {len(runs)} runs done" in said
    assert "2 of 2 evaluation seeds complete" in said
    assert "left" not in said
    assert not (tmp_path / "nowhere").exists()


def test_a_ledger_without_recorded_runs_says_so(reglab, tmp_path):
    done = reglab("claims", REGLAB_RESULTS=tmp_path / "none")
    assert done.returncode == 0
    assert f"{tmp_path}/none holds no whole study" in done.stderr
    assert done.stderr.count("\n") == 1


def test_unwritable_store_is_one_line(reglab, tmp_path):
    (tmp_path / "file").write_text("in the way")
    done = reglab("reproduce", "--profile", "smoke", "--store", tmp_path / "file" / "runs")
    assert done.returncode == 1
    assert done.stderr.startswith("reglab: cannot write to")
    assert done.stderr.count("\n") == 1


def test_fetch_without_a_network_is_one_line(reglab, tmp_path):
    dead = "http://127.0.0.1:9"
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), dead)
    done = reglab("data", "fetch", "mnist", REGLAB_DATA_DIR=str(tmp_path / "d"), **proxies)
    assert done.returncode == 1
    assert done.stderr.startswith("reglab: could not download mnist")
    assert done.stderr.count("\n") == 1
    assert list((tmp_path / "d").iterdir()) == []


def test_usage_error_is_one_line(reglab):
    done = reglab("results", "--format", "xml")
    assert done.returncode == 2
    assert done.stderr.startswith("reglab: ")
    assert done.stderr.count("\n") == 1
    assert "table" in done.stderr


def test_data_list_and_verify(reglab, damaged):
    fine = reglab("data", "list")
    assert fine.returncode == 0
    assert "cifar10 (sample): 32x32x3, 2000 + 1000 images, 10 classes" in fine.stdout
    bad = reglab("data", "verify", REGLAB_DATA_DIR=str(damaged))
    assert bad.returncode == 1
    assert bad.stdout.count("BAD") == 2


def test_images_as_people_have_them_from_folder_to_contact_sheet(reglab, tmp_path):
    from PIL import Image

    rng, source, folder = np.random.default_rng(0), tmp_path / "photos", tmp_path / "data"
    for number in range(20):
        place = source / ("day", "night")[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (9, 11, 3), np.uint8)).save(place / f"{number}.png")
    options = ["--name", "photos", "--resize", "10x12", "--test-fraction", "0.25"]
    done = reglab("data", "import", source, *options, REGLAB_DATA_DIR=str(folder))
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    assert ["train", "16 images of 10 x 12 x 3, 2 classes, 8 a class"] in lines
    assert lines[-1][0] == "note"  # of the four test images
    again = reglab("data", "import", source, *options, REGLAB_DATA_DIR=str(folder))
    assert again.returncode == 1
    assert "is there already" in again.stderr
    sheet = tmp_path / "sheet.png"
    shown = reglab("data", "show", "photos", "--output", sheet, REGLAB_DATA_DIR=str(folder))
    assert shown.stdout.startswith("photos: 16 + 4 images of 10 x 12 x 3, 2 classes; contact")
    with Image.open(sheet) as image:
        assert image.size[0] > 500


def own_images():
    """Return images of 12 x 20 x 3 in four classes, one brighter than the other."""
    rng = np.random.default_rng(0)
    y = {"train": np.arange(80) % 4, "test": np.arange(40) % 4}
    x = {
        k: (rng.integers(0, 80, (len(v), 12, 20, 3)) + 45 * v[:, None, None, None])
        for k, v in y.items()
    }
    arrays = {f"x_{k}": v.astype(np.uint8) for k, v in x.items()}
    return arrays | {f"y_{k}": v for k, v in y.items()}


@pytest.mark.parametrize("made", [own_images, own_tokens, own_vectors, own_numbers])
def test_own_data_set_from_file_to_tables(made, reglab, tmp_path, monkeypatch):
    """The rerun notebook, through papermill, with no code change, for each kind of data.

    For one of them with a further study, under the seeds of the protocol.
    """
    import papermill

    folder, page = tmp_path / "own", tmp_path / "page.ipynb"
    folder.mkdir()
    np.savez(folder / "stripes.npz", **made())
    monkeypatch.setenv("REGLAB_DATA_DIR", str(folder))
    store = tmp_path / "runs"
    parameters = {"dataset": "stripes", "profile": "smoke", "store": str(store), "workers": 1}
    further = made is own_images
    parameters["study"] = "order" if further else "protocol"
    papermill.execute_notebook(
        "notebooks/rerun.ipynb", page, parameters, kernel_name="python3", progress_bar=False
    )
    shown = page.read_text()
    assert shown.count('<table class=\\"dataframe\\">') >= 8
    assert "L2 + dropout + BN" in shown
    assert ("convolution, ReLU, BN" in shown) == further
    assert '"name": "stderr"' not in shown  # no progress in a notebook
    numbers = made is own_numbers
    made_here = str([cell.get("outputs") for cell in json.loads(shown)["cells"]])
    assert ("test R²" in made_here) == numbers
    assert ("accuracy" in made_here) != numbers
    done = reglab("results", "--dataset", "stripes", "--profile", "smoke", "--store", store,
                  "--format", "json", REGLAB_DATA_DIR=str(folder))  # fmt: skip
    cells = json.loads(done.stdout)["datasets"]["stripes"]["studies"]["factorial"]
    assert len(cells) == 8
    assert all(row["n"] == 2 for row in cells)
    assert {row["measure"] for row in cells} == {"R²" if numbers else "accuracy"}


def test_the_command_line_takes_a_study(reglab, tmp_path):
    store = RunStore(tmp_path / "runs")
    for record in finish(make_plan("mnist", "smoke", seeds=1, device="cpu")).values():
        store.put(record)
    asked = ["--study", "order", "--dataset", "mnist", "--profile", "smoke", "--seeds", "1"]
    asked += ["--device", "cpu", "--store", str(store.root)]
    before = reglab("reproduce", "--progress", *asked)
    assert "mnist (smoke, study order): 2 of 3 runs done" in before.stdout
    assert "0.0 million images trained on" in before.stdout
    made = reglab("reproduce", "--workers", "1", *asked)
    assert re.search("study order, profile smoke, complete in .*1 runs made now", made.stdout)
    printed = json.loads(reglab("results", "--format", "json", *asked).stdout)
    rows = printed["datasets"]["mnist"]["studies"]["order"]
    assert {row["arm"] for row in rows} == {"none", "bn before_relu", "bn after_relu"}
    assert "| bn after_relu |" in reglab("results", "--format", "markdown", *asked).stdout
    reglab("record", "--to", str(tmp_path / "results"), *asked)
    (kept,) = read_table(tmp_path / "results" / "smoke" / "order" / "mnist.jsonl.gz")
    assert kept.config.norm_order == "after_relu"
    elsewhere = RunStore(tmp_path / "empty", recorded=tmp_path / "results")
    assert elsewhere.get(kept.config) == kept
    wrong = reglab("results", *asked[2:], "--study", "nothing")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("reglab: unknown study 'nothing'")
    assert wrong.stderr.count("\n") == 1
