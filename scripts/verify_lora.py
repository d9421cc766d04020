"""Proves LoRA files that Peru wrote without their base right: torch in float64, peft, sd-scripts.

    python scripts/verify_lora.py EXPORT SOURCE... [--resized FILE] [--base FOLDER]

EXPORT is an export, saved to a folder or unpacked from the zip; SOURCE are the files or folders it
was made from, found by the SHA-256 that recipe.json names. For each written file:

- every module of the source is there and no other, in the spelling that was asked for; its product
  is the truncated SVD of the source's at the written rank, in float64, up to a share of its norm that
  the dtype allows; a tie of singular values may be cut either way, if no more is lost by that;
- the kept share of the Frobenius norm is that of the truncated SVD, and the rank what the rule says;
- alpha / r is the source's scale, or 1 where alpha is the rank; MLX has one scale a file, so 1 where
  the source has several;
- a bias of lora_B, multiplied by the written scale, is the source's multiplied by its own, or their
  weighted sum;
- what belongs to no module is there byte for byte, and the metadata apart from what the rank changes.

Files combined to one are held against the SVD of the weighted sum over modules that meet. FILE is
what sd-scripts' networks/resize_lora.py wrote from the source of an export of one file: ranks and
alphas must be equal, and products. FOLDER is a base that transformers opens: PEFT loads each written
adapter onto it, and must add the same.

Prints a line a problem and a summary; exit 0 only without one. Needs torch, peft for its
configurations, transformers for a base.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt
from pathlib import Path

import torch
from peft.utils.other import get_pattern_key
from torch import Tensor

DTYPES = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
# Of a product's Frobenius norm, by the dtype of its factors.
TOLERANCES = {"F64": 1e-5, "F32": 1e-5, "F16": 2e-3, "BF16": 1.6e-2}
# Of an alpha: half a unit in its last place, which is one of the scale's.
ALPHA_TOLERANCES = {"F64": 1e-6, "F32": 1e-6, "F16": 1e-3, "BF16": 8e-3}
RESIZED_TOLERANCE = 1e-4
# Singular values this near may change places.
TIE = 0.05

# Spelling, then the ends of the names of up and down: those whose end is the end of another's first.
SPELLINGS = (
    ("kohya", ".lora_up.weight", ".lora_down.weight"),
    ("peft", ".lora_B.weight", ".lora_A.weight"),
    ("peft", ".lora_B.default.weight", ".lora_A.default.weight"),
    ("peft", ".lora_embedding_B", ".lora_embedding_A"),
    ("diffusers", ".lora_linear_layer.up.weight", ".lora_linear_layer.down.weight"),
    ("diffusers", ".lora.up.weight", ".lora.down.weight"),
    ("diffusers", "_lora.up.weight", "_lora.down.weight"),
    ("bare", ".lora_B", ".lora_A"),
    ("mlx", ".lora_b", ".lora_a"),
)
MID = ".lora_mid.weight"
# Of up, by the end of its name: PEFT multiplies it by the scale, too.
BIASES = {".lora_B.weight": ".lora_B.bias", ".lora_B.default.weight": ".lora_B.default.bias"}
WRAPPER = re.compile(r"^(module\.)?base_model\.model\.")
PARTS = (
    ("te2", re.compile(r"^(lora_te2_|text_encoder_2[._])")),
    ("te3", re.compile(r"^(lora_te3_|text_encoder_3[._])")),
    ("te", re.compile(r"^(lora_te1?_|text_encoder[._])")),
    ("denoiser", re.compile(r"^(lora_unet_|lora_transformer_|unet\.|transformer\.|(model\.)?diffusion_model\.)")),
)
CONFIGURED = re.compile(r"(^|/)(adapter_model|(\d+_)?adapters)\.safetensors$")
CONFIG = "adapter_config.json"
DIFFUSERS_METADATA = "lora_adapter_metadata"
CHANGED_METADATA = {
    "ss_network_dim",
    "ss_network_alpha",
    "sshs_model_hash",
    "sshs_legacy_hash",
    "modelspec.hash_sha256",
    DIFFUSERS_METADATA,
}


@dataclass
class Stored:
    dtype: str
    shape: list[int]
    data: bytes

    def values(self) -> Tensor:
        return torch.frombuffer(bytearray(self.data), dtype=DTYPES[self.dtype]).reshape(self.shape).double()


@dataclass
class Module:
    """scale * up @ down is the change of a weight as a matrix."""

    key: str
    spelling: str
    # Which of the names of the spelling.
    end: str
    up: Tensor
    down: Tensor
    scale: float
    # The worse one of its factors.
    dtype: str
    alpha_dtype: str
    input_shape: list[int]
    # Of up, unscaled, and its dtype.
    bias: Stored | None = None

    @property
    def rank(self) -> int:
        return self.up.shape[1]

    @property
    def is_convolution(self) -> bool:
        return len(self.input_shape) > 1

    def product(self) -> Tensor:
        return self.scale * (self.up @ self.down)


@dataclass
class LoraFile:
    path: Path
    # By a name that is the same in every spelling.
    modules: dict[str, Module]
    carried: dict[str, Stored]
    metadata: dict[str, str]


@dataclass
class Svd:
    """Of a sum of products."""

    left: Tensor
    values: Tensor
    right: Tensor

    @property
    def norm(self) -> float:
        return self.values.norm().item()

    def truncated(self, rank: int) -> Tensor:
        return (self.left[:, :rank] * self.values[:rank]) @ self.right[:rank]

    def share(self, rank: int) -> float:
        return self.values[:rank].norm().item() / self.norm if self.norm > 0 else 1.0


# --- reading ---


def read_tensors(path: Path) -> tuple[dict[str, Stored], dict[str, str]]:
    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    metadata = header.pop("__metadata__", None) or {}
    tensors = {}
    for name, entry in header.items():
        begin, end = (start + offset for offset in entry["data_offsets"])
        tensors[name] = Stored(entry["dtype"], entry["shape"], data[begin:end])
    return tensors, metadata


def canonical(key: str) -> str:
    bare = WRAPPER.sub("", key)
    for part, begins in PARTS:
        if begins.match(bare):
            path = begins.sub("", bare).replace(".", "_")
            # transformers 5 has left this part out of the names of CLIP's layers.
            return f"{part}: {path.removeprefix('text_model_') if part != 'unet' else path}"
    return bare.replace(".", "_")


def read_lora(path: Path, config: Path | None) -> LoraFile:
    tensors, metadata = read_tensors(path)
    rules = scale_rules(json.loads(config.read_text("utf-8")) if config else None, metadata)
    modules, used = {}, set()
    for name in tensors:
        found = next((one for one in SPELLINGS if name.endswith(one[1])), None)
        if found is None:
            continue
        spelling, up, down = found
        key = name.removesuffix(up)
        module = read_module(tensors, key, found, rules)
        if canonical(key) in modules:
            raise ValueError(f"{path.name}: {key} stands twice")
        modules[canonical(key)] = module
        used |= {name, key + down, key + MID, f"{key}.alpha", f"{key}{BIASES.get(up, up)}"}
    carried = {name: tensor for name, tensor in tensors.items() if name not in used}
    return LoraFile(path, modules, carried, metadata)


def read_module(tensors: dict[str, Stored], key: str, found: tuple[str, str, str], rules) -> Module:
    spelling, up_end, down_end = found
    stored = [tensors[key + up_end], tensors[key + down_end]]
    up, down = (one.values() for one in stored)
    if spelling == "mlx":
        up, down = up.T, down.T
    up, input_shape = up.flatten(1), list(down.shape[1:])
    down = down.flatten(1)
    if key + MID in tensors:
        stored.append(tensors[key + MID])
        mid = stored[-1].values()
        down = torch.einsum("pqhw,qi->pihw", mid, down)
        input_shape = list(down.shape[1:])
        down = down.flatten(1)
    alpha = tensors.get(f"{key}.alpha")
    dtype = max((one.dtype for one in stored), key=TOLERANCES.__getitem__)
    scale = alpha.values().item() / up.shape[1] if alpha else configured_scale(rules, key, up.shape[1])
    alpha_dtype = alpha.dtype if alpha else "F32"
    bias = tensors.get(f"{key}{BIASES[up_end]}") if up_end in BIASES else None
    return Module(key, spelling, up_end, up, down, scale, dtype, alpha_dtype, input_shape, bias)


def scale_rules(config: dict | None, metadata: dict[str, str]) -> list[tuple[str, dict]]:
    """Configurations, each with what stands before its modules' names."""
    if config is not None:
        return [("", config)]
    told = json.loads(metadata.get(DIFFUSERS_METADATA, "{}"))
    # A model that was saved by itself has no name before its keys.
    begins = [key.removesuffix("r") for key in told if key == "r" or key.endswith(".r")]
    return [
        (begin, {key.removeprefix(begin): value for key, value in told.items() if key.startswith(begin)})
        for begin in begins
    ]


