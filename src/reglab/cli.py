"""The command line: `reglab data|reproduce|results|show|record|claims|verify|bench`."""

from __future__ import annotations

import logging
import os
import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from reglab.cli_checks import bench, verify
from reglab.cli_data import data_app
from reglab.cli_options import (
    Dataset,
    Device,
    Format,
    LedgerFormat,
    Profile,
    Seeds,
    Store,
    Study,
)
from reglab.cli_record import merge_into, write
from reglab.cli_show import show
from reglab.errors import ReglabError
from reglab.paths import RESULTS, record_folder, results_folder
from reglab.runs.store import open_store

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Rerun a paper's experiments on L2, dropout and batch normalization.",
)
app.add_typer(data_app, name="data")


@app.command(
    epilog="Example: reglab reproduce --dataset mnist --profile pilot --workers 2. Finished runs "
    "are kept: after an interruption the same command goes on where it stopped."
)
def reproduce(
    dataset: Dataset = "all",
    profile: Profile = "pilot",
    seeds: Seeds = None,
    study: Study = "protocol",
    workers: Annotated[
        int | None, typer.Option(help="Processes [default: one a core; one on CUDA].")
    ] = None,
    together: Annotated[
        int | None, typer.Option(help="Runs taking turns in one process [default: 32 on CUDA].")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(help="Address of a Dask scheduler, e.g. tcp://10.0.0.1:8786.")
    ] = None,
    device: Device = "auto",
    store: Store = None,
    progress: Annotated[
        bool, typer.Option("--progress", help="Train nothing: only say what is done and left.")
    ] = False,
) -> None:
    """Train whatever the study lacks, stage after stage.

    Standard error says how far it is: a bar in a terminal, a line every half minute elsewhere.
    """
    from reglab.runs.progress import duration
    from reglab.study import standing, sweep

    began, runs = time.monotonic(), open_store(store)
    if progress:
        for plan in _plans(dataset, profile, seeds, device, study):
            print(standing.survey(plan, runs))
        return
    if scheduler is None:
        plans = _plans(dataset, profile, seeds, device, study)
        made = sweep.reproduce(plans, runs, workers=workers, together=together, progress=True)
    elif workers is not None:
        raise ReglabError("--workers are the cluster's own when --scheduler is given")
    else:
        from reglab.study import cluster

        cluster.silence()
        plans = _plans(dataset, profile, seeds, "cpu", study)
        with cluster.connect(scheduler, plans, device) as remote:
            made = sweep.reproduce(
                remote.plans,
                runs,
                together=together,
                executor=remote.executor,
                in_flight=remote.in_flight,
                progress=True,
            )
    names, took = ", ".join(plan.dataset for plan in plans), duration(time.monotonic() - began)
    what = f"profile {profile}" if study == "protocol" else f"study {study}, profile {profile},"
    print(f"{names}: {what} complete in {runs.root} after {took} ({made} runs made now)")


@app.command(epilog="Example: reglab results --dataset all --profile pilot --format json")
def results(
    dataset: Dataset = "all",
    profile: Profile = "pilot",
    seeds: Seeds = None,
    study: Study = "protocol",
    device: Device = "auto",
    store: Store = None,
    format: Annotated[Format, typer.Option(help="How to print them.")] = Format.table,
) -> None:
    """Print the finished study: mean test accuracy (or R²), 95 % interval and n of every arm."""
    from reglab.pages import terminal, text
    from reglab.study.frame import load_frame

    plans = _plans(dataset, profile, seeds, device, study)
    runs = open_store(store)
    frames = {plan.dataset: load_frame(plan, runs) for plan in plans}
    if _for_reading(format):
        terminal.show(terminal.studies(frames))
    else:
        print(text.render(frames, format.value))


