"""What torch measures: transformers' T5 and peft's adapters as stored, read back from the finished zoo."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import numpy as np
import peft
import pyarrow.parquet as pq
import torch
import transformers
from peft import PeftModel
from safetensors.torch import save_file
from scipy.stats import spearmanr
from transformers import AutoTokenizer, T5ForConditionalGeneration

import lora_oracle as oracle
from model import PAD, padded
from settings import BASE_NAME, FIRST_ROWS, GOLDEN_LIMIT, LAMBDAS, MAX_LENGTH, MAX_NEW_TOKENS, RANK, RANKS
from tasks import TASKS, Task

# Tasks whose strings and logits are shipped: one with three answers, one whose answers have several tokens.
GOLDEN_TASKS = ("entailment", "similarity")
LOGIT_ROWS, ENCODER_ROWS = 64, 8


def adapter_name(task: Task) -> str:
    return f"{BASE_NAME}_{task.name}-lora-{RANK}"


class Zoo:
    """The finished zoo, read as any other Hub repos would be."""

    def __init__(self, out: Path):
        self.out = out
        self.base_folder = out / "models" / BASE_NAME
        self.tokenizer = AutoTokenizer.from_pretrained(self.base_folder)
        self.plain = T5ForConditionalGeneration.from_pretrained(self.base_folder).eval()
        first, *others = TASKS
        adapted = T5ForConditionalGeneration.from_pretrained(self.base_folder)
        self.adapted = PeftModel.from_pretrained(adapted, self.adapter(first), adapter_name=first.name)
        for task in others:
            self.adapted.load_adapter(self.adapter(task), adapter_name=task.name)
        self.adapted.eval()
        self.deltas = {task.name: oracle.read_deltas(self.adapter(task)) for task in TASKS}
        weights = self.plain.state_dict()
        self.base = {name: weights[name].numpy().copy() for name in self.deltas[first.name]}
        self._rows: dict[tuple[str, str], tuple[list[list[int]], np.ndarray]] = {}

    def adapter(self, task: Task) -> Path:
        return self.out / "adapters" / adapter_name(task)

    def columns(self, task: Task, split: str) -> tuple[list[str], np.ndarray]:
        """Prompts and labels."""
        table = pq.read_table(self.out / "datasets" / task.name / "data" / f"{split}-00000-of-00001.parquet")
        rows = table.to_pylist()
        return [task.prompt.format(**row) for row in rows], np.array([row["label"] for row in rows])

    def rows(self, task: Task, split: str) -> tuple[list[list[int]], np.ndarray]:
        """Token ids of the prompts, and labels."""
        if (task.name, split) not in self._rows:
            prompts, labels = self.columns(task, split)
            self._rows[task.name, split] = self.tokenizer(prompts)["input_ids"], labels
        return self._rows[task.name, split]

    @contextmanager
    def using(self, task: Task, method: str, weights: oracle.Tensors | None) -> Iterator[torch.nn.Module]:
        """The model of a method: the base, peft's own adapter, or the base with some weights replaced."""
        if method == "finetuned":
            self.adapted.set_adapter(task.name)
            yield self.adapted
            return
        put = self.base if weights is None else weights
        self.plain.load_state_dict({name: torch.from_numpy(put[name]) for name in self.base}, strict=False)
        yield self.plain


