"""Every page of the book, on a wide light screen and on a narrow dark one."""

import pytest


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("check", ["errors", "formulas", "widths", "audit"])
def test_a_page_is_right_under_both_themes(seen, check, theme):
    """No error and no other host asked, formulas typeset, only boxes scroll, axe is content."""
    assert seen.themes[theme][check] == []


def test_every_link_leads_somewhere(seen):
    assert seen.links == []


def test_every_picture_says_in_words_what_it_shows(seen):
    assert seen.pictures == []
