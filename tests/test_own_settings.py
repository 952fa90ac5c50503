"""What a reader has set up for other notebooks does not reach those of the book."""

import os

import hard_settings
import nbformat
import run_notebooks
from own_settings import SETTINGS, own_settings

CHAPTER = """# Chapter

```{code-cell} ipython3
1 + 1
2 + 2
```

```{code-cell} ipython3
import sys

import matplotlib

matplotlib.rcParams["text.usetex"], sys.executable
```
"""


def poisoned(folder, monkeypatch):
    for name, value in hard_settings.write(folder).items():
        monkeypatch.setenv(name, value)


def test_a_chapter_is_executed_as_anywhere_else(tmp_path, monkeypatch):
    poisoned(tmp_path, monkeypatch)
    text = tmp_path / "chapter.md"
    text.write_text(CHAPTER)
    assert run_notebooks.main(["pairs", str(text)]) == 0
    cells = nbformat.read(text.with_suffix(".ipynb"), as_version=4).cells
    outputs = [[one.data["text/plain"] for one in cell.outputs] for cell in cells[1:]]
    assert outputs[0] == ["4"]
    assert outputs[1][0].startswith("(False, ")


def test_settings_are_put_back(monkeypatch):
    monkeypatch.setenv("JUPYTER_PATH", "mine")
    monkeypatch.delenv("MATPLOTLIBRC", raising=False)
    with own_settings():
        assert os.environ["JUPYTER_PATH"] == ""
        assert {name: os.environ[name] for name in SETTINGS} == SETTINGS
    assert os.environ["JUPYTER_PATH"] == "mine"
    assert "MATPLOTLIBRC" not in os.environ
