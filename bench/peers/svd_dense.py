"""Times the dense route to the rank of a LoRA matrix: form B A, take its full SVD.

    python bench/peers/svd_dense.py [--matrices 8]

This is what mergekit, PEFT and kohya do for each module. A few matrices of Flan-T5-base's shape
are timed and the median is multiplied up to all 576; the sum never includes reading files. The last
line is a record.
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
    print(
        f"dense SVD in torch {torch.__version__}, {torch.get_num_threads()} threads: "
        f"{seconds:.3f} s a matrix, median of {options.matrices}; "
        f"{ALL * seconds:.1f} s for {ALL} by multiplication"
    )
    record = dict(bench="svd", program="torch", threads=torch.get_num_threads())
    print(json.dumps({**record, "secondsAMatrix": seconds, "processorSecondsAMatrix": busy}))


if __name__ == "__main__":
    main()
