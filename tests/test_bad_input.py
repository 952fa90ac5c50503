"""Whatever comes in from outside is taken or refused in one line, never met with a traceback."""

import copy
import io
import json
import os
import pickle
import sys
import zipfile
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from conftest import fake_record, finish
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reglab import cli, datafetch, paper, papertoml, sweep, verdicts
from reglab.config import RunConfig
from reglab.datafiles import load_file
from reglab.errors import ReglabError
from reglab.protocol import Arm
from reglab.records import RunRecord, _digest, unpack_bits
from reglab.store import open_store
from reglab.study import frame, make_plan, summarize

FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["mnist", "cpu", "fc", "sgd", "coupled", "fp32", "sample:d3bfde4df098"]),
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


def taken_or_refused(function, *arguments, **named):
    """Call; return the result, or None if it was refused in one line."""
    try:
        return function(*arguments, **named)
    except ReglabError as error:
        assert str(error).strip()
        assert "\n" not in str(error)
        return None


# Configs and records


@FUZZ
@given(st.dictionaries(st.sampled_from(list(RunConfig.__dataclass_fields__)) | st.text(), VALUE))
def test_any_mapping_is_a_config_or_refused(values):
    config = taken_or_refused(RunConfig.from_dict, values)
    assert config is None or RunConfig.from_dict(config.to_dict()) == config


@pytest.fixture
def fields(config):
    return config.to_dict()


@FUZZ
@given(data=st.data())
def test_one_wrong_field_is_named(fields, data):
    name = data.draw(st.sampled_from(list(fields)))
    value = data.draw(VALUE)
    try:
        RunConfig.from_dict({**fields, name: value})
    except ReglabError as error:
        assert name in str(error)
        assert "\n" not in str(error)


@FUZZ
@given(VALUE)
def test_any_text_is_a_record_or_refused(value):
    assert taken_or_refused(RunRecord.from_json, json.dumps(value)) is None


@FUZZ
@given(data=st.data())
def test_a_record_with_a_valid_digest_and_a_wrong_field(plan, config, data):
    """The digest guards against damage, not against whoever can compute one.

    What is taken can be shown.
    """
    values = json.loads(fake_record(config).to_json())["record"]
    spoil(values, data)
    body = json.dumps(values, sort_keys=True)
    text = json.dumps({"format": 1, "sha256": _digest(body), "record": values})
    if record := taken_or_refused(RunRecord.from_json, text):
        shown = frame(plan, [Arm("factorial", "none", record.config)], {record.config.key: record})
        assert summarize(shown)["n"].tolist() in ([0], [1])
        assert all(unpack_bits(scores.correct).size for scores in (record.best,) if scores)


BAD_RECORDS = [
    ("history.val_loss", None, "history.val_loss is None; it must be a list"),
    ("history.val_loss", [0.5, None], "it must be finite at best_epoch, 2"),
    ("history.train_acc", [0.5], "history.train_acc is [0.5]; it must be of 2 epochs"),
    ("history.val_acc", [0.5, 1.5], "it must be a list of shares in [0, 1]"),
    ("best_epoch", 3, "best_epoch is 3; it must be null or an epoch from 1 to 2"),
    ("best.accuracy", "0.9", "best.accuracy is '0.9'; it must be in [0, 1]"),
    ("last.loss", True, "last.loss is True; it must be a finite number or null"),
    ("last.correct", "1000000000000:", "last.correct is '1000000000000:'; it must be N:BASE64"),
    ("diverged", 0, "diverged is 0; it must be true or false"),
    ("n_fit", 0, "n_fit is 0; it must be an integer > 0"),
    ("costs.epoch_seconds", [], "costs.epoch_seconds is []; it must be a list"),
    ("costs.seconds", 10**400, "it must be a finite number"),
    ("environment", {"torch": "2"}, "texts by name, code_version, torch, device_name among"),
    ("config.dataset", "../../elsewhere", "dataset must be a name of a-z, 0-9, _ and -, got '.."),
    ("config.lr", 10**400, "lr must be a number of 64 bits, got 1000"),
    ("history.a\nb", [], "unexpected keyword argument 'a b'"),
]


@pytest.mark.parametrize(("field", "value", "words"), BAD_RECORDS)
def test_a_wrong_field_of_a_record_is_named(config, field, value, words):
    values = inner = json.loads(fake_record(config).to_json())["record"]
    *path, last = field.split(".")
    for key in path:
        inner = inner[key]
    inner[last] = value
    digest = _digest(json.dumps(values, sort_keys=True))
    with pytest.raises(ReglabError) as caught:
        RunRecord.from_json(json.dumps({"format": 1, "sha256": digest, "record": values}))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def spoil(tree, data):
    """Delete or replace one random leaf or branch of nested dicts and lists."""
    while True:
        key = data.draw(
            st.sampled_from(sorted(tree) if isinstance(tree, dict) else range(len(tree)))
        )
        inner = tree[key]
        if isinstance(inner, dict | list) and inner and data.draw(st.integers(0, 3)):
            tree = inner
            continue
        if data.draw(st.booleans()):
            del tree[key]
        else:
            tree[key] = data.draw(VALUE)
        return


