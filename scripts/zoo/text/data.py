"""Seed streams, splits by content, encoded examples, and the evaluation splits as Hub-style data sets."""

from __future__ import annotations

import hashlib
from pathlib import Path
from random import Random

import numpy as np
from transformers import T5TokenizerFast

import pretraining
from settings import LICENCE, SPLIT_TENTHS, TEXT_SEED, Settings
from tasks import TASKS, Task
from tasks.row import Row

Encoded = tuple[np.ndarray, np.ndarray]


def stream(split: str, name: str, seed: int = 0) -> Random:
    return Random(f"{TEXT_SEED}/{split}/{name}/{seed}")


def belongs(core: str, split: str) -> bool:
    """Whether the content is the split's own; by a hash, so that no run, seed or task can disagree."""
    return hashlib.sha256(core.encode()).digest()[0] * 10 // 256 in SPLIT_TENTHS[split]


def write_split(task: Task, split: str, count: int, taken: frozenset[tuple[str, ...]] = frozenset()) -> list[Row]:
    """Distinct rows, none of them `taken`; labels in turn, so that every prefix is stratified."""
    rng, labels = stream(split, task.name), task.writer.LABELS
    rows: list[Row] = []
    seen = set(taken)
    while len(rows) < count:
        row = task.writer.make(rng, labels[len(rows) % len(labels)])
        if belongs(row.core, split) and row.texts not in seen:
            seen.add(row.texts)
            rows.append(row)
    return rows


def texts(rows: list[Row]) -> frozenset[tuple[str, ...]]:
    return frozenset(row.texts for row in rows)


def held_out(task: Task, settings: Settings) -> dict[str, list[Row]]:
    """Test and validation. Content keeps splits apart but for ungrammatical rows that lost the words it is read from;
    so earlier splits' rows are refused as well."""
    test = write_split(task, "test", settings.test_rows)
    validation = write_split(task, "validation", settings.validation_rows, texts(test))
    return {"validation": validation, "test": test}


def splits(task: Task, settings: Settings) -> dict[str, list[Row]]:
    held = held_out(task, settings)
    train = write_split(task, "train", settings.train_rows, texts(held["test"]) | texts(held["validation"]))
    rows = {"train": train, **held}
    for left, right in (("train", "test"), ("train", "validation"), ("validation", "test")):
        assert not texts(rows[left]) & texts(rows[right]), f"{task.name}: {left} and {right} share rows"
    return rows


def write_pretraining(settings: Settings) -> list[tuple[str, str]]:
    """Prompts and answers whose content is train's; no prompt asks a row of a held-out split."""
    rng = stream("pretrain", "mixture")
    writers, shares = zip(*pretraining.mixture(settings.label_noise), strict=True)
    held = {prompt for task in TASKS for rows in held_out(task, settings).values() for prompt, _ in asked(task, rows)}
    examples: list[tuple[str, str]] = []
    while len(examples) < settings.pretrain_rows:
        prompt, answer, core = rng.choices(writers, shares)[0](rng)
        if belongs(core, "train") and prompt not in held:
            examples.append((prompt, answer))
    return examples


def encode(tokenizer: T5TokenizerFast, examples: list[tuple[str, str]]) -> list[Encoded]:
    """Token ids of prompts and answers, both ended by eos."""
    prompts = tokenizer([prompt for prompt, _ in examples])["input_ids"]
    answers = tokenizer([answer for _, answer in examples])["input_ids"]
    return [(np.array(p, np.int16), np.array(a, np.int16)) for p, a in zip(prompts, answers, strict=True)]


def asked(task: Task, rows: list[Row]) -> list[tuple[str, str]]:
    return [(task.ask(row.texts), task.target(row.label)) for row in rows]


def export_dataset(task: Task, settings: Settings, folder: Path) -> None:
    """Write validation and test as parquet by `datasets`, with a data-set card."""
    from datasets import ClassLabel, Dataset, Features, Value, disable_progress_bars

    disable_progress_bars()
    label = ClassLabel(names=list(task.answers)) if task.answers else Value("float32")
    features = Features({**{column: Value("string") for column in task.columns}, "label": label})
    (folder / "data").mkdir(parents=True, exist_ok=True)
    parts = held_out(task, settings)
    for split, rows in parts.items():
        columns = {column: [row.texts[index] for row in rows] for index, column in enumerate(task.columns)}
        data = Dataset.from_dict({**columns, "label": [row.label for row in rows]}, features=features)
        data.to_parquet(str(folder / "data" / f"{split}-00000-of-00001.parquet"), compression="snappy")
    (folder / "README.md").write_text(dataset_card(task, {split: len(rows) for split, rows in parts.items()}))


def dataset_card(task: Task, counts: dict[str, int]) -> str:
    columns = "\n".join(f"  - name: {column}\n    dtype: string" for column in task.columns)
    if task.answers:
        names = "\n".join(f"          '{index}': '{answer}'" for index, answer in enumerate(task.answers))
        label = f"  - name: label\n    dtype:\n      class_label:\n        names:\n{names}"
        what = f"{len(task.answers)} labels"
    else:
        label = "  - name: label\n    dtype: float32"
        what = "Scores with one decimal"
    parts = "\n".join(f"  - name: {split}\n    num_examples: {count}" for split, count in counts.items())
    about = " ".join(task.writer.__doc__.split())
    category = "text-classification" if task.answers else "sentence-similarity"
    return f"""---
license: {LICENCE}
language:
- en
task_categories:
- {category}
size_categories:
- n<1K
configs:
- config_name: default
  data_files:
  - split: validation
    path: data/validation-*
  - split: test
    path: data/test-*
dataset_info:
  features:
{columns}
{label}
  splits:
{parts}
---

# {task.title}

{about}

{what}; columns as in GLUE's {task.mirrors}. Sentences were put together by a program
(`{task.writer.__name__}` in `scripts/zoo/text`) from a small grammar and lexicon; no text was collected.
Labels (levels of change where the label is a score) come in turn, so that any prefix is stratified. A hash of what a
row is about decides its split, so that train, validation (used to choose λ) and test (used for nothing but measuring)
share no row; the training split is not shipped.
"""
