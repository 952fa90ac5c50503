"""Record the golden runs anew (`make golden`): only when a change of training is meant.

python tools/make_golden.py src/reglab/golden.jsonl.gz
"""

from __future__ import annotations

import sys
from pathlib import Path

from reglab.runs.store import write_table
from reglab.training.run import train
from reglab.verify import golden_configs


def main(argv: list[str]) -> int:
    """Train each golden config and write the table."""
    (target,) = map(Path, argv)
    write_table([train(config) for config in golden_configs().values()], target)
    print(f"{target}: {target.stat().st_size / 1e3:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
