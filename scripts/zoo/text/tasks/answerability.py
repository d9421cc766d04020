"""Does the text hold the answer to the question (mirrors QNLI); label 0 is yes, as in GLUE."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from grammar import FREE, PLAIN, Meaning, Style, changed, noun_phrase, other, random_meaning, say, word
from tasks.row import Row

LABELS = (0, 1)
ASKED = ("place", "time", "subject", "object")


def ask(rng: Random, meaning: Meaning, asked: str, style: Style) -> str:
    """A question about the event, whose answer is the slot asked for."""
    verb = word(rng, meaning.action, style)
    subject = noun_phrase(rng, meaning.subject, None, style)
    thing = noun_phrase(rng, meaning.object, None, style)
    if asked == "subject":
        return f"who {verb.past} {thing}"
    if asked == "object":
        return f"what did {subject} {verb.base}"
    return f"{'where' if asked == 'place' else 'when'} did {subject} {verb.base} {thing}"


def make(rng: Random, label: int, simple: bool = False) -> Row:
    """`simple` asks about one event, where or when, and a question without answer is about something else."""
    meaning = random_meaning(rng, extras=0.35)
    style = Style(synonyms=0.2, passive=0, fronted=0) if simple else FREE
    asked = rng.choice(ASKED[:2] if simple else ASKED)
    circumstance = asked in ("place", "time")
    if circumstance:
        meaning = replace(meaning, **{asked: other(rng, asked, None)})
    if label == 0:
        about = meaning
    elif not simple and circumstance and rng.random() < 0.6:
        about, meaning = meaning, replace(meaning, **{asked: None})
    else:
        known = [slot for slot in ("subject", "action", "object") if slot != asked]
        about = changed(rng, meaning, rng.choice(known))
    text = say(rng, meaning, PLAIN if simple else FREE)
    if not simple and rng.random() < 0.4:
        text = f"{text} and {say(rng, random_meaning(rng, extras=0.35), FREE)}"
    return Row((ask(rng, about, asked, style), text), label, meaning.core)
