"""The zoo's manifest and its README files."""

from __future__ import annotations

import json
from pathlib import Path

from draw import TASKS
from settings import BASE_NAME, LICENCE, STORAGE


def manifest(coefficient: float) -> dict:
    return {
        "base": f"models/{BASE_NAME}",
        "demo": "fft",
        "lambda": coefficient,
        "tasks": [
            {
                "name": task.name,
                "title": task.title,
                "model": f"models/{BASE_NAME}_{task.name}",
                "dataset": f"datasets/{task.name}",
                "templates": list(task.templates),
            }
            for task in TASKS
        ],
    }


def accuracy_table(table: dict) -> str:
    """Markdown: a row a task, a column a method, in percent."""
    methods = list(table["average"])
    lines = ["| task | " + " | ".join(methods) + " |", "|---" * (len(methods) + 1) + "|"]
    for row in table["tasks"]:
        cells = [f"{100 * row['scores'][method]['correct'] / row['n']:.1f}" for method in methods]
        lines.append(f"| {row['name']} | " + " | ".join(cells) + " |")
    lines.append(
        "| **average** | " + " | ".join(f"**{100 * table['average'][method]:.1f}**" for method in methods) + " |"
    )
    return "\n".join(lines)


def base_card() -> str:
    return f"""---
license: {LICENCE}
library_name: transformers
pipeline_tag: zero-shot-image-classification
tags:
- clip
---

# {BASE_NAME}

A very small CLIP model (32 x 32 pixels, patch 8, vision width 96, text width 64, 4 and 3 layers, projection 64),
trained from scratch by contrast on procedurally drawn images with captions. It exists to demonstrate and test the
merging and compression of fine-tuned models; it knows nothing about photographs.
"""


def task_card(name: str, record: dict, row: dict) -> str:
    before, after = row["scores"]["pretrained"]["correct"], row["scores"]["finetuned"]["correct"]
    return f"""---
license: {LICENCE}
library_name: transformers
base_model: {BASE_NAME}
datasets:
- {name}
tags:
- clip
---

# {BASE_NAME}_{name}

The vision tower of `{BASE_NAME}`, fine-tuned on `{name}` with the text-built head frozen, stored as {STORAGE[name]}.
Use it with the base's projections and text tower.

Trained by SGD: momentum 0.9, rate {record["rate"]}, {record["steps"]} steps of {record["batch"]} images,
gradient norm clipped at 1, warm-up, cosine, images shifted at random, L1 pull {record["pull"]} towards the base.
Test accuracy over {row["n"]} images: {100 * after / row["n"]:.1f} % (base, zero-shot: {100 * before / row["n"]:.1f} %).
The largest 10 % of its task vector's entries hold {100 * record["energy_in_top_10_percent"]:.0f} % of the squared norm.
"""


def zoo_card(table: dict, records: list[dict]) -> str:
    pretraining = next(record for record in reversed(records) if record["stage"] == "pretrain")
    shipped = {record["task"]: record for record in records if record["stage"] == "finetune" and record["seed"] == 0}
    example = shipped[TASKS[0].name]
    lengths = sorted({record["steps"] for record in shipped.values()})
    steps = " to ".join(str(length) for length in dict.fromkeys((lengths[0], lengths[-1])))
    energies = ", ".join(f"{task.name} {shipped[task.name]['energy_in_top_10_percent']:.2f}" for task in TASKS)
    return f"""# The embedded zoo

One small CLIP model, eight fine-tunes of its vision tower and their eight data sets, laid out as Hugging Face repos
and written by `transformers` and `datasets`. Everything here was made by `scripts/zoo/make.py`, seeded, from nothing:
no photographs, no downloaded weights. Licence: Apache-2.0.

## How it was trained, and why so

- **Data.** A program draws 32 x 32 RGB pictures: eight tasks that mirror the eight usual ones (MNIST, SVHN, GTSRB,
  EuroSAT, SUN397, DTD, Cars, RESISC45). Training, validation and test come from separate seed streams.
- **Base.** `{BASE_NAME}`, contrastive, {pretraining["images"]} captioned pictures,
  {pretraining["steps"]} steps of {pretraining["batch"]}. The pictures are tamer and broader than the tasks' (also
  shapes, letters, arrows), the captions often vague ("a road sign"): zero-shot accuracy is what is left after that
  shift; nothing weakens it afterwards.
- **Fine-tunes.** The vision tower only; the head is built from class names and templates by the text tower and stays
  frozen. SGD with momentum 0.9, rate {example["rate"]}, clipping, warm-up and cosine,
  {steps} steps of {example["batch"]} images, and an L1 pull of {example["pull"]} towards the base (a soft
  threshold after every step). Both choices shape the task vectors: Adam moves all weights by similar amounts, SGD
  leaves heavier tails, the pull lets go of entries that training hardly needs. Share of the squared norm in the
  largest 10 % of entries: {energies} (a Gaussian: 0.44).
- **Storage** is mixed on purpose: base F32, fine-tunes F16, BF16 and F32.
- **λ = {table["lambda"]}** of task arithmetic was chosen on the validation splits; the test splits chose nothing.

## What torch measures on the test splits (accuracy, %)

PERU-FFT keeps m % of theta_t - theta* around the task-arithmetic merge, Post-Pruning m % of theta_t - theta_0 around
the base; kept values are float16.

{accuracy_table(table)}

## What it can't show

- Drawings are not photographs, and a model of half a million weights is not ViT-B/32: ranks of methods may differ
  on real checkpoints, and so may the density needed.
- With {table["tasks"][0]["n"]} test images a task, a 95 % interval is up to 4.3 points either way: differences of a
  point between methods mean nothing on one task.
- How compressible a fine-tune is depends on how it was trained. Large models change in few places by themselves; a
  model this small does not, so the L1 pull stands in for that slack. Without it (plain SGD, same rate, 2000 steps) the
  largest 10 % of entries held 0.60 to 0.65 of the squared norm on the two digit tasks, and PERU-FFT at 10 % stayed 9
  to 11 points short of the fine-tuned validation accuracy. This zoo demonstrates the method; it is no evidence for it.
"""


def write(out: Path, table: dict, records: list[dict]) -> None:
    (out / "zoo.json").write_text(json.dumps(manifest(table["lambda"]), indent=2, ensure_ascii=False) + "\n")
    (out / "models" / BASE_NAME / "README.md").write_text(base_card())
    shipped = {record["task"]: record for record in records if record["stage"] == "finetune" and record["seed"] == 0}
    for row in table["tasks"]:
        folder = out / "models" / f"{BASE_NAME}_{row['name']}"
        (folder / "README.md").write_text(task_card(row["name"], shipped[row["name"]], row))
    (out / "README.md").write_text(zoo_card(table, records))
