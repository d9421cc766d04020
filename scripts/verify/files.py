"""The files of an export and of its sources: hashes, headers, recipes."""

from __future__ import annotations

import hashlib
import html
import json
import re
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open

from verify.packed import FORMATS
from verify.report import Report, require

FILE_ROW = re.compile(r"^\| (?P<path>\S.*?) \| (?P<bytes>[\d,]+) \| `(?P<sha>[0-9a-f]{64})` \|$", re.MULTILINE)
TASK_ROW = re.compile(r"^\| .*? \| (?P<stem>\S+?)(?:\.sparse\.safetensors|/) \| .*? \|$", re.MULTILINE)
# What differs from run to run, or is the card itself.
WITHOUT_HASH = {"results.json", "README.md"}
MAX_LOADER_LINES = 20
MAX_PACKED_LOADER_LINES = 60


@dataclass
class Export:
    folder: Path
    recipe: dict
    results: dict
    card: str
    # Stem of each task's files, in the recipe's order.
    stems: list[str]

    @property
    def is_full(self) -> bool:
        return self.recipe["compress"]["method"] == "peru-fft"

    @property
    def is_packed(self) -> bool:
        return self.recipe["compress"].get("values") in FORMATS

    @property
    def max_loader_lines(self) -> int:
        return MAX_PACKED_LOADER_LINES if self.is_packed else MAX_LOADER_LINES

    @property
    def tasks(self) -> list[str]:
        return [task["task"] for task in self.recipe["tasks"]]

    @property
    def coefficient(self) -> float:
        merge = self.recipe["merge"]
        return 1 / len(self.tasks) if merge["method"] == "simple-average" else merge["lambda"]

    def own_tied(self, stem: str) -> dict[str, str]:
        """Names in the merged model of copies of what a task keeps whole, and what they are copies of."""
        with safe_open(self.folder / f"{stem}.sparse.safetensors", "pt") as file:
            return json.loads(file.metadata().get("tied", "{}"))


@dataclass
class Sources:
    # Files of the base, then of each task: the recipe's path and where it lies.
    base: dict[str, Path]
    tasks: list[dict[str, Path]]

    @staticmethod
    def weights(source: dict[str, Path]) -> list[Path]:
        return [path for path in source.values() if path.suffix == ".safetensors"]


def unescaped(text: str) -> str:
    return re.sub(r"\\([\\`*_\[\]|~])", r"\1", html.unescape(text))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def open_export(folder: Path, report: Report) -> Export | None:
    export = None
    with report.check("export", "recipe.json, results.json and README.md are there and name every task") as check:
        recipe, results = (json.loads((folder / name).read_text("utf-8")) for name in ("recipe.json", "results.json"))
        card = (folder / "README.md").read_text("utf-8")
        require(recipe["peru"] == 1 and results["peru"] == 1, "another version")
        before = card.split("\n## ", 1)[0]
        stems = [unescaped(stem) for stem in TASK_ROW.findall(before)]
        count = len(recipe["tasks"])
        require(len(stems) == count, f"{len(stems)} tasks in the card, {count} in the recipe")
        export = Export(folder, recipe, results, card, stems)
        check.found = f"{len(stems)} tasks, {recipe['compress']['method']}"
    return export


def verify_files(export: Export, report: Report) -> None:
    with report.check("files", "bytes and SHA-256 are those of the card, and no file is unlisted") as check:
        section = export.card.split("\n## Files\n", 1)[1].split("\n## ", 1)[0]
        listed = {unescaped(path): (int(size.replace(",", "")), sha) for path, size, sha in FILE_ROW.findall(section)}
        found = {
            str(path.relative_to(export.folder)): path for path in sorted(export.folder.rglob("*")) if path.is_file()
        }
        apart = (set(found) - WITHOUT_HASH) ^ set(listed)
        require(not apart, f"listed or there, not both: {sorted(apart)}")
        for name, (size, sha) in listed.items():
            require(found[name].stat().st_size == size, f"{name} has {found[name].stat().st_size} bytes, not {size}")
            require(sha256(found[name]) == sha, f"{name} has another SHA-256")
        check.found = f"{len(listed)} files, {sum(size for size, _ in listed.values()):,} bytes"

    with report.check("files", "safetensors opens every file; no NaN, no Inf") as check:
        tensors = 0
        for path in sorted(export.folder.rglob("*.safetensors")):
            with safe_open(path, "pt") as file:
                for name in file.keys():
                    tensor = file.get_tensor(name)
                    tensors += 1
                    finite = not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
                    require(finite, f"{name} of {path.name} holds NaN or Inf")
        check.found = f"{tensors} tensors"

    with report.check("recipe", "the recipe inside weights' files is that of recipe.json") as check:
        whole = export.recipe
        merge = {key: value for key, value in whole.items() if key != "compress"}
        count = 0
        for path in sorted(export.folder.rglob("*.safetensors")):
            with safe_open(path, "pt") as file:
                metadata = file.metadata() or {}
            for key, expected in (("peru", merge), ("recipe", whole)):
                if key in metadata:
                    count += 1
                    require(json.loads(metadata[key]) == expected, f"{path.name} holds another recipe")
        require(count > 0 or not export.is_full, "no file holds a recipe")
        check.found = f"{count} files"


def find_sources(export: Export, folder: Path, report: Report) -> Sources | None:
    """Finds the recipe's source files below a folder, by content."""
    sources = None
    with report.check("sources", "all of the recipe's source files are found by their SHA-256") as check:
        records = [export.recipe["base"], *export.recipe["tasks"]]
        wanted = {file["bytes"] for record in records for file in record["files"]}
        by_hash: dict[str, list[Path]] = {}
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.stat().st_size in wanted:
                by_hash.setdefault(sha256(path), []).append(path)
        located = [locate(record, by_hash) for record in records]
        sources = Sources(located[0], located[1:])
        check.found = f"{sum(map(len, located))} files of {len(located)} checkpoints"
    return sources


def locate(record: dict, by_hash: dict[str, list[Path]]) -> dict[str, Path]:
    """The files of one checkpoint, in the folder that has all of them."""
    places = []
    for file in record["files"]:
        places.append([path for path in by_hash.get(file["sha256"], []) if path.name == Path(file["path"]).name])
        require(bool(places[-1]), f"{record['name']}: {file['path']} ({file['sha256'][:12]}) is not below the folder")
    shared = set.intersection(*({path.parent for path in paths} for paths in places))
    # Small configurations are alike in many folders; the weights tell which one it is.
    names = [file["path"] for file in record["files"]]
    return {
        name: next((path for path in paths if path.parent in shared), paths[0])
        for name, paths in zip(names, places, strict=True)
    }


def card_loader(export: Export) -> dict:
    """Runs the loader of the card; the names it defines."""
    blocks = re.findall(r"^```python\n(.*?)^```$", export.card, re.MULTILINE | re.DOTALL)
    code = next((block for block in blocks if "def load_task(" in block), None)
    require(code is not None, "the card holds no loader")
    lines = code.strip().count("\n") + 1
    require(lines <= export.max_loader_lines, f"the loader has {lines} lines")
    defined: dict = {"lines": lines}
    exec(compile(code, "README.md", "exec"), defined)  # noqa: S102 - the point is to run what the card tells people to
    return defined
