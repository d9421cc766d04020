"""Meanings and the sentences that say them: "the happy cook bought a big hat at the market on monday"."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from lexicon import ACTIONS, PEOPLE, PERSON_QUALITIES, PLACES, THING_QUALITIES, THINGS, TIMES, Concept, Verb

SLOTS = ("subject", "subject_quality", "action", "object", "object_quality", "place", "time")


@dataclass(frozen=True)
class Meaning:
    """Who did what to what, and the circumstances; None where nothing is said."""

    subject: Concept
    action: tuple[Verb, ...]
    object: Concept
    subject_quality: Concept | None = None
    object_quality: Concept | None = None
    place: Concept | None = None
    time: Concept | None = None
    negated: bool = False

    @property
    def core(self) -> str:
        """What decides the split: the bare event, whatever is said around it."""
        return f"{self.subject[0]} {self.action[0].base} {self.object[0]}"


@dataclass(frozen=True)
class Style:
    """How freely a meaning is put into words."""

    synonyms: float = 0.5
    passive: float = 0.2
    fronted: float = 0.2


PLAIN = Style(synonyms=0, passive=0, fronted=0)
FREE = Style()


def qualities(slot: str) -> list[Concept]:
    pairs = PERSON_QUALITIES if slot == "subject_quality" else THING_QUALITIES
    return [side for pair in pairs for side in pair]


CHOICES: dict[str, list] = {
    "subject": list(PEOPLE),
    "subject_quality": qualities("subject_quality"),
    "action": list(ACTIONS),
    "object": list(THINGS),
    "object_quality": qualities("object_quality"),
    "place": list(PLACES),
    "time": list(TIMES),
}


def random_meaning(rng: Random, extras: float = 0.35) -> Meaning:
    """A random event; each circumstance is there with probability `extras`."""

    def maybe(slot: str):
        return rng.choice(CHOICES[slot]) if rng.random() < extras else None

    return Meaning(
        subject=rng.choice(PEOPLE),
        action=rng.choice(ACTIONS),
        object=rng.choice(THINGS),
        subject_quality=maybe("subject_quality"),
        object_quality=maybe("object_quality"),
        place=maybe("place"),
        time=maybe("time"),
    )


def other(rng: Random, slot: str, current) -> Concept:
    """Another filler of the slot."""
    while True:
        choice = rng.choice(CHOICES[slot])
        if choice != current:
            return choice


def changed(rng: Random, meaning: Meaning, slot: str) -> Meaning:
    return replace(meaning, **{slot: other(rng, slot, getattr(meaning, slot))})


def filled(meaning: Meaning) -> list[str]:
    return [slot for slot in SLOTS if getattr(meaning, slot) is not None]


def word(rng: Random, concept: tuple, style: Style):
    return rng.choice(concept) if rng.random() < style.synonyms else concept[0]


def noun_phrase(rng: Random, noun: Concept, quality: Concept | None, style: Style) -> str:
    words = ["the", *([word(rng, quality, style)] if quality else []), word(rng, noun, style)]
    return " ".join(words)


def say(rng: Random, meaning: Meaning, style: Style = FREE) -> str:
    """Put a meaning into words, past tense."""
    subject = noun_phrase(rng, meaning.subject, meaning.subject_quality, style)
    thing = noun_phrase(rng, meaning.object, meaning.object_quality, style)
    verb = word(rng, meaning.action, style)
    if rng.random() < style.passive:
        clause = f"{thing} was {'not ' if meaning.negated else ''}{verb.participle} by {subject}"
    elif meaning.negated:
        clause = f"{subject} did not {verb.base} {thing}"
    else:
        clause = f"{subject} {verb.past} {thing}"
    around = [word(rng, concept, style) for concept in (meaning.place, meaning.time) if concept]
    if around and rng.random() < style.fronted:
        clause = f"{around.pop()} {clause}"
    return " ".join([clause, *around])
