"""Simple rules for text and time series, on the same parts of the data as the networks.

What a practitioner would try first, from scikit-learn (of the extra ``book``): logistic regression
and naive Bayes on words, ridge regression on random convolutions (after ROCKET, Dempster et al.
2020), logistic regression on plain statistics; for numbers to predict the last value that is known
(the naive forecast), ridge regression and boosted trees. Their scores are recorded, as they depend
on no network and take longer than a page should.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from reglab.data import bundled
from reglab.data.dataset import Dataset, load_dataset, parts_of
from reglab.data.kinds import PAD, TOKENS, VECTORS
from reglab.data.sources import load_bundled
from reglab.data.tasks import CLASSIFICATION, REGRESSION
from reglab.errors import ReglabError
from reglab.paths import results_folder
from reglab.seeds import stream_seed

KERNELS = 500
LENGTHS = (7, 9, 11)
FOLDER = "baselines"
NAIVE = "the last value (the naive forecast)"
Parts = tuple[np.ndarray, np.ndarray]


def scores(name: str, seed: int) -> dict[str, float]:
    """Return each rule's test accuracy, or R², in percent, fitted to a seed's training part.

    Validation examples stay unused, as no strength is chosen by them.

    Args:
        name: one of `reglab.data.bundled.NAMES`.
        seed: of the split, as the networks have it.

    Raises:
        ReglabError: it is not one of these.
    """
    if name not in bundled.NAMES:
        raise ReglabError(f"no simple rules for {name}; take one of {', '.join(bundled.NAMES)}")
    data = load_dataset(name, seed=seed)
    rules = _RULES[data.kind, data.task]
    return {rule: 100 * score(data, seed) for rule, score in rules.items()}


def recorded(name: str, folder: Path | str | None = None) -> pd.DataFrame | None:
    """Return recorded scores in percent, a row a seed and a column a rule; None if none are.

    Raises:
        ReglabError: the file is damaged, or of other data.
    """
    path = results_folder(folder) / FOLDER / f"{name}.json"
    if not path.exists():
        return None
    try:
        kept = json.loads(path.read_text("utf-8"))
        table = pd.DataFrame(kept["scores"]).astype(float)
        table.index = pd.Index(map(int, kept["seeds"]), name="seed")
        version = kept["data_version"]
    except (ValueError, KeyError, TypeError) as error:
        raise ReglabError(
            f"{path} is damaged ({error}); make it anew by tools/make_baselines.py"
        ) from None
    if version != load_dataset(name).version:
        raise ReglabError(f"{path} is of {version}, other data than {name} is; make it anew")
    return table


def _words(data: Dataset) -> tuple[Parts, Parts]:
    """Return how often each word is in each passage of the training and of the test part."""
    from scipy.sparse import csr_matrix

    def counted(tokens: np.ndarray) -> csr_matrix:
        row, _ = np.nonzero(tokens != PAD)
        ones = np.ones(len(row), np.float64)
        return csr_matrix((ones, (row, tokens[tokens != PAD])), (len(tokens), data.vocabulary))

    return tuple(
        (counted(x.numpy()), y.numpy())
        for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test))
    )


def _logistic_words(data: Dataset, seed: int) -> float:
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfTransformer(sublinear_tf=True), LogisticRegression(C=10.0, max_iter=1000)
    )
    fit, test = _words(data)
    return model.fit(*fit).score(*test)


def _bayes(data: Dataset, seed: int) -> float:
    from sklearn.naive_bayes import MultinomialNB

    fit, test = _words(data)
    return MultinomialNB().fit(*fit).score(*test)


def _steps(data: Dataset) -> tuple[tuple[torch.Tensor, np.ndarray], ...]:
    parts = ((data.x_train, data.y_train), (data.x_test, data.y_test))
    return tuple((data.standardize(x), y.numpy()) for x, y in parts)


def _random_convolutions(data: Dataset, seed: int) -> float:
    """Ridge regression on the largest value, and the share above zero, of random kernels."""
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    kernels = _kernels(data.in_shape, seed)
    (fit, y_fit), (test, y_test) = _steps(data)
    model = make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(-1, 5, 7)))
    return model.fit(_convolved(fit, kernels), y_fit).score(_convolved(test, kernels), y_test)


def _kernels(in_shape: tuple[int, ...], seed: int) -> list[tuple[torch.Tensor, float, int]]:
    """Return random kernels of all channels with a bias and a dilation each."""
    generator = np.random.default_rng(stream_seed(seed, "kernels"))
    channels, steps = in_shape
    made = []
    for _ in range(KERNELS):
        length = min(int(generator.choice(LENGTHS)), steps)
        weights = generator.normal(size=(1, channels, length))
        weights -= weights.mean(2, keepdims=True)
        most = max(0.0, np.log2((steps - 1) / max(length - 1, 1)))
        dilation = int(2 ** generator.uniform(0, most))
        kernel = torch.from_numpy(weights / np.sqrt(channels)).float()
        made.append((kernel, generator.uniform(-1, 1), dilation))
    return made


def _convolved(x: torch.Tensor, kernels: list[tuple[torch.Tensor, float, int]]) -> np.ndarray:
    found = []
    for kernel, bias, dilation in kernels:
        out = torch.nn.functional.conv1d(x, kernel, dilation=dilation)[:, 0] + bias
        found += [out.amax(1), (out > 0).float().mean(1)]
    return torch.stack(found, 1).numpy()


def _statistics(data: Dataset, seed: int) -> float:
    """Logistic regression on mean, deviation, extremes and mean change of each channel."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    def features(x: torch.Tensor) -> np.ndarray:
        change = x.diff(dim=2).abs().mean(2)
        return torch.cat([x.mean(2), x.std(2), x.amax(2), x.amin(2), change], 1).numpy()

    (fit, y_fit), (test, y_test) = _steps(data)
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(features(fit), y_fit).score(features(test), y_test)