@torch.no_grad()
def generate(zoo: Zoo, model: torch.nn.Module, ids: list[list[int]], step: int = 1) -> list[str]:
    """Greedy answers. Prompts go together by length, rounded up to `step`; with 1 none is padded."""
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, row in enumerate(ids):
        by_length[-(-len(row) // step)].append(index)
    answers = [""] * len(ids)
    for indices in by_length.values():
        inputs = padded([np.array(ids[index]) for index in indices], PAD)
        output = model.generate(
            input_ids=inputs,
            attention_mask=(inputs != PAD).long(),
            max_length=MAX_LENGTH,
            num_beams=1,
            do_sample=False,
        )
        for index, text in zip(indices, zoo.tokenizer.batch_decode(output, skip_special_tokens=True), strict=True):
            answers[index] = text.strip()
    return answers


def number(text: str) -> float:
    """What cannot be read as a number counts as 0."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def spearman(answers: list[str], labels: np.ndarray) -> float:
    """Spearman's rho with average ranks; 0 where all answers are alike."""
    rho = spearmanr([number(text) for text in answers], [float(f"{label:.1f}") for label in labels]).statistic
    return 0.0 if np.isnan(rho) else float(rho)


def score(task: Task, answers: list[str], labels: np.ndarray) -> dict:
    if task.answers is None:
        value = round(spearman(answers, labels), 6)
        return {
            "spearman": value,
            f"spearman{FIRST_ROWS}": round(spearman(answers[:FIRST_ROWS], labels[:FIRST_ROWS]), 6),
        }
    right = [answer == task.target(label) for answer, label in zip(answers, labels, strict=True)]
    return {"correct": sum(right), f"correct{FIRST_ROWS}": sum(right[:FIRST_ROWS])}


def value(task: Task, scored: dict, count: int) -> float:
    return scored["spearman"] if task.answers is None else scored["correct"] / count


def measured(zoo: Zoo, task: Task, method: str, weights: oracle.Tensors | None, split: str) -> tuple[dict, list[str]]:
    ids, labels = zoo.rows(task, split)
    with zoo.using(task, method, weights) as model:
        # Padding is masked and changes last bits only; where strings are golden, rows go without.
        alone = split == "test" and task.name in GOLDEN_TASKS
        answers = generate(zoo, model, ids, step=1 if alone else 12)
    return score(task, answers, labels), answers


def choose_lambda(zoo: Zoo) -> tuple[float, list[dict]]:
    """The coefficient with the best average score on validation; the smallest of equals."""
    sweep = []
    for coefficient in LAMBDAS:
        weights = oracle.merged(zoo.base, list(zoo.deltas.values()), coefficient)
        scores = {}
        for task in TASKS:
            scored, answers = measured(zoo, task, "merged", weights, "validation")
            scores[task.name] = round(value(task, scored, len(answers)), 5)
        sweep.append(
            {"lambda": coefficient, "validation_average": round(float(np.mean(list(scores.values()))), 5), **scores}
        )
    return max(sweep, key=lambda row: (row["validation_average"], -row["lambda"]))["lambda"], sweep


def measure(zoo: Zoo, coefficient: float) -> tuple[dict, dict[str, dict[str, list[str]]]]:
    """The golden table, and every answer by task and method."""
    merged = oracle.merged(zoo.base, list(zoo.deltas.values()), coefficient)
    rows, said = [], {}
    for task in TASKS:
        deltas = zoo.deltas[task.name]
        models: dict[str, oracle.Tensors | None] = {"pretrained": None, "finetuned": None, "merged": merged}
        for rank in RANKS:
            models[f"peru-lora@{rank}"] = oracle.shifted(zoo.base, oracle.truncated(deltas, rank))
        results = {method: measured(zoo, task, method, weights, "test") for method, weights in models.items()}
        said[task.name] = {method: answers for method, (_, answers) in results.items()}
        values = oracle.singular_values(deltas, RANK)
        energy = sum(s**2 for module in values.values() for s in module)
        kept = {q: sum(s**2 for module in values.values() for s in module[:q]) / energy for q in RANKS}
        rows.append(
            {
                "name": task.name,
                "metric": task.metric,
                "n": len(zoo.rows(task, "test")[0]),
                "scores": {method: scored for method, (scored, _) in results.items()},
                "kept_energy": {str(q): round(share, 6) for q, share in kept.items()},
                "singular_values": {name.removesuffix(".weight"): values[name] for name in values},
            }
        )
    methods = list(rows[0]["scores"])
    average = {
        method: round(float(np.mean([value(t, r["scores"][method], r["n"]) for t, r in zip(TASKS, rows)])), 6)
        for method in methods
    }
    return {"lambda": coefficient, "first_rows": FIRST_ROWS, "tasks": rows, "average": average}, said


def write_strings(zoo: Zoo, task: Task, said: dict[str, list[str]], folder: Path) -> None:
    """Every test row's prompt, ids and answers."""
    prompts, _ = zoo.columns(task, "test")
    ids, _ = zoo.rows(task, "test")
    rows = [
        {"prompt": prompts[i], "ids": ids[i], "finetuned": said["finetuned"][i], "pretrained": said["pretrained"][i]}
        for i in range(len(prompts))
    ]
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (folder / f"generated-{task.name}.json").write_text(f"[\n{lines}\n]\n")


@torch.no_grad()
def write_logits(zoo: Zoo, task: Task, folder: Path) -> None:
    """First-step logits of the first rows, each run alone, and the encoder's last hidden states of a few."""
    ids, _ = zoo.rows(task, "test")
    start = torch.tensor([[zoo.plain.config.decoder_start_token_id]])
    lengths = [len(row) for row in ids[:ENCODER_ROWS]]
    tensors = {"encoder_lengths": torch.tensor(lengths, dtype=torch.int32)}
    zoo.adapted.set_adapter(task.name)
    for method in ("finetuned", "pretrained"):
        with zoo.adapted.disable_adapter() if method == "pretrained" else nullcontext():
            outputs = [zoo.adapted(input_ids=torch.tensor([row]), decoder_input_ids=start) for row in ids[:LOGIT_ROWS]]
        tensors[method] = torch.cat([output.logits[:, 0] for output in outputs]).contiguous()
        states = torch.zeros(ENCODER_ROWS, max(lengths), zoo.plain.config.d_model)
        for row, length, output in zip(states, lengths, outputs):
            row[:length] = output.encoder_last_hidden_state[0]
        tensors[f"encoder_{method}"] = states
    save_file(tensors, folder / f"logits-{task.name}.safetensors")


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_golden(zoo: Zoo, folder: Path, coefficient: float, sweep: list[dict]) -> dict:
    """Everything the page's tests compare themselves with."""
    folder.mkdir(parents=True, exist_ok=True)
    table, said = measure(zoo, coefficient)
    files = [zoo.base_folder / "model.safetensors", zoo.base_folder / "tokenizer.json"]
    for task in TASKS:
        files += sorted(zoo.adapter(task).glob("adapter_*"))
        files += sorted((zoo.out / "datasets" / task.name / "data").glob("*.parquet"))
    table |= {
        "max_length": MAX_LENGTH,
        "max_new_tokens": MAX_NEW_TOKENS,
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__},
        "lambda_sweep_on_validation": sweep,
        "sha256": {str(path.relative_to(zoo.out)): sha256(path) for path in files},
    }
    (folder / "torch-table.json").write_text(json.dumps(table, indent=1) + "\n")
    for task in TASKS:
        if task.name in GOLDEN_TASKS:
            write_strings(zoo, task, said[task.name], folder)
            write_logits(zoo, task, folder)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert size <= GOLDEN_LIMIT, f"golden data take {size} bytes"
    return table
