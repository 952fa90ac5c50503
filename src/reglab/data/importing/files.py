"""Image files of any kind, one by one -> uint8 arrays of one size."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import BinaryIO

import numpy as np

from reglab.data.importing.draft import Draft, Options, listed
from reglab.errors import ReglabError

_GREY = {"1", "L", "I;16", "I;16B", "I;16L", "I"}
_ALPHA = {"LA", "La", "RGBA", "RGBa", "PA"}
_KNOWN = _GREY | _ALPHA | {"RGB", "P", "CMYK", "YCbCr", "LAB", "HSV"}


class Reader:
    """Reads images one by one, and remembers what it had to do."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.broken: list[str] = []
        self.did: Counter[str] = Counter()
        self.first: dict[tuple[int, int], str] = {}  # of each size

    def read(self, file: Path | BinaryIO, name: str) -> np.ndarray | None:
        """Return one image as uint8, (H, W) or (H, W, 3); None if it is broken.

        Args:
            file: of the image.
            name: what to call it where it is named.
        """
        from PIL import Image, ImageOps, UnidentifiedImageError

        try:
            with Image.open(file) as opened:
                if opened.mode not in _KNOWN:
                    raise ValueError(f"pixels of kind {opened.mode}")
                opened.load()
                image = ImageOps.exif_transpose(opened)
                self.did["turned as their EXIF data say"] += image.size != opened.size
                self.did["of several frames, of which the first was taken"] += (
                    getattr(opened, "n_frames", 1) > 1
                )
            image = self._plain(image)
        except Exception as error:  # Pillow raises many kinds for damaged files
            unknown = isinstance(error, UnidentifiedImageError)
            why = "no image" if unknown else " ".join(str(error).split())[:80]
            self.broken.append(f"{name} ({why})")
            return None
        if self.options.resize:
            size = self.options.resize[::-1]
            self.did[f"resized to {size[1]} x {size[0]} (bilinear)"] += image.size != size
            image = image.resize(size, Image.Resampling.BILINEAR)
        self.first.setdefault(image.size[::-1], name)
        return np.asarray(image)

    def _plain(self, image):
        """Return an image as L or RGB."""
        from PIL import Image

        mode = image.mode
        if mode.startswith("I"):  # 16 bits, as an "I" that comes from a PNG is
            values = np.asarray(image).astype(np.float64)
            if values.min() < 0 or values.max() > 65535:
                raise ValueError("more than 16 bits a pixel")
            self.did["16 bits deep, brought to 8"] += 1
            return Image.fromarray(np.rint(values / 257).astype(np.uint8))
        if mode in _ALPHA or "transparency" in image.info:
            image = self._opaque(image.convert("LA") if mode == "La" else image)
        return image.convert("L" if mode in {"1", "L", "LA", "La"} else "RGB")

    def _opaque(self, image):
        """Lay an image over white: below what is transparent anything may be stored."""
        from PIL import Image

        image = image.convert("RGBA")
        seen_through = image.getextrema()[3][0] < 255
        self.did["transparent in part, laid over white"] += seen_through
        self.did["with alpha, all of it opaque"] += not seen_through
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)

    def stacked(self, images: dict[str, list[np.ndarray]]) -> dict[str, np.ndarray]:
        """Return each part as one array: grey if all images are, else colour.

        Raises:
            ReglabError: broken images without ``skip_broken``, or unequal sizes.
        """
        if self.broken and not self.options.skip_broken:
            raise ReglabError(
                f"{len(self.broken)} broken images: {listed(self.broken)}; mend or remove them, "
                "or leave them out with --skip-broken"
            )
        if len(self.first) > 1:
            (small, a), *_, (large, b) = sorted(self.first.items())
            raise ReglabError(
                f"images of {len(self.first)} sizes (height x width), from {small[0]} x {small[1]} "
                f"({a}) to {large[0]} x {large[1]} ({b}); give --resize HEIGHTxWIDTH"
            )
        if not images["train"]:
            raise ReglabError("no image is left to train on")
        dims = {image.ndim for part in images.values() for image in part}
        if dims == {2, 3}:
            grey = sum(image.ndim == 2 for part in images.values() for image in part)
            self.did["grey among colour images, made colour"] = grey
            images = {part: [_colour(image) for image in many] for part, many in images.items()}
        return {part: np.stack(many) for part, many in images.items() if many}

    def report(self, draft: Draft) -> None:
        """Note what was done to how many images."""
        for what, count in self.did.items():
            if count:
                draft.say("images", f"{count:,} {what}")
        if self.broken:
            draft.say("left out", f"{len(self.broken)} broken: {listed(self.broken)}")


def _colour(image: np.ndarray) -> np.ndarray:
    return image if image.ndim == 3 else np.repeat(image[..., None], 3, axis=2)
