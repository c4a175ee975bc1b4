"""How sure a mean is, and whether two configurations differ. Knows no measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from eval.result import Comparison, Interval, PerQuery
from rag.errors import DependencyMissing

_RESAMPLES = 10_000
_SAME = 1e-12


def interval(values: Sequence[float], seed: int = 0) -> Interval:
    """Mean and 95 % percentile bootstrap interval (Efron and Tibshirani 1993, ch. 13)."""
    sample = np.asarray(values, np.float64)
    if not len(sample):
        return Interval(0.0, 0.0, 0.0)
    mean = float(sample.mean())
    if np.ptp(sample) == 0:
        return Interval(mean, mean, mean)
    rng = np.random.default_rng(seed)
    parts = max(1, _RESAMPLES * len(sample) // 2_000_000)
    means = np.concatenate(
        [
            sample[rng.integers(0, len(sample), (len(part), len(sample)))].mean(axis=1)
            for part in np.array_split(np.empty(_RESAMPLES), parts)
        ]
    )
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(mean, float(low), float(high))


def compare(
    measure: str, values: Mapping[str, PerQuery], pairs: Sequence[tuple[str, str]], seed: int = 0
) -> tuple[Comparison, ...]:
    """Paired comparisons of ``(name, baseline)`` over the same queries.

    p-values of Fisher's randomisation test on the difference of means, two-sided (Smucker, Allan
    and Carterette 2007, "A Comparison of Statistical Significance Tests for Information Retrieval
    Evaluation"), corrected after Holm (1979).
    """
    found = []
    for name, baseline in pairs:
        ids = sorted(values[name].keys() & values[baseline].keys())
        d = np.array([values[name][i] - values[baseline][i] for i in ids])
        wins, losses = int((d > _SAME).sum()), int((d < -_SAME).sum())
        found.append(
            Comparison(measure, name, baseline, interval(d.tolist(), seed), _permutation(d, seed),
                       wins, losses, len(d) - wins - losses)
        )  # fmt: skip
    return holm(found)


def holm(comparisons: Sequence[Comparison]) -> tuple[Comparison, ...]:
    """``comparisons`` with their p-values corrected for being so many, after Holm (1979)."""
    corrected = list(comparisons)
    least = 0.0
    for i, at in enumerate(sorted(range(len(corrected)), key=lambda i: comparisons[i].p)):
        least = max(least, min(1.0, comparisons[at].p * (len(corrected) - i)))
        corrected[at] = replace(comparisons[at], p=least)
    return tuple(corrected)


def _permutation(differences: np.ndarray, seed: int) -> float:
    try:
        from scipy.stats import permutation_test
    except ImportError as e:
        raise DependencyMissing("scipy", "eval") from e
    real = differences[np.abs(differences) > _SAME]
    if len(real) == 0:
        return 1.0
    if len(real) == 1:
        return 1.0  # both signs are as extreme
    found = permutation_test(
        (real,), lambda x, axis: np.sum(x, axis=axis), permutation_type="samples",
        vectorized=True, n_resamples=_RESAMPLES, batch=1000, rng=seed,
    )  # fmt: skip
    return float(found.pvalue)
