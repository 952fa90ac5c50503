"""Silent steps say that they are at it; a reader sees no warning of the kernels."""

import subprocess
import tempfile
from pathlib import Path

import nbformat
import run_notebooks
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

ROOT = Path(__file__).resolve().parents[1]
PATIENTLY = ["sh", str(ROOT / "tools/patiently.sh")]
# Ends, with status 7, once the line is there.
UNTIL = 'until grep -q "still at it, 2 s" "$1"; do sleep 0.1; done; exit 7'

LOG_AN_ERROR = """
from ipykernel.kernelapp import IPKernelApp
IPKernelApp.instance().log.error("KeyboardInterrupt caught in kernel.")
"""


def test_a_silent_command_is_spoken_for(tmp_path, monkeypatch):
    monkeypatch.setenv("REGLAB_BEAT", "1")
    said = tmp_path / "said"
    with said.open("wb") as file:
        command = [*PATIENTLY, "sh", "-c", UNTIL, "sh", str(said)]
        assert subprocess.run(command, stderr=file, timeout=300).returncode == 7
    assert said.read_text().splitlines()[:2] == ["   still at it, 1 s", "   still at it, 2 s"]


def test_a_short_command_is_left_alone():
    done = subprocess.run([*PATIENTLY, "echo", "a b"], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "a b\n", "")


def test_the_silent_steps_are_spoken_for():
    script = (ROOT / "tools/make_venv.sh").read_text("utf-8")
    assert 'patiently.sh" "$python" -m uv pip sync' in script
    assert "patiently.sh $(VENV)/bin/jupyter-book build" in (ROOT / "Makefile").read_text("utf-8")


def test_a_kernel_warns_of_nothing(tmp_path, capfd):
    cells = [
        new_markdown_cell("# The experiments"),
        new_code_cell("dataset = 'none'", metadata={"tags": ["parameters"]}),
        new_code_cell("import sys; print(dataset, file=sys.stderr)"),
        new_code_cell(LOG_AN_ERROR),  # as an interrupted kernel does, sometimes
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), tmp_path / "a.ipynb")
    page = tmp_path / "b.ipynb"
    run_notebooks.make_rerun(tmp_path / "a.ipynb", page, "MNIST", {"dataset": "mnist"})
    assert capfd.readouterr().err == ""
    (output,) = nbformat.read(page, as_version=4).cells[-2].outputs
    assert (output.name, output.text) == ("stderr", "mnist\n")  # a cell's own is kept


def test_kernels_have_sockets_of_their_own_wherever_they_start():
    paths = [run_notebooks.kernel_settings().KernelManager.ip for _ in range(2)]
    assert paths[0] != paths[1]
    assert all(Path(path).is_absolute() and Path(path).parent.is_dir() for path in paths)


def test_a_path_too_long_for_a_socket_falls_back(monkeypatch, tmp_path):
    long = tmp_path / ("long" * 20)
    long.mkdir()
    run_notebooks._sockets.cache_clear()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    assert "KernelManager" not in run_notebooks.kernel_settings()
    run_notebooks._sockets.cache_clear()
