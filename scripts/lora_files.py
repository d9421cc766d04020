"""Makes the golden LoRA files of src/formats/lora-file/golden: every spelling, small and seeded.

    git clone https://github.com/kohya-ss/sd-scripts
    pip install torch==2.15.0 peft==0.21.2 diffusers==0.42.1 transformers==5.24.0 safetensors==0.8.0
    python scripts/lora_files.py OUT --sd-scripts sd-scripts

OUT/CASE holds one file of factors as its program names it, the configuration that its program keeps
beside it, and expected.json: who wrote the file, the names of the tensors that are neither factor
nor alpha ("carried"), and for each module, by what its name has before the factor's suffix: rows and
columns of its weight as a matrix, rank, scale, the float64 singular values of scale * product, and
the first 8 entries of that times x, x_i = cos(i + 1).

PEFT and diffusers write their own files, are given them again, and the product is the one that they
add to weights in float64. sd-scripts writes kohya's; what networks/lora.py makes of them in float32
must agree with the float64 product here. Tucker, MLX, bare and old names are written by hand, in the
layout of LyCORIS, mlx-lm and diffusers before 0.22; of the last diffusers must read the same UNet.
Each run writes the same bytes, but for the order of metadata, which safetensors leaves to chance.

"resized" in expected.json is what sd-scripts' networks/resize_lora.py made of the file: rank, alpha
and kept share of the Frobenius norm by module. Both scripts of sd-scripts run from their checkout;
of its package `library`, which needs much more, they get the four names that they use.
"""

from __future__ import annotations

import argparse
import ast
import hashlib
import importlib.util
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import ModuleType

import diffusers
import peft
import safetensors.torch
import torch
from diffusers import FluxTransformer2DModel, UNet2DConditionModel
from diffusers.loaders import FluxLoraLoaderMixin, StableDiffusionLoraLoaderMixin
from diffusers.training_utils import _collate_lora_metadata
from peft import (
    LoraConfig,
    PeftModel,
    get_peft_model,
    get_peft_model_state_dict,
    inject_adapter_in_model,
    set_peft_model_state_dict,
)
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel

PEFT = f"peft {peft.__version__}"
DIFFUSERS = f"diffusers {diffusers.__version__}"
HAND = "by hand"

# The ends of the names of up and down.
KOHYA = (".lora_up.weight", ".lora_down.weight")
PEFT_ENDS = (".lora_B.weight", ".lora_A.weight")
OLD_LAYER = (".lora_linear_layer.up.weight", ".lora_linear_layer.down.weight")
OLD_JOINED = ("_lora.up.weight", "_lora.down.weight")
OLD = (".lora.up.weight", ".lora.down.weight")
BARE = (".lora_B", ".lora_A")
MLX = (".lora_b", ".lora_a")

RESIZES = (
    ["--new_rank", "4"],
    ["--new_rank", "4", "--new_conv_rank", "2"],
    ["--new_rank", "8", "--dynamic_method", "sv_fro", "--dynamic_param", "0.9"],
    ["--new_rank", "8", "--dynamic_method", "sv_ratio", "--dynamic_param", "4"],
)
PROBED = 8


@dataclass
class Module:
    """One product; `delta` is scale * product as a matrix, in float64."""

    delta: Tensor
    rank: int
    scale: float


@dataclass
class Factors:
    """What a module is written as by hand."""

    up: Tensor
    down: Tensor
    alpha: Tensor | None = None
    mid: Tensor | None = None
    # Where there is no alpha.
    scale: float = 1.0

    def module(self) -> Module:
        up, down = self.up.double().flatten(1), self.down.double()
        rank = up.shape[1]
        scale = self.scale if self.alpha is None else self.alpha.item() / rank
        if self.mid is None:
            return Module(scale * (up @ down.flatten(1)), rank, scale)
        core = torch.einsum("op,pqhw,qi->oihw", up, self.mid.double(), down.flatten(1))
        return Module(scale * core.flatten(1), rank, scale)

    def tensors(self, key: str, ends: tuple[str, str]) -> dict[str, Tensor]:
        is_mlx = ends == MLX
        named = {
            key + ends[0]: self.up.T if is_mlx else self.up,
            key + ends[1]: self.down.T if is_mlx else self.down,
            f"{key}.lora_mid.weight": self.mid,
            f"{key}.alpha": self.alpha,
        }
        return {name: tensor.contiguous() for name, tensor in named.items() if tensor is not None}


