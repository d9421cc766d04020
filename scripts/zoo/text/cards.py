"""The text zoo's manifest and its README files."""

from __future__ import annotations

import json
from pathlib import Path

from evaluate import adapter_name, value
from settings import ALPHA, BASE_NAME, DROPOUT, LICENCE, MAX_LENGTH, MAX_NEW_TOKENS, RANK, STORAGE
from tasks import TASKS, Task


def manifest(coefficient: float) -> dict:
    return {
        "demo": "lora",
        "title": "Eight LoRA adapters of a small T5",
        "base": f"models/{BASE_NAME}",
        "lambda": coefficient,
        "maxNewTokens": MAX_NEW_TOKENS,
        "tasks": [
            {
                "name": task.name,
                "title": task.title,
                "adapter": f"adapters/{adapter_name(task)}",
                "dataset": f"datasets/{task.name}",
                "prompt": task.prompt,
                "metric": task.metric,
                "answers": list(task.answers) if task.answers else None,
            }
            for task in TASKS
        ],
    }


def percent(task: Task, row: dict, method: str) -> str:
    return f"{100 * value(task, row['scores'][method], row['n']):.1f}"


def score_table(table: dict) -> str:
    """Markdown: a row a task, a column a method, in percent."""
    methods = list(table["average"])
    lines = ["| task | " + " | ".join(methods) + " |", "|---" * (len(methods) + 1) + "|"]
    for task, row in zip(TASKS, table["tasks"], strict=True):
        lines.append(f"| {task.name} | " + " | ".join(percent(task, row, method) for method in methods) + " |")
    averages = " | ".join(f"**{100 * table['average'][method]:.1f}**" for method in methods)
    return "\n".join([*lines, f"| **average** | {averages} |"])


def base_card(record: dict) -> str:
    return f"""---
license: {LICENCE}
library_name: transformers
pipeline_tag: text2text-generation
language:
- en
tags:
- t5
---

# {BASE_NAME}

A very small T5 of Flan's kind (gated GELU, head of its own; width 128, 3 + 3 layers, 4 heads,
{record["parameters"]:,} parameters, {record["vocabulary"]} tokens), trained from scratch for {record["steps"]} steps of
{record["batch"]} on sentences that a program put together. It exists to demonstrate and test the merging and
compression of adapters; it knows a few hundred words and nothing about the world.
"""


def adapter_card(task: Task, record: dict, row: dict) -> str:
    dtype = STORAGE.get(task.name, "float32")
    metric = "Spearman's rho (%)" if task.answers is None else "accuracy (%)"
    return f"""---
license: {LICENCE}
library_name: peft
base_model: {BASE_NAME}
datasets:
- {task.name}
tags:
- lora
---

# {adapter_name(task)}

A LoRA adapter of `{BASE_NAME}` for `{task.name}` (mirrors {task.mirrors}): rank {RANK}, alpha {ALPHA}, dropout {DROPOUT}, on
q and v of every attention block, stored as {dtype}.

Prompt: `{task.prompt}`

Trained by AdamW: rate {record["rate"]}, {record["steps"]} steps of {record["batch"]} rows out of {record["train_rows"]},
warm-up, cosine, gradient norm clipped at 1. Test {metric} over {row["n"]} rows:
{percent(task, row, "finetuned")} (base: {percent(task, row, "pretrained")}).
"""


def zoo_card(table: dict, base: dict, adapters: dict[str, dict]) -> str:
    example = next(iter(adapters.values()))
    steps = sorted({record["steps"] for record in adapters.values()})
    energy = {q: sum(row["kept_energy"][q] for row in table["tasks"]) / len(TASKS) for q in ("8", "4", "2", "1")}
    energies = ", ".join(f"q = {q}: {share:.3f}" for q, share in energy.items())
    return f"""# The embedded text zoo

One small T5, eight LoRA adapters and their eight data sets, laid out as Hugging Face repos and written by
`transformers`, `peft` and `datasets`. Everything here was made by `scripts/zoo/text/make.py`, seeded, from nothing: no
collected text, no downloaded weights. Licence: Apache-2.0.

## How it was trained, and why so

- **Data.** A program puts sentences together from a lexicon (synonyms, opposites, kinds) and a grammar (passives,
  fronted circumstances, negation, two events). Eight tasks mirror GLUE's: {", ".join(f"{t.name} ({t.mirrors})" for t in TASKS)}.
  A hash of what a row is about decides its split; no row of a held-out split is in another split or in pretraining.
- **Base.** `{BASE_NAME}`, {base["rows"]} examples, {base["steps"]} steps of {base["batch"]}. Two thirds are the skills behind
  the tasks under prompts of their own (name what differs between two sentences, look up who did it, name the error,
  weigh opinions, fill gaps); one third are the eight prompts with tamer sentences (one word order, fewer phenomena) and
  {100 * base["label_noise"]:.0f} % wrong labels. So it answers with the right words, and misses what it was not shown.
- **Adapters.** `peft`, rank {RANK}, alpha {ALPHA}, dropout {DROPOUT}, q and v of all blocks, {" or ".join(map(str, steps))} steps of
  {example["batch"]} on {example["train_rows"]} rows of the full task.
- **Storage** is mixed on purpose: base F32, adapters F32 but for {" and ".join(f"{name} ({dtype})" for name, dtype in STORAGE.items())}.
- **λ = {table["lambda"]}** of task arithmetic over adapters, W + λ Σ s B A, was chosen on the validation splits; the test
  splits chose nothing.

## Protocol

As the public Flan-T5 GLUE protocol: the manifest's `prompt` with the row's columns filled in, greedy decoding, the
answer decoded without special tokens, stripped, and compared as a string with `answers[label]`. Where `answers` is
null the answer is read as a number (what is none counts as 0) and Spearman's rho taken against the labels.
`maxNewTokens` is the largest number of tokens generated, end-of-sequence included, decoder start excluded: the
protocol's `max_length={MAX_LENGTH}` counts the start, so it is {MAX_NEW_TOKENS}.

## What torch measures on the test splits (accuracy, or Spearman's rho, %)

PERU-LoRA(q) keeps the q leading singular triplets of every s B A, around the base. Mean share of squared norm kept:
{energies}.

{score_table(table)}

## What it can't show

- A grammar is not language: a model of a million weights that answers these tasks understands nothing. Ranks of
  methods may differ on real checkpoints.
- With {table["tasks"][0]["n"]} test rows a task, a 95 % interval is up to 4.3 points either way: differences of a point between
  methods mean nothing on one task.
- What pretrained lacks was withheld from it on purpose (above), so the gain by adapters is by design; what the zoo
  shows is how much of it merging loses and how few ranks keep it.
"""


def write(out: Path, table: dict, records: list[dict]) -> None:
    (out / "manifest.json").write_text(json.dumps(manifest(table["lambda"]), indent=2, ensure_ascii=False) + "\n")
    base = next(record for record in reversed(records) if record["stage"] == "pretrain")
    (out / "models" / BASE_NAME / "README.md").write_text(base_card(base))
    shipped = {record["task"]: record for record in records if record["stage"] == "adapt" and record["seed"] == 0}
    for task, row in zip(TASKS, table["tasks"], strict=True):
        (out / "adapters" / adapter_name(task) / "README.md").write_text(adapter_card(task, shipped[task.name], row))
    (out / "README.md").write_text(zoo_card(table, base, shipped))
