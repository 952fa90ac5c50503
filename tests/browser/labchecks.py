"""JupyterLab in a browser: started as `make lab` starts it, one notebook opened and run at a time.

Nothing waits for a time: a server for the file that it writes when it listens, a page for what it
shows, a run for the kernel's last answer. The deadlines only end what hangs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import start_lab
from playwright.sync_api import BrowserContext, Page

DEADLINE_S = 300  # of whatever hangs
RAW = re.compile(r"\{(?:cite|eq|ref|numref|term|doc)[\w:]*\}|:::|^\([\w-]+\)=$", re.MULTILINE)
# Lab may show what was open before, until it has found the file that it is asked for, and an empty
# notebook, until it has read it.
SETTLED = """path => {
    const panel = window.jupyterapp?.shell.currentWidget;
    return panel?.context?.path === path && panel.context.isReady
        && panel.content.model?.cells?.length > 0;
}"""
# All cells, or the one at a place; before the kernel is there Lab would ask for one.
RUN = """async ([at, deadline]) => {
    const run = async () => {
        const panel = window.jupyterapp.shell.currentWidget;
        await panel.sessionContext.ready;
        if (at !== null) panel.content.activeCellIndex = at;
        const command = at === null ? 'notebook:run-all-cells' : 'notebook:run-cell';
        await window.jupyterapp.commands.execute(command);
    };
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error(
        "hangs; Lab says: " + document.querySelector(".jp-Dialog")?.textContent)), deadline));
    await Promise.race([run(), late]);
}"""
OUTPUTS = """() => window.jupyterapp.shell.currentWidget.content.model.toJSON().cells
    .flatMap((cell, at) => (cell.outputs ?? []).map(output => [at, output]))"""
# Links without a word or a picture; Lab's own mark beside a heading has one.
EMPTY = """() => [...window.jupyterapp.shell.currentWidget.node.querySelectorAll("a[href]")]
    .filter(link => !link.textContent.trim() && !link.querySelector("img, svg"))
    .map(link => link.outerHTML.slice(0, 120))"""
# What jupyterlab-myst cannot resolve has a title that says so.
UNRESOLVED = """() => [...window.jupyterapp.shell.currentWidget.node.querySelectorAll(
    ".myst [title$='Not Found']")].map(it => it.title + ": " + it.textContent)"""
# Lab writes text later than it opens the notebook; of all cells, in view or not (tools/lab).
WRITTEN = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const texts = panel.content.model.toJSON().cells.filter(it => it.cell_type === "markdown");
    const there = [...panel.node.querySelectorAll(".jp-MarkdownCell")].filter(
        it => it.querySelector(".myst, .jp-RenderedMarkdown")?.childElementCount > 0);
    return there.length === texts.filter(it => it.source.toString().trim()).length;
}"""
TEXTS = """() => [...window.jupyterapp.shell.currentWidget.node.querySelectorAll(
        ".myst, .jp-RenderedHTMLCommon")].map(text => {
        const copy = text.cloneNode(true);
        copy.querySelectorAll("code, pre, mjx-container").forEach(it => it.remove());
        return copy.textContent;
    })"""


@contextmanager
def server(site: Path, folder: Path) -> Iterator[str]:
    """Start JupyterLab on a free port, with settings and state in a folder; give its address.

    The address has a %s for the path of what is to be opened, and the token.
    """
    places = {name: folder / name.lower() for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR",
              "JUPYTER_DATA_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR",
              "IPYTHONDIR")}  # fmt: skip
    for place in places.values():
        place.mkdir()
    own = {name: str(place) for name, place in places.items()}
    with patch.dict(os.environ, own):  # where it notes which notebooks are to be trusted
        command = start_lab.prepare(site)
    command += ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1",
                "--ServerApp.port=0", "--LabApp.expose_app_in_browser=True"]  # fmt: skip
    environment = {**os.environ, **own}
    environment.pop("REGLAB_FOR_BOOK", None)
    with (folder / "log").open("wb") as log:
        lab = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        try:
            said = _listening(lab, places["JUPYTER_RUNTIME_DIR"], folder / "log")
            yield f"{said['url']}lab/tree/%s?reset&token={said['token']}"
        finally:
            lab.terminate()
            lab.wait(DEADLINE_S)


def _listening(lab: subprocess.Popen, runtime: Path, log: Path) -> dict:
    """Wait for what the server writes about itself when it listens."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        assert lab.poll() is None, log.read_text("utf-8")
        for file in runtime.glob(f"jpserver-{lab.pid}.json"):
            try:
                return json.loads(file.read_text("utf-8"))
            except json.JSONDecodeError:  # not written to its end yet
                continue
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab does not listen: {log.read_text('utf-8')}")


def open_notebook(context: BrowserContext, address: str, path: str) -> Page:
    """Open a notebook in a tab of its own, and wait until Lab shows its cells.

    Args:
        address: of `server`, with a %s.
        path: of the notebook, from Lab's root.
    """
    page = context.new_page()
    page.set_default_timeout(DEADLINE_S * 1000)
    page.goto(address % path)
    page.wait_for_function(SETTLED, arg=path)
    return page


def run(page: Page, at: int | None = None) -> None:
    """Run each cell, or one, counted from 0, and wait for its end."""
    page.evaluate(RUN, [at, DEADLINE_S * 1000])


def findings(page: Page) -> list[str]:
    """Return what a reader must not meet in an opened notebook, a line each."""
    page.wait_for_function(WRITTEN)
    found = [f"without text: {link}" for link in page.evaluate(EMPTY)]
    found += [f"unresolved: {what}" for what in page.evaluate(UNRESOLVED)]
    for text in page.evaluate(TEXTS):
        found += [f"raw: {text[raw.start() : raw.start() + 60]}" for raw in RAW.finditer(text)]
    for at, output in page.evaluate(OUTPUTS):
        if output["output_type"] == "error":
            found.append(f"cell {at} failed: {output['ename']}: {output['evalue']}")
        elif output.get("name") == "stderr":
            found.append(f"cell {at} says on stderr: {''.join(output['text'])[:200]}")
    return found