def factors(rows: int, columns: int, rank: int, decay: float = 0.7) -> tuple[Tensor, Tensor]:
    """Factors of a product with singular values decay^i, none of them along an axis."""
    turn = torch.linalg.qr(torch.randn(rank, rank, dtype=torch.float64))[0]
    left = torch.linalg.qr(torch.randn(rows, rank, dtype=torch.float64))[0]
    right = torch.linalg.qr(torch.randn(columns, rank, dtype=torch.float64))[0]
    half = decay ** (torch.arange(rank, dtype=torch.float64) / 2)
    return (left * half) @ turn, turn.T @ (half[:, None] * right.T)


def hand(rows, columns, rank, alpha=None, dtype=torch.float32, kernel=(), scale=1.0, alpha_dtype=None) -> Factors:
    """Factors of a linear layer, or with a kernel of a convolution."""
    points = kernel[0] * kernel[1] if kernel else 1
    up, down = (one.to(dtype) for one in factors(rows, columns * points, rank))
    if kernel:
        up, down = up.reshape(rows, rank, 1, 1), down.reshape(rank, columns, *kernel)
    told = None if alpha is None else torch.tensor(alpha, dtype=alpha_dtype or dtype)
    return Factors(up, down, told, scale=scale)


def tucker(rows: int, columns: int, rank: int, alpha: float, kernel: tuple[int, int]) -> Factors:
    up = torch.randn(rows, rank, 1, 1) / rows**0.5
    mid = torch.randn(rank, rank, *kernel) / rank
    down = torch.randn(rank, columns, 1, 1) / columns**0.5
    return Factors(up, down, torch.tensor(alpha), mid)


def describe(module: Module) -> dict:
    rows, columns = module.delta.shape
    probe = module.delta @ torch.cos(torch.arange(columns, dtype=torch.float64) + 1)
    return {
        "rows": rows,
        "columns": columns,
        "rank": module.rank,
        "scale": module.scale,
        "singularValues": torch.linalg.svdvals(module.delta)[: module.rank].tolist(),
        "probe": probe[:PROBED].tolist(),
    }


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


def expect(file: Path, made_by: str, modules: dict[str, Module], carried: list[str], resized: list[dict] | None = None):
    """Writes expected.json beside a file."""
    expected = {
        "file": file.name,
        "madeBy": made_by,
        "carried": sorted(carried),
        "modules": {key: describe(modules[key]) for key in sorted(modules)},
    }
    write_json(file.parent / "expected.json", expected if resized is None else {**expected, "resized": resized})


def by_hand(file: Path, spelled: dict, carried: dict[str, Tensor] | None = None, metadata=None, config=None):
    """`spelled`: factors by the ends of their names and the module's key."""
    file.parent.mkdir(parents=True)
    tensors = dict(carried or {})
    for (ends, key), one in spelled.items():
        tensors |= one.tensors(key, ends)
    save_file(tensors, file, metadata)
    if config is not None:
        write_json(file.parent / "adapter_config.json", config)
    modules = {key: one.module() for (_, key), one in spelled.items()}
    expect(file, HAND, modules, list(carried or {}))


# --- PEFT ---


class Tiny(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 12)
        self.layers = nn.ModuleList(nn.ModuleDict({"q": nn.Linear(12, 16), "v": nn.Linear(12, 10)}) for _ in range(2))
        self.conv = nn.Conv2d(8, 12, 3)
        self.point = nn.Conv2d(8, 12, 1)
        self.head = nn.Linear(10, 8)

    def forward(self, x):
        return x


