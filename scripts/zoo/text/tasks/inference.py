"""Does a longer text entail the hypothesis, yes or no (mirrors RTE); label 0 is yes, as in GLUE."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from grammar import FREE, PLAIN, Meaning, Style, changed, random_meaning, say
from tasks.entailment import open_question, opposed, weaker
from tasks.row import Row

LABELS = (0, 1)
# What is reported with the first is so; with the second it may not be.
FACTIVE = ("knew that", "saw that", "proved that")
NOT_FACTIVE = ("denied that", "hoped that", "doubted that")
LINKS = ("and", "but", "while")
REPORTERS = ("judge", "reporter", "witness", "mayor")


def wrong(rng: Random, meaning: Meaning, beside: Meaning, weak: Meaning) -> Meaning:
    """Not entailed: opposed, open, or mixed up with the other event of the text."""
    draw = rng.random()
    if draw < 0.4:
        return opposed(rng, weak)
    if draw < 0.7:
        return open_question(rng, meaning, weak)
    slot = rng.choice(("subject", "object"))
    if getattr(beside, slot) == getattr(meaning, slot):
        return replace(weak, negated=True)
    return replace(weak, **{slot: getattr(beside, slot)})


def make(rng: Random, label: int, simple: bool = False) -> Row:
    """`simple` links two plain events and asks about one of them or about something not in the text."""
    meaning, beside = random_meaning(rng, extras=0.3), random_meaning(rng, extras=0.15)
    if simple:
        weak = weaker(rng, meaning, kinds=0)
        claim = changed(rng, weak, "object") if label else weak
        text = f"{say(rng, meaning, PLAIN)} and {say(rng, beside, PLAIN)}"
        return Row((text, say(rng, claim, Style(synonyms=0.2, passive=0, fronted=0))), label, meaning.core)
    weak = weaker(rng, meaning)
    event = say(rng, meaning, FREE)
    if rng.random() < 0.35:
        factive = not label or rng.random() < 0.4
        text = f"the {rng.choice(REPORTERS)} {rng.choice(FACTIVE if factive else NOT_FACTIVE)} {event}"
        claim = wrong(rng, meaning, beside, weak) if label and factive else weak
    else:
        parts = [event, say(rng, beside, FREE)]
        rng.shuffle(parts)
        text = f" {rng.choice(LINKS)} ".join(parts)
        claim = wrong(rng, meaning, beside, weak) if label else weak
    return Row((text, say(rng, claim, FREE)), label, meaning.core)
