"""The toy network as a reader uses it: every control, links, screen readers, a calm page."""

import re

import pytest
from conftest import WIDE
from pagechecks import switch_theme, visit

PAGE = "book/toy_network.html"
LINK = (
    "#toy?data=circles&n=20&noise=0.1&seed=5&optimizer=sgd&lr=0.1&stop=0&speed=5"
    "&l2=coupled&lam=0.001&drop=0.2&bn=1&epoch=7"
)
NO_WORKER = "window.Worker = class { constructor() { throw new Error('refused'); } };"
LATE_REFUSAL = """window.Worker = class {
    constructor() { setTimeout(() => this.onerror(new Event("error", { cancelable: true }))); }
    postMessage() {}
    terminate() {}
};"""
DRAWN = "element => element.toDataURL()"


class Toy:
    """The page opened, with what a reader sees and presses."""

    def __init__(self, context, book, fragment=""):
        self.opened = visit(context, (book / PAGE).as_uri() + fragment)
        self.page, self.errors = self.opened.page, self.opened.errors
        self.panel = self.page.locator(".toy-panel")
        self.says(r"Epoch \d+: loss")

    def says(self, pattern):
        """Wait until the text for screen readers matches."""
        self.page.wait_for_function(
            "it => new RegExp(it).test(document.querySelector('.toy-status').textContent)",
            arg=pattern,
        )

    def press(self, name):
        self.panel.get_by_role("button", name=name, exact=True).click()

    def rests(self):
        """Wait until the last answer is drawn."""
        self.page.wait_for_selector(".toy-panel:not([data-busy])")

    def control(self, label):
        return self.panel.get_by_label(label, exact=True)

    def fact(self, name):
        return self.panel.locator(f".toy-facts div:has(dt:text-is('{name}')) dd").inner_text()

    @property
    def fragment(self):
        return self.page.evaluate("() => location.hash")

    def canvases(self):
        return [canvas.evaluate(DRAWN) for canvas in self.panel.locator("canvas").all()]


@pytest.fixture
def toy(reader, book):
    return Toy(reader, book)


CONTROLS = [
    ("Shape", "spiral", "data=spiral"),
    ("Training points n", "ArrowRight", "n=60"),
    ("Noise", "ArrowLeft", "noise=0.25"),
    ("Seed", "12", "seed=12"),
    ("Optimizer", "adam", "optimizer=adam"),
    ("Learning rate η", "ArrowRight", "lr=0.1"),
    ("Early stopping", None, "stop=1"),
    ("Speed", "20", "speed=20"),
    ("L2", "decoupled", "l2=decoupled"),
    ("Strength λ", "Home", "lam=0.0001"),
    ("Drop rate δ", "ArrowRight", "drop=0.1"),
    ("Batch normalization", None, "bn=1"),
]


def set_control(control, value):
    """Choose, move, type or tick, as the control wants it."""
    if value is None:
        control.click()
    elif control.evaluate("it => it.tagName") == "SELECT":
        control.select_option(value)
    elif control.get_attribute("type") == "number":
        control.fill(value)
        control.press("Enter")
    else:
        control.press(value)


def test_every_control_begins_a_new_run_with_its_setting(toy):
    assert toy.fragment == ""  # nothing was used yet
    labels = toy.panel.locator(".toy-controls label").all_text_contents()
    assert labels == [label for label, _, _ in CONTROLS]
    for label, value, word in CONTROLS:
        toy.press("Step")
        toy.says("Epoch 1: ")
        drawn = toy.canvases()
        set_control(toy.control(label), value)
        toy.says("Epoch 0: ")
        toy.rests()
        assert word in re.split("[?&]", toy.fragment)
        assert all(now != then for now, then in zip(toy.canvases(), drawn, strict=True))
    assert toy.errors == []


def test_a_strength_without_l2_cannot_be_set(toy):
    assert toy.control("Strength λ").is_disabled()
    toy.control("L2").select_option("coupled")
    assert toy.control("Strength λ").is_enabled()


