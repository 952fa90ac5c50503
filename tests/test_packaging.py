"""What stands in several files says the same in each: dependencies, versions, pages, references."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import check_book
import contents
import pytest
import yaml
from packaging.requirements import Requirement

import reglab

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
GENERATED = re.compile(r"book/reruns/")
CONDA_NAMES = {"pytorch": "torch"}
CITED = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")


def direct_dependencies(*, without: str = "") -> dict[str, Requirement]:
    extras = PROJECT["optional-dependencies"].items()
    chosen = [line for name, extra in extras if name != without for line in extra]
    lines = [*PROJECT["dependencies"], *chosen]
    return {requirement.name: requirement for requirement in map(Requirement, lines)}


def locked() -> dict[str, list[tuple[Requirement, int]]]:
    """Name -> its pins (one for each platform or Python), each with the number of its hashes."""
    pins: dict[str, list[tuple[Requirement, int]]] = {}
    text = (ROOT / "requirements.lock").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement = Requirement(line.split("--hash=")[0])
            pins.setdefault(requirement.name, []).append(
                (requirement, len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line)))
            )
    return pins


def test_the_lock_pins_every_direct_dependency_within_its_range():
    pins = locked()
    for name, wanted in direct_dependencies().items():
        assert name in pins, f"{name} is not in requirements.lock; run make lock"
        for pin, _ in pins[name]:
            version = str(pin.specifier).removeprefix("==")
            assert wanted.specifier.contains(version), f"{pin} is not {wanted}; run make lock"


def test_the_lock_has_hashes_for_every_pin_and_no_address():
    pins = [pin for group in locked().values() for pin in group]
    assert len(pins) > 100
    for requirement, hashes in pins:
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes >= 1, f"{requirement} has no hash"
    assert not re.search(r"://|index-url|find-links", (ROOT / "requirements.lock").read_text())


def test_binder_adds_reglab_as_the_conda_environment_says():
    said = re.search(r"run --name reglab (.+)", (ROOT / "environment.yml").read_text())[1]
    script = ROOT / "postBuild"
    assert script.read_text().splitlines()[-1] == said
    assert os.access(script, os.X_OK)  # repo2docker refuses it otherwise


def test_the_conda_environment_has_the_same_direct_dependencies():
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {}
    for requirement in map(Requirement, lines):
        name = CONDA_NAMES.get(requirement.name, requirement.name)
        conda[name] = str(requirement.specifier)
    assert conda.pop("pip") == ""
    direct = direct_dependencies(without="browser")
    wanted = {name: str(item.specifier) for name, item in direct.items()}
    wanted["python"] = str(Requirement(f"python{PROJECT['requires-python']}").specifier)
    assert conda == wanted


def test_versions_and_licences_agree():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert PROJECT["version"] == reglab.__version__ == citation["version"]
    assert PROJECT["license"] == citation["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text().startswith("MIT License")
    assert [author["name"] for author in citation["authors"]] == [PROJECT["authors"][0]["name"]]


def test_every_page_of_the_book_exists_or_is_generated():
    pages = contents.pages(ROOT)
    assert len(pages) == len(set(pages))
    for page in pages:
        sources = [suffix for suffix in (".md", ".ipynb") if (ROOT / f"{page}{suffix}").exists()]
        assert sources or GENERATED.match(page), f"_toc.yml names {page}, which does not exist"
    makefile = (ROOT / "Makefile").read_text()
    datasets = re.search(r"^DATASETS := (.+)$", makefile, re.MULTILINE)[1].split()
    reruns = [page for page in pages if GENERATED.match(page)]
    assert reruns == [f"book/reruns/{name}" for name in datasets]


def test_references_are_defined_once_and_all_used():
    defined = re.findall(r"^@\w+\{([^,]+),", (ROOT / "book/references.bib").read_text(), re.M)
    assert len(defined) == len(set(defined))
    pages = [*ROOT.glob("book/*.md"), *ROOT.glob("notebooks/*.md")]
    cited = {
        key.strip()
        for page in pages
        for group in CITED.findall(page.read_text())
        for key in group.split(",")
    }
    assert cited == set(defined)


def test_notebooks_are_in_step_with_their_sources():
    assert check_book.check_pairs(ROOT / "notebooks") == []


def test_chapters_are_executed_without_failures():
    chapters = [page for page in contents.pages(ROOT) if page.startswith("notebooks/")]
    assert chapters
    for page in chapters:
        notebook = ROOT / f"{page}.ipynb"
        assert check_book.check_cells(notebook) == []
        assert '"name": "stderr"' not in notebook.read_text(), f"{notebook} shows a warning"


def test_local_hooks_and_ci_use_what_is_here():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repo["repo"] for repo in hooks] == ["local"]
    assert all(hook["language"] == "system" for hook in hooks[0]["hooks"])
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert re.search(r"^exec make test\b", script.read_text(), re.MULTILINE)


def find_python(folder: Path, **environment: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["/bin/sh", str(ROOT / "tools/find_python.sh")],
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_shim_that_fails_is_passed_over(tmp_path):
    fake_python(tmp_path, "python3.11", "echo 'not installed' >&2; exit 127")
    fake_python(tmp_path, "python3.12", "exit 0")
    fake_python(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
    done = find_python(tmp_path)
    assert done.returncode == 0
    assert Path(done.stdout.strip()).resolve() == Path(sys.executable).resolve()


@pytest.mark.parametrize(
    ("status", "hint"), [(3, "no working Python 3.11"), (4, "python3-venv"), (127, "install one")]
)
def test_without_a_usable_python_one_line_says_what_to_do(tmp_path, status, hint):
    fake_python(tmp_path, "python3", f"exit {status}")
    done = find_python(tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    assert hint in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_python_that_is_named_is_the_only_candidate(tmp_path):
    fake_python(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
    done = find_python(tmp_path, PYTHON="python3.13")
    assert done.returncode == 1
    assert "among: python3.13;" in done.stderr
