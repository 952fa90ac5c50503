"""The machine around a run: device, threads, precision, memory, versions."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import torch

import reglab
from reglab.config import DEVICES, RunConfig
from reglab.errors import ReglabError


def resolve_device(device: str = "auto") -> str:
    """Return "cpu" or "cuda"; "auto" takes CUDA when there is one.

    Raises:
        ReglabError: unknown name, or "cuda" on a machine without one.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device not in DEVICES:
        raise ReglabError(f"device must be one of auto, {', '.join(DEVICES)}, got {device!r}")
    if device == "cuda" and not torch.cuda.is_available():
        raise ReglabError("device 'cuda' asked for, but torch finds none here; use --device cpu")
    return device


@contextlib.contextmanager
def settings(config: RunConfig, threads: int) -> Iterator[torch.device]:
    """Set threads and numerics for one run, and put them back after it.

    Denormals are flushed to zero: a strong penalty shrinks weights into that range, where CPU
    arithmetic is many times slower. TF32 is off, since "fp32" is to mean fp32.
    """
    device = torch.device(resolve_device(config.device))
    before = torch.get_num_threads()
    matmul, cudnn = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    else:
        _reset_peak_rss()
    try:
        yield device
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


def autocast(config: RunConfig) -> torch.autocast:
    """Return the autocast context of the config's precision (off for fp32)."""
    return torch.autocast(config.device, torch.bfloat16, enabled=config.precision == "bf16")


def synchronize(device: torch.device) -> None:
    """Wait for the device, so that a clock reading means something."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def keep_freed_memory() -> None:
    """Tell glibc to keep freed blocks instead of handing them back to the kernel.

    A step frees and asks again for the same megabytes of activations; by default each time is a
    fresh mapping whose pages fault in one by one (1.2 to 1.6 times the whole step's time on the
    small network). Without glibc this does nothing.
    """
    m_trim_threshold, m_top_pad, m_mmap_threshold = -1, -2, -3
    with contextlib.suppress(OSError, AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        if not mallopt(m_mmap_threshold, 1 << 30):  # older glibc allows at most 32 MiB
            mallopt(m_mmap_threshold, 1 << 25)
        mallopt(m_trim_threshold, (1 << 31) - 1)
        mallopt(m_top_pad, 64 << 20)


def peak_memory(device: torch.device) -> int | None:
    """Return peak bytes since `settings` began: allocator on CUDA, resident set on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/status").read_text().splitlines()
        peak = next(line for line in lines if line.startswith("VmHWM"))
        return int(peak.split()[1]) * 1024
    return None


def environment(device: torch.device, threads: int) -> dict[str, str]:
    """Return where a run was made: device, threads, versions of code and libraries."""
    return {
        "device_name": device_name(device),
        "threads": str(threads) if device.type == "cpu" else "-",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "code_version": code_version(),
        "rules": rules_digest(),
    }


def utc() -> str:
    """Return the time, e.g. 2026-01-31T12:00:00+00:00."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@functools.cache
def rules_digest() -> str:
    """Return the first 16 hex digits of the SHA-256 of the rules of judging (rules.md).

    In a record it says which rules stood when the run was made.
    """
    text = (files("reglab") / "rules.md").read_text("utf-8")
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.cache
def device_name(device: torch.device) -> str:
    """Return the GPU's name, or the processor's as the operating system gives it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@functools.cache
def code_version() -> str:
    """Return the package version, with the git commit where the code lies in a checkout.

    REGLAB_CODE_VERSION overrides it: a copy of the tree without git can be told its commit.
    """
    if given := os.environ.get("REGLAB_CODE_VERSION"):
        return given
    source = Path(reglab.__file__).parent
    commit = _git(source, "rev-parse", "--short=12", "HEAD")
    if not commit or _git(source, "ls-files", "--error-unmatch", reglab.__file__) is None:
        return reglab.__version__
    changed = _git(source, "status", "--porcelain", "--", str(source))
    return f"{reglab.__version__}+g{commit}{'.changed' if changed else ''}"


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _reset_peak_rss() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