@torch.no_grad()
def fill(model: nn.Module) -> None:
    """Gives each LoRA layer other factors than those that do nothing."""
    for layer in model.modules():
        if not isinstance(layer, LoraLayer):
            continue
        if layer.lora_embedding_A:
            up, down = layer.lora_embedding_B["default"], layer.lora_embedding_A["default"]
        else:
            up, down = layer.lora_B["default"].weight, layer.lora_A["default"].weight
        made = factors(up.shape[0], down[0].numel(), down.shape[0])
        for parameter, values in zip((up, down), made, strict=True):
            parameter.copy_(values.reshape(parameter.shape))


def layers(model: nn.Module, prefix: str = "") -> dict[str, Module]:
    """What PEFT adds to the weights of a model in float64."""
    found = {}
    for name, layer in model.named_modules():
        if isinstance(layer, LoraLayer):
            delta = layer.get_delta_weight("default").detach()
            assert delta.dtype == torch.float64, f"{name} is computed in {delta.dtype}"
            # PEFT holds the product of an embedding the other way round than its weight.
            delta = delta.T if layer.lora_embedding_A else delta.flatten(1)
            found[prefix + name] = Module(delta, layer.r["default"], layer.scaling["default"])
    return found


def expect_peft(folder: Path, carried: list[str]) -> None:
    model = PeftModel.from_pretrained(Tiny().double(), folder)
    expect(folder / "adapter_model.safetensors", PEFT, layers(model), carried)


def save_peft(folder: Path, config: LoraConfig, dtype: torch.dtype) -> PeftModel:
    model = get_peft_model(Tiny(), config)
    fill(model)
    model.to(dtype).save_pretrained(folder)
    (folder / "README.md").unlink()
    return model


def peft_patterns(folder: Path) -> None:
    """Every kind of layer, ranks and alphas by pattern, and a head that is trained whole."""
    config = LoraConfig(
        r=4, lora_alpha=8, target_modules=r"embed|conv|point|layers\.\d\.[qv]", modules_to_save=["head"],
        rank_pattern={"layers.1.q": 8, "conv": 6}, alpha_pattern={"layers.1.q": 3, r"layers\.\d\.v": 20},
    )
    save_peft(folder, config, torch.float32)
    expect_peft(folder, ["base_model.model.head.weight", "base_model.model.head.bias"])


def peft_rslora(folder: Path) -> None:
    config = LoraConfig(
        r=6, lora_alpha=9, use_rslora=True, target_modules=r"layers\.\d\.[qv]", rank_pattern={r"layers\.0\.v": 3},
    )
    save_peft(folder, config, torch.bfloat16)
    expect_peft(folder, [])


def peft_named(folder: Path) -> None:
    """The factors as the model itself calls them: programs that save its own state keep `default`."""
    config = LoraConfig(r=5, lora_alpha=10, target_modules=r"layers\.\d\.[qv]")
    model = save_peft(folder, config, torch.float16)
    expect_peft(folder, [])
    own = {name: tensor for name, tensor in model.state_dict().items() if ".lora_" in name}
    save_file(own, folder / "adapter_model.safetensors", {"format": "pt"})


# --- diffusers ---

WEIGHTS = "pytorch_lora_weights.safetensors"


def tiny_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=8, in_channels=4, out_channels=4, down_block_types=("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",), mid_block_type=None, block_out_channels=(8,), layers_per_block=1,
        norm_num_groups=4, cross_attention_dim=12, attention_head_dim=4,
    )


def tiny_text_encoder() -> CLIPTextModel:
    config = CLIPTextConfig(
        hidden_size=12, intermediate_size=20, num_hidden_layers=1, num_attention_heads=2, vocab_size=14,
        max_position_embeddings=6, bos_token_id=0, eos_token_id=1,
    )
    return CLIPTextModel(config)


def tiny_transformer() -> FluxTransformer2DModel:
    return FluxTransformer2DModel(
        patch_size=1, in_channels=4, num_layers=1, num_single_layers=1, attention_head_dim=8, num_attention_heads=2,
        joint_attention_dim=12, pooled_projection_dim=10, axes_dims_rope=(2, 2, 4),
    )


