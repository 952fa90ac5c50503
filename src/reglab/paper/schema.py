"""`paper.toml` read and checked: its grids, its tables, and the form of its claims.

What a claim's rules may be given is `reglab.verdicts.schema`' to say, since the rules are there.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NoReturn

from reglab.cells import COMBINATIONS, TECHNIQUES
from reglab.config import shown
from reglab.data.sources import KNOWN
from reglab.errors import ReglabError

# The columns of each printed table: cells of the factorial, or techniques for the ablation.
COLUMNS = {
    "l2": ("none", "l2"),
    "dropout": ("none", "dropout"),
    "bn": ("none", "bn"),
    "combined": tuple(COMBINATIONS),
    "ablation": TECHNIQUES,
}
PARTIAL = ("ablation",)  # printed for some data sets only

_CLAIM_FIELDS = ("id", "quote", "place", "evidence", "by_arithmetic", "by_runs")
_ID = re.compile(r"[NMC][1-9][0-9]*")
_EVIDENCE = re.compile(r"(notebooks|book)/[a-z0-9_/-]+(#[a-z0-9-]+)?")


def refuse(place: str, given: object, allowed: str) -> NoReturn:
    """Raise the one-line error that names a place in the file, what is there and what may be."""
    text = shown(given)
    text = text if len(text) <= 100 else f"{text[:100]}..."
    raise ReglabError(f"paper.toml: {place} is {text}; it must be {allowed}")


def read(path: Path | Traversable) -> dict:
    """Return the file's contents, every number with a decimal point as an exact Decimal.

    Raises:
        ReglabError: it cannot be read, is no TOML, or is not what `check` asks for; one line.
    """
    try:
        values = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as error:
        raise ReglabError(
            f"cannot read paper.toml: {error.strerror or error}; reinstall reglab"
        ) from None
    except (ValueError, ArithmeticError, RecursionError) as error:
        detail = " ".join(str(error).split())
        raise ReglabError(f"paper.toml is not valid TOML in UTF-8: {detail}") from None
    return check(values)


def check(values: dict) -> dict:
    """Return ``values``, the contents of a `paper.toml`, if every field is what it must be.

    Raises:
        ReglabError: one line that names the place, what is there and what is allowed.
    """
    check_keys("the file", values, ("grids", "tables", "claims"))
    _check_grids(values["grids"])
    check_keys("tables", values["tables"], COLUMNS)
    for name, table in values["tables"].items():
        _check_table(name, table)
    _check_claims(values["claims"])
    return values


def check_keys(
    place: str, given: object, needed: Iterable[str], optional: Iterable[str] = ()
) -> None:
    """Refuse what is not a table of the needed keys and, at most, the optional ones."""
    needed, optional = tuple(needed), tuple(optional)
    if not isinstance(given, Mapping):
        refuse(place, given, f"a table of {', '.join(needed) or 'nothing'}")
    for key in needed:
        if key not in given:
            raise ReglabError(f"paper.toml: {place} has no {key}; it needs {', '.join(needed)}")
    for key in given:
        if key not in (*needed, *optional):
            may = ", ".join((*needed, *optional)) or "nothing"
            raise ReglabError(f"paper.toml: {place} has {shown(key)}; it may have {may}")


def is_number(value: object, low: float, high: float) -> bool:
    """Return whether ``value`` is an int or a Decimal, finite, from low to high."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return (isinstance(value, int) or value.is_finite()) and low <= value <= high


def is_text(value: object) -> bool:
    """Return whether ``value`` is a string with something in it."""
    return isinstance(value, str) and value.strip() != ""


def _check_grids(grids: object) -> None:
    check_keys("grids", grids, ("lambda", "p"))
    for name, high in (("lambda", 1000), ("p", 1)):
        grid = grids[name]
        fine = isinstance(grid, list) and grid and all(is_number(x, 0, high) for x in grid)
        if not fine:
            refuse(f"grids.{name}", grid, f"a list of numbers from 0 to {high}")


def _check_table(name: str, table: object) -> None:
    place = f"tables.{name}"
    needed, optional = (("place",), KNOWN) if name in PARTIAL else (("place", *KNOWN), ())
    check_keys(place, table, needed, optional)
    if not is_text(table["place"]):
        refuse(f"{place}.place", table["place"], "a text")
    for dataset, row in table.items():
        if dataset == "place":
            continue
        check_keys(f"{place}.{dataset}", row, COLUMNS[name])
        for column, value in row.items():
            _check_printed(name, f"{place}.{dataset}.{column}", value)


def _check_printed(table: str, place: str, value: object) -> None:
    if table == "ablation":
        if not is_number(value, -100, 100):
            refuse(place, value, "a number of points from -100 to 100")
    elif not is_number(value, 0, 100) or value in (0, 100):  # shares of the errors are taken
        refuse(place, value, "an accuracy in percent, a number above 0 and below 100")


def _check_claims(claims: object) -> None:
    if not isinstance(claims, list) or not claims:
        refuse("claims", claims, "a list of tables, [[claims]]")
    seen: set[str] = set()
    for number, claim in enumerate(claims, start=1):
        name = claim.get("id") if isinstance(claim, Mapping) else None
        if not (isinstance(name, str) and _ID.fullmatch(name)):
            refuse(f"the id of claim number {number}", name, "N, M or C and a number, e.g. N7")
        if name in seen:
            raise ReglabError(f"paper.toml: the id {name!r} is there twice; each claim has its own")
        seen.add(name)
        _check_claim(f"claim {name}", claim)


def _check_claim(place: str, claim: Mapping) -> None:
    check_keys(place, claim, _CLAIM_FIELDS)
    for field in ("quote", "place"):
        if not is_text(claim[field]):
            refuse(f"{place}, {field}", claim[field], "a text")
    evidence = claim["evidence"]
    if not (isinstance(evidence, str) and _EVIDENCE.fullmatch(evidence)):
        refuse(f"{place}, evidence", evidence, "PAGE or PAGE#SECTION, a page of notebooks or book")
    for kind in ("by_arithmetic", "by_runs"):
        if not isinstance(claim[kind], Mapping):
            refuse(f"{place}, {kind}", claim[kind], "a table of a rule and its arguments")
        if not is_text(rule := claim[kind].get("rule")):
            refuse(f"{place}, {kind}.rule", rule, "the name of a rule")