def test_play_pause_step_and_reset_by_keyboard(toy):
    play = toy.panel.get_by_role("button", name="Play")
    play.focus()
    toy.page.keyboard.press("Enter")
    toy.page.wait_for_function(
        "() => Number(document.querySelector('.toy-facts dd').textContent) > 3"
    )
    toy.page.keyboard.press("Space")  # the same button is now Pause
    assert play.is_visible()
    toy.rests()
    paused = int(toy.fact("Epoch"))
    toy.says(f"Epoch {paused}: ")
    toy.page.keyboard.press("Tab")  # to Step
    toy.page.keyboard.press("Enter")
    toy.says(f"Epoch {paused + 1}: ")
    assert f"epoch={paused + 1}" in toy.fragment
    toy.page.keyboard.press("Tab")  # to Reset
    toy.page.keyboard.press("Enter")
    toy.says("Epoch 0: ")
    assert toy.errors == []


@pytest.mark.parametrize("script", ["", NO_WORKER, LATE_REFUSAL])
def test_a_link_shows_the_same_state_with_and_without_a_worker(reader, book, script):
    reader.add_init_script(script or "0")
    toy = Toy(reader, book, LINK)
    toy.says("Epoch 7: ")
    shown = toy.canvases()
    toy.press("Copy link")
    assert toy.fragment == LINK
    toy.press("Reset")
    toy.says("Epoch 0: ")
    for _ in range(7):
        epoch = int(toy.fact("Epoch"))
        toy.press("Step")
        toy.says(f"Epoch {epoch + 1}: ")
    assert toy.fragment == LINK
    # the run before is now in the picture of the losses, and only there
    assert [one == then for one, then in zip(toy.canvases(), shown, strict=True)] == [
        True, False, True,
    ]  # fmt: skip
    assert (len(toy.page.workers) == 1) == (script == "")
    assert toy.errors == []


def test_an_address_typed_over_is_followed(toy):
    toy.page.evaluate(f"() => {{ location.hash = {LINK!r}; }}")
    toy.says("Epoch 7: ")
    assert toy.control("Seed").input_value() == "5"
    assert toy.control("Batch normalization").is_checked()


TRIES = {
    "Fit the noise": ["data=moons", "l2=none", "bn=0"],
    "Now add L2": ["data=moons", "l2=coupled", "lam=0.01"],
    "BN with a large rate": ["data=spiral", "lr=1", "bn=1"],
}


@pytest.mark.parametrize("name", TRIES)
def test_an_experiment_waits_where_less_motion_is_wanted(toy, name):
    toy.press(name)
    toy.rests()
    assert "Press Play" in toy.panel.locator(".toy-note").inner_text()
    assert set(TRIES[name]) <= set(re.split("[?&]", toy.fragment))
    toy.page.wait_for_timeout(300)  # in which it would have begun
    assert toy.fact("Epoch") == "0"
    assert toy.errors == []


def test_an_experiment_plays_by_itself_where_motion_is_welcome(browser, book):
    context = browser.new_context(viewport=WIDE, reduced_motion="no-preference")
    toy = Toy(context, book)
    toy.page.wait_for_timeout(300)
    assert toy.fact("Epoch") == "0"  # but not before it is asked for
    toy.press("Fit the noise")
    toy.page.wait_for_function(
        "() => Number(document.querySelector('.toy-facts dd').textContent) > 5"
    )
    toy.press("Pause")
    assert toy.errors == []
    context.close()


def test_early_stopping_says_so_and_play_begins_anew(reader, book):
    toy = Toy(reader, book, LINK.replace("stop=0", "stop=1").replace("epoch=7", "epoch=2000"))
    toy.says(r"Stopped early: the validation loss was lowest after epoch \d+")
    stopped = int(toy.fact("Epoch"))
    assert 50 <= stopped < 2000
    toy.press("Play")
    toy.page.wait_for_function(
        f"() => Number(document.querySelector('.toy-facts dd').textContent) < {stopped}"
    )
    assert toy.errors == []


def test_pictures_are_told_in_words_and_follow_the_theme(reader, book):
    toy = Toy(reader, book, LINK)
    toy.says("Epoch 7: ")
    labels = [it.get_attribute("aria-label") for it in toy.panel.locator("canvas").all()]
    assert "20 training points, circles" in labels[0]
    assert "After 7 epochs the training loss is" in labels[1]
    assert "squared norm" in labels[2]
    switch_theme(toy.page, "light")
    light = toy.canvases()
    switch_theme(toy.page, "dark")
    toy.page.evaluate("() => new Promise(requestAnimationFrame)")  # observers have been told
    assert all(now != then for now, then in zip(toy.canvases(), light, strict=True))


def test_without_scripts_the_page_says_what_is_missing(browser, book):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / PAGE).as_uri())
    assert "needs JavaScript" in page.locator(".toy").inner_text()
    context.close()
