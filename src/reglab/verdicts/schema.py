"""What a claim of `paper.toml` may ask of the rules: names, arguments and their values.

The arguments are those of the rule's own function, so that they are written down once. Here stands
what each of them may be.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping

from reglab.cells import TECHNIQUES
from reglab.data.sources import KNOWN
from reglab.paper.schema import check_keys, is_number, is_text, refuse
from reglab.results.arms import METRICS
from reglab.study.plan import Plan
from reglab.study.profiles import PROFILES
from reglab.study.protocol import evaluation_arms, lr_arms, sweep_arms
from reglab.study.selection import Choices
from reglab.verdicts import by_arithmetic, by_runs, mathematics
from reglab.verdicts.words import BY_ARITHMETIC, FAMILIES

VARIANTS = ("readings", "others")  # of a claim's arguments

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
    readings, others = (given.get(name, {}) for name in VARIANTS)
    plain = {key: value for key, value in given.items() if key not in VARIANTS}
    for kind in VARIANTS:
        if kind in given and not (isinstance(given[kind], Mapping) and given[kind]):
            refuse(f"{place}.{kind}", given[kind], "a table of tables, by name")
    for name, own in (readings or {"": {}}).items():
        _check_variant(f"{place}.readings.{name}" if readings else place, plain, own)
    for name, own in others.items():
        _check_variant(f"{place}.others.{name}", plain, own)


def _check_variant(place: str, plain: Mapping, own: object) -> None:
    """Check a claim's arguments together with those of one reading or one other arm."""
    if not isinstance(own, Mapping):
        refuse(place, own, "a table of arguments")
    given, rule = {**plain, **own}, by_runs.RULES[plain["rule"]]
    needed, optional = _parameters(rule)
    if rule in by_runs.DATA_SET_BY_DATA_SET:  # all three, where the claim names none
        needed, optional = needed - {"datasets"}, optional | {"datasets"}
    _check_arguments(place, given, ("rule", *needed, "family"), optional)
    _check_together(place, given)


def _parameters(function: Callable) -> tuple[set[str], set[str]]:
    """Return the names that a rule must be given, and those it may be given."""
    parameters = inspect.signature(function).parameters.values()
    parameters = [parameter for parameter in parameters if parameter.name != "studies"]
    needed = {parameter.name for parameter in parameters if parameter.default is parameter.empty}
    return needed, {parameter.name for parameter in parameters} - needed


def _check_arguments(
    place: str, given: Mapping, needed: Iterable[str], optional: Iterable[str] = ()
) -> None:
    check_keys(place, given, sorted(needed), sorted(optional))
    for name, value in given.items():
        if name != "rule":
            ARGUMENTS[name](f"{place}.{name}", value)


def _check_together(place: str, given: Mapping) -> None:
    """Check what no argument can be refused for alone."""
    also = [(pair, f"{place}.also") for pair in given.get("also", ())]
    for pair, where in ((given, place), *also):
        if "treated" in pair and pair["treated"] == pair["control"]:
            refuse(f"{where}.control", pair["control"], "another arm than treated")
    if given["rule"] == "best" and given["best"] in given["rivals"]:
        refuse(f"{place}.rivals", given["rivals"], f"without {given['best']!r} itself")


@functools.cache
def arm_names() -> tuple[str, ...]:
    """Return the names of arms, as `reglab.results.arms` reads them: those of the paper profile.

    It has them all; a label of a choice holds for any that may be made.
    """
    plan = Plan.from_profile(PROFILES["paper"], KNOWN[0], "cpu", seeds=1)
    chosen = Choices(lr=0.01, adamw_lr=0.001, lam=0.01, dropout=0.5)
    arms = lr_arms(plan) + sweep_arms(plan, chosen) + evaluation_arms(plan, chosen)
    named = [arm.label if arm.study == "factorial" else f"{arm.study}:{arm.label}" for arm in arms]
    return tuple(dict.fromkeys(named))


def _arm(place: str, value: object) -> None:
    if not isinstance(value, str) or value not in arm_names():
        refuse(place, value, f"one of {', '.join(arm_names())}")


def _arms(place: str, value: object) -> None:
    if not (isinstance(value, list) and value):
        refuse(place, value, "a list of arms")
    for name in value:
        _arm(place, name)


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


def _pairs(place: str, value: object) -> None:
    if not (isinstance(value, list) and value):
        refuse(place, value, "a list of tables of two arms")
    for pair in value:
        _check_arguments(place, pair, ("treated", "control"), ("metric",))


ARGUMENTS: dict[str, Check] = {
    "dataset": _one_of(KNOWN),
    "datasets": _datasets,
    "than": _one_of(KNOWN),
    "table": _one_of(TECHNIQUES),
    "technique": _one_of(TECHNIQUES),
    "check": _one_of(mathematics.CHECKS),
    "verdict": _one_of(BY_ARITHMETIC),
    "family": _one_of(FAMILIES),
    "metric": _one_of(METRICS),
    "otherwise": _one_of(BY_ARITHMETIC),
    "remark": _text,
    "value": _number,
    "bound": _number,
    "reason": _text,
    "missing": _text,
    "rivals": _arms,
    "also": _pairs,
} | dict.fromkeys(("treated", "control", "cell", "best"), _arm)
