"""Makes the golden data of src/evaluate: what torch, transformers and Pillow compute.

    python -m venv venv && venv/bin/pip install torch==2.8.0 transformers==4.57.1 pillow==11.3.0
    venv/bin/python scripts/golden_clip.py

Everything is seeded; the files land in src/evaluate/golden and are committed. Models are tiny
and random, with every setting that the graphs read taking an uncommon value somewhere.
"""

import io
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.numpy import save_file
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizerFast

OUT = Path(__file__).resolve().parent.parent / "src/evaluate/golden"

# Legacy end-of-text (eos_token_id 2: pool at the largest id), patch 4, odd token count.
QUICK_GELU = dict(
    projection_dim=20,
    logit_scale_init_value=1.7,
    vision_config=dict(
        hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3,
        image_size=12, patch_size=4, hidden_act="quick_gelu", layer_norm_eps=1e-5,
    ),
    text_config=dict(
        hidden_size=16, intermediate_size=36, num_hidden_layers=2, num_attention_heads=2,
        vocab_size=64, max_position_embeddings=11, hidden_act="quick_gelu",
        bos_token_id=62, eos_token_id=2, pad_token_id=63,
    ),
)
# Exact gelu, another epsilon, one text head, end-of-text by first match of a small id.
GELU = dict(
    projection_dim=12,
    logit_scale_init_value=2.6592,
    vision_config=dict(
        hidden_size=16, intermediate_size=28, num_hidden_layers=3, num_attention_heads=4,
        image_size=16, patch_size=8, hidden_act="gelu", layer_norm_eps=1e-3,
    ),
    text_config=dict(
        hidden_size=12, intermediate_size=20, num_hidden_layers=1, num_attention_heads=1,
        vocab_size=40, max_position_embeddings=7, hidden_act="gelu", layer_norm_eps=1e-6,
        bos_token_id=1, eos_token_id=5, pad_token_id=5,
    ),
)


def token_rows(rng: np.random.Generator, config: CLIPConfig, rows: int) -> np.ndarray:
    """Random prompts: start, words, end-of-text, then padding with end-of-text."""
    text = config.text_config
    end = text.vocab_size - 1 if text.eos_token_id == 2 else text.eos_token_id
    words = [i for i in range(6, text.vocab_size - 2)]
    ids = np.full((rows, text.max_position_embeddings), end, dtype=np.int64)
    ids[:, 0] = text.bos_token_id
    for row in range(rows):
        count = int(rng.integers(1, text.max_position_embeddings - 1))
        ids[row, 1 : 1 + count] = rng.choice(words, count)
    return ids


def make_model(name: str, settings: dict, seed: int, images: int, classes: int) -> None:
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    config = CLIPConfig(**settings)
    model = CLIPModel(config).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Larger than a usual start, so that attention and activations leave their linear part.
            if key != "logit_scale":
                parameter.add_(torch.randn_like(parameter) * 0.25)
    folder = OUT / name
    model.save_pretrained(folder)
    vision = config.vision_config
    pixels = rng.standard_normal((images, 3, vision.image_size, vision.image_size))
    pixels = torch.tensor(pixels, dtype=torch.float32)
    ids = torch.tensor(token_rows(rng, config, classes))
    with torch.no_grad():
        out = model(input_ids=ids, pixel_values=pixels)
    save_file(
        {
            "pixel_values": pixels.numpy(),
            "input_ids": ids.numpy().astype(np.int32),
            "image_embeds": out.image_embeds.numpy(),
            "text_embeds": out.text_embeds.numpy(),
            "logits": out.logits_per_image.contiguous().numpy(),
        },
        folder / "expected.safetensors",
    )


CORPUS = [
    "a photo of a cat", "a photo of a dog, a type of pet.", "a sketch of the digit 7",
    "a satellite image of a forest", "a blurry street number 1234", "the traffic sign: stop",
    "aerial view of a harbour", "texture of woven wool", "it's a car that doesn't move",
]
PROMPTS = [
    "a photo of a cat", "A Photo  of a\tCAT.", "", "it's the dog's wool, isn't it?",
    "street number 2026!", "naïve café — façade", "forest 森林 🌲", "<|startoftext|>a car",
    "aerial view of a harbour, a blurry street number and a traffic sign " * 3,
]


