"""Print what the recorded runs can show of each claim, from many simulated studies.

python tools/power_of_rules.py --studies 5000 --seeds 10 --spread 0.33 --profile full
"""

from __future__ import annotations

import argparse

from reglab.results import recorded
from reglab.verdicts import power, simulated


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=5000, help="simulated studies a truth")
    parser.add_argument("--seeds", type=int, help="seeds of a study; as recorded if not given")
    parser.add_argument("--spread", type=float, default=1.0, help="factor on the recorded spread")
    parser.add_argument("--profile", help="judge as at this profile; as recorded if not given")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draws")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Print the table of claims, and the false alarms of each family where nothing differs."""
    asked = _parser().parse_args(argv)
    given = simulated.basis(recorded.studies())
    given = given.judged_as(asked.profile) if asked.profile else given
    how = {"spread": asked.spread, "studies": asked.studies, "seed": asked.seed}
    print(power.table(given, asked.seeds, **how).round(3).to_string())
    print("\nShare of studies with at least one claim confirmed, or refuted, if nothing differs:")
    nothing = simulated.simulate(given, "equal", asked.seeds or given.seeds, **how)
    print(power.alarms(nothing).round(4).to_string(index=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
