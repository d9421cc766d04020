"""Does the premise entail, contradict or leave open the hypothesis (mirrors MNLI)."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from grammar import FREE, PLAIN, Meaning, Style, changed, filled, other, random_meaning, say
from lexicon import KIND_OF, OPPOSITE_ACTION, OPPOSITE_QUALITY
from tasks.row import Row

LABELS = (0, 1, 2)
DROPPABLE = ("subject_quality", "object_quality", "place", "time")


def weaker(rng: Random, meaning: Meaning, chance: float = 0.6, kinds: float = 0.3) -> Meaning:
    """Something the meaning entails: less said, or a kind for a thing."""
    for slot in DROPPABLE:
        if getattr(meaning, slot) and rng.random() < chance:
            meaning = replace(meaning, **{slot: None})
    if rng.random() < kinds:
        meaning = replace(meaning, object=(KIND_OF[meaning.object],))
    return meaning


def opposed(rng: Random, meaning: Meaning, negation: float = 0.4) -> Meaning:
    """Something that can't be true beside the meaning."""
    if rng.random() < negation:
        return replace(meaning, negated=True)
    slots = [slot for slot in ("subject_quality", "object_quality") if getattr(meaning, slot)]
    if slots and rng.random() < 0.5:
        slot = rng.choice(slots)
        return replace(meaning, **{slot: OPPOSITE_QUALITY[getattr(meaning, slot)]})
    return replace(meaning, action=OPPOSITE_ACTION[meaning.action])


def open_question(rng: Random, meaning: Meaning, weak: Meaning) -> Meaning:
    """Something the meaning neither entails nor excludes: more said, or another one who did it."""
    empty = [slot for slot in DROPPABLE if getattr(meaning, slot) is None]
    if empty and rng.random() < 0.6:
        slot = rng.choice(empty)
        return replace(weak, **{slot: other(rng, slot, None)})
    return changed(rng, weak, "subject")


def make(rng: Random, label: int, simple: bool = False) -> Row:
    """`simple` drops circumstances, negates, or names somebody else; no kinds, opposites or passives."""
    meaning = random_meaning(rng)
    if simple:
        weak = weaker(rng, meaning, kinds=0)
        claim = (weak, changed(rng, weak, "subject"), replace(weak, negated=True))[label]
        style = Style(synonyms=0.2, passive=0, fronted=0)
        return Row((say(rng, meaning, PLAIN), say(rng, claim, style)), label, meaning.core)
    weak = weaker(rng, meaning)
    if label == 0:
        if len(filled(weak)) == len(filled(meaning)) and weak.object is meaning.object:
            weak = weaker(rng, meaning, chance=1)
        claim = weak
    elif label == 1:
        claim = open_question(rng, meaning, weak)
    else:
        claim = opposed(rng, weak)
    return Row((say(rng, meaning, FREE), say(rng, claim, FREE)), label, meaning.core)