def configured_scale(rules: list[tuple[str, dict]], key: str, rank: int) -> float:
    begin, config = next(((begin, one) for begin, one in rules if key.startswith(begin)), ("", None))
    if config is None:
        return 1.0
    if "lora_parameters" in config:
        return config["lora_parameters"]["scale"]
    name = WRAPPER.sub("", key.removeprefix(begin))
    ranks, alphas = (config.get(which) or {} for which in ("rank_pattern", "alpha_pattern"))
    told = ranks.get(get_pattern_key(ranks, name), config["r"])
    if told != rank:
        raise ValueError(f"{key} has rank {rank}, where its configuration says {told}")
    alpha = alphas.get(get_pattern_key(alphas, name), config["lora_alpha"])
    return alpha / (sqrt(rank) if config.get("use_rslora") else rank)


# --- finding ---


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def find_source(record: dict, places: list[Path]) -> LoraFile:
    """A file of the recipe among the sources, by content."""
    found = {}
    for file in record["files"]:
        alike = [path for path in places if path.stat().st_size == file["bytes"] and sha256(path) == file["sha256"]]
        if not alike:
            raise ValueError(f"{record['name']}: no source has the SHA-256 of {file['path']}")
        found[file["path"]] = alike[0]
    weights = [path for path in found if path.endswith(".safetensors")]
    if len(weights) != 1:
        raise ValueError(f"{record['name']}: the recipe names {len(weights)} files of weights")
    config = next((found[path] for path in found if Path(path).name == CONFIG), None)
    return read_lora(found[weights[0]], config if CONFIGURED.search(weights[0]) else None)


