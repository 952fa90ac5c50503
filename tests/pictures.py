"""What the tests of pictures read of them."""

import json
import re

import pytest

from reglab.pages import sliders

SLIDERS = (sliders.shrinkage_picture, sliders.dropout_picture, sliders.scale_picture)


def payload(shown):
    """What the page's script reads, out of the HTML."""
    text = re.search(r'<script type="application/json">(.*?)</script>', shown._repr_html_())[1]
    return json.loads(text)


def rows(columns):
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def near(value):
    return pytest.approx(value, rel=1e-4)  # five significant digits are shipped
