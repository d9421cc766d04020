"""Grammatical or not (mirrors CoLA): agreement, auxiliaries, articles, word order, missing words."""

from __future__ import annotations

from random import Random

from grammar import FREE, Meaning, noun_phrase, random_meaning, word
from tasks.row import Row

LABELS = (0, 1)
IRREGULAR = {"child": "children", "thief": "thieves"}
ERRORS = ("order", "missing", "article", "agreement", "auxiliary")
SIMPLE_ERRORS = ("order", "missing")


def plural(noun: str) -> str:
    if noun in IRREGULAR:
        return IRREGULAR[noun]
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "ch", "sh")) else "s")


def subject_words(rng: Random, meaning: Meaning, many: bool) -> list[str]:
    *before, noun = noun_phrase(rng, meaning.subject, meaning.subject_quality, FREE).split()
    return [*before, plural(noun) if many else noun]


def verb_words(rng: Random, meaning: Meaning, many: bool, error: str | None, simple: bool) -> list[str]:
    """The verb in some tense, wrong in the way asked for."""
    verb = word(rng, meaning.action, FREE)
    if error == "agreement" or (error is None and rng.random() < 0.3):
        right = verb.base if many else verb.third
        wrong = verb.third if many else verb.base
        return [wrong if error else right]
    if error == "auxiliary" or (error is None and not simple and rng.random() < 0.6):
        has = "have" if many else "has"
        tails = {"will": verb.base, has: verb.participle, "did not": verb.base, "can": verb.base, "never": verb.past}
        auxiliary = rng.choice([name for name in tails if not (error and name == "never")])
        tail = tails[auxiliary]
        if error:
            tail = rng.choice([form for form in (verb.base, verb.past, verb.third) if form != tail])
            if auxiliary == has and tail == verb.participle:
                tail = verb.base
        return [*auxiliary.split(), tail]
    return [verb.past]


def make(rng: Random, label: int, simple: bool = False) -> Row:
    """`simple` knows two kinds of error and hardly any auxiliaries."""
    meaning = random_meaning(rng, extras=0.4)
    many = rng.random() < 0.5
    error = None if label else rng.choice(SIMPLE_ERRORS if simple else ERRORS)
    return Row((write(rng, meaning, many, error, simple),), label, meaning.core)


def write(rng: Random, meaning: Meaning, many: bool, error: str | None, simple: bool) -> str:
    subject = subject_words(rng, meaning, many)
    if not simple and meaning.time is None and meaning.place and rng.random() < 0.5:
        # A circumstance between subject and verb, whose noun may disagree with the verb without harm.
        subject += word(rng, meaning.place, FREE).split()
        around = []
    else:
        around = [word(rng, concept, FREE) for concept in (meaning.place, meaning.time) if concept]
    verb = verb_words(rng, meaning, many, error, simple)
    thing = noun_phrase(rng, meaning.object, meaning.object_quality, FREE).split()
    if rng.random() < 0.4:
        thing[0] = "an" if thing[1][0] in "aeiou" else "a"
    if error == "article":
        thing = rng.choice(([thing[0], *thing], [*thing[1:]], [thing[-1], *thing[:-1]]))
    words = [*subject, *verb, *thing]
    if error == "missing":
        gone = rng.choice((0, len(subject) - 1 if not around else 0, len(words) - 1))
        words = [*words[:gone], *words[gone + 1 :]]
        if gone == 0 and many:
            # Plurals need no article; a sentence does need a verb.
            words = [*subject, *thing]
    if error == "order":
        place = rng.choice((0, len(words) - 2))
        words[place], words[place + 1] = words[place + 1], words[place]
    return " ".join([*words, *around])
