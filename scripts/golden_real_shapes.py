"""Makes the golden data of src/evaluate at true shapes: what transformers computes.

    python -m venv venv
    venv/bin/pip install torch==2.8.0 transformers==4.57.1
    venv/bin/python scripts/golden_real_shapes.py

The models have the shapes of the public ones and random weights, which are never stored: any
program makes the same bits from a tensor's name and an element's index (`random_values`). The
files land in src/evaluate/golden/real-shapes and are committed: `models.json` holds everything the
weights and inputs are made from, and the spread of the logits; NAME.safetensors what came out.
Flan-T5-large takes about 8 GB of memory.
"""

import json
import math
import re
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from transformers import CLIPConfig, CLIPModel, T5Config, T5ForConditionalGeneration

OUT = Path(__file__).resolve().parent.parent / "src/evaluate/golden/real-shapes"

# The first rule whose pattern is found in a name says how its values are spread: uniformly, with
# this mean and standard deviation; `gain` is the deviation times the square root of a row's length.
# Chosen so that every sum has values of about 1: attention neither even nor on one token, logits
# that differ from input to input.
CLIP_RULES = [
    {"pattern": r"^logit_scale$", "mean": math.log(100), "std": 0},
    {"pattern": r"(norm\d?|layrnorm)\.weight$", "mean": 1, "std": 0.1},
    {"pattern": r"\.bias$", "mean": 0, "std": 0.1},
    {"pattern": r"(class_embedding|token_embedding\.weight)$", "mean": 0, "std": 1},
    {"pattern": r"position_embedding\.weight$", "mean": 0, "std": 0.5},
    {"pattern": r"[qk]_proj\.weight$", "mean": 0, "gain": 1.5},
    {"pattern": r"", "mean": 0, "gain": 1},
]
# T5 does not scale its scores: the queries' weights do it.
T5_RULES = [
    {"pattern": r"layer_norm\.weight$", "mean": 1, "std": 0.1},
    {"pattern": r"^shared\.weight$", "mean": 0, "std": 1},
    {"pattern": r"relative_attention_bias\.weight$", "mean": 0, "std": 1},
    {"pattern": r"Attention\.q\.weight$", "mean": 0, "gain": 0.2},
    {"pattern": r"^lm_head\.weight$", "mean": 0, "gain": 3},
    {"pattern": r"", "mean": 0, "gain": 1},
]


def clip_settings(patch: int, vision: dict, text: dict, projection: int) -> dict:
    """What the config.json of openai's repos says."""
    shared = dict(hidden_act="quick_gelu", layer_norm_eps=1e-5)
    return dict(
        model_type="clip", projection_dim=projection, logit_scale_init_value=2.6592,
        vision_config=dict(model_type="clip_vision_model", image_size=224, patch_size=patch, **vision, **shared),
        text_config=dict(
            model_type="clip_text_model", vocab_size=49408, max_position_embeddings=77,
            bos_token_id=0, eos_token_id=2, pad_token_id=1, **text, **shared,
        ),
    )


def tower(hidden: int, heads: int, layers: int) -> dict:
    return dict(
        hidden_size=hidden, intermediate_size=4 * hidden, num_attention_heads=heads,
        num_hidden_layers=layers,
    )


def t5_settings(hidden: int, wide: int, heads: int, layers: int) -> dict:
    """What the config.json of google's Flan-T5 repos says."""
    return dict(
        model_type="t5", d_model=hidden, d_ff=wide, d_kv=64, num_heads=heads, num_layers=layers,
        num_decoder_layers=layers, vocab_size=32128, feed_forward_proj="gated-gelu",
        relative_attention_num_buckets=32, relative_attention_max_distance=128,
        layer_norm_epsilon=1e-6, tie_word_embeddings=False, decoder_start_token_id=0,
        eos_token_id=1, pad_token_id=0,
    )


CLIPS = {
    "clip-vit-base-patch32": clip_settings(32, tower(768, 12, 12), tower(512, 8, 12), 512),
    "clip-vit-base-patch16": clip_settings(16, tower(768, 12, 12), tower(512, 8, 12), 512),
    "clip-vit-large-patch14": clip_settings(14, tower(1024, 16, 24), tower(768, 12, 12), 768),
}
T5S = {
    "flan-t5-base": t5_settings(768, 2048, 12, 12),
    "flan-t5-large": t5_settings(1024, 2816, 16, 24),
}

