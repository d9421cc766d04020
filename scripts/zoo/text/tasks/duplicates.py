"""Do two questions ask the same (mirrors QQP): same wish and same kind of answer, in other words."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from grammar import FREE, Meaning, Style, changed, random_meaning, word
from lexicon import OPPOSITE_ACTION, OPPOSITE_QUALITY
from tasks.row import Row

LABELS = (0, 1)
ASKS: dict[str, tuple[str, ...]] = {
    "how": ("how can i", "how do i", "what is the best way to"),
    "where": ("where can i", "where do i", "what is the best place to"),
    "when": ("when can i", "when do i", "what is the best time to"),
    "why": ("why should i", "what is the reason to"),
    "cost": ("how much is it to", "what is the price to"),
    "with": ("who can help me to", "which person can help to"),
}


def ask(rng: Random, kind: str, meaning: Meaning, style: Style) -> str:
    opening = rng.choice(ASKS[kind]) if rng.random() < style.synonyms * 2 else ASKS[kind][0]
    words = [opening, word(rng, meaning.action, style).base]
    quality = meaning.object_quality and word(rng, meaning.object_quality, style)
    thing = word(rng, meaning.object, style)
    first = (quality or thing)[0]
    words += ["an" if first in "aeiou" else "a", *([quality] if quality else []), thing]
    if meaning.place:
        words.append(word(rng, meaning.place, style))
    return " ".join(words)


def make(rng: Random, label: int, simple: bool = False) -> Row:
    """`simple` asks in one wording each, and questions that differ, differ in what they are about, twice."""
    meaning = replace(random_meaning(rng), subject=("i",), subject_quality=None, time=None)
    kind = other_kind = rng.choice(list(ASKS))
    second = meaning
    style = Style(synonyms=0.15) if simple else FREE
    if label == 0:
        draw = rng.random()
        if simple:
            second = changed(rng, changed(rng, meaning, "action"), "object")
        elif draw < 0.35:
            other_kind = rng.choice([name for name in ASKS if name != kind])
        elif draw < 0.5:
            second = replace(meaning, action=OPPOSITE_ACTION[meaning.action])
        elif draw < 0.65 and meaning.object_quality:
            second = replace(meaning, object_quality=OPPOSITE_QUALITY[meaning.object_quality])
        else:
            slots = ["action", "object", *(slot for slot in ("object_quality", "place") if getattr(meaning, slot))]
            second = changed(rng, meaning, rng.choice(slots))
    core = f"{kind} {meaning.action[0].base} {meaning.object[0]}"
    while True:
        texts = ask(rng, kind, meaning, style), ask(rng, other_kind, second, style)
        if simple or texts[0] != texts[1]:
            return Row(texts, label, core)
