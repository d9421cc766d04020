"""Makes LoRA files of SDXL's module shapes, for the bench of shrinking them.

    python bench/peers/make_lora_files.py OUT [--rank 128] [--count 1] [--blocks 10]

Names and shapes are those of kohya's SDXL LoRA (722 modules with --blocks 10): the attention and
feed-forward layers of the UNet's transformer blocks and of both text encoders, F16, seeded, with
singular values that fall off as trained ones do. A file that is there stays.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import save_file

# A transformer block: attention to itself and to the text, then a gated feed-forward layer.
ATTENTION = ("to_q", "to_k", "to_v", "to_out_0")
TEXT = 2048
# UNet places: name, width, blocks of the full size.
PLACES = (
    ("down_blocks_1_attentions_0", 640, 2),
    ("down_blocks_1_attentions_1", 640, 2),
    ("down_blocks_2_attentions_0", 1280, 10),
    ("down_blocks_2_attentions_1", 1280, 10),
    ("mid_block_attentions_0", 1280, 10),
    ("up_blocks_0_attentions_0", 1280, 10),
    ("up_blocks_0_attentions_1", 1280, 10),
    ("up_blocks_0_attentions_2", 1280, 10),
    ("up_blocks_1_attentions_0", 640, 2),
    ("up_blocks_1_attentions_1", 640, 2),
    ("up_blocks_1_attentions_2", 640, 2),
)
DECAY = 0.96


def modules(blocks: int):
    for place, width, depth in PLACES:
        for side in ("proj_in", "proj_out"):
            yield f"lora_unet_{place}_{side}", width, width
        for block in range(min(blocks, depth)):
            stem = f"lora_unet_{place}_transformer_blocks_{block}"
            for attention, source in (("attn1", width), ("attn2", TEXT)):
                for part in ATTENTION:
                    columns = source if part in ("to_k", "to_v") else width
                    yield f"{stem}_{attention}_{part}", width, columns
            yield f"{stem}_ff_net_0_proj", 8 * width, width
            yield f"{stem}_ff_net_2", width, 4 * width


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--rank", type=int, default=128)
    parser.add_argument("--count", type=int, default=1)
    parser.add_argument("--blocks", type=int, default=10)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for index in range(options.count):
        path = options.out / f"lora-{options.blocks}-{options.rank}-{index}.safetensors"
        if not path.exists():
            save(path, options.rank, options.blocks, index)
        print(path)


def save(path: Path, rank: int, blocks: int, seed: int):
    generator = torch.Generator().manual_seed(seed)
    falling = DECAY ** torch.arange(rank)
    tensors = {}
    for name, rows, columns in modules(blocks):
        up = torch.randn(rows, rank, generator=generator) * falling
        down = torch.randn(rank, columns, generator=generator) * columns**-0.5
        tensors[f"{name}.alpha"] = torch.tensor(rank / 2, dtype=torch.float16)
        tensors[f"{name}.lora_down.weight"] = down.half()
        tensors[f"{name}.lora_up.weight"] = up.half()
    metadata = {"ss_network_dim": str(rank), "ss_network_alpha": str(rank / 2)}
    save_file(tensors, path, metadata)


if __name__ == "__main__":
    main()
