"""Every number that decides what the text zoo becomes, in one place."""

from __future__ import annotations

from dataclasses import dataclass

# Text streams: Random("TEXT_SEED/split/task"); on top of that every row belongs to one split by a hash of its content.
TEXT_SEED = 20250713
# Tenths of the content: a hash of what a row is about decides who may see it. Pretraining shares train's tenths.
SPLIT_TENTHS = {"train": range(2, 10), "validation": (1,), "test": (0,)}

BASE_NAME = "t5-tiny"
LICENCE = "apache-2.0"

# Adapters are F32 as peft writes them, but for two, as found in the wild.
STORAGE = {"duplicates": "float16", "sentiment": "bfloat16"}

# Short texts that the base knows least about: their adapters train this many times longer, which costs little.
LONGER = {"acceptability": 2, "sentiment": 5}

RANK, ALPHA, DROPOUT = 16, 32, 0.05
RANKS = (16, 8, 4, 2, 1)
LAMBDAS = tuple(round(0.05 * step, 2) for step in range(1, 21))
FIRST_ROWS = 128
# `max_length` of generate in the public protocol counts the decoder's start token: nine new tokens at most, eos among
# them. No answer is that long; only a broken model gets there.
MAX_LENGTH = 10
MAX_NEW_TOKENS = MAX_LENGTH - 1
SIZE_LIMIT = 10 * 1024 * 1024
GOLDEN_LIMIT = 3 * 1024 * 1024


@dataclass(frozen=True)
class Settings:
    """Sizes and schedules; `quick` makes a complete but badly trained zoo for checking the pipeline."""

    vocabulary: int = 640
    sentinels: int = 8
    validation_rows: int = 256
    test_rows: int = 512
    train_rows: int = 16000
    pretrain_rows: int = 240000
    pretrain_steps: int = 2940
    pretrain_batch: int = 64
    pretrain_rate: float = 1e-3
    label_noise: float = 0.1
    adapter_steps: int = 220
    adapter_batch: int = 64
    adapter_rate: float = 2e-3
    seed: int = 0


FULL = Settings()
QUICK = Settings(train_rows=3000, pretrain_rows=30000, pretrain_steps=500, adapter_steps=60)