# The command line

STUDY = ("--dataset", "--profile", "--seeds", "--device", "--store")
COMMANDS = {
    "reproduce": (*STUDY, "--workers", "--together"),
    "results": (*STUDY, "--format"),
    "record": STUDY,
    "claims": ("--format",),
    "data fetch": (),
    "bench": ("--seeds",),  # no option of its own: nothing here may measure for a minute
}
WORDS = st.sampled_from(
    ["", "-1", "0", "1001", "1e3", "nan", "all", "mnist", "../x", "smoke", "cpu", "json", "--"]
) | st.text(st.characters(codec="utf-8", exclude_characters="\0/"), max_size=8)


@FUZZ
@given(data=st.data())
def test_any_command_line_works_or_is_one_line(data, monkeypatch, capsys, caplog, tmp_path):
    def forbidden(*_, **__):
        raise ReglabError("valid, and would train or load")

    for module, name in ((sweep, "reproduce"), (datafetch, "fetch")):
        monkeypatch.setattr(module, name, forbidden)
    monkeypatch.chdir(tmp_path)  # a store is a folder by any name
    caplog.clear()
    command = data.draw(st.sampled_from(sorted(COMMANDS)))
    names = st.sampled_from(COMMANDS[command] or ("--none",))
    options = data.draw(st.dictionaries(names, WORDS, min_size=1, max_size=3))
    words = [data.draw(WORDS)] if command == "data fetch" else []
    words += [word for pair in options.items() for word in pair if pair[0] != "--none"]
    monkeypatch.setattr(sys, "argv", ["reglab", *command.split(), *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    errors = capsys.readouterr().err
    assert caplog.messages == []  # outside of pytest they would be lines on standard error
    if ended.value.code in (0, None):
        assert errors == ""
    else:
        assert errors.startswith("reglab: ")
        assert errors.count("\n") == 1


# Parameters of the rerun notebook, as papermill would put them in

PARAMETERS = {
    "dataset": ["mnist", "nonsense", "", "../mnist", None, 3, ["mnist"]],
    "profile": ["smoke", "huge", "", None, 1, ["smoke"]],
    "seeds": [1, 0, -1, 1001, 10**5000, 1.5, "3", True, [1], float("nan")],
    "device": ["auto", "cpu", "tpu", "", None, 0, ["cpu"]],
    "workers": [None, 1, 0, -3, 1.5, "2", True, [1]],
    "together": [None, 1, 0, -3, 1.5, "2", True, [1]],
    "store": [None, "runs", "", 7, 1.5, True, ["runs"], b"runs", "\0"],
}
GOOD = {"dataset": "mnist", "profile": "smoke", "seeds": 1, "device": "cpu", "workers": 1,
        "together": None}  # fmt: skip


@pytest.fixture
def finished(tmp_path):
    """A store in which nothing of `GOOD`'s study is missing: whatever is valid ends at once."""
    plan, store = make_plan("mnist", "smoke", seeds=1, device="cpu"), tmp_path / "runs"
    for record in finish(plan).values():
        open_store(store).put(record)
    return store


@pytest.mark.parametrize("name", PARAMETERS)
def test_papermill_parameters(name, finished, tmp_path, monkeypatch):
    """What the notebook's second cell does with its parameters, on a finished study."""
    monkeypatch.chdir(tmp_path)  # "" is the default store, runs: the finished one
    monkeypatch.delenv("REGLAB_STORE")
    accepted = {"dataset": 1, "profile": 1, "seeds": 1, "device": 2, "workers": 2, "together": 2}
    taken = []
    for value in PARAMETERS[name]:
        given = {**GOOD, "store": str(finished), name: value}
        try:
            plan = make_plan(
                given["dataset"], given["profile"], seeds=given["seeds"], device=given["device"]
            )
            runs = open_store(given["store"])
            limits = {key: given[key] for key in ("workers", "together")}
            assert sweep.reproduce([plan], runs, **limits) == 0
            taken.append(value)
        except ReglabError as error:
            assert "\n" not in str(error)
    assert taken == PARAMETERS[name][: accepted.get(name, 3)]


# Image files


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
    from reglab import npzfile

    monkeypatch.setattr(npzfile, "BOMB_BYTES", 2**20)
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


# paper.toml


def judged(values, monkeypatch):
    """Judge all claims as if ``values`` were what the file holds; errors as they come."""
    with monkeypatch.context() as patched:
        patched.setattr(paper, "numbers", lambda: papertoml.check(values))
        return verdicts.ledger({})


@FUZZ
@given(data=st.data())
def test_a_spoilt_paper_toml_is_taken_or_refused(data, monkeypatch):
    """One leaf or branch is deleted or replaced; whatever passes the check can be judged."""
    values = copy.deepcopy(paper.numbers())
    spoil(values, data)
    taken_or_refused(judged, values, monkeypatch)


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("[tables.l2", "[tables.l3", "tables has no l2"),
        (
            "none = 81.3",
            'none = "81.3"',
            "tables.l2.cifar10.none is '81.3'; it must be an accuracy in percent",
        ),
        ("none = 81.3", "none = 181.3", "above 0 and below 100"),
        ('id = "N2"', 'id = "N1"', "the id 'N1' is there twice"),
        ('id = "N2"', 'id = "X2"', "the id of claim number 2 is 'X2'"),
        ("[grids]", "[grids", "is not valid TOML"),
    ],
)
def test_mistakes_in_paper_toml_are_named(tmp_path, old, new, words):
    text = (Path(paper.__file__).parent / "paper.toml").read_text("utf-8")
    assert old in text
    (tmp_path / "paper.toml").write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ReglabError) as caught:
        papertoml.read(tmp_path / "paper.toml")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