def adapted(model: nn.Module, config: LoraConfig, dtype: torch.dtype) -> nn.Module:
    # transformers' own add_adapter, which does this, asks for a newer PEFT than diffusers does.
    inject_adapter_in_model(config, model)
    fill(model)
    return model.to(dtype)


def pipeline_state(folder: Path) -> tuple[dict, dict | None, dict | None]:
    """State, alphas and metadata of a file for Stable Diffusion, as diffusers reads them."""
    return StableDiffusionLoraLoaderMixin.lora_state_dict(
        str(folder), weight_name=WEIGHTS, return_lora_metadata=True
    )


def unet_layers(folder: Path) -> dict[str, Module]:
    state, alphas, metadata = pipeline_state(folder)
    unet = tiny_unet().double()
    StableDiffusionLoraLoaderMixin.load_lora_into_unet(
        state, alphas, unet, adapter_name="default", metadata=metadata
    )
    return layers(unet, "unet.")


def text_layers(folder: Path) -> dict[str, Module]:
    state, _, metadata = pipeline_state(folder)
    state, told = ({key.removeprefix("text_encoder."): value for key, value in one.items() if "text_enc" in key}
                   for one in (state, metadata))
    text = inject_adapter_in_model(LoraConfig(**told), tiny_text_encoder().double())
    set_peft_model_state_dict(text, state)
    return layers(text, "text_encoder.")


def diffusers_pipeline(folder: Path) -> None:
    """Two models in one file, each with its own configuration."""
    targets = r"down_blocks\..*(attn2\.to_[kv]|proj_in|resnets\.0\.conv1)"
    unet = adapted(
        tiny_unet(), LoraConfig(r=4, lora_alpha=2, target_modules=targets, rank_pattern={"conv1": 6}), torch.float32
    )
    text = adapted(tiny_text_encoder(), LoraConfig(r=3, lora_alpha=6, target_modules=r".*\.[qv]_proj"), torch.float32)
    StableDiffusionLoraLoaderMixin.save_lora_weights(
        folder,
        unet_lora_layers=get_peft_model_state_dict(unet),
        text_encoder_lora_layers=get_peft_model_state_dict(text),
        **_collate_lora_metadata({"unet": unet, "text_encoder": text}),
    )
    expect(folder / WEIGHTS, DIFFUSERS, unet_layers(folder) | text_layers(folder), [])


def diffusers_transformer(folder: Path) -> None:
    config = LoraConfig(
        r=4, lora_alpha=4, target_modules=r".*attn\.(to_q|add_k_proj|to_out\.0)|single_.*proj_mlp",
        rank_pattern={"proj_mlp": 8}, alpha_pattern={r"single_transformer_blocks\.0\.attn\.to_q": 10},
    )
    model = adapted(tiny_transformer(), config, torch.float16)
    FluxLoraLoaderMixin.save_lora_weights(
        folder,
        transformer_lora_layers=get_peft_model_state_dict(model),
        **_collate_lora_metadata({"transformer": model}),
    )
    state, alphas, metadata = FluxLoraLoaderMixin.lora_state_dict(
        str(folder), weight_name=WEIGHTS, return_alphas=True, return_lora_metadata=True
    )
    again = tiny_transformer().double()
    FluxLoraLoaderMixin.load_lora_into_transformer(state, alphas, again, adapter_name="default", metadata=metadata)
    expect(folder / WEIGHTS, DIFFUSERS, layers(again, "transformer."), [])


def diffusers_model(folder: Path) -> None:
    """One model by itself: neither names nor metadata tell which."""
    config = LoraConfig(r=4, lora_alpha=12, target_modules=r"down_blocks\..*attn1\.to_[qk]", rank_pattern={"to_k": 2})
    adapted(tiny_unet(), config, torch.float32).save_lora_adapter(folder)
    again = tiny_unet().double()
    again.load_lora_adapter(str(folder), weight_name=WEIGHTS, prefix=None, adapter_name="default")
    expect(folder / WEIGHTS, DIFFUSERS, layers(again), [])


