"""The small CLIP model: its configuration, its zero-shot head and how pixels enter it."""

from __future__ import annotations

import numpy as np
import torch
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTextConfig, CLIPTokenizerFast, CLIPVisionConfig

from draw import Task
from draw.canvas import SIZE

POSITIONS = 32


def build(tokenizer: CLIPTokenizerFast) -> CLIPModel:
    """An untrained model, in the shape of ViT-B/32 but tiny."""
    vision = CLIPVisionConfig(
        hidden_size=96,
        intermediate_size=384,
        num_hidden_layers=4,
        num_attention_heads=4,
        image_size=SIZE,
        patch_size=8,
        projection_dim=64,
    )
    text = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=256,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=POSITIONS,
        projection_dim=64,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return CLIPModel(CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict(), projection_dim=64))


def image_processor(mean: list[float], std: list[float]) -> CLIPImageProcessor:
    return CLIPImageProcessor(
        do_resize=True,
        size={"shortest_edge": SIZE},
        resample=3,
        do_center_crop=True,
        crop_size={"height": SIZE, "width": SIZE},
        do_rescale=True,
        rescale_factor=1 / 255,
        do_normalize=True,
        image_mean=mean,
        image_std=std,
        do_convert_rgb=True,
    )


def to_pixels(images: np.ndarray, processor: CLIPImageProcessor) -> torch.Tensor:
    """What the processor does to 32 x 32 images, without its per-image overhead (for training only)."""
    mean = torch.tensor(processor.image_mean).view(1, 3, 1, 1)
    std = torch.tensor(processor.image_std).view(1, 3, 1, 1)
    return (torch.from_numpy(images).permute(0, 3, 1, 2).float() / 255 - mean) / std


def tokenize(tokenizer: CLIPTokenizerFast, texts: list[str]):
    return tokenizer(texts, padding=True, truncation=True, return_tensors="pt")


def prompts(task: Task) -> list[list[str]]:
    """Per class, the class name in every template."""
    return [[template.replace("{c}", name) for template in task.templates] for name in task.classes]


@torch.no_grad()
def zero_shot_head(model: CLIPModel, tokenizer: CLIPTokenizerFast, task: Task) -> torch.Tensor:
    """One unit vector a class: the normalised mean of the normalised embeddings of its prompts."""
    rows = []
    for texts in prompts(task):
        features = model.get_text_features(**tokenize(tokenizer, texts))
        mean = torch.nn.functional.normalize(features, dim=-1).mean(dim=0)
        rows.append(torch.nn.functional.normalize(mean, dim=-1))
    return torch.stack(rows)


def image_logits(model: CLIPModel, pixels: torch.Tensor, head: torch.Tensor) -> torch.Tensor:
    """exp(logit_scale) * cosine, image x class."""
    features = torch.nn.functional.normalize(model.get_image_features(pixel_values=pixels), dim=-1)
    return model.logit_scale.exp() * features @ head.T
