"""How similar two sentences are, from 1 to 5 (mirrors STS-B): the weighted share of what they both say."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from grammar import FREE, PLAIN, SLOTS, Meaning, Style, changed, random_meaning, say
from lexicon import OPPOSITE_ACTION, OPPOSITE_QUALITY
from tasks.row import Row

# Levels of how much is changed, so that every part of the scale is there.
LABELS = (0, 1, 2, 3, 4)
WEIGHTS = {"subject": 3, "action": 3, "object": 3, "subject_quality": 1, "object_quality": 1, "place": 2, "time": 2}


def part(left, right, slot: str) -> float:
    """1 for the same, a half for opposites, which at least speak of the same, else 0."""
    if left == right:
        return 1
    if left and right and OPPOSITE_ACTION.get(left, OPPOSITE_QUALITY.get(left)) == right:
        return 0.5
    return 0


def score(left: Meaning, right: Meaning) -> float:
    slots = [slot for slot in SLOTS if getattr(left, slot) or getattr(right, slot)]
    total = sum(WEIGHTS[slot] for slot in slots)
    same = sum(WEIGHTS[slot] * part(getattr(left, slot), getattr(right, slot), slot) for slot in slots)
    share = same / total - (0.25 if left.negated != right.negated else 0)
    return round(1 + 4 * max(0.0, share), 1)


def altered(rng: Random, meaning: Meaning, slot: str) -> Meaning:
    current = getattr(meaning, slot)
    opposite = OPPOSITE_ACTION.get(current, OPPOSITE_QUALITY.get(current))
    if opposite and rng.random() < 0.3:
        return replace(meaning, **{slot: opposite})
    if slot in ("subject", "action", "object") or rng.random() < 0.6:
        return changed(rng, meaning, slot)
    return replace(meaning, **{slot: None})


def make(rng: Random, label: int, simple: bool = False) -> Row:
    """`label` is how much is changed, 0 most. `simple` knows bare events in one word order."""
    if simple:
        meaning = second = random_meaning(rng, extras=0)
        for slot in rng.sample(("subject", "action", "object"), rng.randrange(4)):
            second = changed(rng, second, slot)
        style = Style(synonyms=0.2, passive=0, fronted=0)
        return Row((say(rng, meaning, PLAIN), say(rng, second, style)), score(meaning, second), meaning.core)
    meaning = second = random_meaning(rng, extras=0.35)
    for slot in SLOTS:
        if getattr(meaning, slot) and rng.random() < (0.9, 0.65, 0.4, 0.2, 0)[label]:
            second = altered(rng, second, slot)
    if rng.random() < 0.1:
        second = replace(second, negated=True)
    return Row((say(rng, meaning, FREE), say(rng, second, FREE)), score(meaning, second), meaning.core)
