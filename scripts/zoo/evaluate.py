"""What torch measures: transformers' own CLIP on the stored weights, read back from the finished zoo."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import torch
from datasets import Dataset
from safetensors.torch import load_file, save_file
from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizerFast

import merge_oracle as oracle
from draw import TASKS
from model import image_logits, prompts, zero_shot_head
from settings import BASE_NAME, DENSITIES, FIRST_ROWS, LAMBDAS, POST_PRUNING_DENSITIES, STORAGE

# Tasks whose logits are shipped: one stored as F16, one as BF16.
LOGIT_TASKS = ("digits", "street-digits")


class Zoo:
    """The finished zoo, read as any other Hub repos would be."""

    def __init__(self, out: Path):
        self.out = out
        self.base_folder = out / "models" / BASE_NAME
        self.model = CLIPModel.from_pretrained(self.base_folder).eval()
        self.tokenizer = CLIPTokenizerFast.from_pretrained(self.base_folder)
        self.processor = CLIPImageProcessor.from_pretrained(self.base_folder)
        self.heads = {task.name: zero_shot_head(self.model, self.tokenizer, task) for task in TASKS}
        self.tuned = {task.name: self._tensors(self.model_file(task.name)) for task in TASKS}
        everything = self._tensors(self.base_folder / "model.safetensors")
        self.base = {name: everything[name] for name in self.tuned[TASKS[0].name]}
        self.flat_base = oracle.flatten(self.base)
        self.flat_tuned = {name: oracle.flatten(tensors) for name, tensors in self.tuned.items()}
        self._images: dict[tuple[str, str], tuple[torch.Tensor, np.ndarray]] = {}

    def model_file(self, task_name: str) -> Path:
        return self.out / "models" / f"{BASE_NAME}_{task_name}" / "model.safetensors"

    @staticmethod
    def _tensors(path: Path) -> oracle.Tensors:
        """Stored values, exactly, as float32."""
        return {name: tensor.float().numpy() for name, tensor in load_file(path).items()}

    def images(self, task_name: str, split: str) -> tuple[torch.Tensor, np.ndarray]:
        if (task_name, split) not in self._images:
            file = self.out / "datasets" / task_name / "data" / f"{split}-00000-of-00001.parquet"
            rows = Dataset(pq.read_table(file))
            pixels = self.processor(images=list(rows["image"]), return_tensors="pt")["pixel_values"]
            self._images[task_name, split] = pixels, np.array(rows["label"])
        return self._images[task_name, split]

    @torch.no_grad()
    def logits(self, flat: np.ndarray, task_name: str, split: str = "test") -> torch.Tensor:
        """Logits of the task's images with the given vision tower in the base's CLIP."""
        tower = {name: torch.from_numpy(values.copy()) for name, values in oracle.unflatten(flat, self.base).items()}
        self.model.load_state_dict(tower, strict=False)
        pixels, _ = self.images(task_name, split)
        return torch.cat([image_logits(self.model, part, self.heads[task_name]) for part in pixels.split(128)])

    def correct(self, flat: np.ndarray, task_name: str, split: str = "test") -> np.ndarray:
        """Per image, whether the guess is right."""
        return self.logits(flat, task_name, split).argmax(dim=1).numpy() == self.images(task_name, split)[1]


def choose_lambda(zoo: Zoo) -> tuple[float, list[dict]]:
    """The coefficient of task arithmetic with the best average validation accuracy; the smallest of equals."""
    tuned = list(zoo.flat_tuned.values())
    sweep = []
    for coefficient in LAMBDAS:
        merged = oracle.task_arithmetic(zoo.flat_base, tuned, coefficient)
        scores = [float(zoo.correct(merged, task.name, "validation").mean()) for task in TASKS]
        sweep.append({"lambda": coefficient, "validation_average": round(float(np.mean(scores)), 5)})
    return max(sweep, key=lambda row: (row["validation_average"], -row["lambda"]))["lambda"], sweep


def measure(zoo: Zoo, coefficient: float) -> dict:
    """The golden table: correct counts of every method on every test split, and what each sparse vector keeps."""
    tuned = list(zoo.flat_tuned.values())
    merged = oracle.task_arithmetic(zoo.flat_base, tuned, coefficient)
    average = oracle.simple_average(zoo.flat_base, tuned)
    rows = []
    for task in TASKS:
        own = zoo.flat_tuned[task.name]
        models = {
            "pretrained": zoo.flat_base,
            "finetuned": own,
            "merged:average": average,
            f"merged:task-arithmetic@{coefficient}": merged,
        }
        sparse = {}
        for centre, name, densities in (
            (merged, "peru-fft", DENSITIES),
            (zoo.flat_base, "post-pruning", POST_PRUNING_DENSITIES),
        ):
            for density in densities:
                models[f"{name}@{density}"], sparse[f"{name}@{density}"] = oracle.sparse_model(centre, own, density)
        scores = {}
        for name, flat in models.items():
            right = zoo.correct(flat, task.name)
            scores[name] = {"correct": int(right.sum()), "correct128": int(right[:FIRST_ROWS].sum())}
        rows.append(
            {"name": task.name, "n": len(right), "dtype": STORAGE[task.name], "scores": scores, "sparse": sparse}
        )
    methods = list(rows[0]["scores"])
    averages = {m: round(float(np.mean([row["scores"][m]["correct"] / row["n"] for row in rows])), 6) for m in methods}
    return {"lambda": coefficient, "first_rows": FIRST_ROWS, "tasks": rows, "average": averages}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_golden(zoo: Zoo, golden: Path, coefficient: float, sweep: list[dict]) -> dict:
    """Everything the page's tests compare themselves with."""
    golden.mkdir(parents=True, exist_ok=True)
    table = measure(zoo, coefficient)
    files = [zoo.base_folder / "model.safetensors", *(zoo.model_file(task.name) for task in TASKS)]
    table["torch"] = torch.__version__
    table["lambda_sweep_on_validation"] = sweep
    table["sha256"] = {str(path.relative_to(zoo.out)): sha256(path) for path in files}
    (golden / "torch-table.json").write_text(json.dumps(table, indent=1) + "\n")

    for name in LOGIT_TASKS:
        tensors = {"finetuned": zoo.logits(zoo.flat_tuned[name], name), "pretrained": zoo.logits(zoo.flat_base, name)}
        tensors["label"] = torch.from_numpy(zoo.images(name, "test")[1])
        save_file({key: value.contiguous() for key, value in tensors.items()}, golden / f"logits-{name}.safetensors")
    save_file({name: head.contiguous() for name, head in zoo.heads.items()}, golden / "text-heads.safetensors")
    ids = {
        task.name: [
            {"text": text, "ids": zoo.tokenizer(text)["input_ids"]} for texts in prompts(task) for text in texts
        ]
        for task in TASKS
    }
    (golden / "prompt-ids.json").write_text(json.dumps(ids, separators=(",", ":"), ensure_ascii=False) + "\n")
    return table