def read_written(export: Path, written: str) -> LoraFile:
    path = export / written
    if path.is_dir():
        (path,) = path.glob("*.safetensors")
    config = path.with_name(CONFIG)
    return read_lora(path, config if CONFIGURED.search(path.name) and config.exists() else None)


# --- checking ---


def sum_of(terms: list[tuple[float, Module]]) -> Tensor:
    return sum(weight * one.product() for weight, one in terms)


def svd_of(terms: list[tuple[float, Module]]) -> Svd:
    """From QR of the factors side by side; held against the dense sum."""
    up = torch.cat([weight * one.scale * one.up for weight, one in terms], dim=1)
    down = torch.cat([one.down for _, one in terms])
    left, inner = torch.linalg.qr(up)
    right, outer = torch.linalg.qr(down.T)
    u, values, vh = torch.linalg.svd(inner @ outer.T, full_matrices=False)
    svd = Svd(left @ u, values, vh @ right.T)
    dense = sum_of(terms)
    off = (svd.truncated(len(values)) - dense).norm().item()
    # Terms may cancel each other.
    if off > 1e-12 * (up.norm() * down.norm()).item():
        raise ValueError(f"{terms[0][1].key}: the SVD in float64 is off by {off:.2g}")
    return svd


def rank_for(values: list[float], rule: dict, factor: float) -> int:
    """Triplets of a rule whose threshold is multiplied by a factor; sd-scripts keeps one more than its rules say."""
    most = len(values)
    if "q" in rule:
        return min(most, max(1, rule["q"]))
    if "ratio" in rule:
        return min(most, sum(value > values[0] / (factor * rule["ratio"]) for value in values) + 1)
    share = rule["energy"] / 100 if "energy" in rule else rule["fro"] ** 2
    total, kept, rank = sum(value**2 for value in values), 0.0, 0
    while rank < most and (rank == 0 or kept < min(1.0, factor * share) * total):
        kept += values[rank] ** 2
        rank += 1
    return rank if "energy" in rule else min(most, rank + 1)


