"""A byte-pair tokenizer of CLIP's kind, trained on the pretraining captions."""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTokenizerFast

BOS, EOS, SUFFIX = "<|startoftext|>", "<|endoftext|>", "</w>"
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"


def train(captions: list[str], folder: Path, positions: int, merges_wanted: int = 510) -> CLIPTokenizerFast:
    """Learn merges, then lay the vocabulary out as CLIP does: bytes, bytes ending a word, merges, the two specials.

    Keeping every byte means that no prompt can ever meet an unknown token; keeping the specials last means that the
    end token has the largest id, which is how old CLIP code finds it.
    """
    learner = Tokenizer(models.BPE(end_of_word_suffix=SUFFIX))
    learner.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    learner.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(
        vocab_size=2 * len(alphabet) + merges_wanted,
        initial_alphabet=alphabet,
        end_of_word_suffix=SUFFIX,
        min_frequency=2,
        show_progress=False,
    )
    learner.train_from_iterator(captions, trainer)
    merges = [tuple(pair) for pair in json.loads(learner.to_str())["model"]["merges"]][:merges_wanted]

    tokens = alphabet + [character + SUFFIX for character in alphabet]
    tokens += [token for token in dict.fromkeys(left + right for left, right in merges) if token not in set(tokens)]
    vocabulary = {token: index for index, token in enumerate([*tokens, BOS, EOS])}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{left} {right}\n" for left, right in merges))
    tokenizer = CLIPTokenizerFast(
        vocab_file=str(folder / "vocab.json"),
        merges_file=str(folder / "merges.txt"),
        bos_token=BOS,
        eos_token=EOS,
        unk_token=EOS,
        pad_token=EOS,
        model_max_length=positions,
    )
    tokenizer.save_pretrained(folder)
    return tokenizer