IMAGE_RULES = [{"pattern": "", "mean": 0, "std": 1}, {"pattern": "", "mean": 1, "std": 0.5}]
"""A dark image and a bright one with half its contrast."""
CLASS_RULES = [{"pattern": "", "mean": 0, "std": 1}]
CLASSES = 48
"""The first of them are the prompts, the others random directions."""
PROMPT_LENGTHS = [3, 12, 77]
"""Tokens of CLIP's prompts, start and end of text included; padded with ends of text."""
START_OF_TEXT, END_OF_TEXT = 49406, 49407
INPUT_LENGTHS = [40, 11]
"""Tokens of T5's prompts, end of sequence included."""
STEPS = 3
"""Greedy tokens after the start; the logits of the last are kept."""
STRIDE = 61
"""Every so many entries of the vocabulary are kept."""

M1, M2, GOLDEN = np.uint32(0x21F0AAAD), np.uint32(0x735A2D97), np.uint32(0x9E3779B9)


def name_key(name: str) -> int:
    """FNV-1a of the name."""
    key = 0x811C9DC5
    for byte in name.encode():
        key = ((key ^ byte) * 0x01000193) & 0xFFFFFFFF
    return key


def random_bits(name: str, count: int) -> np.ndarray:
    """uint32 of every index: a multiplicative hash with the name's key in its middle."""
    x = np.arange(count, dtype=np.uint32) * GOLDEN
    x ^= x >> np.uint32(16)
    x *= M1
    x ^= np.uint32(name_key(name))
    x ^= x >> np.uint32(15)
    x *= M2
    x ^= x >> np.uint32(15)
    return x


def random_values(name: str, shape: tuple, rules: list) -> np.ndarray:
    """mean + scale k in float32, k the upper 24 bits as a signed integer."""
    rule = next(rule for rule in rules if re.search(rule["pattern"], name))
    row = math.prod(shape[1:])
    std = rule["std"] if "std" in rule else rule["gain"] / math.sqrt(row)
    scale = np.float32(std * math.sqrt(3) / 2**23)
    k = random_bits(name, math.prod(shape)).view(np.int32) >> 8
    return (np.float32(rule["mean"]) + scale * k.astype(np.float32)).reshape(shape)


def random_ids(name: str, count: int, low: int, high: int) -> list[int]:
    return [low + int(bits) % (high - low) for bits in random_bits(name, count)]


