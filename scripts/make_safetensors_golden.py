"""Writes the golden files of src/tensor/golden: what the reference safetensors package writes.

Small checkpoints of every dtype Peru meets, each with a JSON file beside it that says what
numpy reads out of it, so that Peru's reader and writer are held to another program's word.
Needs safetensors and torch. Run from anywhere:

    python scripts/make_safetensors_golden.py
"""

import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

GOLDEN = Path(__file__).resolve().parent.parent / "src" / "tensor" / "golden"


def tensors_of_every_kind():
    generator = torch.Generator().manual_seed(20240203)
    return {
        "f32": torch.randn(3, 5, generator=generator),
        "f16": torch.randn(7, generator=generator).half(),
        "bf16": torch.randn(2, 2, 2, generator=generator).bfloat16(),
        "f64": torch.randn(2, generator=generator, dtype=torch.float64),
        "position_ids": torch.arange(9).reshape(1, 9),
        "u8": torch.arange(3, dtype=torch.uint8),
        "bool": torch.tensor([True, False, True]),
        "f8_e4m3": torch.tensor([0.5, -448.0]).to(torch.float8_e4m3fn),
        "scalar": torch.tensor(2.6592),
        "empty": torch.zeros(0, 4),
        "__proto__": torch.tensor([1.0]),
        "0": torch.tensor([2.0]),
        'quote " backslash \\ tab \t é 😀': torch.tensor([3.0]),
    }


def clip_shaped():
    return {
        "vision_model.embeddings.class_embedding": torch.arange(4.0),
        "vision_model.post_layernorm.weight": torch.ones(4),
        "vision_model.post_layernorm.bias": torch.zeros(4),
    }


def raw_bytes(tensor):
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def write(name, tensors, metadata):
    path = GOLDEN / f"{name}.safetensors"
    save_file(tensors, path, metadata=metadata)
    facts = {
        "metadata": metadata or {},
        "file_bytes": path.stat().st_size,
        "tensors": {
            key: {
                "shape": ",".join(map(str, tensor.shape)),
                "element_count": tensor.numel(),
                "sha256": hashlib.sha256(raw_bytes(tensor)).hexdigest(),
            }
            for key, tensor in tensors.items()
        },
    }
    text = json.dumps(facts, indent=2, ensure_ascii=True)
    (GOLDEN / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    write("kinds", tensors_of_every_kind(), {"format": "pt"})
    write("clip-shaped", clip_shaped(), {"format": "pt"})
    write("no-metadata", {"weight": torch.arange(6.0).reshape(2, 3).half()}, None)
    write("no-tensors", {}, None)


if __name__ == "__main__":
    main()
