"""Makes src/kernels/low-rank/golden/svd.json: singular values of low-rank products by numpy in float64.

    python -m venv venv && venv/bin/pip install numpy==2.2.6
    venv/bin/python scripts/golden_svd.py

Factors are not stored: their entries are multiples of 2^-15 in [-1, 1) from a seeded generator
(mulberry32), times a power of two for each column, so that any program makes the same ones.
numpy.linalg.svd takes the dense product, which shares nothing with QR and a small core.
"""

import json
from pathlib import Path

import numpy as np

OUT = Path(__file__).resolve().parent.parent / "src/kernels/low-rank/golden/svd.json"

# rows, columns, rank, halvings: column k of the left factor is scaled by 2^-floor(k * halvings).
CASES = [
    (768, 768, 16, 0.0),
    (768, 3072, 8, 0.5),
    (768, 768, 16, 1.3),
    (37, 53, 16, 0.0),
    (1, 40, 5, 0.0),
    (40, 1, 1, 0.0),
    (29, 31, 40, 0.1),
    (200, 150, 128, 0.05),
    (90, 300, 256, 0.0),
]


def mulberry32(seed):
    state = seed
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        mixed = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        mixed ^= (mixed + ((mixed ^ (mixed >> 7)) * (mixed | 61))) & 0xFFFFFFFF
        yield mixed ^ (mixed >> 14)


def factor(numbers, length, rank):
    """Vectors one after another, [rank, length]."""
    values = [((next(numbers) >> 16) - 32768) / 32768 for _ in range(length * rank)]
    return np.array(values).reshape(rank, length)


def main():
    cases = []
    for seed, (rows, columns, rank, halvings) in enumerate(CASES, start=1):
        numbers = mulberry32(seed)
        left = factor(numbers, rows, rank)
        right = factor(numbers, columns, rank)
        scales = 2.0 ** -np.floor(np.arange(rank) * halvings)
        sigma = np.linalg.svd((left * scales[:, None]).T @ right, compute_uv=False)
        sigma = sigma[: min(rank, rows, columns)]
        cases.append(
            dict(seed=seed, rows=rows, columns=columns, rank=rank, halvings=halvings,
                 sigma=[float(f"{value:.12g}") for value in sigma])
        )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")


if __name__ == "__main__":
    main()
