"""Images of any layout and type -> uint8, (N, H, W) or (N, H, W, 3)."""

from __future__ import annotations

import math

import numpy as np

from reglab.data.importing.draft import Draft, Options
from reglab.errors import ReglabError

CHANNELS = (1, 3, 4)  # grey, colour, colour with alpha


def standard(draft: Draft, options: Options) -> None:
    """Bring the images of all parts to uint8, (N, H, W) or (N, H, W, 3), in place.

    What is decided is decided once, on all parts together.

    Raises:
        ReglabError: the images fit no reading, or several.
    """
    if len({images.dtype for images in draft.images.values()}) > 1:
        kinds = ", ".join(f"{part} {images.dtype}" for part, images in draft.images.items())
        raise ReglabError(f"the parts hold pixels of several types ({kinds}); make them one")
    _shape(draft, options)
    _layout(draft, options)
    _scale(draft, options)
    _channels(draft)
    if options.resize:
        _resize(draft, options.resize)
    shapes = {images.shape[1:] for images in draft.images.values()}
    if len(shapes) > 1:
        sizes = " and ".join("x".join(map(str, shape)) for shape in sorted(shapes))
        raise ReglabError(f"the parts hold images of {sizes}; give --resize HEIGHTxWIDTH")


def _map(draft: Draft, function) -> None:
    draft.images = {part: function(images) for part, images in draft.images.items()}


def _shape(draft: Draft, options: Options) -> None:
    """Fold rows of pixels into images."""
    first = draft.images["train"]
    if first.ndim != 2:
        return
    n = first.shape[1]
    if options.shape is None:
        raise ReglabError(
            f"images are rows of {n} pixels; say of which shape they are, {_guess(n)}"
        )
    if math.prod(options.shape) != n:
        raise ReglabError(
            f"--shape {'x'.join(map(str, options.shape))} is {math.prod(options.shape)} pixels, "
            f"and a row has {n}"
        )
    _map(draft, lambda images: images.reshape(len(images), *options.shape))
    draft.say("shape", f"rows of {n} pixels folded to {' x '.join(map(str, options.shape))}")


def _guess(n: int) -> str:
    for channels in CHANNELS:
        side = math.isqrt(n // channels)
        if side * side * channels == n:
            first = f"--shape {side}x{side}"
            if channels == 1:
                return f"e.g. {first}"
            return (
                f"e.g. {first}x{channels}, or --shape {channels}x{side}x{side} if colours lie apart"
            )
    return "--shape HEIGHTxWIDTH"


def _layout(draft: Draft, options: Options) -> None:
    """Put channels last."""
    shape = draft.images["train"].shape
    if len(shape) not in (3, 4):
        raise ReglabError(f"images are an array of shape {shape}; it must be N x H x W [x C]")
    if len(shape) == 3:
        return
    fits = [name for name, at in (("nhwc", 3), ("nchw", 1)) if shape[at] in CHANNELS]
    if options.layout and options.layout not in fits:
        raise ReglabError(f"--layout {options.layout} does not fit images of shape {shape}")
    if not fits:
        raise ReglabError(
            f"images of shape {shape} have no axis of 1, 3 or 4 channels at their second or last "
            "place; put the axes in the order N, height, width, channels"
        )
    if len(fits) > 1 and not options.layout:
        raise ReglabError(
            f"images of shape {shape}: are channels the last axis (--layout nhwc) or the second "
            "one (--layout nchw)?"
        )
    if (options.layout or fits[0]) == "nchw":
        _map(draft, lambda images: np.moveaxis(images, 1, -1))
        draft.say("layout", "channels moved from the second axis to the last")


def _scale(draft: Draft, options: Options) -> None:
    """Bring values to 0..255."""
    arrays = list(draft.images.values())
    dtype = arrays[0].dtype
    if dtype.kind not in "buif":
        raise ReglabError(f"pixels are of type {dtype}; they must be numbers")
    if dtype.kind == "f" and not all(np.isfinite(images).all() for images in arrays):
        raise ReglabError("some pixels are NaN or infinite; mend or leave out these images")
    low = min(images.min(initial=0) for images in arrays)
    high = max(images.max(initial=0) for images in arrays)
    if low < 0:
        raise ReglabError(
            f"pixels go down to {low:g}: they look standardized; give them as they were before"
        )
    white = options.white or _white(dtype, float(high))
    if high > white:
        raise ReglabError(f"--white {white:g} is below the largest pixel, {high:g}")
    if white == 255 and dtype.kind in "ui":
        _map(draft, lambda images: images.astype(np.uint8))
        if dtype != np.uint8:
            draft.say("pixels", f"{dtype} up to {high}, kept as 8 bits")
        return
    _map(draft, lambda images: np.rint(images.astype(np.float64) * (255 / white)).astype(np.uint8))
    draft.say("pixels", f"{dtype} from 0 to {white:g}, brought to 0..255 and rounded")


def _white(dtype: np.dtype, high: float) -> float:
    """Return which value is white, where that is beyond doubt."""
    if dtype.kind == "b":
        return 1
    if dtype.kind == "f":
        candidates = [white for white in (1, 255) if high <= white]
        if 1 < high < 2:  # hardly a picture that is 8 bits deep and nearly black
            candidates = []
    else:
        candidates = [white for white in (255, 4095, 65535) if high <= white]
        if dtype == np.uint8 or high <= 255:
            candidates = [255]
    if not candidates or (len(candidates) > 1 and dtype.kind != "f"):
        raise ReglabError(
            f"pixels are {dtype} up to {high:g}: which value is white? Give --white, e.g. "
            f"{'--white 4095 or --white 65535' if dtype.kind in 'ui' else '--white 255'}"
        )
    return candidates[0]


def _channels(draft: Draft) -> None:
    """Lay what is transparent over white, and leave out the axis of a single channel."""
    channels = {images.shape[3] for images in draft.images.values() if images.ndim == 4}
    if channels == {4}:
        if not any(images[..., 3].any() for images in draft.images.values()):
            raise ReglabError(
                "the fourth channel is 0 everywhere: read as alpha, nothing of the images is seen; "
                "give them without it"
            )
        opaque = all((images[..., 3] == 255).all() for images in draft.images.values())
        _map(draft, _over_white)
        draft.say("channels", "alpha, all of it opaque" if opaque else "alpha: laid over white")
    elif channels == {1}:
        _map(draft, lambda images: images[..., 0])


def _over_white(images: np.ndarray) -> np.ndarray:
    colour, alpha = images[..., :3].astype(np.uint16), images[..., 3:].astype(np.uint16)
    return ((colour * alpha + 255 * (255 - alpha) + 127) // 255).astype(np.uint8)


def _resize(draft: Draft, size: tuple[int, int]) -> None:
    from PIL import Image

    before = draft.images["train"].shape[1:3]
    if before == size and len({images.shape[1:3] for images in draft.images.values()}) == 1:
        return

    def resized(images: np.ndarray) -> np.ndarray:
        made = [
            np.asarray(Image.fromarray(image).resize(size[::-1], Image.Resampling.BILINEAR))
            for image in images
        ]
        return np.stack(made)

    _map(draft, resized)
    draft.say("size", f"{before[0]} x {before[1]} resized to {size[0]} x {size[1]} (bilinear)")
