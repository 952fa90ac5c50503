"""What the probe "robustness" does to test images: corruptions, by name, and their strengths."""

from __future__ import annotations

# At most so many test images, the first ones: a run's 19 scorings are to cost seconds.
IMAGES = 2000
CLEAN = "clean"  # the same images without a corruption

# kind -> three strengths, weakest first. `reglab.training.corrupting` says what each does.
CORRUPTIONS: dict[str, tuple[float, ...]] = {
    "noise": (0.05, 0.1, 0.2),  # standard deviation, as a share of the range from black to white
    "blur": (0.5, 1.0, 2.0),  # standard deviation of the Gaussian, in pixels
    "brightness": (0.7, 0.5, 0.3),  # what is left of the brightness
    "contrast": (0.7, 0.5, 0.3),  # what is left of the contrast
    "shift": (1, 2, 4),  # pixels
    "rotation": (5.0, 10.0, 20.0),  # degrees
}


def condition(kind: str, strength: float) -> str:
    """Return the name of a corrupted condition in a record, e.g. "noise 0.1"."""
    return f"{kind} {strength:g}"


def conditions() -> dict[str, tuple[str, float]]:
    """Return kind and strength of every corrupted condition, by its name."""
    return {
        condition(kind, strength): (kind, strength)
        for kind, strengths in CORRUPTIONS.items()
        for strength in strengths
    }
