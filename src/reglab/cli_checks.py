"""The command line's part on this machine: `reglab verify|bench`."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import Annotated

import typer

from reglab.cli_options import LedgerFormat


class Measured(StrEnum):
    """What is measured."""

    speed = "speed"
    time = "time"
    shift = "shift"


def verify(
    share: Annotated[float, typer.Option(help="Of each table of reduced runs, 0 to 1.")] = 0.02,
    seed: Annotated[int | None, typer.Option(help="Of the choice [default: a new one].")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes [default: one a core].")] = None,
) -> None:
    """Make golden runs and some recorded ones again; exit 1 if one deviates."""
    import secrets

    from tqdm import tqdm

    from reglab import verify as again
    from reglab.runs.progress import Progress

    seed = secrets.randbelow(10**6) if seed is None else seed
    checks, left_out = again.recorded_checks(share, seed)
    checks = again.golden_checks() + checks
    minutes = sum(check.expected.costs.seconds for check in checks) / 60
    print(
        f"{len(checks)} runs, seed {seed}; they took {minutes:.1f} minutes on one core", flush=True
    )
    findings = []
    with Progress(True) as progress:
        progress.start(f"{len(checks)} runs to make again", len(checks))
        for finding in again.verify(checks, workers):
            findings.append(finding)
            progress.update()
            tqdm.write(str(finding))  # leaves the bar whole
            sys.stdout.flush()
    for remark in left_out:
        print(f"left out  {remark}")
    wrong = sum(bool(finding.wrong) for finding in findings)
    identical = sum(finding.identical for finding in findings)
    print(f"{wrong} of {len(findings)} runs deviate; {identical} are identical bit for bit")
    if wrong:
        print(f"If golden runs deviate: {again.RENEW}.")
        raise typer.Exit(1)


def bench(
    part: Annotated[Measured, typer.Option(help="What to measure; see above.")] = Measured.speed,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    format: Annotated[LedgerFormat, typer.Option(help="How to print it.")] = LedgerFormat.table,
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