def rank_problems(svd: Svd, written: Module, lora: dict) -> Iterator[str]:
    rule = lora.get("convolutions") if written.is_convolution else None
    rule = rule or lora["rank"]
    values, rank = svd.values.tolist(), written.rank
    cap = min(len(values), lora.get("cap") or len(values))
    if rank > cap:
        yield f"rank {rank} is more than {cap}"
    if "bytes" in rule:
        return
    # A value that lies on the threshold may fall on either side.
    least, most = (min(cap, rank_for(values, rule, factor)) for factor in (1 - 1e-5, 1 + 1e-5))
    is_rest_zero = rank < len(values) and values[rank] <= 1e-6 * values[0]
    if rank > most or (rank < least and not is_rest_zero):
        yield f"rank {rank}, where {rule} asks for {least}"


def product_problems(svd: Svd, written: Module) -> Iterator[str]:
    rank, tolerance = written.rank, TOLERANCES[written.dtype]
    product, wanted = written.product(), svd.truncated(written.rank)
    if product.shape != wanted.shape:
        yield f"is {tuple(product.shape)}, not {tuple(wanted.shape)}"
        return
    norm = wanted.norm().item()
    off = (product - wanted).norm().item()
    values = svd.values
    is_tie = rank < len(values) and values[rank] > (1 - TIE) * values[rank - 1]
    if off > tolerance * norm and is_tie:
        whole = svd.truncated(len(values))
        lost, least = ((whole - one).norm().item() for one in (product, wanted))
        off = sqrt(max(0.0, lost**2 - least**2))
    if off > tolerance * norm:
        yield f"is off the truncated SVD by {off / norm if norm else off:.2g} of its norm, more than {tolerance:g}"
    if svd.norm > 0:
        share = product.norm().item() / svd.norm
        if abs(share - svd.share(rank)) > tolerance:
            yield f"keeps {share:.6f} of the Frobenius norm, not {svd.share(rank):.6f}"


def spelling_problems(source: Module, written: Module, asked: str) -> Iterator[str]:
    if asked != "source" and written.spelling != asked:
        yield f"is spelled as {written.spelling}, not {asked}"
    if asked == "source" and (written.key, written.end) != (source.key, source.end):
        yield f"is called {written.key}{written.end}, not {source.key}{source.end}"
    if written.spelling != "mlx" and written.input_shape != source.input_shape:
        yield f"takes {written.input_shape}, not {source.input_shape}"


def scale_problems(written: Module, wanted: float) -> Iterator[str]:
    if abs(written.scale - wanted) > ALPHA_TOLERANCES[written.alpha_dtype] * abs(wanted):
        yield f"is scaled by {written.scale:.6g}, not {wanted:.6g}"


def bias_problems(terms: list[tuple[float, Module]], written: Module, lora: dict) -> Iterator[str]:
    """Of a module, as its layer's outputs have it."""
    own = [(weight * one.scale, one.bias.values()) for weight, one in terms if one.bias is not None]
    if not own or lora.get("carried", "keep") == "leave":
        if written.bias is not None:
            yield "has a bias, which it should not"
        return
    if written.bias is None:
        yield "has lost its bias"
        return
    wanted = sum(scale * values for scale, values in own)
    off = (written.scale * written.bias.values() - wanted).abs()
    most = sum(abs(scale) * values.abs() for scale, values in own)
    if (off > TOLERANCES[written.bias.dtype] * most).any():
        yield f"has another bias, off by {off.max():.2g}"


