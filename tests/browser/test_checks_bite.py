"""Each check finds what it is for: pages of the built book, broken on purpose."""

import os
import re
import shutil
from pathlib import Path

import pytest
from conftest import NARROW, WIDE, pages
from pagechecks import (
    dead_links,
    dead_pictures,
    look,
    results,
    too_wide,
    untypeset,
    visit,
    without_alt,
)
from playwright.sync_api import TimeoutError
from scheduling import group

PAGE = "book/bibliography.html"  # a short one
FAINT = "color: #777; background: #888"
CODE = f"""<style>.highlight .c {{{{ {FAINT} }}}}</style>
<div class="highlight"><pre><span {{}}>one</span> <span {{}}>two</span></pre></div>"""
SIGNATURE = f"""<style>.sig .c {{ {FAINT} }}</style><dl><dt class="sig">
<em class="c">one</em> <em class="c">two</em></dt><dd>what it does</dd></dl>"""
BY_ID = f'<style>#odd {{ {FAINT} }}</style><p>well</p><p id="odd">faint</p>'
ROWS = f"""<style>.few tr:nth-child(even) td {{ {FAINT} }}</style><table class="few">
<tr><td>well</td></tr><tr><td>faint</td></tr></table>"""
# Overwrites what a picture says after each change.
SPOIL = """addEventListener("input", () => setTimeout(() => {
    for (const it of document.querySelectorAll(".picture dd")) it.textContent = "spoilt";
}, 100))"""


@pytest.fixture(scope="session")
def page_with_formulas(book):
    """The shortest one."""
    pairs = [(path, (book / path).read_text("utf-8")) for path in pages(book)]
    return min(((len(text), path) for path, text in pairs if r"\(" in text and "/" in path))[1]


@pytest.fixture
def broken(reader, book, tmp_path):
    """Return a function that opens a page with a change; the rest of the book is linked to."""

    def open_broken(change, page=PAGE):
        for entry in book.iterdir():
            (tmp_path / entry.name).symlink_to(entry)
        folder = tmp_path / Path(page).parts[0]
        target = tmp_path / page
        if folder != target:
            folder.unlink()
            shutil.copytree(book / folder.name, folder, copy_function=os.symlink)
        source = (book / page).read_text("utf-8")
        made = change(source)
        assert made != source, "the change found nothing to change"
        target.unlink()
        target.write_text(made, encoding="utf-8")
        return visit(reader, target.as_uri()), made

    return open_broken


def begins_with(text):
    """Put something at the beginning of the article."""

    def change(source):
        return re.sub(r'(<article class="bd-article"[^>]*>)', lambda it: it[1] + text, source)

    return change


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("<script>undefinedName()</script>", "script: undefinedName is not defined"),
        ("<script>console.error('out of order')</script>", "console: out of order"),
        ('<img src="missing.png" alt="Nothing">', "failed: "),
        ('<script src="https://host.example/x.js"></script>', "asks another host: https://host"),
        ('<link rel="stylesheet" href="//host.example/x.css">', "failed: "),
        ("<script>fetch('https://host.example/').catch(() => 0)</script>", "asks another host: "),
        ("<script>new WebSocket('wss://host.example/')</script>", "asks another host: wss://"),
    ],
)
def test_errors_and_requests(broken, added, said):
    opened, _ = broken(begins_with(added))
    assert [error for error in opened.errors if error.startswith(said)], opened.errors


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: re.sub(r"<script[^>]*tex-chtml[^>]*></script>", "", it), "not typeset"),
        (lambda it: it.replace(r"\(", r"\(\left(", 1), "MathJax: "),
        (begins_with("<p>where $x^2$ is</p>"), "raw TeX: "),
        (begins_with(r"<p>\begin{align}x</p>"), "raw TeX: "),
    ],
)
def test_formulas(broken, page_with_formulas, change, said):
    opened, source = broken(change, page_with_formulas)
    findings = untypeset(opened.page, source)
    assert [line for line in findings if line.startswith(said)], findings


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('<div style="width: 3000px">wide</div>', "the page is "),
        ('<div style="overflow: hidden"><table><tr><td style="min-width: 3000px">x</table></div>',
         "cut off: table"),
    ],
)  # fmt: skip
def test_widths(broken, added, said):
    opened, _ = broken(begins_with(added))
    findings = too_wide(opened.page)
    assert [line for line in findings if line.startswith(said)], findings


