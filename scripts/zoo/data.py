"""Draws image sets, keeps them in a cache, and writes the evaluation splits as Hub-style data sets."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from draw import TASKS, Task, captioned
from draw.canvas import SIZE
from settings import IMAGE_SEED, LICENCE, SPLITS, Settings


def stream(split: str, task_index: int, index: int) -> np.random.Generator:
    return np.random.default_rng([IMAGE_SEED, SPLITS[split], task_index, index])


def draw_split(task: Task, split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Images (count, 32, 32, 3) uint8 and labels, classes in turn, so that every prefix is stratified."""
    task_index = TASKS.index(task)
    labels = np.arange(count) % len(task.classes)
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    for index, label in enumerate(labels):
        images[index] = np.asarray(task.drawer.draw(stream(split, task_index, index), int(label), 1.0))
    return images, labels


def cached_split(work: Path, task: Task, split: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    path = work / "images" / f"{task.name}-{split}-{count}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        images, labels = draw_split(task, split, count)
        np.savez(path, images=images, labels=labels)
    stored = np.load(path)
    return stored["images"], stored["labels"]


def cached_captioned(work: Path, settings: Settings) -> tuple[np.ndarray, list[str]]:
    """The pretraining corpus: images and captions."""
    key = f"{settings.pretrain_images}-{settings.pretrain_wildest}-{settings.pretrain_exact}"
    path = work / "images" / f"captioned-{key}.npz"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        images = np.empty((settings.pretrain_images, SIZE, SIZE, 3), np.uint8)
        captions = []
        for index in range(settings.pretrain_images):
            image, caption = captioned.draw(
                stream("pretrain", 0, index), settings.pretrain_wildest, settings.pretrain_exact
            )
            images[index] = np.asarray(image)
            captions.append(caption)
        np.savez(path, images=images, captions=np.array(captions))
    stored = np.load(path)
    return stored["images"], [str(caption) for caption in stored["captions"]]


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def export_dataset(task: Task, settings: Settings, work: Path, folder: Path) -> None:
    """Write validation and test as parquet by `datasets`, with a data-set card."""
    from datasets import ClassLabel, Dataset, Features, disable_progress_bars
    from datasets import Image as ImageFeature

    disable_progress_bars()
    features = Features({"image": ImageFeature(), "label": ClassLabel(names=list(task.classes))})
    counts = {"validation": settings.validation_images, "test": settings.test_images}
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for split, count in counts.items():
        images, labels = cached_split(work, task, split, count)
        rows = [{"bytes": png(pixels), "path": f"{split}-{index:04d}.png"} for index, pixels in enumerate(images)]
        data = Dataset.from_dict({"image": rows, "label": [int(label) for label in labels]}, features=features)
        data.to_parquet(str(folder / "data" / f"{split}-00000-of-00001.parquet"))
    (folder / "README.md").write_text(dataset_card(task, counts))


def dataset_card(task: Task, counts: dict[str, int]) -> str:
    names = "\n".join(f"          '{index}': {name!r}" for index, name in enumerate(task.classes))
    splits = "\n".join(f"  - name: {split}\n    num_examples: {count}" for split, count in counts.items())
    about = " ".join(task.drawer.__doc__.split())
    return f"""---
license: {LICENCE}
task_categories:
- image-classification
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
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
{names}
  splits:
{splits}
---

# {task.title}

{about}

{len(task.classes)} classes, 32 x 32 RGB, drawn by a program (`{task.drawer.__name__}` in `scripts/zoo`).
Rows come class by class in turn, so that any prefix is stratified. The training split is not shipped; it is drawn from
its own seed stream, as are validation (used to choose λ) and test (used for nothing but measuring).
"""
