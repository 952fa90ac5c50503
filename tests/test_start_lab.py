"""`make lab`: the start page names each notebook once, in order; the list has no pairs."""

import json
import re
from pathlib import Path

import contents
import start_lab

ROOT = Path(__file__).resolve().parents[1]


def test_the_start_page_names_each_notebook_once_in_the_order_of_the_book():
    linked = re.findall(r"\]\(\.\./\.\./(.+)\.ipynb\)", start_lab.start_page(ROOT))
    pages = [page for page in contents.pages(ROOT) if page.startswith("notebooks/")]
    assert linked == [*pages, "notebooks/rerun"]
    assert {f"{page}.ipynb" for page in linked} == {
        path.relative_to(ROOT).as_posix() for path in (ROOT / "notebooks").glob("*.ipynb")
    }
    assert start_lab.PAGE.parts[:-1] == ("_build", "lab")  # two folders up is the root


def test_of_a_pair_one_is_listed():
    hidden = {text.partition("=")[2] for text in start_lab.options(ROOT) if "hide_globs" in text}
    assert hidden == {"__pycache__", *(path.name for path in (ROOT / "notebooks").glob("*.md"))}


def test_no_news_and_no_look_for_updates():
    settings = json.loads((ROOT / "tools/lab/overrides.json").read_text())
    notification = settings["@jupyterlab/apputils-extension:notification"]
    assert notification == {"checkForUpdates": False, "fetchNews": "false"}