@app.command(
    epilog="Examples: reglab record --dataset all --profile reduced; "
    "reglab record --profile full --merge mine.jsonl.gz theirs.jsonl.gz"
)
def record(
    tables: Annotated[
        list[Path] | None, typer.Argument(help="Tables to join, with --merge.", metavar="[FILE]...")
    ] = None,
    dataset: Dataset = "all",
    profile: Profile = "reduced",
    seeds: Seeds = None,
    study: Study = "protocol",
    device: Device = "auto",
    store: Store = None,
    results: Annotated[
        Path | None, typer.Option("--to", help=f"Folder of recorded results [default: {RESULTS}].")
    ] = None,
    partial: Annotated[
        bool, typer.Option("--partial", help="Also of a study with runs still missing.")
    ] = False,
    merge: Annotated[
        bool, typer.Option("--merge", help="Join the tables FILE... of several machines instead.")
    ] = False,
) -> None:
    """Write a finished study as one compact table a data set, to be kept with the book."""
    from reglab.study.frame import load_own

    if merge != bool(tables):
        raise ReglabError("--merge and the tables to join, FILE..., go together: give both")
    folder = record_folder(results) / profile / ("" if study == "protocol" else study)
    if merge:
        merge_into(tables, folder)
        return
    runs = open_store(store)
    for plan in _plans(dataset, profile, seeds, device, study):
        write(load_own(plan, runs, partial=partial), folder / f"{plan.dataset}.jsonl.gz")


@app.command(epilog="Example: reglab claims --format json")
def claims(
    format: Annotated[
        LedgerFormat, typer.Option(help="A line a claim, everything, or the counts as Markdown.")
    ] = LedgerFormat.table,
) -> None:
    """Print the ledger: every claim of the paper, judged by arithmetic and by recorded runs."""
    from reglab import verdicts
    from reglab.pages import ledger, terminal
    from reglab.results import recorded

    studies = recorded.all_profiles()
    if not studies:
        _say(f"{results_folder()} holds no whole study, so no claim is judged by runs")
    rows = verdicts.ledger(studies)
    if _for_reading(format):
        terminal.show(terminal.claims(rows))
    else:
        print(ledger.render(rows, format.value))


app.command(epilog="Example: reglab show cifar10 --output gains.png")(show)
app.command(epilog="Example: reglab verify --share 0.02")(verify)
app.command(epilog="Example: reglab bench --format json")(bench)


def _for_reading(format: StrEnum) -> bool:
    """Return whether to draw a table: files and pipes get plain text."""
    return format == "table" and sys.stdout.isatty()


def _plans(dataset: str, profile: str, seeds: int | None, device: str, study: str) -> list:
    from reglab.study.further import datasets_of
    from reglab.study.plan import make_plan

    known = datasets_of(study)
    names = known if dataset == "all" else (dataset,)
    return [make_plan(name, profile, seeds=seeds, device=device, study=study) for name in names]


def main() -> None:
    """Run the command line: an error is one line on standard error and a non-zero exit."""
    logging.basicConfig(level=logging.WARNING, format="reglab: %(message)s")
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()  # that a pipe was closed is to be seen here, not at the very end
        if code == 130:  # what Typer makes of Ctrl-C inside a command
            raise KeyboardInterrupt
        sys.exit(code)
    except ReglabError as error:
        _fail(str(error), 1)
    except (KeyboardInterrupt, typer.Abort):
        _fail("interrupted; finished runs are kept, the same command goes on from there", 130)
    except BrokenPipeError:  # as after `| head`; what is left is written to nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)  # as Typer has it where the pipe closes while a command prints
    except OSError as error:
        _fail(str(error), 1)
    except Exception as error:
        # Typer's own errors: their class is click's in some releases, a private copy in others
        if not hasattr(error, "format_message"):
            raise
        _fail(f"{error.format_message()} (see --help)", error.exit_code)


def _fail(message: str, code: int) -> None:
    _say(message)
    sys.exit(code)


def _say(message: str) -> None:
    print(f"reglab: {' '.join(message.split())}", file=sys.stderr)


if __name__ == "__main__":
    main()
