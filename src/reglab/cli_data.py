"""The command line's part on data sets: `reglab data fetch|import|verify|list|show`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reglab.cli_options import picture_file

data_app = typer.Typer(no_args_is_help=True, help="Fetch, import, check, list and show data sets.")


@data_app.command("fetch", epilog="Example: reglab data fetch cifar10")
def data_fetch(
    name: Annotated[str, typer.Argument(help="mnist, fashion_mnist or cifar10")],
) -> None:
    """Download a full data set through torchvision, and check its SHA-256."""
    from reglab.data.download import fetch

    print(fetch(name))


@data_app.command(
    "import",
    epilog="Examples: reglab data import photos --name photos --resize 32x32 --test-fraction 0.2; "
    "reglab data import pathmnist.npz --name pathmnist",
)
def data_import(
    source: Annotated[Path, typer.Argument(help="Folder, .npz, .parquet, .csv or .csv.gz.")],
    name: Annotated[str, typer.Option(help="Name of the data set: NAME.npz is made.")],
    test_fraction: Annotated[
        float | None, typer.Option(help="Share for testing, where the source has no test part.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of that cut.")] = 0,
    resize: Annotated[str | None, typer.Option(help="HEIGHTxWIDTH of every image.")] = None,
    shape: Annotated[
        str | None, typer.Option(help="Of an image, for rows of pixels, e.g. 28x28 or 3x32x32.")
    ] = None,
    layout: Annotated[
        str | None, typer.Option(help="nhwc or nchw, where images could be either.")
    ] = None,
    white: Annotated[
        float | None, typer.Option(help="The pixel value that is white, where that is open.")
    ] = None,
    image: Annotated[str | None, typer.Option(help="Column or array of images.")] = None,
    label: Annotated[str | None, typer.Option(help="Column or array of labels.")] = None,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave broken images out.")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Write over a NAME.npz that is there.")
    ] = False,
) -> None:
    """Make NAME.npz from images as people have them, and say what was done.

    What could be read in two ways is refused with the question; nothing is unpickled.
    """
    from reglab.data.importing.draft import Options, sizes
    from reglab.data.importing.make import import_data

    options = Options(
        test_fraction=test_fraction,
        seed=seed,
        resize=None if resize is None else sizes(resize, "--resize", (2,)),
        shape=None if shape is None else sizes(shape, "--shape", (2, 3)),
        layout=layout,
        white=white,
        image=image,
        label=label,
        skip_broken=skip_broken,
    )
    steps = import_data(source, name, options, replace=replace)
    width = max(len(what) for what, _ in steps)
    for what, done in steps:
        print(f"{what:{width}}  {done}")


@data_app.command("verify")
def data_verify() -> None:
    """Check the bundled samples and every NAME.npz in the data folder; exit 1 if one is bad."""
    from reglab.data.sources import verify

    statuses = verify()
    for status in statuses:
        print(f"{'ok ' if status.ok else 'BAD'} {status.name} ({status.source}): {status.message}")
    if not all(status.ok for status in statuses):
        raise typer.Exit(1)


@data_app.command("list")
def data_list() -> None:
    """List the data sets at hand: name, source, shape, numbers of examples, task."""
    from reglab.data.kinds import KINDS
    from reglab.data.sources import verify

    for status in verify():
        if status.ok:
            shape = "x".join(map(str, status.shape))
            items = KINDS[status.kind].items
            counts = f"{status.n_train} + {status.n_test} {items}, {_asked(status.n_classes)}"
            print(f"{status.name} ({status.source}): {shape}, {counts}, {status.path}")


@data_app.command("show", epilog="Example: reglab data show cifar10 --output cifar10.png")
def data_show(
    name: Annotated[str, typer.Argument(help="Name of a data set.")],
    output: Annotated[
        Path | None, typer.Option(help="File of the contact sheet [default: NAME.png].")
    ] = None,
) -> None:
    """Draw the first examples of each class into a file, and say what is worth knowing."""
    from reglab.data.dataset import resolve_source
    from reglab.data.kinds import KINDS
    from reglab.data.remarks import remarks
    from reglab.data.sources import load_file, load_sample
    from reglab.pages.contact import contact_sheet

    sample = resolve_source(name, "auto") == "sample"
    arrays = load_sample(name) if sample else load_file(name)
    output = picture_file(output or Path(f"{name}.png"))
    contact_sheet(arrays, f"{name}, {arrays.origin}").savefig(output, dpi=100)
    shape = " x ".join(map(str, arrays.x_train.shape[1:]))
    items = KINDS[arrays.kind].items
    counts = f"{len(arrays.x_train):,} + {len(arrays.x_test):,} {items} of {shape}"
    print(f"{name}: {counts}, {_asked(len(arrays.classes))}; contact sheet: {output}")
    for remark in remarks(arrays):
        print(f"note: {remark}")


def _asked(n_classes: int) -> str:
    return f"{n_classes} classes" if n_classes else "numbers to predict"
