"""Every page of the book, on a wide light screen and on a narrow dark one."""

import pytest
from pagechecks import dead_links, end_audit, too_wide, untypeset, without_alt

THEMES = ("light", "dark")


@pytest.mark.parametrize("theme", THEMES)
def test_a_page_loads_without_errors_and_asks_no_other_host(opened, theme):
    assert opened.visits[theme].errors == []


@pytest.mark.parametrize("theme", THEMES)
def test_every_formula_is_typeset(opened, theme):
    assert untypeset(opened.visits[theme].page, opened.source) == []


@pytest.mark.parametrize("theme", THEMES)
def test_only_boxes_scroll_sideways(opened, theme):
    assert too_wide(opened.visits[theme].page) == []


def test_every_link_leads_somewhere(opened):
    assert dead_links(opened.visits["light"].page) == []


@pytest.mark.parametrize("theme", THEMES)
def test_axe_finds_nothing_serious(opened, theme):
    assert end_audit(opened.visits[theme].page) == []


def test_every_picture_says_in_words_what_it_shows(opened):
    assert without_alt(opened.visits["light"].page) == []
