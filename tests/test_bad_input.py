"""Whatever comes in from outside is taken or refused in one line, never met with a traceback."""

import json
import sys

import pytest
from conftest import fake_record, finish
from fuzzing import FUZZ, VALUE, spoil, taken_or_refused
from hypothesis import given
from hypothesis import strategies as st

from reglab import cli
from reglab.config import RunConfig
from reglab.data import download
from reglab.errors import ReglabError
from reglab.record import RunRecord, _digest, unpack_bits
from reglab.runs.store import open_store
from reglab.study import sweep
from reglab.study.frame import frame, summarize
from reglab.study.further import datasets_of
from reglab.study.plan import make_plan
from reglab.study.protocol import Arm

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
        shown = frame(
            plan,
            [Arm(study="factorial", config=record.config, cell="none")],
            {record.config.key: record},
        )
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

    for module, name in ((sweep, "reproduce"), (download, "fetch")):
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
        # the ledger is printed without runs, too, and says that it has none
        assert errors == "" or (command == "claims" and errors.endswith("judged by runs\n"))
        assert errors.count("\n") <= 1
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
    "study": ["protocol", "nothing", "", None, 3, ["order"]],
    "store": [None, "runs", "", 7, 1.5, True, ["runs"], b"runs", "\0"],
}
GOOD = {"dataset": "mnist", "profile": "smoke", "seeds": 1, "device": "cpu", "workers": 1,
        "together": None, "study": "protocol"}  # fmt: skip


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
    accepted |= {"study": 1}
    taken = []
    for value in PARAMETERS[name]:
        given = {**GOOD, "store": str(finished), name: value}
        try:
            named = {key: given[key] for key in ("seeds", "device", "study")}
            plan = make_plan(given["dataset"], given["profile"], **named)
            datasets_of(given["study"])
            runs = open_store(given["store"])
            limits = {key: given[key] for key in ("workers", "together")}
            assert sweep.reproduce([plan], runs, **limits) == 0
            taken.append(value)
        except ReglabError as error:
            assert "\n" not in str(error)
    assert taken == PARAMETERS[name][: accepted.get(name, 3)]
