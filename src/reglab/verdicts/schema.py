"""What a claim of `paper.toml` may ask of the rules: names, arguments and their values.

The arguments are those of the rule's own function, so that they are written down once. Here stands
what each of them may be.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping

from reglab.cells import CELL_ORDER, TECHNIQUES
from reglab.data.sources import KNOWN
from reglab.paper.schema import check_keys, is_number, is_text, refuse
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES
from reglab.study.protocol import sweep_arms
from reglab.study.selection import Choices
from reglab.verdicts import by_arithmetic, by_runs, mathematics
from reglab.verdicts.words import BY_ARITHMETIC, FAMILIES

SWEEPS = ("lambda", "dropout")

Check = Callable[[str, object], None]


def check(claims: Iterable[Mapping]) -> None:
    """Check that each claim's rules are there and can be given what the claim gives them.

    Args:
        claims: of the form that `reglab.paper.schema.check` asks for.

    Raises:
        ReglabError: one line that names the claim and the field, what it is and what it may be.
    """
    for claim in claims:
        _check_by_arithmetic(f"claim {claim['id']}, by_arithmetic", claim["by_arithmetic"])
        _check_by_runs(f"claim {claim['id']}, by_runs", claim["by_runs"])


def _check_by_arithmetic(place: str, given: Mapping) -> None:
    if given["rule"] not in by_arithmetic.RULES:
        refuse(f"{place}.rule", given["rule"], f"one of {', '.join(by_arithmetic.RULES)}")
    needed, optional = _parameters(by_arithmetic.RULES[given["rule"]])
    _check_arguments(place, given, ("rule", *needed), optional)


def _check_by_runs(place: str, given: Mapping) -> None:
    if given["rule"] == "none":
        _check_arguments(place, given, ("rule", "missing"))
        return
    if given["rule"] not in by_runs.RULES:
        refuse(f"{place}.rule", given["rule"], f"one of none, {', '.join(by_runs.RULES)}")
    rule = by_runs.RULES[given["rule"]]
    needed, optional = _parameters(rule)
    if rule in by_runs.DATA_SET_BY_DATA_SET:  # all three, where the claim names none
        needed, optional = needed - {"datasets"}, optional | {"datasets"}
    _check_arguments(place, given, ("rule", *needed, "family"), optional)
    _check_together(place, given)


def _parameters(function: Callable) -> tuple[set[str], set[str]]:
    """Return the names that a rule must be given, and those it may be given."""
    found = inspect.signature(function).parameters.values()
    found = [parameter for parameter in found if parameter.name != "studies"]
    needed = {parameter.name for parameter in found if parameter.default is parameter.empty}
    return needed, {parameter.name for parameter in found} - needed


def _check_arguments(
    place: str, given: Mapping, needed: Iterable[str], optional: Iterable[str] = ()
) -> None:
    check_keys(place, given, sorted(needed), sorted(optional))
    for name, value in given.items():
        if name != "rule":
            ARGUMENTS[name](f"{place}.{name}", value)


def _check_together(place: str, given: Mapping) -> None:
    """Check what no argument can be refused for alone."""
    if given["rule"] == "equal_gap" and len(given["datasets"]) != 2:
        refuse(f"{place}.datasets", given["datasets"], "two data sets")
    for pair, where in ((given, place), (given.get("also", {}), f"{place}.also")):
        if "treated" in pair and pair["treated"] == pair["control"]:
            refuse(f"{where}.control", pair["control"], "another cell than treated")
    if given["rule"] == "best":
        allowed = _strengths(given["study"])
        for name, label in [("best", given["best"]), *(("rivals", x) for x in given["rivals"])]:
            if label not in allowed:
                refuse(f"{place}.{name}", label, f"one of {', '.join(allowed)}")
        if given["best"] in given["rivals"]:
            refuse(f"{place}.rivals", given["rivals"], f"without {given['best']!r} itself")


@functools.cache
def _strengths(study: str) -> tuple[str, ...]:
    """Return the labels of a sweep's arms: those of the paper profile, which has them all."""
    plan = Plan.under(PROFILES["paper"], KNOWN[0], "cpu", seeds=1)
    arms = sweep_arms(plan, Choices(lr=0.01, adamw_lr=0.001))
    return tuple(dict.fromkeys(arm.label for arm in arms if arm.study == study))


def _one_of(allowed: Iterable[str]) -> Check:
    allowed = tuple(allowed)

    def check_one(place: str, value: object) -> None:
        if not isinstance(value, str) or value not in allowed:
            refuse(place, value, f"one of {', '.join(allowed)}")

    return check_one


def _datasets(place: str, value: object) -> None:
    fine = isinstance(value, list) and value and all(name in KNOWN for name in value)
    if not fine or len(set(value)) < len(value):
        refuse(place, value, f"a list of data sets, each once: {', '.join(KNOWN)}")


def _number(place: str, value: object) -> None:
    if not is_number(value, -100, 100):
        refuse(place, value, "a number from -100 to 100")


def _text(place: str, value: object) -> None:
    if not is_text(value):
        refuse(place, value, "a text")


def _texts(place: str, value: object) -> None:
    if not (isinstance(value, list) and value and all(map(is_text, value))):
        refuse(place, value, "a list of texts")


def _pair(place: str, value: object) -> None:
    _check_arguments(place, value, ("treated", "control"), ("metric",))


ARGUMENTS: dict[str, Check] = {
    "dataset": _one_of(KNOWN),
    "datasets": _datasets,
    "than": _one_of(KNOWN),
    "table": _one_of(TECHNIQUES),
    "technique": _one_of(TECHNIQUES),
    "check": _one_of(mathematics.CHECKS),
    "verdict": _one_of(BY_ARITHMETIC),
    "family": _one_of(FAMILIES),
    "study": _one_of(SWEEPS),
    "metric": _one_of(by_runs.METRICS),
    "value": _number,
    "bound": _number,
    "reason": _text,
    "missing": _text,
    "best": _text,
    "rivals": _texts,
    "also": _pair,
} | dict.fromkeys(("treated", "control", "cell"), _one_of(CELL_ORDER))
