"""Make the bundled sample from the full data sets.

    python tools/make_sample.py    # reads NAME.npz from the data folder (REGLAB_DATA_DIR)

Takes 2,000 training and 1,000 test images of each known data set, stratified, and writes them to
src/reglab/sample as lossless WebP sheets of 1,000 with labels, places in the full set (`index_*`),
and a manifest of digests. The result is the same bytes for the same Pillow version; the pixels
are the same for any.
"""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from reglab.data.sources import KNOWN, digest, load_file
from reglab.data.splitting import stratified_order

SAMPLE = Path(__file__).parents[1] / "src" / "reglab" / "sample"
SIZES = {"train": 2000, "test": 1000}
SHEET, COLUMNS, SEED = 1000, 40, 0


def write_sheet(images: np.ndarray, path: Path) -> None:
    """Lay images out in rows of COLUMNS tiles and write them losslessly."""
    _, height, width, *channels = images.shape
    tiles = images.reshape(-1, COLUMNS, height, width, *channels).swapaxes(1, 2)
    sheet = np.ascontiguousarray(tiles).reshape(-1, COLUMNS * width, *channels)
    image = Image.fromarray(sheet).convert("RGB")
    image.save(path, "WEBP", lossless=True, quality=100, method=6, exact=True)


def make(name: str) -> dict[str, object]:
    """Write one data set's sample; return its entry of the manifest."""
    full, arrays, index, entry = load_file(name), {}, {}, {}
    for split, size in SIZES.items():
        x, y = getattr(full, f"x_{split}"), getattr(full, f"y_{split}")
        chosen = np.sort(stratified_order(y, SEED)[:size])
        arrays[f"x_{split}"], arrays[f"y_{split}"] = x[chosen], y[chosen].astype(np.uint8)
        index[f"index_{split}"] = chosen.astype(np.uint32)
        sheets = [f"{name}-{split}-{k}.webp" for k in range(size // SHEET)]
        for k, sheet in enumerate(sheets):
            write_sheet(x[chosen[k * SHEET : (k + 1) * SHEET]], SAMPLE / sheet)
        entry[f"{split}_sheets"] = sheets
    labels = {key: arrays[key] for key in ("y_train", "y_test")}
    np.savez_compressed(SAMPLE / f"{name}-labels.npz", **labels, **index)
    return {"sha256": digest(arrays), "shape": list(full.x_train.shape[1:]), **entry}


if __name__ == "__main__":
    manifest = {name: make(name) for name in KNOWN}
    (SAMPLE / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