def wanted_scale(lora: dict, source: LoraFile, name: str, written: Module) -> float:
    scales = {one.scale for one in source.modules.values()}
    if lora["alpha"] == "rank" or (written.spelling == "mlx" and len(scales) > 1):
        return 1.0
    return source.modules[name].scale


def named(name: str, problems: Iterator[str]) -> Iterator[str]:
    return (f"{name} {problem}" for problem in problems)


def carried_problems(source: LoraFile, written: LoraFile, keep: bool) -> Iterator[str]:
    for name, tensor in source.carried.items():
        if keep and written.carried.get(name) != tensor:
            yield f"{name} is not there byte for byte"
    for name in written.carried.keys() - source.carried.keys():
        yield f"{name} is of no source"
    for key, value in source.metadata.items():
        if key not in CHANGED_METADATA and written.metadata.get(key) != value:
            yield f"metadata {key} is {written.metadata.get(key)!r}, not {value!r}"


def each_problems(source: LoraFile, written: LoraFile, lora: dict) -> Iterator[str]:
    for name in sorted(source.modules.keys() ^ written.modules.keys()):
        yield f"{name} is in the {'source' if name in source.modules else 'export'} alone"
    for name in sorted(source.modules.keys() & written.modules.keys()):
        before, after = source.modules[name], written.modules[name]
        svd = svd_of([(1.0, before)])
        yield from named(name, product_problems(svd, after))
        yield from named(name, rank_problems(svd, after, lora))
        yield from named(name, spelling_problems(before, after, lora["spelling"]))
        yield from named(name, scale_problems(after, wanted_scale(lora, source, name, after)))
        yield from named(name, bias_problems([(1.0, before)], after, lora))
    yield from carried_problems(source, written, lora.get("carried", "keep") == "keep")


def one_problems(sources: list[LoraFile], written: LoraFile, lora: dict) -> Iterator[str]:
    names = {name for source in sources for name in source.modules}
    for name in sorted(written.modules.keys() - names):
        yield f"{name} is in the export alone"
    for name in sorted(names):
        terms = [
            (weight, source.modules[name])
            for weight, source in zip(lora["weights"], sources, strict=True)
            if name in source.modules
        ]
        svd, after = svd_of(terms), written.modules.get(name)
        if after is None:
            if svd.norm > 0:
                yield f"{name} is in the sources alone"
            continue
        yield from named(name, product_problems(svd, after))
        yield from named(name, rank_problems(svd, after, lora))
        yield from named(name, bias_problems(terms, after, lora))
        if lora["alpha"] == "rank":
            yield from named(name, scale_problems(after, 1.0))


def resized_problems(resized: LoraFile, written: LoraFile) -> Iterator[str]:
    for name in sorted(resized.modules.keys() ^ written.modules.keys()):
        yield f"{name} is in {'sd-scripts’ file' if name in resized.modules else 'the export'} alone"
    for name in sorted(resized.modules.keys() & written.modules.keys()):
        theirs, ours = resized.modules[name], written.modules[name]
        if theirs.rank != ours.rank:
            yield f"{name} has rank {ours.rank}, sd-scripts {theirs.rank}"
            continue
        yield from named(name, scale_problems(ours, theirs.scale))
        product = theirs.product()
        off, norm = (ours.product() - product).norm().item(), product.norm().item()
        if off > max(RESIZED_TOLERANCE, TOLERANCES[ours.dtype]) * norm:
            yield f"{name} is off sd-scripts' product by {off / norm if norm else off:.2g} of its norm"


