"""Peru's job in torch on the CPU: files to theta* by task arithmetic and, for each task, the exact
top m % of theta_t - theta* by magnitude as positions and F16 values in memory. The last line it
prints is a record.

    python merge_prune.py GROUP LAMBDA PERCENT
"""

import argparse
import json
import resource
import time
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open


def read_flat(path: Path) -> torch.Tensor:
    """All tensors end to end, in the order of their names."""
    with safe_open(path, "pt") as file:
        return torch.cat([file.get_tensor(name).reshape(-1) for name in sorted(file.keys())])


def top(u: torch.Tensor, k: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions and values of the k largest |u|, ties by lowest position.

    numpy's partition finds the threshold two to three times faster than torch's topk and kthvalue.
    """
    magnitudes = u.abs()
    threshold = float(np.partition(magnitudes.numpy(), u.numel() - k)[u.numel() - k])
    above = torch.nonzero(magnitudes > threshold).squeeze(1)
    ties = torch.nonzero(magnitudes == threshold).squeeze(1)[: k - above.numel()]
    positions = torch.cat([above, ties]).sort().values
    return positions, u[positions].half()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("group", type=Path)
    parser.add_argument("coefficient", type=float)
    parser.add_argument("percent", type=float)
    args = parser.parse_args()

    start = time.perf_counter()
    base = read_flat(args.group / "base.safetensors")
    tasks = [read_flat(path) for path in sorted(args.group.glob("task-*.safetensors"))]
    read = time.perf_counter()

    theta = base.float()
    merged = theta.clone()
    for task in tasks:
        merged.add_(task.float().sub_(theta), alpha=args.coefficient)
    merged = merged.half()
    merge = time.perf_counter()

    k = round(args.percent / 100 * merged.numel())
    center = merged.float()
    sparse = [top(task.float().sub_(center), k) for task in tasks]
    end = time.perf_counter()

    assert all(len(values) == k for _, values in sparse)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"torch {torch.__version__} and numpy {np.__version__} on the CPU, {torch.get_num_threads()} threads: "
        f"{end - start:.1f} s in all: reading {read - start:.2f}, merge {merge - read:.2f}, "
        f"select {len(tasks)} x {(end - merge) / len(tasks):.2f}; peak memory {peak / 1e9:.1f} GB"
    )
    print(json.dumps(dict(bench="job", program="torch", seconds=end - start, peakBytes=peak)))


if __name__ == "__main__":
    main()
