"""Makes the embedded zoo: `python scripts/zoo/make.py --out public/zoo`.

Stages run in order; each skips what it finds done in --work, so an interrupted run resumes. `--stage` runs one alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

os.environ.setdefault(
    "OMP_NUM_THREADS", "1"
)  # one thread a process: sums in one order, and two processes beat one with two threads

import cards
import data
from draw import TASKS
from settings import BASE_NAME, FULL, QUICK, Settings

STAGES = ("draw", "pretrain", "finetune", "export", "golden")


def log(work: Path, record: dict) -> None:
    """Append one line to the training log; short lines in append mode don't interleave between processes."""
    with open(work / "training-log.jsonl", "a") as file:
        file.write(json.dumps(record) + "\n")
    print(json.dumps(record), flush=True)


def draw_one(job: tuple) -> None:
    work, settings, name = job
    if name == "captioned":
        data.cached_captioned(work, settings)
        return
    task = next(task for task in TASKS if task.name == name)
    counts = {"train": settings.train_images, "validation": settings.validation_images, "test": settings.test_images}
    for split, count in counts.items():
        data.cached_split(work, task, split, count)


def pretrain_one(job: tuple) -> None:
    import torch

    import train

    work, settings = job
    folder = work / BASE_NAME
    if not (folder / "model.safetensors").is_file():
        torch.set_num_threads(1)
        log(work, train.pretrain(settings, work, folder))


def finetune_one(job: tuple) -> None:
    import torch

    import train

    work, settings, name = job
    folder = work / f"seed-{settings.seed}" / f"{BASE_NAME}_{name}"
    if (folder / "model.safetensors").is_file():
        return
    torch.set_num_threads(1)
    task = next(task for task in TASKS if task.name == name)
    log(work, train.finetune(task, settings, work, work / BASE_NAME, folder))


def run_all(function, jobs: list, processes: int) -> None:
    with get_context("spawn").Pool(processes, maxtasksperchild=1) as pool:
        for _ in pool.imap_unordered(function, jobs):
            pass


def export(work: Path, settings: Settings, out: Path) -> None:
    """Lay the trained models and the drawn data sets out as Hub repos."""
    shutil.copytree(work / BASE_NAME, out / "models" / BASE_NAME, dirs_exist_ok=True)
    for task in TASKS:
        name = f"{BASE_NAME}_{task.name}"
        shutil.copytree(work / f"seed-{settings.seed}" / name, out / "models" / name, dirs_exist_ok=True)
        data.export_dataset(task, settings, work, out / "datasets" / task.name)


def golden(work: Path, out: Path, folder: Path) -> None:
    """Choose λ on validation, measure everything with torch, write manifest, cards and golden data."""
    import torch

    import evaluate

    torch.set_num_threads(1)
    zoo = evaluate.Zoo(out)
    coefficient, sweep = evaluate.choose_lambda(zoo)
    table = evaluate.write_golden(zoo, folder, coefficient, sweep)
    records = [json.loads(line) for line in (work / "training-log.jsonl").read_text().splitlines()]
    shutil.copy(work / "training-log.jsonl", folder / "training-log.jsonl")
    cards.write(out, table, records)
    print(json.dumps(table["average"], indent=1))


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the zoo is written, usually public/zoo")
    parser.add_argument("--work", type=Path, default=here / ".work", help="cache of drawings, checkpoints and the log")
    parser.add_argument("--golden", type=Path, default=here / "golden", help="where golden data is written")
    parser.add_argument("--stage", choices=STAGES, help="run this stage only")
    parser.add_argument("--seed", type=int, default=0, help="seed of the fine-tunes; only 0 is shipped")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once, one thread each")
    parser.add_argument(
        "--quick", action="store_true", help="a complete zoo after minutes of training, for checking the pipeline"
    )
    options = parser.parse_args()

    settings = replace(QUICK if options.quick else FULL, seed=options.seed)
    work = options.work
    work.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    stages = (options.stage,) if options.stage else STAGES
    names = [task.name for task in TASKS]
    started = time.time()
    for stage in stages:
        print(f"stage {stage} at {time.time() - started:.0f} s", flush=True)
        if stage == "draw":
            run_all(draw_one, [(work, settings, name) for name in ["captioned", *names]], options.jobs)
        elif stage == "pretrain":
            run_all(pretrain_one, [(work, replace(settings, seed=0))], 1)
        elif stage == "finetune":
            run_all(finetune_one, [(work, settings, name) for name in names], options.jobs)
        elif stage == "export":
            export(work, settings, options.out)
        else:
            golden(work, options.out, options.golden)


if __name__ == "__main__":
    main()
