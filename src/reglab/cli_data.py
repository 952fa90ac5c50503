"""The command line's part on data sets: `reglab data fetch|verify|list`."""

from __future__ import annotations

from typing import Annotated

import typer

data_app = typer.Typer(no_args_is_help=True, help="Fetch, check and list data sets.")


@data_app.command("fetch", epilog="Example: reglab data fetch cifar10")
def data_fetch(
    name: Annotated[str, typer.Argument(help="mnist, fashion_mnist or cifar10")],
) -> None:
    """Download a full data set through torchvision, and check its SHA-256."""
    from reglab.data.download import fetch

    print(fetch(name))


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
    """List the data sets at hand: name, source, shape, images, classes."""
    from reglab.data.sources import verify

    for status in verify():
        if status.ok:
            shape = "x".join(map(str, status.shape))
            counts = f"{status.n_train} + {status.n_test} images, {status.n_classes} classes"
            print(f"{status.name} ({status.source}): {shape}, {counts}, {status.path}")
