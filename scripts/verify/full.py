"""Full fine-tunes: merged model and sparse vectors against float64, from the formulas alone."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from verify import packed
from verify.files import Export, Sources, card_loader, sha256
from verify.report import Report, require
from verify.ties import copies_of, tied_groups, without_copies

Tensors = dict[str, torch.Tensor]
DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
# Unit roundoff, and half the distance between the smallest numbers.
ROUNDING = {"F32": (2.0**-24, 2.0**-150), "F16": (2.0**-11, 2.0**-25), "BF16": (2.0**-8, 2.0**-134)}


def load(paths: list[Path]) -> Tensors:
    return {name: tensor for path in paths for name, tensor in load_file(path).items()}


def canonical(names) -> list[str]:
    return sorted(names, key=lambda name: name.encode())


def in_base_names(base: Tensors, task: Tensors) -> Tensors:
    """A task's tensors under the base's names: one prefix exchanged for another, and norms' old names for new ones."""
    here, there = by_modern_name(base), by_modern_name(task)

    def fits(change: tuple[str, str]) -> int:
        found = ((here.get(renamed(key, change)), name) for key, name in there.items() if key.startswith(change[0]))
        return sum(name is not None and base[name].shape == task[own].shape for name, own in found)

    same = ("", "")
    changes = [same] if 2 * fits(same) > len(task) else [same, *prefix_changes(here, there)]
    best = max(changes, key=fits)
    found: Tensors = {}
    left = []
    for key, own in there.items():
        name = here.get(renamed(key, best))
        if name is None or name in found:
            left.append((key, own))
        else:
            found[name] = task[own]
    for key, own in left:
        name = here.get(key, renamed(key, best))
        found[own if name in found else name] = task[own]
    return found


def by_modern_name(names: Tensors) -> dict[str, str]:
    def modern(name: str) -> str:
        new = re.sub(r"([Nn]orm)\.gamma$", r"\1.weight", re.sub(r"([Nn]orm)\.beta$", r"\1.bias", name))
        return name if new in names else new

    return {modern(name): name for name in names}


def renamed(name: str, change: tuple[str, str]) -> str:
    return change[1] + name[len(change[0]) :] if name.startswith(change[0]) else name


def prefix_changes(base: dict[str, str], task: dict[str, str]) -> list[tuple[str, str]]:
    """What two names differ by in front of their longest common end, over all pairs of one last part."""
    by_last: dict[str, list[list[str]]] = {}
    for name in base:
        parts = name.split(".")
        by_last.setdefault(".".join(parts[-2:]), []).append(parts)
    changes: dict[tuple[str, str], int] = {}
    for name in task:
        own = name.split(".")
        for other in by_last.get(".".join(own[-2:]), []):
            shared = 0
            while shared < min(len(own), len(other)) and own[-1 - shared] == other[-1 - shared]:
                shared += 1
            change = tuple("".join(f"{part}." for part in parts[: len(parts) - shared]) for parts in (own, other))
            changes[change] = changes.get(change, 0) + 1
    return sorted(changes, key=lambda change: -changes[change])[:8]


def merged_names(export: Export, base: Tensors, tasks: list[Tensors], copies: dict[str, list[str]]) -> list[str]:
    """Floating tensors that all hold in one shape and the patterns let through, copies by any of their names."""
    include, exclude = export.recipe.get("include", ["*"]), export.recipe.get("exclude", [])

    def merges(name: str) -> bool:
        held = [base, *tasks]
        known_as = [name, *copies.get(name, [])]
        return (
            all(name in one and one[name].is_floating_point() and one[name].shape == base[name].shape for one in held)
            and any(matches(other, pattern) for other in known_as for pattern in include)
            and not any(matches(other, pattern) for other in known_as for pattern in exclude)
        )

    return canonical(filter(merges, base))


def matches(name: str, pattern: str) -> bool:
    """`*` and `?` alone have a meaning."""
    return fnmatch.fnmatchcase(name, pattern.replace("[", "[[]"))


def flat(tensors: Tensors, names: list[str], dtype: torch.dtype = torch.float32) -> np.ndarray:
    return torch.cat([tensors[name].flatten().to(dtype) for name in names]).numpy()


def kept_count(size: int, percent: float) -> int:
    """m / 100 * size, halves rounded up, of the decimal as written."""
    return int(Fraction(str(percent)) * size / 100 + Fraction(1, 2))


