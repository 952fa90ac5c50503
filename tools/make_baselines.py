"""Record the simple rules' scores on text and time series, on the evaluation seeds.

python tools/make_baselines.py    # writes book/results/baselines/NAME.json
"""

import json
from importlib.metadata import version

from reglab.data import bundled
from reglab.data.dataset import load_dataset
from reglab.files import write_atomically
from reglab.paths import record_folder
from reglab.results.baselines import FOLDER, scores
from reglab.study.plan import make_plan

if __name__ == "__main__":
    for name in bundled.NAMES:
        seeds = list(make_plan(name, "reduced", device="cpu").evaluation_seeds)
        found = [scores(name, seed) for seed in seeds]
        kept = {
            "data_version": load_dataset(name).version,
            "scikit-learn": version("scikit-learn"),
            "seeds": seeds,
            "scores": {rule: [round(one[rule], 4) for one in found] for rule in found[0]},
        }
        path = record_folder() / FOLDER / f"{name}.json"
        write_atomically(path, (json.dumps(kept, indent=1) + "\n").encode())
        print(path)
