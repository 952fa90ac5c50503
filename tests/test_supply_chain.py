"""What is installed and read from elsewhere: hashes enforced, and no code run from data."""

import ast
import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import jupytext
import pytest

ROOT = Path(__file__).resolve().parents[1]
UNPICKLERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
NETWORK = {"urllib.request", "http.client", "requests", "httpx", "socket", "ftplib"}
# Called with anything that is not written down in the source, these run it.
EXECUTORS = {"eval", "exec", "compile", "__import__"}
NEEDED = {
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "npy.read_array": ("allow_pickle", False),
    "torch.hub.load": ("source", "local"),
}
# What trips a rule with a reason.
ALLOWED = {"src/reglab/datafetch.py": ["import socket"]}  # for the downloader's time-out
FORBIDDEN = {"yaml.load", "yaml.unsafe_load", "pd.read_pickle", "os.system", "os.popen"}


def findings(source: str) -> list[str]:
    """Return what a piece of Python does that it must not, a line each."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names]
            if isinstance(node, ast.ImportFrom):
                names = [node.module or "", *(f"{node.module}.{name}" for name in names)]
            for name in names:
                if name.split(".")[0] in UNPICKLERS or name in NETWORK:
                    found.append(f"line {node.lineno}: import {name}")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            given = {key.arg: ast.unparse(key.value) for key in node.keywords}
            if name in EXECUTORS or name in FORBIDDEN or given.get("shell") == "True":
                found.append(f"line {node.lineno}: {name}(...)")
            if name in NEEDED:
                key, value = NEEDED[name]
                if given.get(key) != repr(value):
                    found.append(f"line {node.lineno}: {name} without {key}={value!r}")
    return found


def sources() -> list[Path]:
    return [*ROOT.glob("src/**/*.py"), *ROOT.glob("tools/*.py"), *ROOT.glob("notebooks/*.md")]


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_comes_from_data(path):
    text = path.read_text("utf-8")
    if path.suffix == ".md":
        cells = [cell for cell in jupytext.reads(text, "md:myst").cells if cell.cell_type == "code"]
        text = "\n".join(re.sub(r"^%.*$", "", cell.source, flags=re.MULTILINE) for cell in cells)
    allowed = ALLOWED.get(str(path.relative_to(ROOT)), [])
    assert [finding.partition(": ")[2] for finding in findings(text)] == allowed


@pytest.mark.parametrize(
    "bad",
    [
        "import pickle",
        "from pickle import loads",
        "import joblib.numpy_pickle",
        "from urllib import request",
        "import urllib.request",
        "eval(text)",
        "exec(open(path).read())",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "yaml.load(text)",
        "subprocess.run(line, shell=True)",
        "os.system(line)",
    ],
)
def test_the_check_finds(bad):
    assert findings(bad)


@pytest.mark.parametrize(
    "good",
    [
        "torch.load(path, weights_only=True)",
        "np.load(path, allow_pickle=False)",
        "yaml.safe_load(text)",
        "subprocess.run([a, b], check=True)",
        "from urllib.parse import urlsplit",
        "model.eval()",
        "re.compile(pattern)",
    ],
)
def test_the_check_lets_pass(good):
    assert findings(good) == []


# Installing


def test_set_up_enforces_the_hashes_of_the_lock():
    script = (ROOT / "tools/make_venv.sh").read_text().replace("\\\n", " ")
    installs = re.findall(r"-m (?:uv )?pip (?:install|sync) .*", script)
    assert len(installs) == 3
    for line in installs:
        # reglab itself, from this very folder, without dependencies and without a build from afar
        own = "--no-deps --no-build-isolation --editable ." in line
        assert own or "--require-hashes" in line, line


@pytest.fixture
def package(tmp_path):
    """A tiny wheel in a folder of its own, and its SHA-256."""
    wheel = tmp_path / "wheels" / "tiny-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    info = "tiny-1.0.dist-info"
    files = {
        "tiny.py": "",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, text in {**files, f"{info}/RECORD": record}.items():
            packed.writestr(name, text)
    return wheel, hashlib.sha256(wheel.read_bytes()).hexdigest()


@pytest.mark.parametrize("tool", [["pip"], ["uv", "pip"]], ids=" ".join)
@pytest.mark.parametrize("tampered", [False, True])
def test_a_file_with_another_hash_is_not_installed(package, tmp_path, tool, tampered):
    wheel, digest = package
    lock, target = tmp_path / "lock", tmp_path / "target"
    lock.write_text(f"tiny==1.0 --hash=sha256:{digest}\n")
    if tampered:
        with zipfile.ZipFile(wheel, "a") as packed:
            packed.writestr("tiny_extra.py", "print('not what was locked')")
    command = [sys.executable, "-m", *tool, "install", "--require-hashes", "--no-index"]
    command += ["--find-links", wheel.parent, "--target", target, "--requirement", lock]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode != 0) == tampered, done.stderr
    assert (target / "tiny.py").exists() != tampered
    if tampered:
        assert "hash" in done.stderr.lower()
