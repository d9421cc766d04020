"""Contrastive pretraining from scratch, and fine-tuning of the vision tower under a frozen text-built head."""

from __future__ import annotations

import math
import time
from pathlib import Path

import numpy as np
import torch
from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizerFast, CLIPVisionModel

import data
import tokenizer as tokenizer_module
from draw import Task
from merge_oracle import energy_share
from model import POSITIONS, build, image_logits, image_processor, to_pixels, tokenize, zero_shot_head
from settings import LONGER, STORAGE, Settings


def cosine_rate(step: int, steps: int, warmup: int) -> float:
    """Linear warm-up to 1, then a cosine down to 0."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def batches(count: int, size: int, generator: np.random.Generator):
    """Endless shuffled batches of indices."""
    while True:
        order = generator.permutation(count)
        for start in range(0, count - size + 1, size):
            yield order[start : start + size]


def shifted(images: np.ndarray, reach: int, generator: np.random.Generator) -> np.ndarray:
    """Every image moved by up to `reach` pixels each way: the usual augmentation, so that few images go a long way."""
    padded = np.pad(images, ((0, 0), (reach, reach), (reach, reach), (0, 0)), mode="edge")
    size = images.shape[1]
    offsets = generator.integers(0, 2 * reach + 1, size=(len(images), 2))
    return np.stack([image[y : y + size, x : x + size] for image, (y, x) in zip(padded, offsets, strict=True)])


def contrastive_loss(
    model: CLIPModel, tokenizer: CLIPTokenizerFast, pixels: torch.Tensor, captions: list[str]
) -> torch.Tensor:
    """CLIP's loss, with every pair of equal captions a positive: drawn captions repeat within a batch."""
    unique = sorted(set(captions))
    position = {caption: index for index, caption in enumerate(unique)}
    owner = torch.tensor([position[caption] for caption in captions])
    texts = torch.nn.functional.normalize(model.get_text_features(**tokenize(tokenizer, unique)), dim=-1)
    logits = image_logits(model, pixels, texts)
    by_image = torch.nn.functional.cross_entropy(logits, owner)
    same = torch.nn.functional.one_hot(owner, len(unique)).T.float()
    by_text = -(torch.log_softmax(logits.T, dim=-1) * same).sum(dim=1) / same.sum(dim=1)
    return (by_image + by_text.mean()) / 2


def pretrain(settings: Settings, work: Path, folder: Path) -> dict:
    """Train the base from nothing and save it as a Hub repo; returns a log record."""
    images, captions = data.cached_captioned(work, settings)
    tokenizer = tokenizer_module.train(captions, folder, POSITIONS)
    sample = images[:5000].reshape(-1, 3).astype(np.float64) / 255
    processor = image_processor([round(x, 4) for x in sample.mean(0)], [round(x, 4) for x in sample.std(0)])
    torch.manual_seed(settings.seed)
    model = build(tokenizer)
    decayed = [p for p in model.parameters() if p.ndim > 1]
    plain = [p for p in model.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}],
        lr=settings.pretrain_rate,
        betas=(0.9, 0.98),
    )
    picker = batches(len(images), settings.pretrain_batch, np.random.default_rng(settings.seed))
    started, losses = time.time(), []
    model.train()
    for step in range(settings.pretrain_steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.pretrain_rate * cosine_rate(step, settings.pretrain_steps, 200)
        chosen = next(picker)
        loss = contrastive_loss(model, tokenizer, to_pixels(images[chosen], processor), [captions[i] for i in chosen])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100))
        losses.append(loss.item())
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} loss {np.mean(losses[-100:]):.4f} {time.time() - started:.0f} s", flush=True)
    model.eval()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return {
        "stage": "pretrain",
        "seed": settings.seed,
        "steps": settings.pretrain_steps,
        "batch": settings.pretrain_batch,
        "images": settings.pretrain_images,
        "loss": round(float(np.mean(losses[-100:])), 4),
        "logit_scale": round(model.logit_scale.exp().item(), 3),
        "seconds": round(time.time() - started),
    }