def diffusers_old(folder: Path) -> None:
    """Three ways in one file, as diffusers trained before it used PEFT."""
    block = "unet.down_blocks.0.attentions.0.transformer_blocks.0"
    layer = "text_encoder.text_model.encoder.layers.0"
    spelled = {
        (OLD_JOINED, f"{block}.attn1.processor.to_q"): hand(8, 8, 4),
        (OLD_JOINED, f"{block}.attn1.processor.to_out"): hand(8, 8, 4),
        (OLD, f"{block}.attn2.to_k"): hand(8, 12, 4),
        (OLD, f"{block}.ff.net.2"): hand(8, 32, 3),
        (OLD_LAYER, f"{layer}.self_attn.q_proj"): hand(12, 12, 4),
        (OLD_LAYER, f"{layer}.mlp.fc1"): hand(20, 12, 4),
    }
    by_hand(folder / WEIGHTS, spelled, metadata={"format": "pt"})
    loaded = unet_layers(folder)
    of_unet = {key: one.module() for (_, key), one in spelled.items() if key.startswith("unet.")}
    assert len(loaded) == len(of_unet), f"diffusers reads {list(loaded)}"
    for key, module in of_unet.items():
        name = key.replace(".processor", "").replace("to_out", "to_out.0")
        torch.testing.assert_close(loaded[name].delta, module.delta, rtol=0, atol=1e-15)


# --- by hand ---


def comfy(folder: Path) -> None:
    """Names of the original models, before them `diffusion_model`; a scale of 1 where there is no alpha."""
    key = "diffusion_model.double_blocks.0"
    dtype = torch.bfloat16
    spelled = {
        (PEFT_ENDS, f"{key}.img_attn.qkv"): hand(24, 8, 6, dtype=dtype),
        (PEFT_ENDS, f"{key}.img_mlp.0"): hand(16, 8, 4, dtype=dtype),
        (PEFT_ENDS, f"{key}.txt_attn.proj"): hand(8, 8, 4, 2.0, dtype=dtype),
    }
    carried = {f"{key}.img_attn.norm.query_norm.scale": torch.randn(8).to(dtype)}
    by_hand(folder / "style.safetensors", spelled, carried)


def transformer_alpha(folder: Path) -> None:
    """PEFT's names with an alpha for each module, as several trainers write."""
    spelled = {
        (PEFT_ENDS, "transformer.blocks.0.attn.to_q"): hand(16, 12, 4, 8.0, torch.float16),
        (PEFT_ENDS, "transformer.blocks.0.attn.to_out.0"): hand(12, 16, 8, 4.0, torch.float16),
    }
    by_hand(folder / "lora.safetensors", spelled, metadata={"format": "pt", "step": "1200"})


def bare(folder: Path) -> None:
    spelled = {
        (BARE, "blocks.0.attn.q"): hand(12, 16, 4),
        (BARE, "blocks.0.attn.v"): hand(8, 16, 6, 3.0),
    }
    by_hand(folder / "lora.safetensors", spelled, {"blocks.0.norm.weight": torch.randn(16)})


