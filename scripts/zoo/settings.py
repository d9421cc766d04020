"""Every number that decides what the zoo becomes, in one place."""

from __future__ import annotations

from dataclasses import dataclass

# Image streams: default_rng([IMAGE_SEED, split, task, index]); splits can't share an image by construction.
IMAGE_SEED = 20231003
SPLITS = {"train": 0, "validation": 1, "test": 2, "pretrain": 3}

BASE_NAME = "clip-tiny"
LICENCE = "apache-2.0"

# Storage as found in the wild: nobody agrees on a dtype.
STORAGE = {
    "digits": "float16",
    "street-digits": "bfloat16",
    "traffic-signs": "float32",
    "land-cover": "float16",
    "scenes": "bfloat16",
    "textures": "float16",
    "vehicles": "bfloat16",
    "aerial-objects": "float32",
}

# Tasks told apart by fine detail are learnt slowest: their fine-tunes run this many times longer.
LONGER = {"digits": 4, "street-digits": 4, "textures": 3, "vehicles": 5}

# Where m (in percent) is measured by the golden table; 0, 20 and 100 are checks of the ends.
DENSITIES = (0, 1, 5, 10, 20, 100)
POST_PRUNING_DENSITIES = (1, 5, 10)
LAMBDAS = tuple(round(0.05 * step, 2) for step in range(1, 21))
FIRST_ROWS = 128


@dataclass(frozen=True)
class Settings:
    """Sizes and schedules; `quick` makes a complete but badly trained zoo for checking the pipeline."""

    validation_images: int = 256
    test_images: int = 512
    train_images: int = 8000
    pretrain_images: int = 60000
    pretrain_steps: int = 5000
    pretrain_batch: int = 192
    pretrain_rate: float = 1e-3
    pretrain_wildest: float = 0.3
    pretrain_exact: float = 0.6
    finetune_steps: int = 700
    finetune_batch: int = 64
    finetune_rate: float = 0.03
    finetune_warmup: int = 100
    finetune_shift: int = 3
    finetune_pull: float = 7e-4
    seed: int = 0


FULL = Settings()
QUICK = Settings(train_images=2000, pretrain_images=8000, pretrain_steps=300, finetune_steps=150, finetune_warmup=20)
