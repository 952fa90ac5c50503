"""Run a command among settings of other notebooks, none of which may reach those of the book.

    python tools/hard_settings.py FOLDER COMMAND [ARGUMENT...]

A kernelspec named python3 that starts no Python, an IPython profile that prints every line, LaTeX
in pictures, and a start-up file that speaks. They are written to FOLDER.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path


def write(folder: Path) -> dict[str, str]:
    """Write the settings, and return the environment in which programs find them."""
    kernel = folder / "jupyter/kernels/python3/kernel.json"
    profile = folder / "ipython/profile_default/ipython_config.py"
    style, startup = folder / "matplotlib/matplotlibrc", folder / "startup.py"
    for path in (kernel, profile, style):
        path.parent.mkdir(parents=True)
    argv = ["python-that-is-not-there", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "Python 3", "language": "python"}))
    profile.write_text("c.InteractiveShell.ast_node_interactivity = 'all'\n")
    style.write_text("text.usetex: True\n")
    startup.write_text("print('good morning')\n")
    return {
        "JUPYTER_PATH": str(folder / "jupyter"),
        "JUPYTER_DATA_DIR": str(folder / "jupyter"),
        "IPYTHONDIR": str(folder / "ipython"),
        "MPLCONFIGDIR": str(style.parent),
        "PYTHONSTARTUP": str(startup),
    }


if __name__ == "__main__":
    folder, *command = sys.argv[1:]
    os.execvpe(command[0], command, os.environ | write(Path(folder).resolve()))
