"""What the tests of pictures read of them, and the studies that the explorer's show."""

import json
import re
from dataclasses import replace
from functools import cache

import pytest
from conftest import fake_record, study_frame

from reglab.pages import explorer, sliders
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES

SLIDERS = (sliders.shrinkage_picture, sliders.dropout_picture, sliders.scale_picture)


def payload(shown):
    """What the page's script reads, out of the HTML."""
    text = re.search(r'<script type="application/json">(.*?)</script>', shown._repr_html_())[1]
    made = json.loads(text)
    for named in (made["shared"], *(state["rows"] for state in made["states"])):
        for columns in named.values():
            columns |= {key: unpacked(column) for key, column in columns.items()}
    return made


def unpacked(column):
    """A column of text as `book/_static/vega/charts.js` makes it of runs."""
    if isinstance(column, list):
        return column
    return [value for value, times in column["runs"] for _ in range(times)]


def rows(columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def near(value):
    return pytest.approx(value, rel=1e-4)  # five significant digits are shipped


def varied(config):
    """A made-up run of two to four epochs."""
    made = fake_record(config)
    longer = int(config.key[:2], 16) % 3
    history = {
        name: values + values[-1:] * longer for name, values in made.history.written().items()
    }
    return replace(made, history=replace(made.history, **history))


@cache
def two_studies():
    """MNIST and CIFAR-10 as the reduced profile makes them; Fashion-MNIST is not recorded."""
    return {
        name: study_frame(Plan(name, "full:0", 10_000, PROFILES["reduced"], "cpu", 5), varied)
        for name in ("mnist", "cifar10")
    }


@cache
def two_studies_picture():
    return explorer.recorded_picture(two_studies())


def state(picture, *path):
    (chosen,) = (s for s in payload(picture)["states"] if s["path"] == list(path))
    return chosen
