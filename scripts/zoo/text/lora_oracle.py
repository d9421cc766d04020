"""LoRA deltas, their truncated SVD and their sums in plain numpy: the oracle that the page's kernels are held to.

Written from the formulas alone, by the dense route (form the product, full SVD, cut), where the page works on r x r
cores, so that the two can't share a mistake.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

Tensors = dict[str, np.ndarray]
PREFIX, SUFFIX = "base_model.model.", ".lora_A.weight"


def read_deltas(folder: Path) -> Tensors:
    """Per adapted weight s * B @ A in float64, from the stored values; s = alpha / r."""
    config = json.loads((folder / "adapter_config.json").read_text())
    tensors = load_file(folder / "adapter_model.safetensors")
    values = {name: tensor.double().numpy() for name, tensor in tensors.items()}
    scale = config["lora_alpha"] / config["r"]
    modules = sorted(name.removeprefix(PREFIX).removesuffix(SUFFIX) for name in values if name.endswith(SUFFIX))
    return {
        f"{module}.weight": scale
        * (values[f"{PREFIX}{module}.lora_B.weight"] @ values[f"{PREFIX}{module}.lora_A.weight"])
        for module in modules
    }


def singular_values(deltas: Tensors, rank: int) -> dict[str, list[float]]:
    """Per weight the `rank` largest singular values; the others of a product of rank `rank` are nothing but rounding."""
    return {name: np.linalg.svd(delta, compute_uv=False)[:rank].tolist() for name, delta in deltas.items()}


def truncated(deltas: Tensors, rank: int) -> Tensors:
    """Per weight the nearest matrix of rank `rank` (Eckart-Young), float64."""
    result = {}
    for name, delta in deltas.items():
        left, values, right = np.linalg.svd(delta, full_matrices=False)
        result[name] = (left[:, :rank] * values[:rank]) @ right[:rank]
    return result


def shifted(base: Tensors, deltas: Tensors) -> Tensors:
    """W + delta, the delta rounded to float32 first: PERU-LoRA around the base."""
    return {name: base[name] + delta.astype(np.float32) for name, delta in deltas.items()}


def merged(base: Tensors, deltas: list[Tensors], coefficient: float) -> Tensors:
    """W + coefficient * sum of deltas, in float64, rounded once to float32: task arithmetic over adapters."""
    result = {}
    for name in deltas[0]:
        total = sum(one[name] for one in deltas)
        result[name] = (base[name].astype(np.float64) + coefficient * total).astype(np.float32)
    return result