def _largest(data: Dataset, seed: int) -> float:
    """Always the most frequent class."""
    return (data.y_test == data.y_train.bincount().argmax()).double().mean().item()


def _explained(data: Dataset, predicted: np.ndarray) -> float:
    """Return R² of predictions (N,) of the one number, in its own units."""
    from sklearn.metrics import r2_score

    return r2_score(data.y_test[:, 0].numpy(), predicted)


def _mean(data: Dataset, seed: int) -> float:
    """Always the mean of the training part."""
    return _explained(data, np.full(len(data.y_test), data.target_mean.item()))


def _season(data: Dataset, seed: int) -> float:
    """The season's mean of each city: two harmonics of the year, by least squares."""
    packed, entry = bundled.stored(data.name), bundled.manifest()[data.name]
    fit = parts_of(load_bundled(data.name), seed)[0]
    y, predicted = data.y_train[:, 0].numpy(), np.empty(len(data.y_test))
    (city, day), (city_test, day_test) = (
        bundled.next_days(packed, entry, part) for part in ("train", "test")
    )
    for one in np.unique(city_test):
        mine = city[fit] == one
        weights, *_ = np.linalg.lstsq(_harmonics(day[fit][mine]), y[mine], rcond=None)
        there = city_test == one
        predicted[there] = _harmonics(day_test[there]) @ weights
    return _explained(data, predicted)


def _harmonics(day: np.ndarray) -> np.ndarray:
    """Return a constant, and sine and cosine of one and two waves a year, (n, 5)."""
    angles = 2 * np.pi * day[:, None] / 365.25 * [1, 2]
    return np.concatenate([np.ones((len(day), 1)), np.sin(angles), np.cos(angles)], axis=1)


def _naive(data: Dataset, seed: int) -> float:
    """The value of the last step: tomorrow will be as today."""
    channel = bundled.manifest()[data.name]["target"]
    return _explained(data, data.x_test[:, channel, -1].numpy())


def _average(data: Dataset, seed: int) -> float:
    channel = bundled.manifest()[data.name]["target"]
    return _explained(data, data.x_test[:, channel].mean(1).numpy())


def _ridge(data: Dataset, seed: int) -> float:
    """Ridge regression on every value of the window, its strength by leaving one out."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-1, 5, 7)))
    return _fitted(data, model)


def _trees(data: Dataset, seed: int) -> float:
    from sklearn.ensemble import HistGradientBoostingRegressor

    return _fitted(data, HistGradientBoostingRegressor(random_state=seed))


def _fitted(data: Dataset, model) -> float:
    """Return R² of a model of scikit-learn on every value of the window."""
    (fit, y), (test, _) = _steps(data)
    return _explained(data, model.fit(fit.flatten(1), y[:, 0]).predict(test.flatten(1)))


_RULES: dict[tuple[str, str], dict[str, Callable[[Dataset, int], float]]] = {
    (TOKENS, CLASSIFICATION): {
        "the most frequent class": _largest,
        "naive Bayes on words": _bayes,
        "logistic regression on words (tf-idf)": _logistic_words,
    },
    (VECTORS, CLASSIFICATION): {
        "the most frequent class": _largest,
        "logistic regression on plain statistics": _statistics,
        f"ridge regression on {KERNELS} random convolutions": _random_convolutions,
    },
    (VECTORS, REGRESSION): {
        "the mean of the training targets": _mean,
        "the season's mean, of each city": _season,
        "the mean of the window": _average,
        NAIVE: _naive,
        "ridge regression on the window": _ridge,
        "gradient-boosted trees on the window": _trees,
    },
}
