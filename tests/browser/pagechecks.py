"""What can be wrong with a page in a browser: each check returns one line a finding.

`Visit` is a page that was opened and what it did while loading. Nothing here knows pytest, so that
the checks can be tested on pages broken on purpose (test_checks_bite.py).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from auditing import audit
from playwright.sync_api import (
    BrowserContext,
    ConsoleMessage,
    Locator,
    Page,
    Request,
    Response,
    ViewportSize,
)

PHONE_WIDTH = 390  # CSS pixels
LOCAL_SCHEMES = ("file", "data", "blob")
MATH = re.compile(r'<(?:span|div) class="math ')
# Not yet settled when `load` fires: MathJax, fonts, and one frame in which scripts react to both.
SETTLED = """async () => {
    if (window.MathJax?.startup?.promise) await MathJax.startup.promise;
    await document.fonts.ready;
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
DRAWING_MS = 300  # Vega draws in a later frame
THEME_PAUSE_MS = 400  # the theme looks 300 ms after a change which boxes scroll

UNTYPESET = r"""() => {
    const article = document.querySelector(".bd-article") ?? document.body;
    const short = text => text.trim().slice(0, 60);
    const found = [...article.querySelectorAll(".math")]
        .filter(math => !math.querySelector("mjx-container"))
        .map(math => `not typeset: ${short(math.textContent)}`);
    for (const error of document.querySelectorAll("mjx-merror"))
        found.push(`MathJax: ${error.dataset.mjxError ?? short(error.textContent)}`);
    const raw = /\$[^$\s](?:[^$\n]*[^$\s])?\$|\\\(|\\\[|\\begin\{/;
    const texts = document.createTreeWalker(article, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const text = texts.currentNode.data;
        const inside = texts.currentNode.parentElement;
        if (raw.test(text) && !inside.closest("pre, code, script, style, textarea, .math"))
            found.push(`raw TeX: ${short(text)}`);
    }
    return found;
}"""

# What is wider than the nearest box that cuts off, or than the page, without a box that scrolls.
CUT_OFF = """() => {
    const found = [];
    for (const wide of document.querySelectorAll(
        ":is(.bd-article, body > div) :is(table, pre, img, svg, canvas, mjx-math)"
    )) {
        if (!wide.getClientRects().length) continue;
        const right = wide.getBoundingClientRect().right;
        for (let box = wide; box && box !== document.body; box = box.parentElement) {
            const overflow = getComputedStyle(box).overflowX;
            if (overflow === "auto" || overflow === "scroll") break;
            if (overflow === "visible" || box === wide) continue;
            if (right > box.getBoundingClientRect().right + 1) {
                found.push(`cut off: ${wide.tagName.toLowerCase()} in ${box.tagName.toLowerCase()}`
                    + ` ${box.className}, ${wide.textContent.trim().slice(0, 40)}`);
                break;
            }
        }
    }
    return found;
}"""

WITHOUT_ALT = r"""() => [...document.querySelectorAll(".bd-article img")]
    .filter(img => {
        const alt = (img.getAttribute("alt") ?? "").trim();
        return !alt || /\.(png|svg|jpe?g|gif|webp)$/i.test(alt) || /^\S*\/\S*$/.test(alt);
    })
    .map(img => `no alternative text: ${img.getAttribute("src").slice(-60)}`)"""

# What one of the explorer's pictures shows: the words chosen, the text, and each chart as drawn.
SHOWN = """element => ({
    path: [...element.querySelectorAll("form :is(select, output)")].map(it => it.value),
    facts: [...element.querySelectorAll("dd")].map(it => it.textContent),
    drawn: [...element.querySelectorAll(".chart svg .mark-line, .chart svg .mark-symbol")]
        .map(it => it.innerHTML).join(),
})"""


@dataclass
class Visit:
    """A page open in a browser; ``errors`` has a line for everything that went wrong meanwhile."""

    page: Page
    errors: list[str] = field(default_factory=list)

    def watch(self, server: str | None) -> None:
        """Note errors and requests from now on; only ``server`` may be asked beside the disk."""

        def console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.errors.append(f"console: {message.text}")

        def request(asked: Request) -> None:
            local = urlsplit(asked.url).scheme in LOCAL_SCHEMES
            if not local and not (server and asked.url.startswith(server)):
                self.errors.append(f"asks another host: {asked.url}")

        def response(answer: Response) -> None:
            if answer.status >= 400:
                self.errors.append(f"{answer.status}: {answer.url}")

        self.page.on("console", console)
        self.page.on("pageerror", lambda error: self.errors.append(f"script: {error}"))
        self.page.on("request", request)
        self.page.on("requestfailed", lambda it: self.errors.append(f"failed: {it.url}"))
        self.page.on("response", response)
        self.page.on("websocket", lambda it: self.errors.append(f"asks another host: {it.url}"))


def visit(context: BrowserContext, address: str, server: str | None = None) -> Visit:
    """Open ``address`` in a new tab and wait until its scripts and fonts are done."""
    opened = Visit(context.new_page())
    opened.watch(server)
    opened.page.goto(address)
    settle(opened.page)
    return opened


def settle(page: Page) -> None:
    """Wait until formulas are typeset and fonts are there."""
    page.wait_for_load_state("load")
    page.evaluate(SETTLED)


def untypeset(page: Page, source: str) -> list[str]:
    """Return formulas that MathJax left alone or failed on; ``source`` is the page's HTML."""
    wanted, typeset = len(MATH.findall(source)), page.locator(".math mjx-container").count()
    few = [f"{typeset} of {wanted} formulas are typeset"] if typeset < wanted else []
    return few + page.evaluate(UNTYPESET)


def too_wide(page: Page) -> list[str]:
    """Return what makes the page scroll sideways, or is cut off instead of scrolling in its box."""
    width, window = page.evaluate("() => [document.scrollingElement.scrollWidth, innerWidth]")
    scrolls = [f"the page is {width} px wide in a window of {window}"] if width > window else []
    return scrolls + page.evaluate(CUT_OFF)


def without_alt(page: Page) -> list[str]:
    """Return the images of the article that have no text for who cannot see them."""
    return page.evaluate(WITHOUT_ALT)


def switch_theme(page: Page, theme: str) -> None:
    """Press the theme's own button until the page is light or dark by choice."""
    for _ in range(3):  # auto, light, dark in turn
        if page.evaluate("() => document.documentElement.dataset.mode") == theme:
            break
        page.locator(".theme-switch-button:visible").first.click()
    page.mouse.move(0, 0)  # off the button, whose tip would cover something
    assert page.evaluate("() => document.documentElement.dataset.theme") == theme


def look(opened: Visit, source: str, theme: str, viewport: ViewportSize) -> dict[str, list[str]]:
    """Return every check's findings on an open page, under a theme and in a window of a size.

    Args:
        opened: the page; errors since it was opened count, those under an earlier theme too.
        source: the page's HTML.
        theme: light or dark.
        viewport: the window, in CSS pixels.
    """
    page = opened.page
    page.set_viewport_size(viewport)
    switch_theme(page, theme)
    page.wait_for_timeout(THEME_PAUSE_MS)
    return {
        "formulas": untypeset(page, source),
        "widths": too_wide(page),
        "audit": audit(page),
        "errors": list(opened.errors),
    }


@cache
def _places(file: Path) -> frozenset[str]:
    return frozenset(re.findall(r'\b(?:id|name)="([^"]+)"', file.read_text("utf-8")))


def dead_links(page: Page) -> list[str]:
    """Return the page's links, those made by scripts too, that lead to no file or place on disk."""
    links = page.evaluate("() => [...document.querySelectorAll('a[href]')].map(a => a.href)")
    dead = []
    for link in sorted(set(links)):
        parts = urlsplit(link)
        file, place = Path(unquote(parts.path)), unquote(parts.fragment)
        if parts.scheme != "file":
            continue
        if not file.is_file():
            dead.append(f"{link} is missing")
        elif file.suffix == ".html" and place not in ("", "top", *_places(file)):
            dead.append(f"{link} names a place that the page does not have")
    return dead


def results(page: Page, limit: int) -> list[str]:
    """Return the paths of the first results on a search page, best first."""
    page.wait_for_function("() => document.querySelector('#search-results')?.innerText"
                           ".includes('Search finished')")  # fmt: skip
    links = page.locator("#search-results li a").all()[:limit]
    return [urlsplit(link.evaluate("a => a.href")).path for link in links]


def road(page: Page, limit: int) -> list[str]:
    """Press "next" from here to the last page; return the addresses on the way, at most limit."""
    passed = [page.url]
    while (button := page.locator("a.right-next")).count() and len(passed) < limit:
        button.click()
        page.wait_for_load_state("domcontentloaded")
        passed.append(page.url)
    return [address.split("#")[0] for address in passed]


def dead_pictures(page: Page) -> list[str]:
    """Use every control of every picture once; return what did not follow.

    The text must then be that of the state chosen, and the charts must be drawn anew.
    """
    complaints = []
    for picture in page.locator(".picture").all():
        name = picture.get_attribute("id")
        states = json.loads(picture.locator("script").text_content())["states"]
        for control in picture.locator("form :is(select, input)").all():
            before = picture.evaluate(SHOWN)
            if not _change(control):
                continue
            page.evaluate(SETTLED)
            page.wait_for_timeout(DRAWING_MS)
            now = picture.evaluate(SHOWN)
            wanted = [s["facts"] for s in states if s["path"] == now["path"]]
            if now["path"] == before["path"]:
                complaints.append(f"{name}: a control changes nothing")
            elif [[value for _, value in facts] for facts in wanted] != [now["facts"]]:
                complaints.append(f"{name}: the text is not that of {now['path']}")
            if not now["drawn"] or now["drawn"] == before["drawn"]:
                complaints.append(f"{name}: the charts do not follow {now['path']}")
    return complaints or ([] if page.locator(".picture").count() else ["no picture"])


def _change(control: Locator) -> bool:
    """Choose something else as a reader does; False where there is nothing else to choose."""
    if control.get_attribute("type") == "range":
        control.press("ArrowRight")
        return True
    words = control.locator("option").all_text_contents()
    other = [word for word in words if word != control.input_value()]
    if other:
        control.select_option(other[0])
    return bool(other)
