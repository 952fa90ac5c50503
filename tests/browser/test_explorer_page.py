"""The explorer: each control changes text and charts, by mouse and by keyboard."""

import pytest
from conftest import WIDE, new_context
from pagechecks import SHOWN, dead_pictures, switch_theme, visit

PAGE = "notebooks/explorer.html"


@pytest.fixture(scope="module")
def opened(browser, book):
    """The page, loaded once for the tests that press its controls; each leaves it as it may."""
    context = new_context(browser, WIDE)
    opened = visit(context, (book / PAGE).as_uri())
    opened.page.wait_for_function(
        "() => [...document.querySelectorAll('.chart')].every(chart => chart.querySelector('svg'))"
    )
    yield opened
    context.close()


def test_every_control_changes_text_and_charts(opened):
    assert opened.page.locator(".picture").count() >= 3
    assert dead_pictures(opened.page) == []
    assert opened.errors == []


def test_a_click_on_a_slider_moves_it(opened):
    picture = opened.page.locator("#picture-dropout")
    slider = picture.locator("input")
    size = slider.bounding_box()
    slider.click(position={"x": size["width"] * 0.9, "y": size["height"] / 2})
    assert float(picture.evaluate(SHOWN)["path"][0]) > 0.5  # where it began
    slider.press("Home")
    assert picture.evaluate(SHOWN)["path"] == ["0"]


def test_the_charts_are_drawn_again_in_the_colours_of_the_other_theme(opened):
    text = opened.page.locator(".chart svg text").first

    def colour():
        opened.page.wait_for_timeout(500)
        return text.evaluate("it => getComputedStyle(it).fill")

    switch_theme(opened.page, "light")
    light = colour()
    switch_theme(opened.page, "dark")
    assert colour() != light
    assert opened.errors == []


def test_without_scripts_the_tables_remain(browser, book):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / PAGE).as_uri())
    assert page.locator(".picture form:visible").count() == 0
    assert page.locator(".picture .waiting").first.is_visible()
    assert page.locator(".picture .facts").first.inner_text().strip()
    context.close()
