"""Figures have a twin for dark pages: readable there, the same picture, and named beside it."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import dark_figures
import pytest
import sphinx_book_theme
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, writes
from sphinx.cmd.build import build_main

from reglab.pages import figures

# Sphinx looks at every object of the process; one of torch's says that it is deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.distributed.reduce_op:FutureWarning")

ALT = "A line falls from left to right."
PALETTE = ["#{:02x}{:02x}{:02x}".format(*(round(255 * part) for part in rgb))
           for rgb in figures.colors(10)]  # fmt: skip


def drawn():
    """A picture as matplotlib writes it, with the book's style."""
    import io

    from matplotlib.figure import Figure

    def draw():
        figure = Figure(figsize=(3, 2))
        axes = figure.subplots()
        axes.plot([0, 1], [1, 0], "o-", color=figures.colors(1)[0])
        axes.set_title("falling")
        return figure

    file = io.BytesIO()
    figures.styled(draw)().savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue().decode("utf-8")


def test_the_ground_and_the_text_are_the_themes():
    folder = Path(sphinx_book_theme.__file__).parent
    css = (folder / "theme/sphinx_book_theme/static/styles/sphinx-book-theme.css").read_text()
    dark = " ".join(re.findall(r"html\[data-theme=dark\]\{([^}]*)\}", css))
    assert f"--pst-color-background:{dark_figures.GROUND}" in dark.replace(" ", "")


def test_black_and_white_change_places_and_greys_keep_their_order():
    assert dark_figures.dark_colour("#ffffff") == dark_figures.GROUND
    assert dark_figures.dark_colour("#000000") == dark_figures.TEXT
    greys = ["#000000", "#333333", "#555555", "#808080", "#bfbfbf", "#e3e3e3", "#ffffff"]
    ratios = [
        dark_figures.contrast(dark_figures.dark_colour(it), dark_figures.GROUND) for it in greys
    ]
    assert ratios == sorted(ratios, reverse=True)
    # text is as readable as text must be, and the grid stays faint
    assert ratios[2] >= 4.5
    assert ratios[-2] < 1.5


@pytest.mark.parametrize("colour", [*PALETTE, "#0072b2", "#0000ff", "#300010"])
def test_hues_stand_out_from_the_dark_ground(colour):
    dark = dark_figures.dark_colour(colour)
    parts = dark_figures.channels(colour)
    grey = max(parts) - min(parts) <= dark_figures.NEUTRAL
    wanted = 3 if grey else 4.5
    assert dark_figures.contrast(dark, dark_figures.GROUND) >= wanted
    if not grey and dark_figures.contrast(colour, dark_figures.GROUND) >= wanted:
        assert dark == colour


def test_hues_stay_apart():
    dark = [dark_figures.dark_colour(colour) for colour in PALETTE[:5]]
    assert len(set(dark)) == 5
    assert dark_figures.channels(dark[0])[2] == max(dark_figures.channels(dark[0]))  # blue


def test_contrast_is_that_of_the_standard():
    assert dark_figures.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert dark_figures.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_the_twin_differs_in_colours_only():
    light = drawn()
    dark = dark_figures.dark_svg(light)
    root = ET.fromstring(dark)
    assert root.get("fill") == dark_figures.TEXT
    assert "#ffffff" not in dark and "#000000" not in dark
    plain = re.compile(r"(?<=[:\"] )#[0-9a-f]{6}|(?<=: )#[0-9a-f]{6}")
    assert plain.sub("", dark).replace(f'fill="{dark_figures.TEXT}" ', "") == plain.sub("", light)


def test_the_page_names_both_pictures_and_the_caption_stands_outside_their_box(tmp_path):
    site, out = tmp_path / "site", tmp_path / "out"
    site.mkdir()
    words = {"figure": {"caption": "A caption.", "name": "fig-x"}, "image": {"alt": ALT}}
    output = new_output("display_data", {"image/svg+xml": drawn(), "text/plain": "<Figure>"})
    cell = new_code_cell("0", execution_count=1, outputs=[output], metadata={"mystnb": words})
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    metadata["language_info"] = {"name": "python", "pygments_lexer": "ipython3"}
    cells = [new_markdown_cell("# Page\n\nSee {numref}`fig-x`."), cell]
    (site / "index.ipynb").write_text(writes(new_notebook(cells=cells, metadata=metadata)))
    (site / "conf.py").write_text(
        "extensions = ['myst_nb', 'dark_figures']\nnb_execution_mode = 'off'\nnumfig = True\n"
        "html_theme = 'basic'\n"
    )
    assert build_main(["-q", "-W", "-E", "-b", "html", str(site), str(out)]) == 0
    text = (out / "index.html").read_text("utf-8")
    figure = re.search(r"<figure.*?</figure>", text, re.DOTALL)[0]
    assert figure.index("only-dark") < figure.index("</div>") < figure.index("<figcaption")
    pictures = [
        dict(re.findall(r'(\w+)="([^"]*)"', img)) for img in re.findall("<img[^>]*>", figure)
    ]
    assert [(img["class"], img["alt"]) for img in pictures] == [
        ("only-light", ALT),
        ("only-dark", ALT),
    ]
    light, dark = (ET.parse(out / img["src"]).getroot() for img in pictures)
    assert light.get("fill") is None
    assert dark.get("fill") == dark_figures.TEXT


def test_paper_has_the_light_picture_only():
    css = (Path(__file__).resolve().parents[1] / "book/_static/print.css").read_text("utf-8")
    shown = re.search(r"\.figure-box \.only-light \{([^}]*)\}", css)[1]
    hidden = re.search(r"\.figure-box \.only-dark \{([^}]*)\}", css)[1]
    assert "display: inline !important" in shown
    assert "display: none !important" in hidden
