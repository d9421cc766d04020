"""Pretraining from scratch, and LoRA adapters by peft."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, TaskType, get_peft_model
from transformers import T5ForConditionalGeneration, T5TokenizerFast

import data
import tokenizer as tokenizer_module
from model import batch, build
from settings import ALPHA, BASE_NAME, DROPOUT, LONGER, RANK, STORAGE, Settings
from tasks import Task

POOL = 32


def rate_at(step: int, steps: int, warmup: int) -> float:
    """Linear warm-up to 1, flat, then a line down to 0 over the last fifth."""
    return min(1.0, (step + 1) / warmup, (steps - step) / max(1, steps // 5))


def batches(examples: list[data.Encoded], size: int, generator: np.random.Generator) -> Iterator[list[data.Encoded]]:
    """Endless shuffled batches; within a pool of batches examples are sorted by length, to pad little."""
    while True:
        order = generator.permutation(len(examples))
        for start in range(0, len(order) - size + 1, size * POOL):
            pool = sorted(order[start : start + size * POOL], key=lambda index: len(examples[index][0]))
            parts = [pool[first : first + size] for first in range(0, len(pool) - size + 1, size)]
            for chosen in generator.permutation(len(parts)):
                yield [examples[index] for index in parts[chosen]]


def fit(
    model: torch.nn.Module,
    picker: Iterator[list[data.Encoded]],
    steps: int,
    rate: float,
    warmup: int,
    decay: float,
    query_scale: float = 1.0,
    checkpoint: Path | None = None,
    every: int = 250,
) -> float:
    """AdamW with warm-up, decay and clipping; returns the mean loss of the last hundred steps.

    T5 folds attention's 1 / sqrt(d_kv) into the start of q, whose weights are that much smaller than the others;
    `query_scale` makes their rate smaller alike. At the same rate for all, attention collapses and little is learnt.
    `checkpoint` is a folder for the model as it is on the way, to look at; nothing resumes from it.
    """
    queries, others = [], []
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            (queries if name.endswith(".q.weight") else others).append(parameter)
    trained = queries + others
    optimiser = torch.optim.AdamW(
        [{"params": queries, "scale": query_scale}, {"params": others, "scale": 1.0}],
        lr=rate,
        betas=(0.9, 0.98),
        weight_decay=decay,
        fused=True,
    )
    started, losses = time.time(), []
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = group["scale"] * rate * rate_at(step, steps, warmup)
        # Halves the time on CPUs that multiply bfloat16; weights, sums and the loss stay float32.
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = model(**batch(next(picker))).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        losses.append(loss.item())
        if (step + 1) % every == 0:
            print(f"step {step + 1} loss {np.mean(losses[-100:]):.4f} {time.time() - started:.0f} s", flush=True)
            if checkpoint:
                model.save_pretrained(checkpoint)
    model.eval()
    return float(np.mean(losses[-100:]))


def pretrain(settings: Settings, folder: Path) -> dict:
    """Train tokenizer and base from nothing and save them as a Hub repo; returns a log record."""
    started = time.time()
    examples = data.write_pretraining(settings)
    sample = (text for example in examples[:40000] for text in example)
    tokenizer = tokenizer_module.train(sample, folder, settings.vocabulary, settings.sentinels)
    encoded = data.encode(tokenizer, examples)
    print(f"{len(encoded)} examples of {np.mean([len(p) for p, _ in encoded]):.1f} tokens", flush=True)
    torch.manual_seed(settings.seed)
    model = build(settings.vocabulary)
    picker = batches(encoded, settings.pretrain_batch, np.random.default_rng(settings.seed))
    loss = fit(
        model,
        picker,
        settings.pretrain_steps,
        settings.pretrain_rate,
        warmup=300,
        decay=0.01,
        query_scale=model.config.d_kv**-0.5,
        checkpoint=folder.with_name(f"{folder.name}-so-far"),
    )
    model.save_pretrained(folder)
    return {
        "stage": "pretrain",
        "seed": settings.seed,
        "steps": settings.pretrain_steps,
        "batch": settings.pretrain_batch,
        "rows": settings.pretrain_rows,
        "label_noise": settings.label_noise,
        "vocabulary": settings.vocabulary,
        "parameters": model.num_parameters(),
        "loss": round(loss, 4),
        "seconds": round(time.time() - started),
    }


@torch.no_grad()
def teacher_forced(model: torch.nn.Module, examples: list[data.Encoded]) -> float:
    """Share of examples whose every answer token is the likeliest: exact match without generating."""
    right = 0
    for start in range(0, len(examples), 128):
        inputs = batch(examples[start : start + 128])
        guesses = model(**inputs).logits.argmax(dim=-1)
        right += int(((guesses == inputs["labels"]) | (inputs["labels"] < 0)).all(dim=1).sum())
    return right / len(examples)


def adapt(task: Task, settings: Settings, base: Path, folder: Path) -> dict:
    """Train one adapter on q and v, save it as peft does in its storage dtype; returns a log record."""
    started = time.time()
    tokenizer = T5TokenizerFast.from_pretrained(base)
    rows = data.splits(task, settings)
    encoded = data.encode(tokenizer, data.asked(task, rows["train"]))
    held = data.encode(tokenizer, data.asked(task, rows["validation"]))
    torch.manual_seed(settings.seed)
    config = LoraConfig(
        task_type=TaskType.SEQ_2_SEQ_LM,
        r=RANK,
        lora_alpha=ALPHA,
        lora_dropout=DROPOUT,
        target_modules=["q", "v"],
        inference_mode=False,
    )
    model = get_peft_model(T5ForConditionalGeneration.from_pretrained(base), config)
    before = teacher_forced(model.eval(), held)
    picker = batches(encoded, settings.adapter_batch, np.random.default_rng([settings.seed, 1]))
    steps = settings.adapter_steps * LONGER.get(task.name, 1)
    loss = fit(model, picker, steps, settings.adapter_rate, warmup=20, decay=0.0)
    after = teacher_forced(model, held)
    for name, parameter in model.named_parameters():
        if "lora_" in name:
            parameter.data = parameter.data.to(getattr(torch, STORAGE.get(task.name, "float32")))
    model.peft_config["default"].base_model_name_or_path = BASE_NAME
    model.save_pretrained(folder)
    return {
        "stage": "adapt",
        "task": task.name,
        "seed": settings.seed,
        "rate": settings.adapter_rate,
        "steps": steps,
        "batch": settings.adapter_batch,
        "train_rows": settings.train_rows,
        "validation_before": round(before, 4),
        "validation_after": round(after, 4),
        "last_loss": round(loss, 4),
        "seconds": round(time.time() - started),
    }