def top(magnitudes: np.ndarray, count: int) -> np.ndarray:
    """The `count` largest as a mask; among equals the lowest index first."""
    if count == 0:
        return np.zeros(magnitudes.size, bool)
    threshold = np.partition(magnitudes, magnitudes.size - count)[magnitudes.size - count]
    mask = magnitudes > threshold
    equal = np.flatnonzero(magnitudes == threshold)
    mask[equal[: count - int(mask.sum())]] = True
    return mask


def verify(export: Export, sources: Sources, report: Report) -> None:
    with report.check("loader", f"the card's loader has at most {export.max_loader_lines} lines and runs") as check:
        loader = card_loader(export)
        check.found = f"{loader['lines']} lines"
    index = json.loads((export.folder / "model.safetensors.index.json").read_text("utf-8"))
    shards = [export.folder / name for name in sorted(set(index["weight_map"].values()))]
    tied = index.get("metadata", {}).get("tied", {})
    merged, base = load(shards), load(sources.weights(sources.base))
    tasks = [in_base_names(base, load(sources.weights(source))) for source in sources.tasks]
    told = {copy: name for pairs in (tied, *map(export.own_tied, export.stems)) for copy, name in pairs.items()}
    names: list[str] = []
    with report.check("merged", "what transformers ties is merged once, and told apart from its copies") as check:
        groups = tied_groups(export, sources, told)
        copies = copies_of(base, groups, told)
        tasks = [without_copies(task, groups, copies) for task in tasks]
        names = merged_names(export, without_copies(base, groups, copies), tasks, copies)
        require(len(names) > 0, "base and tasks have no tensor in common")
        require(tied == pairs_of(copies, names), f"told are {tied}, not {pairs_of(copies, names)}")
        check.found = f"{len(groups)} tied groups, {len(tied)} copies of what is merged"
    if not names:
        return
    verify_merged(export, report, merged, base, tasks, names, tied)
    verify_transformers(export, report, merged)
    written = Merged(merged, names, tied, copies, merged_sha256(shards), flat(merged, names))
    for task, stem, own in zip(export.tasks, export.stems, tasks, strict=True):
        with report.check(task, "sparse vector = top m % of theta_t - theta*; the loader rebuilds the model") as check:
            check.found = verify_task(export, loader["load_task"], stem, written, own)


def pairs_of(copies: dict[str, list[str]], names: list[str]) -> dict[str, str]:
    return {copy: name for name in names for copy in copies.get(name, [])}


def merged_sha256(shards: list[Path]) -> str:
    """Of the one file, or of the shards' own hashes, a line each."""
    hashes = [sha256(path) for path in shards]
    if len(hashes) == 1:
        return hashes[0]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def verify_merged(
    export: Export, report: Report, merged: Tensors, base: Tensors, tasks: list[Tensors], names: list[str], tied: dict
) -> None:
    dtype = export.recipe["merge"]["dtype"]
    with report.check("merged", f"theta_0 + sum c_t (theta_t - theta_0) in float64, rounded to {dtype}") as check:
        roundoff, tiny = ROUNDING[dtype]
        same = total = 0
        worst = 0.0
        for name in names:
            origin = base[name].double()
            deltas = [export.coefficient * (task[name].double() - origin) for task in tasks]
            exact = origin + sum(deltas)
            written = merged[name]
            require(written.dtype == DTYPES[dtype], f"{name} is {written.dtype}")
            # Float32 sums of T terms, each made of three roundings, then one rounding to the dtype.
            spread = origin.abs() + sum(delta.abs() + export.coefficient * origin.abs() for delta in deltas)
            allowed = (roundoff * exact.abs() + tiny) + (len(tasks) + 3) * 2.0**-24 * spread
            error = (written.double() - exact).abs()
            excess = float((error - allowed).max()) if written.numel() else 0.0
            require(excess <= 0, f"{name} is off by {excess:.2e} more than rounding")
            same += int((exact.to(DTYPES[dtype]) == written).sum())
            total += written.numel()
            worst = max(worst, float((error / allowed).max()) if written.numel() else 0.0)
        share = 100 * same / max(total, 1)
        same_bits = f"{share:.3f} % to the last bit"
        check.found = f"{total:,} entries in {len(names)} tensors, {same_bits}, at most {worst:.2f} of the bound"

    with report.check("merged", "names and shapes are the base's, and so is every bit of what is not merged") as check:
        require(set(merged) == set(base), f"other names: {sorted(set(merged) ^ set(base))[:3]}")
        untouched = set(base) - set(names) - set(tied)
        for name in base:
            require(merged[name].shape == base[name].shape, f"{name} has another shape")
        for name in untouched:
            same_bits = merged[name].dtype == base[name].dtype and bits(merged[name]) == bits(base[name])
            require(same_bits, f"{name} is not the base's")
        for copy, name in tied.items():
            require(bits(merged[copy]) == bits(merged[name]), f"{copy} is not a copy of {name}")
        check.found = f"{len(untouched)} untouched, {len(tied)} tied copies"


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def verify_transformers(export: Export, report: Report, merged: Tensors) -> None:
    if not (export.folder / "config.json").is_file():
        return
    with report.check("merged", "transformers opens the folder, and every weight it has is the file's") as check:
        import transformers

        architecture = transformers.AutoConfig.from_pretrained(export.folder).architectures[0]
        model, info = getattr(transformers, architecture).from_pretrained(
            export.folder, output_loading_info=True, dtype=torch.float32
        )
        absent = sorted(info["missing_keys"]) + [key for key, *_ in info["mismatched_keys"]]
        require(not absent, f"missing: {absent[:3]}")
        state = model.state_dict()
        floats = {name: tensor.float() for name, tensor in merged.items() if tensor.is_floating_point()}
        equal = [torch.equal(state[name], tensor) for name, tensor in floats.items() if name in state]
        require(all(equal) and len(equal) > 0, f"{equal.count(False)} of {len(equal)} tensors differ")
        check.found = f"{architecture}, {len(equal)} tensors"


