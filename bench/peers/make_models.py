"""Writes what the peer benches run on: two CLIP vision towers as safetensors and as ONNX in the
layout transformers.js loads, and a group of nine checkpoints to merge.

    python make_models.py OUT ZOO [--quick]

Folders that exist are left as they are. Weights of the large models are random: time does not
depend on them.
"""

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPVisionModelWithProjection

TASKS = 8
OPSET = 17


class ImageEmbeds(torch.nn.Module):
    """The one output that is timed."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, pixel_values):
        return self.model(pixel_values=pixel_values).image_embeds


def write_evaluation_model(folder: Path, config: CLIPConfig, model, zoo_model: Path):
    """The layout of a Hub repo for transformers.js, and the same weights as safetensors."""
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "onnx").mkdir(parents=True)
    config.save_pretrained(partial)
    for name in ("preprocessor_config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(zoo_model / name, partial / name)
    tensors = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    save_file(tensors, partial / "vision.safetensors")
    size = config.vision_config.image_size
    torch.onnx.export(
        ImageEmbeds(model).eval(),
        (torch.zeros(2, 3, size, size),),
        partial / "onnx" / "vision_model.onnx",
        input_names=["pixel_values"],
        output_names=["image_embeds"],
        dynamic_axes={"pixel_values": {0: "batch"}, "image_embeds": {0: "batch"}},
        opset_version=OPSET,
        dynamo=False,
    )
    partial.rename(folder)


def zoo_evaluation_model(folder: Path, zoo_model: Path):
    config = CLIPConfig.from_pretrained(zoo_model)
    model = CLIPVisionModelWithProjection.from_pretrained(zoo_model, attn_implementation="eager")
    write_evaluation_model(folder, config, model, zoo_model)


def vit_evaluation_model(folder: Path, zoo_model: Path):
    """openai/clip-vit-base-patch32's shapes, which are CLIPConfig's defaults."""
    torch.manual_seed(0)
    config = CLIPConfig()
    config.vision_config.projection_dim = config.projection_dim
    config.vision_config._attn_implementation = "eager"
    model = CLIPVisionModelWithProjection(config.vision_config)
    write_evaluation_model(folder, config, model, zoo_model)


SIZES = {
    "quick": dict(num_hidden_layers=2, hidden_size=384, intermediate_size=1536, patch_size=16),
    "base": {},  # ViT-B/32
    "large": dict(num_hidden_layers=24, hidden_size=1024, intermediate_size=4096, patch_size=14),
}


def write_group(folder: Path, size: str):
    """A base in F16, and fine-tunes that differ from it everywhere, by about a twentieth."""
    torch.manual_seed(1)
    config = CLIPConfig().vision_config
    for name, value in SIZES[size].items():
        setattr(config, name, value)
    with torch.device("meta"):
        names = CLIPVisionModelWithProjection(config).state_dict()
    shapes = {n: t.shape for n, t in names.items() if t.is_floating_point() and "projection" not in n}
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    base = {name: 0.02 * torch.randn(shape) for name, shape in shapes.items()}
    save_file({name: tensor.half() for name, tensor in base.items()}, partial / "base.safetensors")
    for task in range(TASKS):
        tuned = {name: (t + 0.001 * torch.randn(t.shape)).half() for name, t in base.items()}
        save_file(tuned, partial / f"task-{task}.safetensors")
    partial.rename(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("zoo", type=Path)
    parser.add_argument("--quick", action="store_true")
    args = parser.parse_args()
    zoo_model = args.zoo / "models" / "clip-tiny"
    jobs = {"clip-tiny": lambda folder: zoo_evaluation_model(folder, zoo_model)}
    if args.quick:
        jobs["group-quick"] = lambda folder: write_group(folder, "quick")
    else:
        jobs["vit-b-32"] = lambda folder: vit_evaluation_model(folder, zoo_model)
        jobs["group"] = lambda folder: write_group(folder, "base")
        jobs["group-large"] = lambda folder: write_group(folder, "large")
    for name, make in jobs.items():
        if not (args.out / name).exists():
            make(args.out / name)
    versions = {"torch": torch.__version__, "threads": torch.get_num_threads()}
    print(json.dumps(versions))


if __name__ == "__main__":
    main()
