"""Times the dense route to the rank of a LoRA matrix: form B A, take its full SVD.

    python bench/peers/svd_dense.py [--matrices 8] [--json]

This is what mergekit, PEFT and kohya do for each module. A few matrices of Flan-T5-base's shape
are timed and the median is multiplied up to all 576; the sum never includes reading files.
"""

import argparse
import json
import statistics
import time

import torch

LENGTH, RANK, ALL = 768, 16, 576


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--matrices", type=int, default=8)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    torch.manual_seed(0)
    wall, processor = [], []
    for run in range(-1, options.matrices):
        b, a = torch.randn(LENGTH, RANK), torch.randn(RANK, LENGTH)
        start, start_processor = time.perf_counter(), time.process_time()
        torch.linalg.svd(b @ a, full_matrices=False)
        if run >= 0:  # the first warms up
            wall.append(time.perf_counter() - start)
            processor.append(time.process_time() - start_processor)
    seconds, busy = statistics.median(wall), statistics.median(processor)
    result = dict(
        torch=torch.__version__, threads=torch.get_num_threads(), measured=options.matrices,
        seconds_a_matrix=seconds, processor_seconds_a_matrix=busy, seconds_for_all=ALL * seconds,
    )
    if options.json:
        print(json.dumps(result))
    else:
        print(
            f"dense SVD in torch {torch.__version__}, {torch.get_num_threads()} threads: "
            f"{seconds:.3f} s a matrix, median of {options.matrices}; "
            f"{ALL * seconds:.1f} s for {ALL} by multiplication"
        )


if __name__ == "__main__":
    main()