@dataclass
class Merged:
    """The merged model as written, and theta* of the flat space."""

    tensors: Tensors
    names: list[str]
    tied: dict[str, str]
    # By the name that stands for them, other names of one tensor, merged or not.
    copies: dict[str, list[str]]
    sha256: str
    center: np.ndarray

    @property
    def sizes(self) -> list[int]:
        return [self.tensors[name].numel() for name in self.names]


@dataclass
class Vector:
    """What a sparse file holds, found right."""

    # Of the flat space, and the values in its order.
    mask: np.ndarray
    values: np.ndarray
    kept_whole: list[str]
    # More of what was found.
    said: list[str]


def verify_task(export: Export, load_task: Callable[..., Tensors], stem: str, merged: Merged, own: Tensors) -> str:
    compress = export.recipe["compress"]
    with safe_open(export.folder / f"{stem}.sparse.safetensors", "pt") as file:
        metadata = file.metadata()
        stored = {name: file.get_tensor(name) for name in file.keys()}
    require(metadata["format"] == "peru-sparse", "another format")
    require(metadata["version"] == ("2" if export.is_packed else "1"), "another version")
    require(metadata["merged_sha256"] == merged.sha256, "made for another merged model")
    require(float(metadata["m"]) == compress["m"], f"is told to keep {metadata['m']} %")
    read = packed_vector if export.is_packed else plain_vector
    vector = read(stored, metadata, merged, own, compress)
    tied = pairs_of(merged.copies, vector.kept_whole)
    require(export.own_tied(stem) == tied, f"told copies are not {tied}")
    loaded = verify_loaded(load_task(stem, folder=str(export.folder)), merged, own, vector)
    return "; ".join([loaded, *vector.said, f"{len(vector.kept_whole)} tensors whole, with {len(tied)} copies"])


def plain_vector(stored: Tensors, metadata: dict, merged: Merged, own: Tensors, compress: dict) -> Vector:
    """Version 1: values one by one."""
    offset, sizes = flat(own, merged.names) - merged.center, merged.sizes
    mask, values, scales = decoded(stored, merged.names, sizes)
    expected = expected_mask(np.abs(offset), sizes, compress)
    require_kept(metadata, mask, expected)
    exact = offset[expected].astype(np.float64) * norm_gains(offset, expected, sizes, compress)
    error = np.abs(values.astype(np.float64) - exact)
    allowed = value_bound(compress["values"], exact, scales)
    require(bool((error <= allowed).all()), "values are off by more than rounding")
    kept_whole = [name for name in stored if name in own and not name.endswith((".gaps", ".values"))]
    return Vector(mask, values, kept_whole, [])


def packed_vector(stored: Tensors, metadata: dict, merged: Merged, own: Tensors, compress: dict) -> Vector:
    """Version 2. What is kept and zero is left out."""
    require(metadata["values"] == compress["values"], f"values are told to be {metadata['values']}")
    offset, sizes = flat(own, merged.names) - merged.center, merged.sizes
    vector = packed.read_packed(stored, int(compress["values"][1:]), merged.tensors)
    mask, values = packed.laid_out(vector, merged.names, sizes)
    require_kept(metadata, mask, expected_mask(np.abs(offset), sizes, compress) & (offset != 0))
    said = packed.verify_codes(vector, offset, merged.names, sizes, compress.get("rescale") == "norm")
    kept_whole = [name for name in stored if name not in packed.PARTS]
    require(set(kept_whole) <= set(own), f"holds what is not the task's: {sorted(set(kept_whole) - set(own))[:3]}")
    return Vector(mask, values, kept_whole, [said])


