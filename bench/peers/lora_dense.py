"""Times the dense route to a LoRA file of a lower rank: form each product, take its full SVD.

    python bench/peers/lora_dense.py FILE RANK [--modules 6]

This is what sd-scripts' resize_lora.py does module by module. Modules of every shape are timed, and
each shape's time multiplied up to all modules of that shape. Reading and writing are not counted. The
last line is a record.
"""

import argparse
import json
import time
from collections import defaultdict

import torch
from safetensors import safe_open


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("rank", type=int)
    parser.add_argument("--modules", type=int, default=1, help="timed of each shape")
    options = parser.parse_args()
    shapes = defaultdict(list)
    with safe_open(options.file, framework="pt") as tensors:
        names = [name for name in tensors.keys() if name.endswith(".lora_up.weight")]
        for name in names:
            rows = tensors.get_slice(name).get_shape()[0]
            down = name.replace("lora_up", "lora_down")
            shapes[rows, tensors.get_slice(down).get_shape()[1]].append((name, down))
        wall = processor = 0.0
        for pairs in shapes.values():
            timed = pairs[: options.modules]
            taken = [resize(tensors, pair, options.rank) for pair in timed]
            wall += len(pairs) * sum(one for one, _ in taken) / len(taken)
            processor += len(pairs) * sum(one for _, one in taken) / len(taken)
    threads = torch.get_num_threads()
    print(
        f"dense SVD in torch {torch.__version__}, {threads} threads: {wall:.1f} s, "
        f"{processor:.1f} s of processors, for {len(names)} modules by multiplication"
    )
    record = dict(bench="loras", program="torch", threads=threads, modules=len(names))
    print(json.dumps({**record, "seconds": wall, "processorSeconds": processor}))


def resize(tensors, pair, rank):
    up, down = (tensors.get_tensor(name).float() for name in pair)
    start, busy = time.perf_counter(), time.process_time()
    u, s, v = torch.linalg.svd(up @ down, full_matrices=False)
    (u[:, :rank] * s[:rank]).half(), v[:rank].half()
    return time.perf_counter() - start, time.process_time() - busy


if __name__ == "__main__":
    main()