# One claim, one field of it, what it is set to (None: deleted), and what the line must say.
BAD_CLAIMS = [
    ("N1", "id", None, "the id of claim number 1 is None; it must be N, M or C and a number"),
    ("N1", "quote", 3, "claim N1, quote is 3; it must be a text"),
    ("N1", "evidence", "https://host/", "PAGE or PAGE#SECTION"),
    ("N1", "internal", "stated", "claim N1, internal is 'stated'; it must be a table"),
    ("N1", "internal.rule", "guess", "claim N1, internal.rule is 'guess'; it must be one of st"),
    ("N1", "internal.dataset", "imagenet", "claim N1, internal.dataset is 'imagenet'; it must"),
    ("N1", "internal.dataset", None, "claim N1, internal has no dataset; it needs dataset, rule"),
    ("N1", "internal.than", "mnist", "claim N1, internal has 'than'; it may have dataset, rule"),
    ("N4", "internal.value", Decimal("nan"), "internal.value is Decimal('NaN'); it must be a num"),
    ("N6", "internal.verdict", "maybe", "'maybe'; it must be one of consistent, inconsistent"),
    ("N19", "internal.dataset", "mnist", "table 'ablation' has no 'l2' for mnist"),
    ("M1", "internal.check", "l3", "claim M1, internal.check is 'l3'; it must be one of decay"),
    ("N1", "measured.rule", "guess", "claim N1, measured.rule is 'guess'; it must be one of none"),
    ("N1", "measured.cell", "l3", "claim N1, measured.cell is 'l3'; it must be one of none, l2"),
    ("N1", "measured.family", None, "claim N1, measured has no family"),
    ("N4", "measured.datasets", [], "claim N4, measured.datasets is []; it must be a list"),
    ("N4", "measured.control", "l2", "claim N4, measured.control is 'l2'; it must be another"),
    ("N4", "measured.metric", "speed", "'speed'; it must be one of test_acc"),
    ("N6", "measured.best", "coupled 3", "measured.best is 'coupled 3'; it must be one of coup"),
    ("N6", "measured.rivals", ["coupled 0.1"], "must be without 'coupled 0.1' itself"),
    ("N13", "measured.also.treated", "bn", "measured.also.control is 'bn'; it must be another"),
    ("N27", "measured.datasets", ["mnist"], "claim N27, measured.datasets is ['mnist']; it must"),
]


@pytest.mark.parametrize(("name", "field", "value", "words"), BAD_CLAIMS)
def test_mistakes_in_a_claim_are_named(name, field, value, words, monkeypatch):
    values = copy.deepcopy(paper.numbers())
    inner = next(claim for claim in values["claims"] if claim["id"] == name)
    *path, last = field.split(".")
    for key in path:
        inner = inner[key]
    inner[last] = value
    if value is None:
        del inner[last]
    with pytest.raises(ReglabError) as caught:
        judged(values, monkeypatch)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def branches(tree, path=()):
    """Yield the path of every key in nested dicts and lists."""
    for key in list(tree) if isinstance(tree, dict) else range(len(tree)):
        yield (*path, key)
        if isinstance(tree[key], dict | list):
            yield from branches(tree[key], (*path, key))


def test_nothing_can_be_left_out_of_paper_toml_unseen(monkeypatch):
    """A deleted key is refused, but for those that a rule has a default for."""
    whole, unseen = paper.numbers(), set()
    for *path, last in branches(whole):
        if isinstance(last, int):
            continue
        values = copy.deepcopy(whole)
        inner = values
        for key in path:
            inner = inner[key]
        del inner[last]
        try:
            judged(values, monkeypatch)
        except ReglabError as error:
            assert "\n" not in str(error)
        else:
            unseen.add(last)
    assert unseen == {"metric", "also", "datasets"}
