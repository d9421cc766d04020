"""Makes the embedded text zoo: `python scripts/zoo/text/make.py --out public/zoo/text`.

Stages run in order; each skips what it finds done in --work, so an interrupted run resumes. `--stage` runs one alone.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # one thread: sums in one order
os.environ.setdefault("HF_HUB_OFFLINE", "1")  # peft asks the Hub for the base's name, which is only a name here

import torch

import cards
import data
import evaluate
import train
from settings import BASE_NAME, FULL, QUICK, SIZE_LIMIT, Settings
from tasks import TASKS

STAGES = ("pretrain", "adapt", "export", "golden")


def log(work: Path, record: dict) -> None:
    with open(work / "training-log.jsonl", "a") as file:
        file.write(json.dumps(record) + "\n")
    print(json.dumps(record), flush=True)


def pretrain(work: Path, settings: Settings) -> None:
    folder = work / BASE_NAME
    if not (folder / "model.safetensors").is_file():
        log(work, train.pretrain(replace(settings, seed=0), folder))


def adapt(work: Path, settings: Settings, names: list[str]) -> None:
    for task in TASKS:
        folder = work / f"seed-{settings.seed}" / evaluate.adapter_name(task)
        if task.name in names and not (folder / "adapter_model.safetensors").is_file():
            log(work, train.adapt(task, settings, work / BASE_NAME, folder))


def export(work: Path, settings: Settings, out: Path) -> None:
    """Lay the trained models and the data sets out as Hub repos."""
    shutil.copytree(work / BASE_NAME, out / "models" / BASE_NAME, dirs_exist_ok=True)
    for task in TASKS:
        name = evaluate.adapter_name(task)
        shutil.copytree(work / "seed-0" / name, out / "adapters" / name, dirs_exist_ok=True)
        data.export_dataset(task, settings, out / "datasets" / task.name)


def golden(work: Path, out: Path, folder: Path) -> None:
    """Choose λ on validation, measure everything with torch, write manifest, cards and golden data."""
    zoo = evaluate.Zoo(out)
    coefficient, sweep = evaluate.choose_lambda(zoo)
    table = evaluate.write_golden(zoo, folder, coefficient, sweep)
    shutil.copy(work / "training-log.jsonl", folder / "training-log.jsonl")
    records = [json.loads(line) for line in (work / "training-log.jsonl").read_text().splitlines()]
    cards.write(out, table, records)
    print(cards.score_table(table))


def check_size(out: Path) -> None:
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{out}: {size} bytes")
    assert size <= SIZE_LIMIT, f"the text zoo takes {size} bytes, {SIZE_LIMIT} allowed"


def main() -> None:
    here = Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="where the zoo is written, usually public/zoo/text")
    parser.add_argument("--work", type=Path, default=here / ".work", help="cache of checkpoints and the log")
    parser.add_argument("--golden", type=Path, default=here.parent / "golden" / "text", help="where golden data go")
    parser.add_argument("--stage", choices=STAGES, help="run this stage only")
    parser.add_argument("--seed", type=int, default=0, help="seed of the adapters; only 0 is shipped")
    parser.add_argument("--task", choices=[task.name for task in TASKS], help="adapt to this task only")
    parser.add_argument(
        "--quick", action="store_true", help="a complete zoo after minutes of training, for checking the pipeline"
    )
    options = parser.parse_args()

    torch.set_num_threads(1)
    settings = replace(QUICK if options.quick else FULL, seed=options.seed)
    options.work.mkdir(parents=True, exist_ok=True)
    options.out.mkdir(parents=True, exist_ok=True)
    names = [options.task] if options.task else [task.name for task in TASKS]
    started = time.time()
    for stage in (options.stage,) if options.stage else STAGES:
        print(f"stage {stage} at {time.time() - started:.0f} s", flush=True)
        if stage == "pretrain":
            pretrain(options.work, settings)
        elif stage == "adapt":
            adapt(options.work, settings, names)
        elif stage == "export":
            export(options.work, settings, options.out)
        else:
            golden(options.work, options.out, options.golden)
    check_size(options.out)


if __name__ == "__main__":
    main()
