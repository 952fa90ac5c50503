"""What a terminal gets: tables that cut nothing off; what files and pipes get; a picture."""

import io
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import finish, study_frame
from rich.console import Console

from reglab import cli, verdicts
from reglab.data import bundled
from reglab.pages import forest, ledger, terminal
from reglab.results import gains
from reglab.runs.store import RunStore
from reglab.study.plan import make_plan


@pytest.fixture(scope="module")
def rows():
    """The ledger without any run."""
    return verdicts.ledger({})


def drawn(parts, width=80, **settings) -> str:
    """Return what a terminal of that width shows."""
    console = Console(file=io.StringIO(), width=width, **settings)
    for part in parts:
        console.print(part)
    return console.file.getvalue()


def words(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text))


def test_the_ledger_is_a_table_with_a_row_a_claim(rows):
    text = drawn(terminal.claims(rows), width=400)
    for row in rows:
        (line,) = (line for line in text.splitlines() if line.split()[:1] == [row.id])
        assert row.quote in line
        assert row.by_arithmetic in line
        assert row.by_runs in line
    assert ledger.tally(rows) in text


@pytest.mark.parametrize("width", [40, 80])
def test_a_narrow_terminal_wraps_and_cuts_nothing_off(rows, study, width):
    for text in (
        drawn(terminal.claims(rows), width),
        drawn(terminal.studies({"mnist": study}), width),
    ):
        assert "…" not in text
        assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    letters = re.sub(r"\W", "", drawn(terminal.claims(rows), width))
    assert all(letters.count(row.id) >= 1 for row in rows)


def test_colour_is_only_a_help(rows):
    coloured = drawn(terminal.claims(rows), 200, force_terminal=True, color_system="standard")
    assert "\x1b[31m" in coloured
    plain = re.sub(r"\x1b\[[\d;]*m", "", coloured)
    assert words(plain) == words(drawn(terminal.claims(rows), 200))


def test_a_study_is_a_table_with_a_row_an_arm(study):
    text = drawn(terminal.studies({"mnist": study}), 200)
    assert text.startswith("MNIST")
    arms = study.groupby(["study", "arm"]).ngroups
    found = [line for line in text.splitlines() if re.search(r"\d\d\.\d\d *$", line)]
    assert len(found) == arms
    factorial = study[(study["study"] == "factorial") & (study["arm"] == "all")]
    (line,) = (line for line in found if line.split()[:2] == ["factorial", "all"])
    assert f"{100 * factorial['test_acc'].mean():.2f}" in line
    assert "Profile smoke: 2 seeds an arm" in text
    assert "diverged" not in text
    study.loc[study.index[-1], "diverged"] = True
    assert "diverged" in drawn(terminal.studies({"mnist": study}), 200)


class Terminal(io.StringIO):
    def isatty(self):
        return True

    def fileno(self):
        raise io.UnsupportedOperation


@pytest.mark.parametrize("file", [io.StringIO, Terminal])
def test_only_a_terminal_gets_a_table(monkeypatch, tmp_path, file):
    study = make_plan("mnist", "smoke", device="cpu")
    store = RunStore(tmp_path / "runs")
    for run in finish(study).values():
        store.put(run)
    out = file()
    monkeypatch.setattr(sys, "stdout", out)
    command = ["reglab", "results", "--dataset", "mnist", "--profile", "smoke", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", command)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    text = out.getvalue()
    assert ("─" in text) == (file is Terminal)
    if file is io.StringIO:
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", text)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_closed_pipe_is_a_quiet_end(unbuffered):
    """As of `reglab data list | head -0`: noticed while the command prints, or after it."""
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "reglab.cli", "data", "list"]
    with os.fdopen(write) as closed:
        done = subprocess.run(
            command,
            stdout=closed,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
    assert (done.returncode, done.stderr) == (1, "")


# reglab show


def test_the_picture_shows_each_gain_with_the_papers(study):
    figure = forest.forest({"mnist": study})
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[0] == "L2"
    assert labels[-1] == "L2 + dropout + BN"
    assert "smoke, 2 seeds" in axes.get_title()
    marks = [line for line in axes.lines if line.get_marker() == "D" and len(line.get_xdata())]
    cells = dict(iter(study[study["study"] == "factorial"].groupby("arm")))
    gain = 100 * (cells["all"]["test_acc"].mean() - cells["none"]["test_acc"].mean())
    assert marks[-1].get_xdata()[0] == pytest.approx(gain)
    printed = [line.get_xdata()[0] for line in axes.lines
               if line.get_marker() == "x" and len(line.get_xdata())]  # fmt: skip
    wanted = [gains.gain(study, cell).printed for cell in cells if cell != "none"]
    assert sorted(printed) == sorted(value for values in wanted for value in values)


def test_own_data_have_no_printed_gain_to_show(plan):
    mine = study_frame(replace(plan, dataset="mine"))
    figure = forest.forest({"mine": mine})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "ours: mean, 95 % interval"
    ]


@pytest.fixture
def show(monkeypatch, capfd, tmp_path):
    store = RunStore(tmp_path / "runs")
    for run in finish(make_plan("mnist", "smoke", device="cpu")).values():
        store.put(run)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["reglab", "show", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return ended.value.code or 0, *capfd.readouterr()

    return call


def test_the_picture_goes_to_a_file(show, tmp_path):
    assert show("mnist", "--profile", "smoke") == (0, "mnist.svg\n", "")
    assert "<svg" in (tmp_path / "mnist.svg").read_text()
    assert show("mnist", "--profile", "smoke", "--output", "gains.png") == (0, "gains.png\n", "")
    assert (tmp_path / "gains.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", bundled.NAMES)
def test_recorded_studies_of_other_domains_are_shown_too(name, show, monkeypatch):
    results = Path(__file__).parents[1] / "book" / "results"
    monkeypatch.setenv("REGLAB_RESULTS", str(results))
    assert show(name) == (0, f"{name}.svg\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["mnist", "--output", "gains.txt"], "must end with one of .svg, .png, .pdf"),
        (["mnist"], "holds no whole study of 'mnist'; name the profile"),
        (["mnist", "--profile", "smoke", "--output", "no/folder.svg"], "No such file"),
    ],
)
def test_a_picture_that_cannot_be_drawn_is_one_line(show, arguments, said):
    code, out, err = show(*arguments)
    assert (code, out) == (1, "")
    assert said in err
    assert err.count("\n") == 1
