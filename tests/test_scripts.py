"""A script that trains with worker processes needs the guard, and is told so before any starts."""

import subprocess
import sys

import pytest

from reglab.runs.workers import guarded

CALL = """
from reglab.runs.store import RunStore
from reglab.study import sweep
from reglab.study.plan import make_plan


def train():
    plans = [make_plan("mnist", "smoke", device="cpu")]
    sweep.reproduce(plans, RunStore("runs"), workers=2)

"""


def test_a_script_without_the_guard_is_told_in_one_line(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"{CALL}\ntrain()\n")
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert f"{script}, line 12: every worker process reads this script from its top; put" in last
    assert 'below `if __name__ == "__main__":`, or take workers=1' in last
    assert done.stderr.count("Traceback") == 1  # the script's own, none of a worker
    assert not list(tmp_path.glob("runs/*/*.json"))


@pytest.mark.parametrize(
    ("source", "line", "safe"),
    [
        ("import a\na.go()\n", 2, False),
        ('import a\nif __name__ == "__main__":\n    a.go()\n', 3, True),
        ('import a\nif "__main__" == __name__ and a:\n    a.go()\n', 3, True),
        ('import a\nif a.name == "__main__":\n    a.go()\n', 3, False),
        ('if __name__ == "__main__":\n    pass\na.go()\n', 3, False),
        ("with a:\n    a.go()\n", 2, False),
    ],
)
def test_guarded(source, line, safe):
    assert guarded(source, line) == safe
