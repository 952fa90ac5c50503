"""The toy network's scripts (book/_static/toy) without a browser, by the Node of Playwright."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "book" / "_static" / "toy"
CORE = ("parts", "random", "data", "network", "training", "engine")
# Settings have no page in them either, beside the table that the page's controls are made of.
ASSEMBLE = "const toy = toyParts.assemble([...toyParts.core, ...toyParts.page]);"
ANSWER = """
const asked = JSON.parse(require("fs").readFileSync(0, "utf8"));
const plain = (key, value) => (ArrayBuffer.isView(value) ? [...value] : value);
console.log(JSON.stringify(answer(asked), plain));
"""


def find_node() -> str | None:
    """Return Playwright's Node, or the system's, or None."""
    try:
        import playwright
    except ModuleNotFoundError:
        return shutil.which("node")
    own = Path(playwright.__file__).parent / "driver" / "node"
    return str(own) if own.exists() else shutil.which("node")


NODE = find_node()
needs_node = pytest.mark.skipif(NODE is None, reason="no Node: Playwright is not installed")


def source(name: str) -> str:
    """Return the text of one of the toy's scripts."""
    return (FOLDER / f"{name}.js").read_text("utf-8")


def core() -> str:
    """Return everything that needs no page, as one script."""
    return "\n".join(source(name) for name in (*CORE, "settings"))


def run(answer: str, asked: Any, scripts: str | None = None) -> Any:
    """Return what the JavaScript function ``answer`` makes of ``asked``; both travel as JSON.

    Args:
        answer: the body of a function of ``asked`` that knows ``toy``, with a return.
        asked: plain values; numbers keep all their digits.
        scripts: instead of `core`, e.g. with a fault.
    """
    function = f"function answer(asked) {{ {answer} }}"
    text = "\n".join([scripts or core(), ASSEMBLE, function, ANSWER])
    command = [NODE, "--eval", text]
    found = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)
