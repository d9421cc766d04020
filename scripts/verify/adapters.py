"""Adapters: what peft makes of them against a dense SVD in float64."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from verify.files import Export, Sources, card_loader
from verify.report import Report, require

Deltas = dict[str, np.ndarray]
EPSILON = 2.0**-23
# Float32 QR, Jacobi and products each lose a few units in the last place for every one of up to 64 triplets.
UNITS = 64
# Singular values below this share of the largest are left out of the merged adapter as noise.
NOISE = 2.0**-20


def verify(export: Export, sources: Sources, report: Report) -> None:
    with report.check("loader", "the card's loader has at most 20 lines and runs") as check:
        loader = card_loader(export)
        check.found = f"{loader['lines']} lines"
    base = Sources.weights(sources.base)[0].parent
    load_task: Callable = loader["load_task"]
    products = []
    for task, stem, source in zip(export.tasks, export.stems, sources.tasks, strict=True):
        with report.check(task, "PeftModel.from_pretrained loads it; product = U_q S_q V_q^T of the source's") as check:
            folder = Sources.weights(source)[0].parent
            original = deltas(load_task(folder.name, str(base), folder=str(folder.parent)))
            products.append(original)
            check.found = verify_task(export, load_task(stem, str(base), folder=str(export.folder)), original)
    with report.check("merged", "the merged adapter is the sum of the sources' products") as check:
        require(len(products) == len(export.tasks), "a source could not be read")
        check.found = verify_merged(export, load_task("merged", str(base), folder=str(export.folder)), products)


def layers(model: torch.nn.Module) -> dict[str, torch.nn.Module]:
    """The adapted layers, by peft's names."""
    return {name: layer for name, layer in model.named_modules() if getattr(layer, "lora_A", None)}


def deltas(model: torch.nn.Module) -> Deltas:
    """Per adapted layer scaling * B @ A in float64, from what peft loaded."""
    found = {}
    for name, layer in layers(model).items():
        (adapter,) = layer.lora_A.keys()
        a, b = (factor[adapter].weight.detach().double().numpy() for factor in (layer.lora_A, layer.lora_B))
        found[name] = layer.scaling[adapter] * (b @ a)
    return found


def ranks(model: torch.nn.Module) -> dict[str, int]:
    return {name: next(iter(layer.lora_A.values())).weight.shape[0] for name, layer in layers(model).items()}


def verify_task(export: Export, model: torch.nn.Module, original: Deltas) -> str:
    written, rank = deltas(model), ranks(model)
    require(set(written) <= set(original), f"adapts more: {sorted(set(written) - set(original))[:3]}")
    worst = 0.0
    for name, product in original.items():
        left, values, right = np.linalg.svd(product, full_matrices=False)
        has = int((values > values.shape[0] * np.finfo(float).eps * values[0]).sum())
        kept = rank.get(name, 0)
        if "q" in export.recipe["compress"]:
            allowed = (min(export.recipe["compress"]["q"], has), export.recipe["compress"]["q"])
            require(allowed[0] <= kept <= allowed[1], f"{name} has rank {kept}, not {allowed[0]}")
        best = (left[:, :kept] * values[:kept]) @ right[:kept]
        error = np.linalg.norm(written.get(name, np.zeros_like(best)) - best)
        bound = truncation_bound(values, kept)
        require(error <= bound, f"{name} is off by {error:.2e}, more than {bound:.2e}")
        worst = max(worst, error / max(float(np.linalg.norm(product)), 1e-300))
    merged_in = verify_merging(model, written)
    span = f"ranks {min(rank.values())} to {max(rank.values())}"
    return f"{len(written)} products, {span}, off by at most {worst:.1e} of their norm; {merged_in}"


def truncation_bound(values: np.ndarray, kept: int) -> float:
    """
    Most that float32 may change the truncation (Frobenius). A backward error E of the factorisation, at most
    UNITS * eps * sigma_1, changes the product kept by |E|, and turns the kept space where the next singular value is
    near: |E| * sigma_{q+1} / (sigma_q - sigma_{q+1}) on either side (Wedin 1972).
    """
    error = UNITS * EPSILON * float(values[0])
    if kept == 0 or kept >= values.size:
        return error
    gap = float(values[kept - 1] - values[kept])
    if gap <= 2 * error:
        return 2 * float(values[kept - 1]) + error
    return error * (1 + 2 * float(values[kept]) / gap)


def verify_merging(model: torch.nn.Module, written: Deltas) -> str:
    """Merging into the base adds the product, as peft lays it out, and nothing else."""
    before = {name: layer.get_base_layer().weight.detach().double().numpy() for name, layer in layers(model).items()}
    model.merge_adapter()
    for name, layer in layers(model).items():
        after = layer.get_base_layer().weight.detach().double().numpy()
        product = written[name].T if layer.fan_in_fan_out else written[name]
        # The product is a float32 sum over the rank, and adding it rounds once more.
        scale = np.abs(before[name]) + np.linalg.norm(product, axis=0) + np.linalg.norm(product)
        error = np.abs(after - before[name] - product)
        require(bool((error <= UNITS * EPSILON * scale).all()), f"merging changes {name} by something else")
    return "merging adds them"


def verify_merged(export: Export, model: torch.nn.Module, products: list[Deltas]) -> str:
    written, rank = deltas(model), ranks(model)
    worst = 0.0
    names = {name for product in products for name in product}
    for name in names:
        terms = [export.coefficient * product[name] for product in products if name in product]
        total = sum(terms)
        triplets = sum(min(min(term.shape), 256) for term in terms)
        scale = sum(float(np.linalg.norm(term)) for term in terms)
        bound = (UNITS * EPSILON + NOISE * min(triplets, min(total.shape)) ** 0.5) * scale
        error = np.linalg.norm(written.get(name, np.zeros_like(total)) - total)
        require(error <= bound, f"{name} is off by {error:.2e}, more than {bound:.2e}")
        worst = max(worst, error / max(float(np.linalg.norm(total)), 1e-300))
    return f"{len(written)} products, ranks up to {max(rank.values())}, off by at most {worst:.1e} of their norm"
