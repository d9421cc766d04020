"""Makes the golden data of src/evaluate for T5: what transformers computes.

    python -m venv venv
    venv/bin/pip install torch==2.8.0 transformers==4.57.1 scipy==1.17.1 sentencepiece==0.2.3 protobuf
    venv/bin/python scripts/golden_t5.py

Everything is seeded, but the last digits of the tokenizer's scores depend on the threads that
trained it; the files land in src/evaluate/golden/t5 and are committed. Models are tiny and random,
with every setting that the graphs read taking an uncommon value somewhere. Their seeds are the
first of which some answers end by the end token and some by the limit.
"""

import io
import json
from pathlib import Path

import numpy as np
import sentencepiece
import torch
from safetensors.numpy import save_file
from scipy.stats import spearmanr
from sentencepiece import sentencepiece_model_pb2
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
from tokenizers import processors, trainers
from transformers import T5Config, T5ForConditionalGeneration, T5TokenizerFast
from transformers.models.t5.modeling_t5 import T5Attention

OUT = Path(__file__).resolve().parent.parent / "src/evaluate/golden/t5"
LIMIT = 7
"""Most tokens of a generated answer."""
LENGTHS = [5, 1, 41, 12, 12, 3]
"""Tokens of the prompts; beyond the largest distance of every model but the first."""

# As Flan-T5: gated, own head, default buckets; attention wider than the model.
GATED = dict(
    d_model=20, d_kv=8, num_heads=3, d_ff=28, num_layers=2, num_decoder_layers=3,
    feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0,
)
# As T5 v1.0: relu, tied head; few buckets, another epsilon, uncommon special tokens.
RELU = dict(
    d_model=16, d_kv=4, num_heads=4, d_ff=36, num_layers=3, num_decoder_layers=1,
    relative_attention_num_buckets=8, relative_attention_max_distance=20,
    layer_norm_epsilon=1e-3, feed_forward_proj="relu", tie_word_embeddings=True,
    pad_token_id=3, eos_token_id=5, decoder_start_token_id=2,
)
# One odd head, gated with a tied head, a number of buckets that four does not divide.
ONE_HEAD = dict(
    d_model=12, d_kv=7, num_heads=1, d_ff=15, num_layers=1, num_decoder_layers=2,
    relative_attention_num_buckets=14, relative_attention_max_distance=17,
    feed_forward_proj="gated-gelu", tie_word_embeddings=True, decoder_start_token_id=0,
)

WORDS = (
    "the of a is sky sea green red yes no acceptable unacceptable entailment neutral positive "
    "negative question context sentence premise hypothesis answer river stone walks reads book"
).split()
TEXTS = [
    "",
    " ",
    "yes",
    "Is the sky green? Answer with 'yes' or 'no'.",
    "Does the premise:  'a river walks'  imply the hypothesis?\n",
    "unacceptable\tunanswerable re-read",
    "café naïve ﬁne １２３ … 4.5 – \u00a0x",
    "日本語 🙂🙂 zzz",
    "\u201cquoted\u201d \u2018text\u2019 a\u200bb\u00ad ½ ™ ﬀ \u0007\ttab\r\nline\u3000wide",
    "e\u0301 n\u0303 한국어 ｶﾞ Ⅳ ① ～ \u2028 xy",
    "the sea </s> is red <extra_id_0> now",
    " ".join(WORDS * 4),
]


def plain_normalizer() -> normalizers.Normalizer:
    return normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])


def sentencepiece_normalizer() -> normalizers.Normalizer:
    """sentencepiece's map nmt_nfkc, which T5 was trained with."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS), model_writer=model, vocab_size=80, hard_vocab_limit=False,
        minloglevel=2,
    )
    spec = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue()).normalizer_spec
    assert spec.name == "nmt_nfkc"
    return normalizers.Precompiled(spec.precompiled_charsmap)


def make_tokenizer(folder: Path, normalizer: normalizers.Normalizer) -> T5TokenizerFast:
    """A Unigram tokenizer laid out as T5's own: metaspace, end of sequence, extra ids."""
    rng = np.random.default_rng(5)
    corpus = [" ".join(rng.choice(WORDS, 8)) + rng.choice(list("?.!'4")) for _ in range(300)]
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=90, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=["$A", "</s>"], pair=["$A", "</s>", "$B", "</s>"], special_tokens=[("</s>", 1)]
    )
    fast = T5TokenizerFast(tokenizer_object=tokenizer, extra_ids=3, model_max_length=24)
    fast.save_pretrained(folder)
    for extra in ["special_tokens_map.json", "added_tokens.json"]:
        (folder / extra).unlink(missing_ok=True)
    drop_charsmap(folder / "tokenizer.json")
    ids = fast(TEXTS, truncation=True)["input_ids"]
    answers = [row[:-1] + [1, 0, 0] for row in ids] + [[0, 2, 4], [1], [len(fast) + 5, 1]]
    save_json(folder / "expected.json", {
        "texts": [{"text": text, "ids": row} for text, row in zip(TEXTS, ids, strict=True)],
        "answers": [
            {"ids": row, "text": fast.decode(row, skip_special_tokens=True).strip()}
            for row in answers
        ],
    })
    return fast


def drop_charsmap(path: Path) -> None:
    """The map takes 320 kB, and the page's tokenizer does not read it."""
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    if "precompiled_charsmap" in tokenizer["normalizer"]:
        tokenizer["normalizer"]["precompiled_charsmap"] = ""
        save_json(path, tokenizer)


