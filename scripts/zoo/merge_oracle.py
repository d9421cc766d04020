"""Merging and PERU-FFT in plain numpy: the oracle that the page's kernels are held to.

Written from the formulas alone, with a full sort where the page uses a radix select, so that the two can't share a
mistake. Tensors are dicts of name -> float32 array; the canonical order of all entries is names sorted bytewise, each
tensor row-major.
"""

from __future__ import annotations

import math

import numpy as np

Tensors = dict[str, np.ndarray]


def canonical_names(tensors: Tensors) -> list[str]:
    return sorted(tensors, key=lambda name: name.encode())


def flatten(tensors: Tensors) -> np.ndarray:
    return np.concatenate([tensors[name].ravel() for name in canonical_names(tensors)])


def unflatten(values: np.ndarray, like: Tensors) -> Tensors:
    result, start = {}, 0
    for name in canonical_names(like):
        size = like[name].size
        result[name] = values[start : start + size].reshape(like[name].shape)
        start += size
    return result


def task_arithmetic(base: np.ndarray, tuned: list[np.ndarray], coefficient: float) -> np.ndarray:
    """theta* = theta_0 + coefficient * sum of task vectors, in float64, rounded once to float32."""
    wide = base.astype(np.float64)
    total = np.zeros_like(wide)
    for values in tuned:
        total += values.astype(np.float64) - wide
    return (wide + coefficient * total).astype(np.float32)


def simple_average(base: np.ndarray, tuned: list[np.ndarray]) -> np.ndarray:
    return task_arithmetic(base, tuned, 1 / len(tuned))


def kept_count(size: int, percent: float) -> int:
    """k = m / 100 * size, halves rounded up."""
    return math.floor(percent * size / 100 + 0.5)


def top_entries(values: np.ndarray, percent: float) -> np.ndarray:
    """Indices, ascending, of the k entries largest by magnitude; a tie goes to the lower index."""
    order = np.argsort(-np.abs(values), kind="stable")
    return np.sort(order[: kept_count(values.size, percent)])


def sparse_model(centre: np.ndarray, tuned: np.ndarray, percent: float) -> tuple[np.ndarray, dict]:
    """centre + the kept entries of (tuned - centre) stored as float16.

    Around theta* this is PERU-FFT, around theta_0 it is Post-Pruning. Also returns what was kept.
    """
    offset = tuned - centre
    kept = top_entries(offset, percent)
    stored = offset[kept].astype(np.float16)
    result = centre.copy()
    result[kept] += stored.astype(np.float32)
    energy = float(np.sum(offset.astype(np.float64) ** 2))
    facts = {
        "kept": int(kept.size),
        "entries": int(offset.size),
        "threshold": float(np.abs(offset[kept]).min()) if kept.size else None,
        "kept_energy": float(np.sum(offset[kept].astype(np.float64) ** 2)) / energy if energy else 1.0,
    }
    return result, facts


def energy_share(values: np.ndarray, percent: float) -> float:
    """Share of the squared norm held by the largest `percent` of entries; a Gaussian has 0.44 at 10 %."""
    wide = values.astype(np.float64)
    kept = top_entries(values, percent)
    return float(np.sum(wide[kept] ** 2) / np.sum(wide**2))
