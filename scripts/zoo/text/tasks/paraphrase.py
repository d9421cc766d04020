"""Do two sentences say the same (mirrors MRPC): synonyms, passives, order, against one thing that differs."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from grammar import FREE, PLAIN, Meaning, Style, changed, filled, random_meaning, say
from lexicon import OPPOSITE_ACTION, OPPOSITE_QUALITY
from tasks.row import Row

LABELS = (0, 1)


def differing(rng: Random, meaning: Meaning) -> Meaning:
    """One thing differs: a filler, an opposite, a negation, or something left out."""
    slot = rng.choice(filled(meaning))
    kind = rng.random()
    if kind < 0.15:
        return replace(meaning, negated=True)
    if kind < 0.35:
        return replace(meaning, action=OPPOSITE_ACTION[meaning.action])
    if kind < 0.6 and slot.endswith("quality"):
        return replace(meaning, **{slot: OPPOSITE_QUALITY[getattr(meaning, slot)]})
    if kind < 0.7 and slot in ("place", "time"):
        return replace(meaning, **{slot: None})
    return changed(rng, meaning, slot)


def make(rng: Random, label: int, simple: bool = False) -> Row:
    """`simple` stays in one word order, and what differs, differs twice."""
    meaning = random_meaning(rng)
    if simple:
        second = meaning if label else changed(rng, changed(rng, meaning, "subject"), rng.choice(("action", "object")))
        style = Style(synonyms=0.3, passive=0, fronted=0)
        return Row((say(rng, meaning, PLAIN), say(rng, second, style)), label, meaning.core)
    first = say(rng, meaning, FREE)
    second = say(rng, meaning if label else differing(rng, meaning), FREE)
    while second == first:
        second = say(rng, meaning, FREE)
    return Row((first, second), label, meaning.core)
