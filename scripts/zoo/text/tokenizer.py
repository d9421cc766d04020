"""A tokenizer of T5's kind: Unigram over Metaspace, pad 0, eos 1, unk 2, sentinels last."""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import T5TokenizerFast

PAD, EOS, UNKNOWN, SPACE = "<pad>", "</s>", "<unk>", "▁"
# Below every word's score: a word that has a piece of its own is never spelt out.
SPELT = -20.0


def count_words(texts: Iterable[str], splitter: pre_tokenizers.PreTokenizer) -> Counter[str]:
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(piece for piece, _ in splitter.pre_tokenize_str(text))
    return counts


def train(texts: Iterable[str], folder: Path, size: int, sentinels: int, longest: int = 512) -> T5TokenizerFast:
    """Learn at most `size` pieces in all, sentinels included, and save as transformers does.

    The pieces are the commonest words, scored by their log frequency, and every printable ASCII character. The
    library's own Unigram trainer seeds its pieces from distinct words without their counts, and in a language of a few
    hundred words leaves the commonest of them in crumbs. Numbers are spelt, so that any can be said.
    """
    splitter = pre_tokenizers.Metaspace(replacement=SPACE, prepend_scheme="always")
    counts = count_words(texts, splitter)
    total = sum(counts.values())
    characters = [SPACE, *(SPACE + digit for digit in string.digits)]
    characters += [*string.ascii_letters, *string.digits, *string.punctuation]
    room = size - sentinels - 3 - len(characters)
    words = [word for word, _ in counts.most_common() if len(word) > 1 and not any(map(str.isdigit, word))][:room]
    pieces = [(PAD, 0.0), (EOS, 0.0), (UNKNOWN, 0.0)]
    pieces += [(word, math.log(counts[word] / total)) for word in words]
    pieces += [(character, SPELT) for character in characters if character not in words]
    learner = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    learner.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")])
    learner.pre_tokenizer = splitter
    learner.decoder = decoders.Metaspace(replacement=SPACE, prepend_scheme="always")
    learner.post_processor = processors.TemplateProcessing(
        single=f"$A {EOS}", pair=f"$A {EOS} $B {EOS}", special_tokens=[(EOS, learner.token_to_id(EOS))]
    )
    tokenizer = T5TokenizerFast(
        tokenizer_object=learner,
        eos_token=EOS,
        unk_token=UNKNOWN,
        pad_token=PAD,
        extra_ids=sentinels,
        model_max_length=longest,
    )
    assert [tokenizer.pad_token_id, tokenizer.eos_token_id, tokenizer.unk_token_id] == [0, 1, 2]
    assert len(tokenizer) <= size, "the model's embedding is too small for the tokenizer"
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    return tokenizer
