"""Trains the embedded LoRA files: three adapters of one tiny diffusion model, each by the library of its spelling.

    git clone https://github.com/kohya-ss/sd-scripts
    pip install torch==2.15.0 peft==0.21.2 diffusers==0.42.1 transformers==5.24.0 safetensors==0.8.0 \
        pyarrow==26.0.1 pillow==13.0.0
    python scripts/zoo/loras.py --out public/zoo/loras --sd-scripts sd-scripts

A UNet denoises pictures of 16 x 16 pixels, told what they show by a text encoder of CLIP's kind. Both learn together
from five data sets of the embedded zoo; each adapter learns one more. They train on the rows of the split `test`, since
that of training is not shipped, and losses are those of `validation`, always with the same noise.

OUT gets the files, manifest.json and README.md. Every loss is measured twice: of the model as its library adapts it,
and of the base with the written file's products added to its weights; the two must agree, and so must the names of
modules that two files share. The same seed writes the same bytes on one machine.
"""

from __future__ import annotations

import argparse
import copy
import io
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import diffusers
import numpy as np
import peft
import pyarrow.parquet as pq
import torch
from diffusers import DDPMScheduler, UNet2DConditionModel
from diffusers.loaders import StableDiffusionLoraLoaderMixin
from diffusers.training_utils import _collate_lora_metadata
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict, inject_adapter_in_model
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from lora_files import PEFT_ENDS, Factors, Module, SdScripts, read_kohya, sd_scripts, write_json  # noqa: E402

DATASETS = HERE.parent.parent / "public/zoo/datasets"
BASE_NAME = "diffusion-tiny"
BASE_DATASETS = ("aerial-objects", "land-cover", "street-digits", "traffic-signs", "vehicles")
SEED = 0

SIZE = 16
START, END = 0, 1
LENGTH = 8
NOISE = DDPMScheduler(num_train_timesteps=1000)

BATCH = 16
BASE_STEPS, BASE_RATE = 700, 2e-3
ADAPTER_STEPS, ADAPTER_RATE = 350, 2e-3
# How many times each row of a held-out split is noised.
MEASURED = 4
# Of a loss: the stored factors are rounded, those in training are not.
TOLERANCE = 2e-3
RANKS = (8, 4)


# --- Pictures and words ---


@dataclass
class Rows:
    """Pictures in -1..1, and what they show."""

    images: Tensor
    captions: list[str]


def read(name: str, split: str) -> Rows:
    table = pq.read_table(DATASETS / name / "data" / f"{split}-00000-of-00001.parquet")
    classes = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]["label"]["names"]
    pictures = [
        Image.open(io.BytesIO(row["bytes"])).convert("RGB").resize((SIZE, SIZE), Image.Resampling.BOX)
        for row in table["image"].to_pylist()
    ]
    pixels = torch.from_numpy(np.stack([np.asarray(picture) for picture in pictures]))
    captions = [f"{name} {classes[label]}" for label in table["label"].to_pylist()]
    return Rows(pixels.permute(0, 3, 1, 2).float() / 127.5 - 1, captions)


def tokens(captions: list[str], words: dict[str, int]) -> Tensor:
    """A token a word, from START to END; as with CLIP, END fills the rest."""
    rows = [[START, *(words[word] for word in caption.split()), END] for caption in captions]
    return torch.tensor([row + [END] * (LENGTH - len(row)) for row in rows])


# --- The model ---


class Diffusion(nn.Module):
    """Both models under the names that pipelines give them, by which a file tells one from the other."""

    def __init__(self, words: dict[str, int]):
        super().__init__()
        self.words = words
        self.unet = UNet2DConditionModel(
            sample_size=SIZE, in_channels=3, out_channels=3, block_out_channels=(32, 64), layers_per_block=1,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
            norm_num_groups=8, cross_attention_dim=64, attention_head_dim=4,
        )
        config = CLIPTextConfig(
            hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
            vocab_size=len(words) + 2, max_position_embeddings=LENGTH,
            bos_token_id=START, eos_token_id=END, pad_token_id=END,
        )
        self.text_encoder = CLIPTextModel(config)

    def forward(self, rows: Rows, generator: torch.Generator) -> Tensor:
        """The loss of telling noise from pictures, at a step of the noise drawn for each."""
        steps = torch.randint(NOISE.config.num_train_timesteps, (len(rows.captions),), generator=generator)
        noise = torch.randn(rows.images.shape, generator=generator)
        told = self.text_encoder(input_ids=tokens(rows.captions, self.words)).last_hidden_state
        guess = self.unet(NOISE.add_noise(rows.images, noise, steps), steps, told).sample
        return nn.functional.mse_loss(guess, noise)


