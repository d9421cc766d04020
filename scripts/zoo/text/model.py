"""The T5 configuration and batches for it."""

from __future__ import annotations

import numpy as np
import torch
from transformers import T5Config, T5ForConditionalGeneration

PAD = 0
IGNORED = -100


def build(vocabulary: int) -> T5ForConditionalGeneration:
    """A T5 of Flan's kind (gated GELU, head of its own), very small."""
    config = T5Config(
        vocab_size=vocabulary,
        d_model=128,
        d_kv=32,
        num_heads=4,
        d_ff=256,
        num_layers=3,
        num_decoder_layers=3,
        relative_attention_num_buckets=32,
        relative_attention_max_distance=128,
        feed_forward_proj="gated-gelu",
        tie_word_embeddings=False,
        dropout_rate=0.0,
        pad_token_id=PAD,
        eos_token_id=1,
        decoder_start_token_id=PAD,
    )
    model = T5ForConditionalGeneration(config)
    with torch.no_grad():
        # Drawn with deviation 1 in T5: logits of a small model would begin in the tens.
        model.lm_head.weight.mul_(config.d_model**-0.5)
        start_matching(model, config.num_heads // 2)
    return model


def start_matching(model: T5ForConditionalGeneration, heads: int) -> None:
    """Start some heads of the encoder with k = q, and away from their own position: they look for the same word.

    Six of the eight tasks compare two texts; a model this small finds that out by itself only after very long.
    """
    rows = slice(0, heads * model.config.d_kv)
    first = model.encoder.block[0].layer[0].SelfAttention
    first.relative_attention_bias.weight[0, :heads] = -4.0
    for block in model.encoder.block:
        attention = block.layer[0].SelfAttention
        attention.k.weight[rows] = attention.q.weight[rows] * model.config.d_kv**0.5


def padded(sequences: list[np.ndarray], filler: int) -> torch.Tensor:
    result = torch.full((len(sequences), max(map(len, sequences))), filler, dtype=torch.long)
    for row, ids in zip(result, sequences, strict=True):
        row[: len(ids)] = torch.from_numpy(ids.astype(np.int64))
    return result


def batch(examples: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, torch.Tensor]:
    """Padded inputs of the model with labels; padding is masked and not learnt."""
    inputs = padded([prompt for prompt, _ in examples], PAD)
    labels = padded([answer for _, answer in examples], IGNORED)
    return {"input_ids": inputs, "attention_mask": (inputs != PAD).long(), "labels": labels}