def mlx(folder: Path) -> None:
    scale = 20.0
    names = [f"model.layers.{layer}.self_attn.{side}_proj" for layer in (0, 1) for side in "qv"]
    spelled = {(MLX, name): hand(10 + index, 16, 4, scale=scale) for index, name in enumerate(names)}
    config = {
        "fine_tune_type": "lora",
        "lora_parameters": {"rank": 4, "dropout": 0.0, "scale": scale},
        "model": "tiny",
        "num_layers": 2,
    }
    file = folder / "adapters.safetensors"
    by_hand(file, spelled, config=config)
    # MLX writes null where there is no metadata, as mlx-lm has none.
    data = file.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.dumps({"__metadata__": None, **json.loads(data[8:start])}, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    file.write_bytes(len(header).to_bytes(8, "little") + header + data[start:])


def kohya_tucker(folder: Path) -> None:
    """What LyCORIS writes for a convolution, and whole changes of weights, biases and norms beside."""
    key = "lora_unet_down_blocks_0_resnets_0"
    spelled = {
        (KOHYA, f"{key}_conv1"): tucker(16, 12, 6, 3.0, (3, 3)),
        (KOHYA, f"{key}_conv2"): tucker(12, 8, 4, 4.0, (1, 3)),
        (KOHYA, f"{key}_time_emb_proj"): hand(16, 24, 8, 4.0),
        (KOHYA, f"{key}_conv_shortcut"): hand(16, 12, 6, 1.0, kernel=(1, 1)),
    }
    carried = {
        "lora_unet_conv_in.diff": torch.randn(8, 4, 3, 3),
        "lora_unet_conv_in.diff_b": torch.randn(8),
        "lora_unet_down_blocks_0_resnets_0_norm1.w_norm": torch.randn(12),
        "lora_unet_down_blocks_0_resnets_0_norm1.b_norm": torch.randn(12).half(),
        "bundle_emb.style.string_to_param.*": torch.randn(2, 8).bfloat16(),
        "steps": torch.tensor([1200]),
        "mask": torch.tensor([True, False, True]),
    }
    by_hand(folder / "locon.safetensors", spelled, carried, {"ss_network_module": "lycoris.kohya"})


def kohya_f64(folder: Path) -> None:
    """F64; a product of no rank, one of more rank than its sides are long, and no alpha at one."""
    dtype = torch.float64
    zero = hand(12, 8, 4, 4.0, dtype)
    zero.up.zero_()
    wide = Factors(torch.randn(8, 12, dtype=dtype), torch.randn(12, 10, dtype=dtype), torch.tensor(6.0, dtype=dtype))
    spelled = {
        (KOHYA, "lora_unet_blocks_0_attn_q"): hand(16, 12, 6, 3.0, dtype),
        (KOHYA, "lora_unet_blocks_0_attn_k"): zero,
        (KOHYA, "lora_unet_blocks_0_attn_v"): wide,
        (KOHYA, "lora_unet_blocks_0_mlp"): hand(12, 16, 5, dtype=dtype),
    }
    by_hand(folder / "double.safetensors", spelled)


def kohya_bf16(folder: Path) -> None:
    """BF16 factors, an alpha in F32, another rank at each module; one is stored in F16."""
    half, single = torch.bfloat16, torch.float32
    key = "lora_unet_double_blocks_0"
    spelled = {
        (KOHYA, f"{key}_img_attn_qkv"): hand(24, 8, 8, 16.0, half, alpha_dtype=single),
        (KOHYA, f"{key}_img_mlp_0"): hand(16, 8, 4, 1.0, half, alpha_dtype=single),
        (KOHYA, f"{key}_txt_mlp_0"): hand(16, 8, 2, 0.3, half, alpha_dtype=single),
        (KOHYA, "lora_te1_text_model_encoder_layers_0_mlp_fc1"): hand(16, 12, 3, 3.0, torch.float16),
    }
    by_hand(folder / "flux.safetensors", spelled, metadata={"ss_network_dim": "8", "ss_network_alpha": "16"})


# --- sd-scripts ---


@dataclass
class SdScripts:
    lora: ModuleType
    resize_lora: ModuleType


def sd_scripts(folder: Path) -> SdScripts:
    """Imports networks/lora.py and networks/resize_lora.py with only so much of `library`."""
    train_util = ModuleType("library.train_util")
    train_util.__dict__.update(hashlib=hashlib, BytesIO=BytesIO, safetensors=safetensors)
    wanted = ("precalculate_safetensors_hashes", "addnet_hash_legacy", "addnet_hash_safetensors")
    source = ast.parse((folder / "library/train_util.py").read_text("utf-8"))
    hashes = [one for one in source.body if isinstance(one, ast.FunctionDef) and one.name in wanted]
    exec(compile(ast.Module(hashes, []), "train_util.py", "exec"), train_util.__dict__)  # noqa: S102
    stubs = {
        "train_util": train_util.__dict__,
        "model_util": {"is_safetensors": lambda path: path.endswith(".safetensors")},
        "utils": {"setup_logging": lambda: None},
        "sdxl_original_unet": {"SdxlUNet2DConditionModel": type("SdxlUNet2DConditionModel", (), {})},
    }
    library = sys.modules["library"] = ModuleType("library")
    for name, content in stubs.items():
        module = sys.modules[f"library.{name}"] = ModuleType(f"library.{name}")
        module.__dict__.update(content)
        setattr(library, name, module)
    return SdScripts(imported(folder / "networks/lora.py"), imported(folder / "networks/resize_lora.py"))


def imported(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def planted(paths: dict[str, nn.Module], kind: str = "Module") -> nn.Module:
    """A module of a class of that name, which is how sd-scripts finds what it adapts."""
    root = type(kind, (nn.Module,), {})()
    for path, module in paths.items():
        place = root
        *folders, leaf = path.split(".")
        for folder in folders:
            if not hasattr(place, folder):
                place.add_module(folder, nn.Module())
            place = getattr(place, folder)
        place.add_module(leaf, module)
    return root


def stable_diffusion_unet() -> nn.Module:
    attention = {
        "proj_in": nn.Conv2d(16, 20, 1),
        "transformer_blocks.0.attn1.to_q": nn.Linear(20, 20),
        "transformer_blocks.0.attn2.to_k": nn.Linear(24, 20),
        "transformer_blocks.0.ff.net.2": nn.Linear(24, 20),
    }
    resnet = {"conv1": nn.Conv2d(12, 16, 3), "time_emb_proj": nn.Linear(24, 16)}
    return planted({
        "down_blocks.0.attentions.0": planted(attention, "Transformer2DModel"),
        "down_blocks.0.resnets.0": planted(resnet, "ResnetBlock2D"),
        "down_blocks.0.downsamplers.0": planted({"conv": nn.Conv2d(12, 16, 3)}, "Downsample2D"),
    })


def text_encoder() -> nn.Module:
    layer = "text_model.encoder.layers.0"
    return planted({
        f"{layer}.self_attn": planted({"q_proj": nn.Linear(16, 16)}, "CLIPAttention"),
        f"{layer}.mlp": planted({"fc1": nn.Linear(16, 24)}, "CLIPMLP"),
    })


# Rank, alpha and decay of the singular values, in turn.
SHAPES = ((8, 4.0, 0.55), (12, 1.0, 0.75), (8, 8.0, 0.6), (10, 5.0, 0.83), (16, 12.0, 0.65), (9, 3.0, 0.4))


def modules_of(model: nn.Module, prefix: str) -> list[str]:
    return [
        f"{prefix}_{name}".replace(".", "_")
        for name, module in model.named_modules()
        if isinstance(module, (nn.Linear, nn.Conv2d))
    ]


@torch.no_grad()
def trained(scripts: SdScripts, file: Path, text_encoders: list[nn.Module], metadata: dict, dtype) -> None:
    """A network of networks/lora.py, saved by it."""
    file.parent.mkdir(parents=True)
    unet = stable_diffusion_unet()
    prefixes = ["lora_te"] if len(text_encoders) == 1 else ["lora_te1", "lora_te2"]
    names = [
        *(name for model, prefix in zip(text_encoders, prefixes, strict=True) for name in modules_of(model, prefix)),
        *modules_of(unet, "lora_unet"),
    ]
    shapes = {name: SHAPES[index % len(SHAPES)] for index, name in enumerate(names)}
    network = scripts.lora.LoRANetwork(
        text_encoders if len(text_encoders) > 1 else text_encoders[0],
        unet,
        modules_dim={name: rank for name, (rank, _, _) in shapes.items()},
        modules_alpha={name: alpha for name, (_, alpha, _) in shapes.items()},
        module_class=scripts.lora.LoRAInfModule,
    )
    network.apply_to(text_encoders, unet)
    loras = network.text_encoder_loras + network.unet_loras
    assert {lora.lora_name for lora in loras} == set(names), "sd-scripts adapts other modules"
    for lora in loras:
        up, down = lora.lora_up.weight, lora.lora_down.weight
        made = factors(up.shape[0], down[0].numel(), down.shape[0], shapes[lora.lora_name][2])
        for parameter, values in zip((up, down), made, strict=True):
            parameter.copy_(values.reshape(parameter.shape))
    network.save_weights(file, dtype, metadata)
    network.load_weights(file)
    modules = {key: one.module() for key, one in read_kohya(file).items()}
    for lora in loras:
        own = lora.get_weight().double().flatten(1)
        torch.testing.assert_close(own, modules[lora.lora_name].delta, rtol=0, atol=1e-6)
    expect(file, "sd-scripts, networks/lora.py", modules, [], [resized(scripts, file, args) for args in RESIZES])


def read_kohya(file: Path) -> dict[str, Factors]:
    tensors = load_file(file)
    keys = {name.split(".")[0] for name in tensors}
    return {key: Factors(tensors[key + KOHYA[0]], tensors[key + KOHYA[1]], tensors[f"{key}.alpha"]) for key in keys}


def resized(scripts: SdScripts, file: Path, args: list[str]) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        saved = Path(folder) / "resized.safetensors"
        told = ["--model", str(file), "--save_to", str(saved), "--device", "cpu", *args]
        scripts.resize_lora.resize(scripts.resize_lora.setup_parser().parse_args(told))
        after = read_kohya(saved)
    before = {key: one.module().delta.norm() for key, one in read_kohya(file).items()}
    modules = {
        key: {
            "rank": after[key].up.shape[1],
            "alpha": after[key].alpha.item(),
            "fro_retained": (after[key].module().delta.norm() / before[key]).item(),
        }
        for key in sorted(after)
    }
    return {"args": args, "modules": modules}


def kohya_sd(scripts: SdScripts, folder: Path) -> None:
    metadata = {
        "ss_network_module": "networks.lora", "ss_network_dim": "8", "ss_network_alpha": "4",
        "ss_base_model_version": "sd_v1", "ss_tag_frequency": '{"10_tiny": {"a": 3, "b": 1}}',
        "modelspec.title": "tiny", "modelspec.hash_sha256": "0x" + 64 * "0",
    }
    trained(scripts, folder / "tiny.safetensors", [text_encoder()], metadata, torch.float32)


def kohya_sdxl(scripts: SdScripts, folder: Path) -> None:
    metadata = {"ss_network_module": "networks.lora", "ss_base_model_version": "sdxl_base_v1-0"}
    trained(scripts, folder / "tiny-xl.safetensors", [text_encoder(), text_encoder()], metadata, torch.float16)


CASES = {
    "peft-patterns": peft_patterns,
    "peft-rslora": peft_rslora,
    "peft-named": peft_named,
    "diffusers-pipeline": diffusers_pipeline,
    "diffusers-transformer": diffusers_transformer,
    "diffusers-model": diffusers_model,
    "diffusers-old": diffusers_old,
    "comfy": comfy,
    "transformer-alpha": transformer_alpha,
    "bare": bare,
    "mlx": mlx,
    "kohya-tucker": kohya_tucker,
    "kohya-f64": kohya_f64,
    "kohya-bf16": kohya_bf16,
}
SD_SCRIPTS_CASES = {"kohya-sd": kohya_sd, "kohya-sdxl": kohya_sdxl}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("out", type=Path, help="folder of the cases, emptied first")
    parser.add_argument("--sd-scripts", type=Path, required=True, help="a checkout of kohya-ss/sd-scripts")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    out = arguments.out
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    scripts = sd_scripts(arguments.sd_scripts)
    for seed, (name, make) in enumerate(CASES.items()):
        torch.manual_seed(seed)
        make(out / name)
    for seed, (name, make) in enumerate(SD_SCRIPTS_CASES.items(), len(CASES)):
        torch.manual_seed(seed)
        make(scripts, out / name)
    files = [path for path in out.rglob("*") if path.is_file()]
    print(f"{len(CASES) + len(SD_SCRIPTS_CASES)} cases, {sum(path.stat().st_size for path in files):,} bytes")


if __name__ == "__main__":
    main()