def random_model(settings: dict, vocabulary: int, seed: int) -> T5ForConditionalGeneration:
    torch.manual_seed(seed)
    model = T5ForConditionalGeneration(T5Config(vocab_size=vocabulary, **settings)).eval()
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            # Larger than a usual start, so that attention and activations leave their linear part.
            wide = 1.0 if "relative_attention_bias" in key else 0.15
            parameter.add_(torch.randn_like(parameter) * wide)
    return model


def padded(rows: list, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(len(row) for row in rows)
    ids = torch.tensor([list(row) + [pad] * (width - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return ids, mask


def greedy(model, ids, mask) -> torch.Tensor:
    # No cache: transformers 4.57 makes one of num_layers, too short for a deeper decoder.
    return model.generate(
        input_ids=ids, attention_mask=mask, max_new_tokens=LIMIT, do_sample=False, num_beams=1,
        use_cache=False,
    )


def generate(model, ids, mask) -> list:
    """New tokens of each row, up to its end token, without it."""
    end, start = model.config.eos_token_id, model.config.decoder_start_token_id
    made = greedy(model, ids, mask).tolist()
    assert all(row[0] == start for row in made)
    return [row[1 : row.index(end, 1)] if end in row[1:] else row[1:] for row in made]


def make_model(name: str, settings: dict, vocabulary: int, seed: int, lengths: list) -> None:
    rng = np.random.default_rng(len(name))
    rows = [rng.integers(6, vocabulary, length) for length in lengths]
    model = random_model(settings, vocabulary, seed)
    ids, mask = padded(rows, model.config.pad_token_id)
    answers = generate(model, ids, mask)
    found = {len(answer) for answer in answers}
    assert LIMIT in found and len(found) > 2, f"{name}: take another seed"
    folder = OUT / name
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink()
    prefix = torch.tensor(rng.integers(6, vocabulary, (len(rows), 4)))
    prefix[:, 0] = model.config.decoder_start_token_id
    with torch.no_grad():
        out = model(input_ids=ids, attention_mask=mask, decoder_input_ids=prefix)
    filler = -1
    save_file(
        {
            "input_ids": ids.numpy().astype(np.int32),
            "lengths": np.array(lengths, dtype=np.int32),
            "hidden": out.encoder_last_hidden_state.numpy(),
            "answer_ids": prefix.numpy().astype(np.int32),
            "logits": out.logits.contiguous().numpy(),
            "generated": padded(answers, filler)[0].numpy().astype(np.int32),
        },
        folder / "expected.safetensors",
    )
    print(name, "answers", [len(answer) for answer in answers])


def make_prompted(tokenizer: T5TokenizerFast) -> None:
    """Generated strings of the gated model for prompts, one by one and so without padding."""
    model = T5ForConditionalGeneration.from_pretrained(OUT / "gated").eval()
    cases = []
    for text in TEXTS:
        ids, mask = padded(tokenizer([text], truncation=True)["input_ids"], 0)
        answer = tokenizer.decode(greedy(model, ids, mask)[0], skip_special_tokens=True).strip()
        cases.append({"text": text, "answer": answer})
    save_json(OUT / "gated/prompted.json", {"limit": LIMIT, "cases": cases})


def make_buckets() -> None:
    """Buckets by distance key - query from -600 to 600 for several settings of both stacks."""
    cases = []
    offsets = torch.arange(-600, 601)
    for count, distance in [(32, 128), (8, 20), (14, 17), (4, 3), (64, 1000), (32, 127)]:
        for side in ["encoder", "decoder"]:
            buckets = T5Attention._relative_position_bucket(
                offsets, bidirectional=side == "encoder", num_buckets=count, max_distance=distance
            )
            cases.append({
                "side": side, "bucketCount": count, "maxDistance": distance,
                "buckets": runs(buckets.tolist()),
            })
    save_json(OUT / "buckets.json", {"from": -600, "cases": cases}, indent=None)


def runs(values: list) -> list:
    """[value, count] of each run of equal values."""
    out = []
    for value in values:
        if out and out[-1][0] == value:
            out[-1][1] += 1
        else:
            out.append([value, 1])
    return out


def make_spearman() -> None:
    rng = np.random.default_rng(11)
    cases = []
    for count, levels in [(3, 5), (7, 3), (50, 5), (200, 1000), (200, 2)]:
        a = rng.integers(0, levels, count) / 4
        b = np.round(a + rng.normal(size=count) * levels / 4, 1)
        cases.append((a, b))
    cases.append((np.arange(9.0), -np.arange(9.0) ** 3))
    save_json(OUT / "spearman.json", [
        {"a": a.tolist(), "b": b.tolist(), "rho": spearmanr(a, b).statistic.item()}
        for a, b in cases
    ], indent=None)


def save_json(path: Path, value: object, indent: int | None = 1) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    tokens = make_tokenizer(OUT / "tokenizer", plain_normalizer())
    make_tokenizer(OUT / "precompiled", sentencepiece_normalizer())
    # More rows in the embedding than the tokenizer has tokens, as in the public checkpoints.
    make_model("gated", GATED, len(tokens) + 11, 14, [*LENGTHS, 140])
    make_model("relu", RELU, 33, 457, LENGTHS)
    make_model("one-head", ONE_HEAD, 41, 80, LENGTHS)
    make_prompted(tokens)
    make_buckets()
    make_spearman()
