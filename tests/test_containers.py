"""Dockerfile and dev container: the environment of the lock, at the Python that is tested."""

import json
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.specifiers import SpecifierSet
from typer.main import get_command

from reglab.cli import app

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
STEPS = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if re.match("[A-Z]+ ", line)]
DEV = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text("utf-8"))
PYTHON = re.compile(r"^python:(3\.\d+)(-slim)?$")  # Docker's official image, no other host


def python_of_ci():
    jobs = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text("utf-8"))["jobs"]
    steps = jobs["test"]["steps"]
    (version,) = (step["with"]["python-version"] for step in steps if "setup-python" in str(step))
    return version


@pytest.mark.parametrize("image", [dict(STEPS)["FROM"], DEV["image"]], ids=["Docker", "dev"])
def test_the_python_is_the_tested_one(image):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    version = PYTHON.match(image)[1]
    assert version == python_of_ci()
    assert version in SpecifierSet(project["requires-python"])


def test_the_image_is_made_as_every_environment_is():
    """By tools/make_venv.sh from the lock, with hashes; pip and uv are called nowhere else."""
    runs = [words for kind, words in STEPS if kind == "RUN"]
    assert runs[-1] == "sh tools/make_venv.sh .venv"
    assert not re.search(r"\b(pip|uv|conda|curl|wget)\b", DOCKERFILE)
    assert DEV["postCreateCommand"] == "make .venv/.installed"
    recipe = (ROOT / "Makefile").read_text("utf-8").partition("$(READY): requirements.lock")[2]
    assert "tools/make_venv.sh $(VENV)" in recipe


def test_what_a_step_needs_is_there_before_it():
    copied = []
    for kind, words in STEPS:
        if kind == "COPY":
            *sources, _ = [word for word in words.split() if not word.startswith("--")]
            copied += sources
        if words == "sh tools/make_venv.sh .venv":
            break
    script = (ROOT / "tools/make_venv.sh").read_text("utf-8")
    needed = {f"tools/{name}" for name in re.findall(r"\$tools/(\w+\.sh)", script)}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    needed |= {"tools/make_venv.sh", "requirements.lock", "pyproject.toml", project["readme"]}
    needed |= {*project["license-files"]}
    assert needed == set(copied)
    assert all((ROOT / name).is_file() for name in copied)


def test_what_make_makes_stays_out_of_the_image():
    ignored = set((ROOT / ".dockerignore").read_text("utf-8").split())
    assert {".git", ".venv", "_build", "runs", "book/reruns", "book/_generated"} <= ignored


def test_the_pages_example_of_compose_calls_what_there_is():
    page = (ROOT / "book/do_it_yourself.md").read_text("utf-8")
    assert "docker build --tag reglab ." in page
    text = next(block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
    services = yaml.safe_load(text)["services"]
    assert {service["image"] for service in services.values()} == {"reglab"}
    for service in services.values():
        program, *words = shlex.split(service["command"])
        assert shutil.which(program, path=str(ROOT / ".venv/bin")) or shutil.which(program)
        if program == "reglab":
            command = get_command(app).commands[words[0]]
            known = {name for option in command.params for name in option.opts}
            assert {word for word in words if word.startswith("--")} <= known
    folder = services["driver"]["volumes"][0].partition(":")[2]
    assert services["driver"]["environment"]["REGLAB_STORE"] == folder
    assert folder in DOCKERFILE


def test_the_editor_uses_that_environment():
    settings = DEV["customizations"]["vscode"]["settings"]
    assert settings["python.defaultInterpreterPath"].endswith("/.venv/bin/python")
