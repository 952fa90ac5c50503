"""What a reader does: search, go from page to page, open the menu, choose in the explorer."""

import re
from urllib.parse import urlsplit

import pytest
from conftest import NARROW, WIDE, new_context
from pagechecks import results, road, too_wide, untypeset, visit

SIDEBAR = "#pst-primary-sidebar .bd-links a"


def links(page, selector: str) -> list[str]:
    """Return where the links lead, in order."""
    addresses = page.evaluate("s => [...document.querySelectorAll(s)].map(a => a.href)", selector)
    return [address.split("#")[0] for address in addresses]


def test_the_root_leads_to_the_book(reader, book):
    page = reader.new_page()
    page.goto((book / "index.html").as_uri())
    page.wait_for_url((book / "book/index.html").as_uri())
    assert page.locator(".bd-article h1").count() == 1


@pytest.mark.parametrize("over", ["file", "http"])
def test_the_search_finds_the_chapter(reader, book, request, over):
    server = None if over == "file" else request.getfixturevalue("server")
    root = server or f"{book.as_uri()}/"
    opened = visit(reader, f"{root}search.html?q=dropout", server)
    addresses = results(opened.page, 3)
    assert f"{urlsplit(root).path}notebooks/dropout.html" in addresses
    assert opened.errors == []


def test_a_word_typed_into_the_sidebar_is_searched_for(reader, book):
    opened = visit(reader, (book / "notebooks/l2.html").as_uri())
    opened.page.locator(".search-button-field:visible").click()
    opened.page.locator("#pst-search-dialog input").fill("dropout")
    opened.page.keyboard.press("Enter")
    opened.page.wait_for_url(re.compile(r"search\.html\?q=dropout"))
    assert f"{book.as_uri()}/notebooks/dropout.html".endswith(results(opened.page, 1)[0])
    assert opened.errors == []


def test_next_leads_through_all_pages_of_the_sidebar(browser, book):
    """Without scripts, which links do not need: each page's take seconds."""
    context = new_context(browser, WIDE, java_script_enabled=False)
    page = context.new_page()
    page.goto((book / "book/index.html").as_uri())
    wanted = [page.url, *links(page, SIDEBAR)]
    assert len(wanted) > 10
    assert road(page, len(wanted) + 1) == wanted
    context.close()


def test_next_leads_on_and_previous_back(reader, book):
    opened = visit(reader, (book / "book/index.html").as_uri())
    road(opened.page, 2)
    assert opened.page.url != (book / "book/index.html").as_uri()
    opened.page.locator("a.left-prev").click()
    opened.page.wait_for_url((book / "book/index.html").as_uri())
    assert opened.errors == []


@pytest.mark.parametrize(
    "page", ["book/index.html", "book/symbols.html", "notebooks/explorer.html"]
)
def test_a_page_may_be_loaded_on_a_narrow_screen_of_a_dark_system(browser, book, page):
    """Every page is looked at there (test_every_page.py), after it was loaded on a wide one."""
    context = new_context(browser, NARROW, color_scheme="dark")
    opened = visit(context, (book / page).as_uri())
    assert opened.page.evaluate("() => document.documentElement.dataset.theme") == "dark"
    assert too_wide(opened.page) == []
    assert untypeset(opened.page, (book / page).read_text("utf-8")) == []
    assert opened.errors == []
    context.close()


def test_the_menu_of_a_narrow_screen_opens_and_leads_on(browser, book):
    context = new_context(browser, NARROW)
    opened = visit(context, (book / "book/index.html").as_uri())
    assert not opened.page.locator(SIDEBAR).first.is_visible()
    opened.page.locator(".primary-toggle").click()
    opened.page.locator(".bd-links a", has_text="Dropout").first.click()
    opened.page.wait_for_url(re.compile(r"notebooks/dropout\.html"))
    assert opened.errors == []
    context.close()
