"""RunConfig: validation, stable keys."""

import dataclasses
import gzip
import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reglab.config import LATER, RunConfig
from reglab.errors import ReglabError
from reglab.record import RunRecord

RESULTS = Path(__file__).resolve().parents[1] / "book" / "results"

BASE = {
    "dataset": "mnist",
    "data_version": "sample:0123456789ab",
    "n_train": 2000,
    "seed": 0,
    "width": 8,
    "lr": 0.01,
    "max_epochs": 8,
}


def config(**changes) -> RunConfig:
    return RunConfig(**{**BASE, **changes})


def test_key_is_stable_across_versions_of_python_and_machines():
    # A changed key silently orphans every recorded run: if this is meant, raise TRAIN_VERSION.
    assert config().key == "74891d50291fd8368bf8155d55bde22b"


def test_key_depends_on_every_field():
    other = {
        "dataset": "cifar10",
        "data_version": "full:0123456789ab",
        "n_train": 1999,
        "seed": 1,
        "width": 9,
        "lr": 0.02,
        "max_epochs": 9,
        "val_fraction": 0.2,
        "batch_norm": True,
        "dropout": 0.5,
        "placement": "all",
        "l2": "per_sample",
        "lam": 0.1,
        "optimizer": "adamw",
        "momentum": 0.5,
        "batch_size": 32,
        "patience": 0,
        "device": "cuda",
        "precision": "bf16",
        "train_version": 99,
        "decay_on": "conv",
        "norm_order": "after_relu",
        "probes": "statistics",
        "augment": "rotation:15",
        "label_smoothing": 0.1,
    }
    taught = {"teacher": config(width=16), "soft": 0.5}
    pruned = {"start": config(), "sparsity": 0.5, "rounds": 2}
    variants = [{field: value} for field, value in other.items()]
    variants += [taught, taught | {"soft": 0.6}, taught | {"temperature": 2.0}, pruned]
    variants += [taught | {"teacher": config(width=17)}, pruned | {"sparsity": 0.6}]
    variants += [pruned | {"rounds": 3}, pruned | {"pruned_by": "random"}]
    rewound = pruned | {"start": config(**pruned), "rounds": 0, "rewind": True}
    fields = {field for variant in [*variants, rewound] for field in variant}
    assert fields == {field.name for field in dataclasses.fields(RunConfig)}
    keys = {config(**variant).key for variant in [{}, *variants, rewound]}
    assert len(keys) == len(variants) + 2


def test_equal_numbers_give_equal_keys():
    assert config(lam=1).key == config(lam=1.0).key
    assert config(lam=-0.0).key == config(lam=0.0).key


@given(
    lam=st.floats(0, 1e6),
    dropout=st.floats(0, 1, exclude_max=True),
    lr=st.floats(1e-12, 1e6),
    seed=st.integers(0, 2**63 - 1),
    batch_norm=st.booleans(),
)
def test_round_trip_through_json_keeps_config_and_key(**fields):
    original = config(**fields)
    again = RunConfig.from_dict(json.loads(json.dumps(original.to_dict())))
    assert again == original
    assert again.key == original.key


BAD = {
    "lam": st.one_of(st.floats(max_value=0, exclude_max=True), st.just(float("nan"))),
    "dropout": st.one_of(st.floats(min_value=1), st.floats(max_value=0, exclude_max=True)),
    "lr": st.one_of(st.floats(max_value=0), st.sampled_from([float("inf"), float("nan")])),
    "momentum": st.floats(min_value=1),
    "val_fraction": st.sampled_from([0.0, 1.0, -0.1, 1.5]),
    "seed": st.integers(max_value=-1),
    "width": st.integers(max_value=0),
    "n_train": st.integers(max_value=1),
    "batch_size": st.integers(max_value=1),
    "max_epochs": st.integers(max_value=0),
    "patience": st.integers(max_value=-1),
    "l2": st.text().filter(lambda t: t not in ("coupled", "per_sample", "decoupled")),
    "placement": st.text().filter(lambda t: t not in ("fc", "all")),
    "device": st.just("tpu"),
    "precision": st.just("fp8"),
    "optimizer": st.just("sgdw"),
    "decay_on": st.sampled_from(["", "bias"]),
    "norm_order": st.just("before"),
    "probes": st.just("everything"),
    # what moves has a colon; and digits are not flipped
    "augment": st.text(min_size=1).filter(lambda text: ":" not in text),
    "dataset": st.sampled_from(["", None, 3]),
    "batch_norm": st.sampled_from([0, 1, "yes", None]),
}


@pytest.mark.parametrize("field", sorted(BAD))
def test_bad_value_is_one_line_that_names_the_field(field):
    @given(value=BAD[field])
    def check(value):
        with pytest.raises(ReglabError) as caught:
            config(**{field: value})
        message = str(caught.value)
        assert message.startswith(field)
        assert repr(value) in message or value == 0  # -0.0 is named as 0.0
        assert "\n" not in message

    check()


def test_decoupled_needs_adamw():
    with pytest.raises(ReglabError, match="adamw"):
        config(l2="decoupled", optimizer="sgd")
    assert config(l2="decoupled", optimizer="adamw").l2 == "decoupled"


def test_from_dict_refuses_unknown_and_missing_fields():
    with pytest.raises(ReglabError, match="lamda"):
        RunConfig.from_dict({**BASE, "lamda": 1.0})
    with pytest.raises(ReglabError, match="seed"):
        RunConfig.from_dict({k: v for k, v in BASE.items() if k != "seed"})


@pytest.mark.parametrize("name", LATER)
def test_a_later_field_is_left_out_where_it_has_its_default(name):
    assert name not in config().to_dict()
    assert RunConfig.from_dict(config().to_dict()) == config()
    default = getattr(config(), name)
    assert config(**{name: default}).key == config().key


def test_every_recorded_run_keeps_its_key_and_its_bytes():
    """As the key was first defined: the SHA-256 of all fields that the record was written with."""
    tables = sorted(RESULTS.glob("*/**/*.jsonl.gz"))
    assert len(tables) > 3
    for table in tables:
        for line in gzip.decompress(table.read_bytes()).decode().splitlines():
            fields = json.loads(line)["record"]["config"]
            text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
            record = RunRecord.from_json(line)
            assert record.config.key == hashlib.sha256(text.encode()).hexdigest()[:32]
            assert record.to_json() == line