def accuracy(model: CLIPModel, head: torch.Tensor, pixels: torch.Tensor, labels: np.ndarray) -> float:
    with torch.no_grad():
        guesses = torch.cat([image_logits(model, part, head).argmax(dim=1) for part in pixels.split(256)])
    return float((guesses.numpy() == labels).mean())


@torch.no_grad()
def pull_back(parameters: list[torch.Tensor], start: list[torch.Tensor], amount: float) -> None:
    """The proximal step of an L1 penalty on the task vector: every entry moves towards its start by up to `amount`."""
    for parameter, origin in zip(parameters, start, strict=True):
        parameter.copy_(origin + torch.nn.functional.softshrink(parameter - origin, amount))


def finetune(task: Task, settings: Settings, work: Path, base: Path, folder: Path) -> dict:
    """Fine-tune the vision tower alone, save it in its storage dtype; returns a log record.

    SGD and not Adam: Adam moves every weight by about as much, and a task vector without large entries can't be
    compressed by keeping its large entries. A light L1 pull towards the base does the rest: a model this small has
    none of the slack that lets large models change in few places by themselves.
    """
    images, labels = data.cached_split(work, task, "train", settings.train_images)
    held_images, held_labels = data.cached_split(work, task, "validation", settings.validation_images)
    tokenizer, processor = CLIPTokenizerFast.from_pretrained(base), CLIPImageProcessor.from_pretrained(base)
    torch.manual_seed(settings.seed)
    model = CLIPModel.from_pretrained(base)
    head = zero_shot_head(model, tokenizer, task)
    held = to_pixels(held_images, processor)
    before = accuracy(model.eval(), head, held, held_labels)
    original = {name: p.detach().clone().numpy() for name, p in model.vision_model.named_parameters()}

    model.requires_grad_(False)
    model.vision_model.requires_grad_(True)
    trained = list(model.vision_model.parameters())
    start = [p.detach().clone() for p in trained]
    optimiser = torch.optim.SGD(trained, lr=settings.finetune_rate, momentum=0.9)
    steps = settings.finetune_steps * LONGER.get(task.name, 1)
    generator = np.random.default_rng([settings.seed, 1])
    picker = batches(len(images), settings.finetune_batch, generator)
    started = time.time()
    model.train()
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = settings.finetune_rate * cosine_rate(step, steps, settings.finetune_warmup)
        chosen = next(picker)
        pixels = to_pixels(shifted(images[chosen], settings.finetune_shift, generator), processor)
        loss = torch.nn.functional.cross_entropy(image_logits(model, pixels, head), torch.from_numpy(labels[chosen]))
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        pull_back(trained, start, settings.finetune_pull * optimiser.param_groups[0]["lr"])
    model.eval()
    after = accuracy(model, head, held, held_labels)
    task_vector = np.concatenate(
        [(p.detach().numpy() - original[name]).ravel() for name, p in model.vision_model.named_parameters()]
    )

    tower = CLIPVisionModel(model.config.vision_config)
    tower.vision_model.load_state_dict(model.vision_model.state_dict())
    tower.to(getattr(torch, STORAGE[task.name])).save_pretrained(folder)
    return {
        "stage": "finetune",
        "task": task.name,
        "seed": settings.seed,
        "optimiser": "sgd",
        "rate": settings.finetune_rate,
        "pull": settings.finetune_pull,
        "steps": steps,
        "batch": settings.finetune_batch,
        "train_images": settings.train_images,
        "validation_before": round(before, 4),
        "validation_after": round(after, 4),
        "last_loss": round(loss.item(), 4),
        "energy_in_top_10_percent": round(energy_share(task_vector, 10), 4),
        "task_vector_norm": round(float(np.linalg.norm(task_vector.astype(np.float64))), 4),
        "seconds": round(time.time() - started),
    }