def make_tokenizer() -> None:
    """A byte-level BPE with the CLIP tokenizer's own normalizer, splitter and end-of-word mark."""
    tokenizer = Tokenizer(
        models.BPE(unk_token="<|endoftext|>", continuing_subword_prefix="", end_of_word_suffix="</w>")
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    pattern = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<|startoftext|>", "<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(
        sep=("<|endoftext|>", 1), cls=("<|startoftext|>", 0), trim_offsets=False,
        add_prefix_space=False,
    )
    fast = CLIPTokenizerFast(tokenizer_object=tokenizer, model_max_length=16)
    folder = OUT / "tokenizer"
    fast.save_pretrained(folder)
    for extra in ("vocab.json", "merges.txt", "special_tokens_map.json"):
        (folder / extra).unlink(missing_ok=True)
    ids = fast(PROMPTS, padding="max_length", truncation=True)["input_ids"]
    save_json(folder / "expected.json", {"contextLength": 16, "prompts": PROMPTS, "ids": ids})


def picture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Smooth colour gradients, hard edges and noise: all that a resampling filter can get wrong."""
    y, x = np.mgrid[0:height, 0:width]
    smooth = np.stack([x * 255 / width, y * 255 / height, (x + y) * 255 / (width + height)], -1)
    edges = 120 * (((x // 5 + y // 7) % 2) == 0)[..., None]
    noise = rng.integers(-60, 60, (height, width, 3))
    return np.clip(smooth + edges + noise, 0, 255).astype(np.uint8)


# Pillow resample codes: 1 Lanczos, 2 bilinear, 3 bicubic, 4 box, 5 Hamming.
RESIZES = [
    (29, 41, 12, 17, 3), (29, 41, 12, 17, 2), (29, 41, 12, 17, 1), (29, 41, 12, 17, 4),
    (29, 41, 12, 17, 5), (29, 41, 40, 23, 3), (29, 41, 40, 23, 2), (29, 41, 29, 20, 3),
    (29, 41, 11, 41, 3), (1, 7, 3, 2, 3), (64, 64, 32, 32, 3), (50, 3, 1, 1, 2),
]


def make_resizes() -> None:
    rng = np.random.default_rng(5)
    sources = {}
    tensors = {}
    cases = []
    for index, (height, width, to_height, to_width, resample) in enumerate(RESIZES):
        source = sources.setdefault(f"{height}x{width}", picture(rng, height, width))
        target = Image.fromarray(source).resize((to_width, to_height), resample=resample)
        tensors[str(index)] = np.asarray(target).copy()
        cases.append({"source": f"{height}x{width}", "target": str(index), "resample": resample})
    save_file(sources | tensors, OUT / "resize.safetensors", {"cases": json.dumps(cases)})


CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]
# As repos write them: new style, old style with bare numbers, fixed size, padding by the crop.
PROCESSORS = {
    "clip": dict(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16}),
    "old": dict(size=20, crop_size=15, resample=2, image_mean=[0.5, 0.5, 0.5], image_std=[0.5, 0.5, 0.25]),
    "bare": dict(do_resize=False, do_center_crop=False, do_normalize=False),
    "pad": dict(do_resize=False, crop_size={"height": 9, "width": 60}, rescale_factor=0.5),
}


def make_preprocessing() -> None:
    rng = np.random.default_rng(6)
    folder = OUT / "preprocess"
    folder.mkdir(parents=True, exist_ok=True)
    images = {
        "wide.png": Image.fromarray(picture(rng, 36, 51)),
        "tall.png": Image.fromarray(picture(rng, 47, 30)),
        "grey.png": Image.fromarray(picture(rng, 36, 36)[..., 0]),
        "tiny.png": Image.fromarray(picture(rng, 8, 9)),
        "wide.jpg": Image.fromarray(picture(rng, 36, 51)).resize((64, 48), resample=3),
    }
    tensors = {}
    for name, image in images.items():
        data = io.BytesIO()
        image.save(data, format="JPEG" if name.endswith("jpg") else "PNG", quality=92)
        (folder / name).write_bytes(data.getvalue())
    for key, settings in PROCESSORS.items():
        processor = CLIPImageProcessor(**{"image_mean": CLIP_MEAN, "image_std": CLIP_STD, **settings})
        (folder / f"{key}.json").write_text(processor.to_json_string())
        for name in images:
            with Image.open(folder / name) as image:
                pixels = processor(image.convert("RGB"), return_tensors="np")["pixel_values"]
            # Not every pair: the committed file stays small.
            if key in ("clip", "old") or name == {"bare": "tiny.png", "pad": "wide.png"}[key]:
                tensors[f"{key}/{name}"] = pixels.astype(np.float32)
    save_file(tensors, folder / "expected.safetensors")


def save_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    make_model("quick-gelu", QUICK_GELU, seed=1, images=5, classes=7)
    make_model("gelu", GELU, seed=2, images=3, classes=4)
    make_tokenizer()
    make_resizes()
    make_preprocessing()