def fit(model: nn.Module, trained: list[nn.Parameter], rows: Rows, steps: int, rate: float) -> None:
    """AdamW with clipping and a cosine down to 0."""
    generator = torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.AdamW(trained, lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    model.train()
    for _ in range(steps):
        chosen = torch.randint(len(rows.captions), (BATCH,), generator=generator)
        loss = model(Rows(rows.images[chosen], [rows.captions[index] for index in chosen]), generator)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(trained, 1.0)
        optimiser.step()
        schedule.step()


@torch.no_grad()
def measure(model: nn.Module, rows: Rows) -> float:
    generator = torch.Generator().manual_seed(SEED + 1)
    model.eval()
    return float(np.mean([model(rows, generator).item() for _ in range(MEASURED)]))


# --- The adapters, each by its library ---


def with_sd_scripts(scripts: SdScripts, model: Diffusion, rows: Rows, held: Rows, file: Path) -> float:
    """networks/lora.py as train_network.py uses it, with LoRA for convolutions of 3 x 3 beside."""
    # sd-scripts runs on transformers 4, where CLIPTextModel holds its layers one module deeper.
    text_encoder = nn.ModuleDict({"text_model": model.text_encoder})
    network = scripts.lora.create_network(1.0, 16, 8, None, text_encoder, model.unet, conv_dim="8", conv_alpha="4")
    network.apply_to(text_encoder, model.unet)
    fit(model, list(network.parameters()), rows, ADAPTER_STEPS, ADAPTER_RATE)
    loss = measure(model, held)
    metadata = {
        "ss_output_name": file.stem,
        "ss_sd_model_name": BASE_NAME,
        "ss_network_module": "networks.lora",
        "ss_network_dim": "16",
        "ss_network_alpha": "8",
        "ss_network_args": json.dumps({"conv_dim": "8", "conv_alpha": "4"}),
        "ss_resolution": f"({SIZE}, {SIZE})",
        "ss_num_train_images": str(len(rows.captions)),
        "ss_batch_size_per_device": str(BATCH),
        "ss_steps": str(ADAPTER_STEPS),
        "ss_learning_rate": str(ADAPTER_RATE),
        "ss_lr_scheduler": "cosine",
        "ss_optimizer": "torch.optim.AdamW(weight_decay=0.0)",
        "ss_seed": str(SEED),
        "ss_tag_frequency": json.dumps({file.stem: Counter(sorted(rows.captions))}),
    }
    network.save_weights(file, torch.float16, metadata)
    return loss


def with_diffusers(model: Diffusion, rows: Rows, held: Rows, file: Path) -> float:
    """As diffusers' examples train Stable Diffusion, attention of both models adapted."""
    config = LoraConfig(r=32, lora_alpha=16, target_modules=r".*\.(to_[qkv]|to_out\.0|[qkv]_proj|out_proj)")
    model.unet.add_adapter(config)
    # transformers' own add_adapter, which does this, asks for a newer PEFT than diffusers does.
    inject_adapter_in_model(config, model.text_encoder)
    fit(model, [one for one in model.parameters() if one.requires_grad], rows, ADAPTER_STEPS, ADAPTER_RATE)
    loss = measure(model, held)
    parts = {"unet": model.unet, "text_encoder": model.text_encoder}
    halves = {
        f"{name}_lora_layers": {key: one.half() for key, one in get_peft_model_state_dict(part).items()}
        for name, part in parts.items()
    }
    StableDiffusionLoraLoaderMixin.save_lora_weights(
        file.parent, weight_name=file.name, **halves, **_collate_lora_metadata(parts)
    )
    return loss


def with_peft(model: Diffusion, rows: Rows, held: Rows, file: Path) -> float:
    """Attention of the UNet; the model around it is what puts `unet` into the names."""
    config = LoraConfig(r=8, lora_alpha=16, target_modules=r"unet\..*\.(to_[qkv]|to_out\.0)")
    adapted = get_peft_model(model, config)
    fit(adapted, [one for one in adapted.parameters() if one.requires_grad], rows, ADAPTER_STEPS, ADAPTER_RATE)
    loss = measure(adapted, held)
    config.base_model_name_or_path = BASE_NAME
    # Else PEFT asks the Hub for the base, to learn whether its vocabulary has grown.
    adapted.save_pretrained(file.parent, save_embedding_layers=False)
    (file.parent / "README.md").unlink()
    return loss


# --- What was written ---


def sort_metadata(file: Path) -> None:
    """Writes metadata in the order of their names; safetensors leaves it to chance."""
    data = file.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    ordered = {"__metadata__": dict(sorted(header.pop("__metadata__").items())), **header}
    text = json.dumps(ordered, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write_bytes(len(text).to_bytes(8, "little") + text + data[start:])


def common(key: str) -> str:
    """The one name of a module in all three spellings, which is the model's own joined by `_`."""
    name = key.removeprefix("base_model.model.").replace(".", "_")
    name = re.sub("^lora_unet_", "unet_", re.sub("^lora_te_", "text_encoder_", name))
    return name.replace("text_encoder_text_model_", "text_encoder_")


def peft_alphas(file: Path) -> dict[str, int]:
    """By what a module's name begins with."""
    config = file.parent / "adapter_config.json"
    if config.is_file():
        return {"": json.loads(config.read_text())["lora_alpha"]}
    with safe_open(file, "pt") as opened:
        told = json.loads(opened.metadata()["lora_adapter_metadata"])
    return {part: told[f"{part}.lora_alpha"] for part in ("unet", "text_encoder")}


def written(file: Path) -> dict[str, Module]:
    """Products of a file by the common names of their modules."""
    tensors = load_file(file)
    up, down = PEFT_ENDS
    keys = [name.removesuffix(up) for name in tensors if name.endswith(up)]
    if not keys:
        return {common(key): one.module() for key, one in read_kohya(file).items()}
    alphas = peft_alphas(file)
    found = {}
    for key in keys:
        alpha = next(alpha for part, alpha in alphas.items() if key.startswith(part))
        factors = Factors(tensors[key + up], tensors[key + down], scale=alpha / tensors[key + down].shape[0])
        found[common(key)] = factors.module()
    return found


Deltas = dict[str, Tensor]


def cut(deltas: Deltas, rank: int) -> Deltas:
    """The nearest matrices of that rank."""
    result = {}
    for name, delta in deltas.items():
        left, values, right = torch.linalg.svd(delta, full_matrices=False)
        result[name] = (left[:, :rank] * values[:rank]) @ right[:rank]
    return result


def energy(deltas: Deltas) -> float:
    return sum(delta.square().sum().item() for delta in deltas.values())


@torch.no_grad()
def added(base: Diffusion, *adapters: Deltas) -> Diffusion:
    """The base with products added to its weights."""
    model = copy.deepcopy(base)
    weights = {name.replace(".", "_"): parameter for name, parameter in model.named_parameters()}
    for deltas in adapters:
        for name, delta in deltas.items():
            weight = weights[f"{name}_weight"]
            weight += delta.reshape(weight.shape).float()
    return model


# --- All of it ---


@dataclass
class Adapter:
    dataset: str
    file: str
    made_by: str
    what: str
    train: Callable[[Diffusion, Rows, Rows, Path], float]


def adapters(scripts: SdScripts) -> list[Adapter]:
    return [
        Adapter(
            "digits", "digits.safetensors", "sd-scripts, `networks/lora.py`",
            "F16, rank 16, alpha 8; convolutions of 3 x 3 rank 8, alpha 4",
            lambda *told: with_sd_scripts(scripts, *told),
        ),
        Adapter(
            "textures", "textures.safetensors", f"diffusers {diffusers.__version__}",
            "F16, rank 32, alpha 16; attention of both models", with_diffusers,
        ),
        Adapter(
            "scenes", "scenes/adapter_model.safetensors", f"PEFT {peft.__version__}",
            "F32, rank 8, alpha 16; attention of the UNet", with_peft,
        ),
    ]


def pretrained(words: dict[str, int]) -> Diffusion:
    model = Diffusion(words)
    parts = [read(name, "test") for name in BASE_DATASETS]
    rows = Rows(torch.cat([part.images for part in parts]), [one for part in parts for one in part.captions])
    fit(model, list(model.parameters()), rows, BASE_STEPS, BASE_RATE)
    return model


def check_meeting(base: Diffusion, found: dict[str, Deltas]) -> dict[str, int]:
    """How many modules each two files share: all those of the one with fewer."""
    own = {name.removesuffix(".weight").replace(".", "_") for name, _ in base.named_parameters()}
    for name, deltas in found.items():
        assert deltas.keys() <= own, f"{name} names what the model has not: {sorted(deltas.keys() - own)}"
    pairs = [("scenes", "textures"), ("scenes", "digits"), ("textures", "digits")]
    for fewer, more in pairs:
        apart = sorted(found[fewer].keys() - found[more].keys())
        assert not apart, f"{more} lacks {apart}"
    return {f"{fewer} and {more}": len(found[fewer]) for fewer, more in pairs}


def table(columns: list[str], rows: list[list[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def card(files: str, losses: str) -> str:
    return f"""# The embedded LoRA files

Three LoRA adapters of one tiny diffusion model, each in the spelling of the library that trained and wrote it, for the
demo of shrinking LoRA files and adding them up. Everything here was made by `scripts/zoo/loras.py`, seeded, from the
embedded zoo's own data sets: no photographs, no downloaded weights. Licence: Apache-2.0.

{files}

- **Base.** `{BASE_NAME}`, not shipped, as no LoRA file ships its base: a UNet of diffusers that denoises pictures of
  {SIZE} x {SIZE} pixels without latents, told by a CLIP text encoder what they show. {BASE_STEPS} steps of {BATCH} on
  {", ".join(BASE_DATASETS)}.
- **Adapters.** {ADAPTER_STEPS} steps of {BATCH} by AdamW, rate {ADAPTER_RATE}, cosine, each on a data set that the base
  never saw. All training is on the split `test`, as that of training is not shipped.
- **Names.** Every module of `scenes` is one of `textures`, and every module of `textures` one of `digits`, whatever
  each file calls it: the three add up to one file.

## What is lost

Mean squared error of the noise told on the split `validation` of the adapter's data set, always with the same noise;
"sum" is the base with all three products added. Energy is the share of the squared norm of all products that the
leading singular values keep.

{losses}

A model this small draws nothing worth looking at; the files are there for their shapes, names and spectra. Adapters
this strong disturb one another where they are added up at full weight, as the sums show.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--out", type=Path, required=True, help="where the files are written, usually public/zoo/loras")
    parser.add_argument("--sd-scripts", type=Path, required=True, help="a checkout of kohya-ss/sd-scripts")
    arguments = parser.parse_args()
    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(SEED)
    made = adapters(sd_scripts(arguments.sd_scripts))
    train = {one.dataset: read(one.dataset, "test") for one in made}
    held = {one.dataset: read(one.dataset, "validation") for one in made}
    names = sorted(path.name for path in DATASETS.iterdir())
    told = sorted({word for name in names for caption in read(name, "test").captions for word in caption.split()})
    started = time.time()
    base = pretrained({word: index for index, word in enumerate(told, END + 1)})
    print(f"base after {time.time() - started:.0f} s", flush=True)

    found, described = {}, []
    for one in made:
        file = out / one.file
        during = one.train(copy.deepcopy(base), train[one.dataset], held[one.dataset], file)
        sort_metadata(file)
        modules = written(file)
        found[one.dataset] = {name: module.delta for name, module in modules.items()}
        after = measure(added(base, found[one.dataset]), held[one.dataset])
        assert abs(after - during) < TOLERANCE * during, f"{one.file}: {after} as written, {during} in training"
        described.append([f"`{one.file}`", one.made_by, one.what, str(len(modules)), f"{file.stat().st_size:,}"])
        print(f"{one.file} after {time.time() - started:.0f} s", flush=True)

    meeting = check_meeting(base, found)
    rows = []
    for name, deltas in found.items():
        versions = [base, added(base, deltas)]
        less = [cut(deltas, rank) for rank in RANKS]
        versions += [*(added(base, fewer) for fewer in less), added(base, *found.values())]
        losses = [f"{measure(version, held[name]):.4f}" for version in versions]
        rows.append([name, *losses, *(f"{energy(fewer) / energy(deltas):.4f}" for fewer in less)])
    ranks = [f"rank {rank}" for rank in RANKS]
    losses = table(["data set", "base", "adapter", *ranks, "sum", *(f"energy, {rank}" for rank in ranks)], rows)
    files = table(["file", "by", "what", "modules", "bytes"], described)
    (out / "README.md").write_text(card(files, losses))
    write_json(out / "manifest.json", {"demo": "lora-files", "files": [one.file for one in made]})
    print(files, losses, f"modules that meet: {meeting}", sep="\n\n")


if __name__ == "__main__":
    main()