def require_kept(metadata: dict, mask: np.ndarray, expected: np.ndarray) -> None:
    kept = int(expected.sum())
    require(int(metadata["kept"]) == int(mask.sum()) == kept, f"keeps {mask.sum():,}, not {kept:,}")
    require(bool((mask == expected).all()), f"{int((mask != expected).sum()):,} entries of the kept set differ")


def decoded(stored: Tensors, names: list[str], sizes: list[int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kept mask of the flat space; values, and the step of each, in its order."""
    mask = np.zeros(sum(sizes), bool)
    values, scales = [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
    start = 0
    for name, size in zip(names, sizes, strict=True):
        if f"{name}.gaps" in stored:
            gaps = stored[f"{name}.gaps"].numpy().astype(np.int64)
            positions = np.cumsum(gaps)[gaps != 255] - 1
            require(positions.size > 0 and positions[-1] < size, f"gaps of {name} run past its end")
            require(bool((np.diff(positions) > 0).all()) and positions[0] >= 0, f"gaps of {name} do not rise")
            mask[start + positions] = True
            scale = stored.get(f"{name}.scale", torch.ones(1)).numpy()
            values.append(stored[f"{name}.values"].float().numpy() * scale)
            scales.append(np.full(positions.size, scale[0], np.float32))
            require(values[-1].size == positions.size, f"{name} has {values[-1].size} values for {positions.size}")
        start += size
    return mask, np.concatenate(values), np.concatenate(scales)


def expected_mask(magnitudes: np.ndarray, sizes: list[int], compress: dict) -> np.ndarray:
    if compress["scope"] == "global":
        return top(magnitudes, kept_count(magnitudes.size, compress["m"]))
    parts = np.split(magnitudes, np.cumsum(sizes)[:-1])
    return np.concatenate([top(part, kept_count(part.size, compress["m"])) for part in parts])


def norm_gains(offset: np.ndarray, kept: np.ndarray, sizes: list[int], compress: dict) -> np.ndarray:
    """For each kept value what restores its tensor's norm, ‖u‖ / ‖kept u‖ to a 32nd, at most 2; else 1."""
    gains = [np.zeros(0)]
    ends = np.cumsum(sizes)[:-1]
    for u, mask in zip(np.split(offset.astype(np.float64), ends), np.split(kept, ends), strict=True):
        part = np.sum(u[mask] ** 2)
        gain = 1.0
        if compress.get("rescale") == "norm" and part > 0:
            gain = min(2.0, np.floor(32 * np.sqrt(np.sum(u**2) / part) + 0.5) / 32)
        gains.append(np.full(int(mask.sum()), gain))
    return np.concatenate(gains)


def value_bound(dtype: str, exact: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """The most that storing a value may change it; of I8, half a step and the rounding of the step itself."""
    if dtype == "I8":
        return scales * (0.5 + 127 * 2.0**-22)
    roundoff, tiny = ROUNDING[dtype]
    return np.zeros_like(exact) if dtype == "F32" else roundoff * np.abs(exact) + tiny


def verify_loaded(model: Tensors, merged: Merged, own: Tensors, vector: Vector) -> str:
    """What the loader gives: theta* plus the values, whole tensors of the task's own, the rest as merged."""
    mask, kept_whole = vector.mask, vector.kept_whole
    tied = merged.tied | pairs_of(merged.copies, kept_whole)
    rebuilt = merged.center.copy()
    rebuilt[mask] += vector.values
    require(np.array_equal(flat(model, merged.names), rebuilt), "the loader's weights are not theta* + values")
    for name in kept_whole:
        require(bits(model[name]) == bits(own[name]), f"{name} is not the task's own")
    for name in set(merged.tensors) - set(merged.names) - set(tied) - set(kept_whole):
        require(bits(model[name]) == bits(merged.tensors[name]), f"{name} is not the merged model's")
    for copy, name in tied.items():
        require(torch.equal(model[copy], model[name]), f"{copy} does not follow {name}")
    largest = np.abs(rebuilt[mask] - flat(own, merged.names)[mask]).max(initial=0.0)
    counts = f"{int(mask.sum()):,} of {mask.size:,} kept, set identical"
    return f"{counts}; values off theta_t by at most {largest:.1e}"
