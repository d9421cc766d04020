"""The page's accuracies, measured again by transformers on the embedded zoo's test sets."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch

from verify.files import Export, Sources, card_loader
from verify.report import Report, require

# Rows of a test set that may be answered otherwise: float32 sums of another order move a tie.
MAX_ROWS_APART = 2
MAX_SPEARMAN_APART = 0.005


def verify(export: Export, sources: Sources, zoo: Path, report: Report) -> None:
    """`zoo` is public/zoo; what made the zoo measures it, too."""
    scripts = Path(__file__).resolve().parent.parent / "zoo"
    if export.is_full:
        sys.path.insert(0, str(scripts))
        images(export, zoo, report)
    else:
        sys.path.insert(0, str(scripts / "text"))
        texts(export, sources, zoo / "text", report)


def exported_method(export: Export) -> str:
    compress = export.recipe["compress"]
    if export.is_full:
        return f"peru-fft@{plain(compress['m'])}"
    (key,) = [key for key in compress if key != "method"]
    value = plain(compress[key])
    return f"peru-lora@{value}" if key == "q" else f"peru-lora@{key}={value}"


def plain(value: float) -> str:
    """As JavaScript writes it: no `.0` behind whole numbers."""
    return str(int(value)) if value == int(value) else repr(value)


def entries(export: Export) -> list[tuple[str, dict]]:
    """Stem and results of each task, in the recipe's order."""
    rows = {row["name"]: row for row in export.results["tasks"]}
    return [(stem, rows[task]) for task, stem in zip(export.tasks, export.stems, strict=True)]


def images(export: Export, zoo_folder: Path, report: Report) -> None:
    import evaluate
    from model import image_logits

    zoo = evaluate.Zoo(zoo_folder)
    plain = {name: tensor.clone() for name, tensor in zoo.model.state_dict().items()}
    load_task = card_loader(export)["load_task"]
    merged = evaluate.CLIPModel.from_pretrained(export.folder, dtype=torch.float32).state_dict()
    method = exported_method(export)

    @torch.no_grad()
    def right(weights: dict[str, torch.Tensor], task: str, rows: int) -> int:
        zoo.model.load_state_dict(plain)
        floats = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
        zoo.model.load_state_dict(floats, strict=False)
        pixels, labels = zoo.images(task, "test")
        logits = [image_logits(zoo.model, part, zoo.heads[task]) for part in pixels[:rows].split(128)]
        return int((torch.cat(logits).argmax(dim=1).numpy() == labels[:rows]).sum())

    for stem, row in entries(export):
        task = row["name"]
        with report.check(task, "transformers' accuracy = results.json's") as check:
            tuned = {name: torch.from_numpy(values) for name, values in zoo.tuned[task].items()}
            models = {"pretrained": {}, "finetuned": tuned, "merged": merged}
            models[method] = load_task(stem, folder=str(export.folder))
            counts = {name: right(weights, task, row["n"]) for name, weights in models.items() if name in row["scores"]}
            require(method in counts, f"results.json has no {method}")
            check.found = compare_counts(counts, row)


def compare_counts(counts: dict[str, int], row: dict) -> str:
    told = {name: round(row["scores"][name] * row["n"]) for name in counts}
    said = ", ".join(f"{name} {counts[name]} (page {told[name]})" for name in counts)
    apart = max(abs(counts[name] - told[name]) for name in counts)
    require(apart <= MAX_ROWS_APART, f"{said}: {apart} of {row['n']} apart")
    return f"of {row['n']}: {said}"


def texts(export: Export, sources: Sources, zoo_folder: Path, report: Report) -> None:
    import evaluate

    zoo = evaluate.Zoo(zoo_folder)
    load_task = card_loader(export)["load_task"]
    base = str(Sources.weights(sources.base)[0].parent)
    method = exported_method(export)
    merged = load_task("merged", base, folder=str(export.folder)).eval()
    tasks = {task.name: task for task in evaluate.TASKS}

    for stem, row in entries(export):
        task = tasks[row["name"]]
        with report.check(task.name, "peft's and transformers' score = results.json's") as check:
            ids, labels = zoo.rows(task, "test")
            ids, labels = ids[: row["n"]], labels[: row["n"]]
            zoo.adapted.set_adapter(task.name)
            models = {"pretrained": zoo.plain, "finetuned": zoo.adapted, "merged": merged}
            models[method] = load_task(stem, base, folder=str(export.folder)).eval()
            require(method in row["scores"], f"results.json has no {method}")
            answers = {
                name: evaluate.generate(zoo, model, ids, step=12)
                for name, model in models.items()
                if name in row["scores"]
            }
            if task.answers is None:
                found = {name: evaluate.spearman(said, labels) for name, said in answers.items()}
                check.found = compare_spearman(found, row)
            else:
                truth = np.array([task.target(label) for label in labels])
                counts = {name: int((np.array(said) == truth).sum()) for name, said in answers.items()}
                check.found = compare_counts(counts, row)


def compare_spearman(found: dict[str, float], row: dict) -> str:
    said = ", ".join(f"{name} {value:.4f} (page {row['scores'][name]:.4f})" for name, value in found.items())
    apart = max(abs(value - row["scores"][name]) for name, value in found.items())
    require(apart <= MAX_SPEARMAN_APART, f"{said}: {apart:.4f} apart")
    return f"rho on {row['n']}: {said}"