@pytest.mark.parametrize(
    ("added", "rule"),
    [
        ('<img src="../_static/favicon.svg">', "image-alt"),
        (f'<p style="{FAINT}">faint</p>', "color-contrast"),
        ("<button></button>", "button-name"),
        (CODE.format('class="c"', 'class="c"'), "color-contrast"),
        (SIGNATURE, "color-contrast"),
        (BY_ID, "color-contrast"),
        (ROWS, "color-contrast"),
        (CODE.format('class="n"', f'class="n" style="{FAINT}"'), "color-contrast"),
    ],
)
def test_accessibility(broken, added, rule):
    opened, source = broken(begins_with(added))
    for theme, screen in (("light", WIDE), ("dark", NARROW)):
        findings = look(opened, source, theme, screen)["audit"]
        assert [line for line in findings if line.startswith(rule)], findings


@pytest.mark.parametrize("wrong", ["light", "dark"])
def test_a_fault_of_one_theme_is_seen_there(broken, wrong):
    style = f"<style>html[data-theme={wrong}] .faint {{ {FAINT} }}</style>"
    opened, source = broken(begins_with(f'{style}<p class="faint">faint</p>'))
    for theme, screen in (("light", WIDE), ("dark", NARROW)):
        findings = look(opened, source, theme, screen)["audit"]
        assert any(line.startswith("color-contrast") for line in findings) == (theme == wrong)


def test_what_fits_a_wide_screen_only_is_seen_on_the_narrow_one(broken):
    opened, source = broken(begins_with('<div style="width: 500px">wide</div>'))
    assert look(opened, source, "light", WIDE)["widths"] == []
    assert look(opened, source, "dark", NARROW)["widths"]


def test_an_error_of_the_second_look_is_seen(broken):
    script = "addEventListener('resize', () => undefinedName())"
    opened, source = broken(begins_with(f"<script>{script}</script>"))
    assert look(opened, source, "light", WIDE)["errors"] == []
    assert look(opened, source, "dark", NARROW)["errors"]


@pytest.mark.parametrize("alt", ["", ' alt=""', ' alt="../_images/a.svg"', ' alt="curve.png"'])
def test_alternative_text(broken, alt):
    opened, _ = broken(begins_with(f'<img src="../_static/favicon.svg"{alt}>'))
    assert without_alt(opened.page)


@pytest.mark.parametrize("href", ["nowhere.html", "../notebooks/l2.html#nowhere", "#nowhere"])
def test_links(broken, href):
    opened, _ = broken(begins_with(f'<a href="{href}">there</a>'))
    assert [line for line in dead_links(opened.page) if "nowhere" in line]


def test_search(broken):
    opened, _ = broken(lambda it: it.replace('src="searchindex.js"', ""), "search.html")
    opened.page.goto(opened.page.url + "?q=dropout")
    opened.page.set_default_timeout(2_000)
    with pytest.raises(TimeoutError):
        results(opened.page, 3)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda it: re.sub(r'<script[^>]*src="[^"]*charts.js"></script>', "", it), "changes"),
        (begins_with(f"<script>{SPOIL}</script>"), "the text is not"),
        (lambda it: it.replace("vega-embed.min.js", "vega.min.js"), "the charts do not follow"),
    ],
)
def test_explorer(broken, change, said):
    opened, _ = broken(change, "notebooks/explorer.html")
    findings = dead_pictures(opened.page)
    assert [line for line in findings if said in line], findings


def test_all_tests_of_a_page_go_to_one_worker(request):
    """The tests that were collected, by group: a page's are together, pages are apart."""
    seen = [item for item in request.session.items if "seen" in item.fixturenames]
    paths = {item.nodeid: item.callspec.params["seen"] for item in seen}
    groups = {}
    for nodeid, path in paths.items():
        groups.setdefault(group(nodeid), set()).add(path)
    assert all(len(together) == 1 for together in groups.values())
    assert len(groups) == len(set(paths.values()))