def samples() -> list[dict]:
    """A few values, by which another program sees that it makes the same."""
    cases = [
        ("encoder.block.0.layer_norm.weight", (7,), T5_RULES), ("lm_head.weight", (300, 999), T5_RULES),
        ("vision_model.patch_embedding.weight", (5, 3, 14, 14), CLIP_RULES),
    ]
    made = []
    for name, shape, rules in cases:
        values = random_values(name, shape, rules).flatten()
        spread_out = values[:: max(1, len(values) // 6)]
        made.append(dict(name=name, shape=shape, rules=rules, values=[float(v) for v in spread_out]))
    return made


def fill(model: torch.nn.Module, rules: list) -> int:
    """Sets every parameter; tied ones come once."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            values = random_values(name, tuple(parameter.shape), rules)
            parameter.copy_(torch.from_numpy(values))
    return sum(parameter.numel() for parameter in model.parameters())


def unit_rows(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=-1, keepdims=True)


def spread(logits: np.ndarray) -> dict:
    """What makes a difference of 0.01 mean something; axis 0 goes over inputs."""
    top = -np.sort(-logits, axis=-1)
    across = np.abs(logits[0] - logits[1]).mean()
    seen = {
        "std": logits.std(), "largest": np.abs(logits).max(),
        "leastLead": (top[..., 0] - top[..., 1]).min(), "meanDifferenceOfInputs": across,
    }
    assert seen["std"] > 1 and seen["leastLead"] > 0.1 and across > 0.5, seen
    return {key: round(float(value), 4) for key, value in seen.items()}


def make_clip(name: str, settings: dict) -> dict:
    model = CLIPModel(CLIPConfig(**settings)).eval()
    parameters = fill(model, CLIP_RULES)
    images = [random_values("image", (3, 224, 224), [rule]) for rule in IMAGE_RULES]
    pixels = torch.from_numpy(np.stack(images))
    ids = np.full((len(PROMPT_LENGTHS), 77), END_OF_TEXT)
    for row, length in enumerate(PROMPT_LENGTHS):
        ids[row, 0] = START_OF_TEXT
        ids[row, 1 : length - 1] = random_ids(f"prompt {row}", length - 2, 0, START_OF_TEXT)
    with torch.no_grad():
        out = model(input_ids=torch.from_numpy(ids), pixel_values=pixels)
    head_name, logits = class_logits(model, out)
    cosines = out.text_embeds.numpy() @ out.text_embeds.numpy().T
    print(name, "cosines of prompts", cosines[np.triu_indices(len(ids), 1)])
    save_file({
        "text_embeds": out.text_embeds.numpy(), "logits": logits,
        "choices": logits.argmax(-1).astype(np.int32),
    }, OUT / f"{name}.safetensors")
    return dict(
        config=settings, parameters=parameters, rules=CLIP_RULES, imageRules=IMAGE_RULES,
        headName=head_name, spread=spread(logits),
    )


def class_logits(model: CLIPModel, out) -> tuple[str, np.ndarray]:
    """Against the prompts and random directions, the first by which the images' classes differ."""
    texts, size = out.text_embeds.numpy(), model.config.projection_dim
    scale = model.logit_scale.exp().item()
    for name in (f"class_head {attempt}" for attempt in range(100)):
        others = random_values(name, (CLASSES - len(texts), size), CLASS_RULES)
        head = np.concatenate([texts, unit_rows(others)])
        logits = scale * out.image_embeds.numpy() @ head.T
        assert np.allclose(logits[:, : len(texts)], out.logits_per_image.numpy(), atol=1e-4)
        if len(set(logits.argmax(-1))) == len(IMAGE_RULES) and spread(logits)["leastLead"] > 0.5:
            return name, logits.astype(np.float32)
    raise ValueError("no class head tells the images apart")


def make_t5(name: str, settings: dict) -> dict:
    model = T5ForConditionalGeneration(T5Config(**settings)).eval()
    parameters = fill(model, T5_RULES)
    width = max(INPUT_LENGTHS)
    ids = torch.zeros((len(INPUT_LENGTHS), width), dtype=torch.long)
    for row, length in enumerate(INPUT_LENGTHS):
        made = random_ids(f"input {row}", length - 1, 2, settings["vocab_size"])
        ids[row, :length] = torch.tensor([*made, 1])
    mask = (ids != 0).long()
    answers = torch.full((len(INPUT_LENGTHS), 1), settings["decoder_start_token_id"])
    steps = []
    with torch.no_grad():
        encoded = model.get_encoder()(input_ids=ids, attention_mask=mask)
        for _ in range(STEPS):
            out = model(
                encoder_outputs=encoded, attention_mask=mask, decoder_input_ids=answers,
                use_cache=False,
            )
            steps.append(out.logits[:, -1].numpy())
            answers = torch.cat([answers, out.logits[:, -1:].argmax(-1)], dim=1)
    logits = np.stack(steps, axis=1)
    assert len(set(answers[:, 1:].flatten().tolist())) > STEPS, "take other rules"
    print(name, "answers", answers.tolist(), "leads", np.sort(logits)[..., -1] - np.sort(logits)[..., -2])
    save_file({
        "choices": answers[:, 1:].flatten().numpy().astype(np.int32),
        "logits": np.ascontiguousarray(logits[:, -1, ::STRIDE]),
    }, OUT / f"{name}.safetensors")
    return dict(config=settings, parameters=parameters, rules=T5_RULES, spread=spread(logits))


def main() -> None:
    """All models, or those named."""
    OUT.mkdir(parents=True, exist_ok=True)
    path = OUT / "models.json"
    made = json.loads(path.read_text())["models"] if path.exists() else {}
    for makers, make in [(CLIPS, make_clip), (T5S, make_t5)]:
        for name, settings in makers.items():
            if len(sys.argv) == 1 or name in sys.argv[1:]:
                made[name] = make(name, settings)
                print(name, made[name]["parameters"], made[name]["spread"])
    inputs = dict(
        promptLengths=PROMPT_LENGTHS, classes=CLASSES, inputLengths=INPUT_LENGTHS, steps=STEPS,
        stride=STRIDE,
    )
    path.write_text(json.dumps({"inputs": inputs, "samples": samples(), "models": made}, indent=1) + "\n")


if __name__ == "__main__":
    main()
