"""Finished runs survive: atomic writes, damage set aside, recorded tables."""

import dataclasses
import gzip
import json
import os

import numpy as np
import pytest
from conftest import fake_record
from hypothesis import given
from hypothesis import strategies as st

from reglab import paths
from reglab.errors import ReglabError
from reglab.record import RunRecord, pack_bits, unpack_bits
from reglab.runs import store as store_module
from reglab.runs.store import RunStore, merge_tables, read_table, write_table


@given(st.lists(st.booleans(), max_size=40))
def test_packed_bits_come_back(bits):
    assert unpack_bits(pack_bits(np.array(bits, dtype=bool))).tolist() == bits


def test_put_then_get(tmp_path, config):
    store, record = RunStore(tmp_path), fake_record(config)
    assert store.get(config) is None
    store.put(record)
    assert store.get(config) == record
    assert RunStore(tmp_path).get(config) == record
    assert store.get(config.replace(seed=1)) is None
    assert [p.name for p in (tmp_path / "mnist").iterdir()] == [f"{config.key}.json"]


def test_files_can_be_read_by_whoever_the_umask_lets(tmp_path, config):
    before = os.umask(0o027)
    try:
        path = RunStore(tmp_path).put(fake_record(config))
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o640


def test_diverged_run_comes_back(tmp_path, config):
    store, record = RunStore(tmp_path), fake_record(config, diverged=True)
    store.put(record)
    assert store.get(config) == record


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "binary", "other"])
def test_damaged_file_is_set_aside_not_lost(tmp_path, config, caplog, damage):
    store = RunStore(tmp_path)
    path = store.put(fake_record(config))
    whole = path.read_bytes()
    digit = whole.index(b'"accuracy": 0.') + len(b'"accuracy": 0.')
    flipped = b"1" if whole[digit : digit + 1] != b"1" else b"2"
    bad = {
        "truncated": whole[: len(whole) // 2],
        "flipped": whole[:digit] + flipped + whole[digit + 1 :],
        "empty": b"",
        "binary": bytes(range(256)),
        "other": fake_record(config.replace(seed=5)).to_json().encode(),
    }[damage]
    path.write_bytes(bad)
    assert store.get(config) is None
    assert path.with_name(path.name + ".broken").read_bytes() == bad
    assert len(caplog.messages) == 1
    assert str(path) in caplog.messages[0]
    store.put(fake_record(config))
    assert store.get(config) == fake_record(config)


def test_crash_before_the_rename_leaves_nothing_under_the_name(tmp_path, config, monkeypatch):
    store = RunStore(tmp_path)

    def crash(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(ReglabError, match="No space left on device; free some space"):
        store.put(fake_record(config))
    assert list((tmp_path / "mnist").iterdir()) == []


def test_unwritable_store_is_one_line(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")
    with pytest.raises(ReglabError) as caught:
        RunStore(in_the_way / "runs").check_writable()
    assert "cannot write to" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_default_store(monkeypatch, tmp_path):
    assert paths.store_folder() == tmp_path / "runs"
    monkeypatch.delenv("REGLAB_STORE")
    assert paths.store_folder().name == "runs"


def test_recorded_table_is_a_read_only_layer(tmp_path, config):
    records = [fake_record(config.replace(seed=seed)) for seed in range(3)]
    table = tmp_path / "results" / "reduced" / "mnist.jsonl.gz"
    write_table(reversed(records), table)
    first = table.read_bytes()
    write_table(records, table)
    assert table.read_bytes() == first
    store = RunStore(tmp_path / "runs", recorded=tmp_path / "results")
    assert store.get(records[1].config) == records[1]
    assert not (tmp_path / "runs").exists()
    assert store.get(config.replace(seed=9)) is None


def test_open_store_reads_the_books_results(tmp_path, config):
    record = fake_record(config)
    write_table([record], tmp_path / "results" / "reduced" / "mnist.jsonl.gz")
    store = store_module.open_store()
    assert store.get(config) == record
    assert store.root == tmp_path / "runs"


@pytest.mark.parametrize("damage", ["truncated", "changed", "not gzip"])
def test_damaged_table_is_one_line(tmp_path, config, damage):
    table = tmp_path / "mnist.jsonl.gz"
    write_table([fake_record(config)], table)
    whole = table.read_bytes()
    if damage == "truncated":
        table.write_bytes(whole[:-20])
    elif damage == "changed":
        outer = json.loads(gzip.decompress(whole))
        outer["record"]["best"]["accuracy"] = 1.0
        table.write_bytes(gzip.compress(json.dumps(outer).encode()))
    else:
        table.write_bytes(b"hello")
    with pytest.raises(ReglabError) as caught:
        list(read_table(table))
    assert str(table) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_record_of_another_format_is_refused(config):
    outer = json.loads(fake_record(config).to_json())
    outer["format"] = 99
    with pytest.raises(ReglabError, match="format"):
        RunRecord.from_json(json.dumps(outer))


@pytest.fixture
def table(tmp_path):
    """Return a function that writes runs as a table and returns its path."""

    def write(name, *records):
        path = tmp_path / name / "mnist.jsonl.gz"
        write_table(records, path)
        return path

    return write


def test_tables_of_several_machines_are_joined(table, config):
    first, both, second = (fake_record(config.replace(seed=seed)) for seed in range(3))
    elsewhere = dataclasses.replace(both, costs=dataclasses.replace(both.costs, seconds=99.0))
    merged = merge_tables([table("here", first, both), table("there", elsewhere, second)])
    assert list(merged.values()) == [first, both, second]


def test_unlike_runs_of_one_key_are_refused(table, config):
    record = fake_record(config)
    other = dataclasses.replace(record, n_fit=record.n_fit + 1)
    tables = [table("here", record), table("there", other)]
    with pytest.raises(ReglabError, match=f"unlike runs of mnist under the key {config.key}"):
        merge_tables(tables)


@pytest.mark.parametrize("change", [{"device": "cuda"}, {"precision": "bf16"}])
def test_two_kinds_of_runs_are_not_joined(table, config, change):
    tables = [
        table("here", fake_record(config)),
        table("there", fake_record(config.replace(**change))),
    ]
    with pytest.raises(ReglabError, match="one table cannot hold both"):
        merge_tables(tables)


def test_a_table_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ReglabError, match=r"missing\.jsonl\.gz is damaged after run 0"):
        merge_tables([tmp_path / "missing.jsonl.gz"])


def test_a_file_is_read_again_only_when_it_has_changed(config, tmp_path, monkeypatch):
    store, record = RunStore(tmp_path), fake_record(config)
    path = store.put(record)
    assert store.get(config) == record
    with monkeypatch.context() as patched:
        patched.setattr(type(path), "read_text", lambda *_, **__: pytest.fail("read again"))
        assert store.get(config) == record
    changed = dataclasses.replace(record, n_params=record.n_params + 1)
    store.put(changed)
    assert store.get(config) == changed
    path.write_text("broken")
    assert store.get(config) is None
    path.unlink(missing_ok=True)
    assert store.get(config) is None
