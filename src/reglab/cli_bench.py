"""The command line's part on measurements: `reglab bench`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Measured(StrEnum):
    """What is measured."""

    speed = "speed"
    time = "time"
    shift = "shift"


class Printed(StrEnum):
    """How it is printed."""

    table = "table"
    json = "json"
    markdown = "markdown"


def bench(
    part: Annotated[Measured, typer.Option(help="What to measure; see above.")] = Measured.speed,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    format: Annotated[Printed, typer.Option(help="How to print it.")] = Printed.table,
) -> None:
    """Measure what the recorded runs do not tell. Let nothing else run beside it.

    speed (about a minute on two cores): the usual loop, one run, many at once, and the machine's
    ceiling. time (about five minutes): an epoch, epochs and seconds until the stop, and seconds to
    an accuracy, with batch normalization and without. shift (about five minutes; any machine): how
    far layers' inputs and gradients move from step to step, without batch normalization, with it,
    and with drifting noise behind it.
    """
    from reglab.bench import PARTS, render

    print(render(PARTS[part.value].measure(device), format.value, part.value))
