"""The built book in a real browser: `pytest tests/browser --book FOLDER`, or `make browser`.

The browser is Chromium: $REGLAB_CHROMIUM, or the first of `NAMES` on the PATH. One without windows
comes first: with windows each page starts a process for their frame, which doubles the time. Where
there is none the tests are skipped; with CI set, or REGLAB_BROWSER=required, they fail.
Pages are read from disk (file://), as a reader opens them; no name of a host is ever resolved.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pagechecks import PHONE_WIDTH, dead_links, look, visit, without_alt
from playwright.sync_api import Browser, BrowserContext, sync_playwright
from scheduling import PageScheduling

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
MISSING = (
    f"no Chromium: none of {', '.join(NAMES)} is on the PATH and REGLAB_CHROMIUM names none; "
    "install one (Debian: apt-get install chromium)"
)
FLAGS = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": PHONE_WIDTH, "height": 844}


def pytest_addoption(parser):
    parser.addoption("--book", type=Path, help="the built pages, e.g. _build/html")


def pytest_configure(config):
    book = config.getoption("--book")
    if book is None:
        raise pytest.UsageError("--book must name the folder of built pages, got nothing")
    if not (book / "search.html").is_file():
        raise pytest.UsageError(f"--book must name a folder of built pages, got {book}")
    config.book = book.resolve()
    config.chromium = find_chromium()
    required = os.environ.get("CI") or os.environ.get("REGLAB_BROWSER") == "required"
    if config.chromium is None and required:
        raise pytest.UsageError(MISSING)


def pytest_xdist_make_scheduler(config, log):
    return PageScheduling(config, log)


def find_chromium() -> str | None:
    """Return the program to use, or None."""
    named = os.environ.get("REGLAB_CHROMIUM")
    return next(filter(None, map(shutil.which, [named] if named else NAMES)), None)


def pytest_collection_modifyitems(config, items):
    """Without a browser, one skipped test speaks for all. JupyterLab, the longest, comes first."""
    if config.chromium is None and items:
        config.hook.pytest_deselected(items=items[1:])
        items[1:] = []
        items[0].add_marker(pytest.mark.skip(reason=MISSING))
    items.sort(key=lambda item: item.path.name != "test_lab.py")


def pages(book: Path) -> list[str]:
    """Return the pages of a built book as paths relative to it, without those nobody reads.

    The theme leaves templates in _static, and the index at the root only leads on to the book's.
    Of the listings of source files, dozens of one template, the longest and the shortest stand for
    all; `tools/check_book.py` follows the links of each.
    """
    files = [file for file in sorted(book.rglob("*.html")) if "_static" not in file.parts]
    listings = [file for file in files if book / "_modules/reglab" in file.parents]
    listings.sort(key=lambda file: file.stat().st_size)
    dull = {book / "index.html", *listings[1:-1]}
    return [file.relative_to(book).as_posix() for file in files if file not in dull]


def pytest_generate_tests(metafunc):
    """Each page is loaded once: all its tests go to one worker (`scheduling`)."""
    if "seen" in metafunc.fixturenames:
        paths = pages(metafunc.config.book)
        metafunc.parametrize("seen", paths, ids=paths, indirect=True, scope="session")


@pytest.fixture(scope="session")
def book(pytestconfig) -> Path:
    return pytestconfig.book


@pytest.fixture(scope="session")
def browser(pytestconfig) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=pytestconfig.chromium, args=FLAGS, timeout=180_000
        )
        yield chromium
        chromium.close()


def new_context(browser: Browser, viewport: dict, **settings) -> BrowserContext:
    """Return a reader who has never been here: nothing stored, a light system."""
    settings = {"color_scheme": "light", "reduced_motion": "reduce"} | settings
    context = browser.new_context(viewport=viewport, **settings)
    context.set_default_timeout(120_000)
    return context


@pytest.fixture
def reader(browser) -> Iterator[BrowserContext]:
    """A browser window of its own for one test."""
    context = new_context(browser, WIDE)
    yield context
    context.close()


@dataclass(frozen=True)
class Seen:
    """What the checks find on one page, which is loaded once.

    ``themes``: by theme and by check (`pagechecks.look`), first on a wide light screen, and then on
    a narrow dark one, as when a reader turns to night.
    """

    links: list[str]
    pictures: list[str]
    themes: dict[str, dict[str, list[str]]]


@pytest.fixture(scope="session")
def seen(request, browser, book) -> Seen:
    """One page of the book after the other; pytest runs all tests of one before the next."""
    file = book / request.param
    context = new_context(browser, WIDE)
    opened = visit(context, file.as_uri())
    screens = {"light": WIDE, "dark": NARROW}
    findings = Seen(
        dead_links(opened.page),
        without_alt(opened.page),
        {theme: look(opened, file.read_text("utf-8"), theme, screens[theme]) for theme in screens},
    )
    context.close()
    return findings


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="session")
def server(book) -> Iterator[str]:
    """The book over HTTP on this machine's loopback, for what differs from pages on disk."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(book))) as http:
        thread = threading.Thread(target=http.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}/"
        http.shutdown()
        thread.join()
