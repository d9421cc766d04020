"""Tensors that are one parameter of the model and may stand in a file once or several times."""

from __future__ import annotations

from pathlib import Path

import torch

from verify.files import Export, Sources

Tensors = dict[str, torch.Tensor]


def tied_groups(export: Export, sources: Sources, told: dict[str, str]) -> list[list[str]]:
    """Names that transformers has one parameter by, in the base and in every task; without configurations, `told`."""
    beside = [sources.weights(source)[0].with_name("config.json") for source in (sources.base, *sources.tasks)]
    found = [path for path in (*beside, export.folder / "config.json") if path.is_file()]
    if not found:
        return [[name, *(copy for copy in told if told[copy] == name)] for name in dict.fromkeys(told.values())]
    by_text = {path.read_text("utf-8"): path for path in found}
    # Kept till the end: the identity of a parameter that is gone may be another's.
    models = [model_of(path) for path in by_text.values()]
    labels: dict[str, list[int]] = {}
    for model in models:
        for name, parameter in model.named_parameters(remove_duplicate=False):
            labels.setdefault(name, []).append(id(parameter))
    groups: dict[tuple[int, ...], list[str]] = {}
    for name, label in labels.items():
        if len(label) == len(models):
            groups.setdefault(tuple(label), []).append(name)
    return [names for names in groups.values() if len(names) > 1]


def model_of(path: Path) -> torch.nn.Module:
    """The model of a configuration, without weights."""
    import transformers

    config = transformers.AutoConfig.from_pretrained(path.parent)
    kind = getattr(transformers, config.architectures[0])
    with torch.device("meta"):
        return kind(config)


def copies_of(base: Tensors, groups: list[list[str]], told: dict[str, str]) -> dict[str, list[str]]:
    """By the name that stands for a group, the base's other names of it; `told` are those the export calls copies."""
    held = [sorted((name for name in group if name in base), key=lambda name: name in told) for group in groups]
    return {first: copies for first, *copies in filter(None, held)}


def without_copies(tensors: Tensors, groups: list[list[str]], names: dict[str, list[str]]) -> Tensors:
    """Each group once, under the name that stands for it; `names` as of `copies_of`."""
    once = dict(tensors)
    for group in groups:
        name = next((name for name in group if name in names), None)
        held = [other for other in group if other in tensors]
        if name is None or not held:
            continue
        for other in held:
            del once[other]
        once[name] = tensors[name if name in held else held[0]]
    return once