def peft_problems(written: LoraFile, base: Path) -> Iterator[str]:
    """PEFT adds the written products to a base."""
    import transformers
    from peft import PeftModel
    from peft.tuners.lora import LoraLayer

    (architecture,) = json.loads((base / "config.json").read_text("utf-8"))["architectures"]
    model = getattr(transformers, architecture).from_pretrained(base, dtype=torch.float64)
    model = PeftModel.from_pretrained(model, written.path.parent, autocast_adapter_dtype=False)
    layers = {canonical(name): one for name, one in model.named_modules() if isinstance(one, LoraLayer)}
    for name in sorted(layers.keys() ^ written.modules.keys()):
        yield f"{name} is in {'PEFT' if name in layers else 'the export'} alone"
    for name in sorted(layers.keys() & written.modules.keys()):
        layer, product = layers[name], written.modules[name].product()
        delta = layer.get_delta_weight("default").detach().double()
        is_turned = bool(layer.lora_embedding_A) or getattr(layer, "fan_in_fan_out", False)
        delta = delta.T if is_turned else delta.flatten(1)
        if (delta - product).norm() > 1e-6 * product.norm():
            yield f"{name} is another product in PEFT"


def summary(written: LoraFile, terms: dict[str, list[tuple[float, Module]]]) -> str:
    ranks = [one.rank for one in written.modules.values()]
    kept = sum(one.product().norm().item() ** 2 for one in written.modules.values())
    total = sum(sum_of(one).norm().item() ** 2 for one in terms.values())
    return (
        f"{len(ranks)} modules of rank {min(ranks, default=0)} to {max(ranks, default=0)},"
        f" {len(written.carried)} carried tensors, {sqrt(kept / total) if total else 1:.4%} of the Frobenius norm"
    )


def terms_of(sources: list[LoraFile], weights: list[float]) -> dict[str, list[tuple[float, Module]]]:
    terms: dict[str, list[tuple[float, Module]]] = {}
    for weight, source in zip(weights, sources, strict=True):
        for name, module in source.modules.items():
            terms.setdefault(name, []).append((weight, module))
    return terms


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("export", type=Path, help="the export")
    parser.add_argument("sources", type=Path, nargs="+", help="files it was made from, or folders of them")
    parser.add_argument("--resized", type=Path, help="what resize_lora.py wrote from the source of one file")
    parser.add_argument("--base", type=Path, help="a model of transformers, to load written PEFT adapters onto")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    recipe = json.loads((arguments.export / "recipe.json").read_text("utf-8"))
    lora = recipe["lora"]
    places = [
        path
        for source in arguments.sources
        for path in (sorted(source.rglob("*")) if source.is_dir() else [source])
        if path.is_file()
    ]
    sources = [find_source(record, places) for record in recipe["files"]]
    if lora["make"] == "one":
        outputs = [read_written(arguments.export, recipe["written"])]
        problems = {0: list(one_problems(sources, outputs[0], lora))}
        terms = [terms_of(sources, lora["weights"])]
    else:
        outputs = [read_written(arguments.export, record["written"]) for record in recipe["files"]]
        pairs = list(zip(sources, outputs, strict=True))
        problems = {index: list(each_problems(*pair, lora)) for index, pair in enumerate(pairs)}
        terms = [terms_of([source], [1.0]) for source in sources]
    if arguments.resized is not None:
        if len(outputs) != 1:
            parser.error("--resized is held against an export of one file")
        problems[0] += resized_problems(read_lora(arguments.resized, None), outputs[0])
    if arguments.base is not None:
        for index, written in enumerate(outputs):
            problems[index] += peft_problems(written, arguments.base)
    for index, written in enumerate(outputs):
        name = written.path.relative_to(arguments.export)
        for problem in problems[index]:
            print(f"{name}: {problem}")
        print(f"{name}: {summary(written, terms[index])}")
    count = sum(map(len, problems.values()))
    print(f"{count} problems in {len(outputs)} files" if count else f"{len(outputs)} files are right")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
