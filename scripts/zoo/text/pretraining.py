"""What the base is trained on: the skills behind the tasks, asked in other ways, and the tasks' prompts in simple form.

A base that had never compared two sentences could not be taught to by adapters on q and v; a base trained on the tasks
themselves would leave them nothing to do. So it learns to name what differs, find who did it, spot errors, and weigh
opinions under prompts of its own, and meets the eight prompts with tamer sentences and noisy labels only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from grammar import FREE, PLAIN, SLOTS, Meaning, Style, changed, filled, other, random_meaning, say
from lexicon import ACTIONS, KIND_OF, OPPOSITE_ACTION, OPPOSITE_QUALITY, PEOPLE, PLACES, THINGS, TIMES
from tasks import TASKS, acceptability, answerability, duplicates, sentiment
from tasks.inference import FACTIVE, LINKS, NOT_FACTIVE, REPORTERS

NAMES = dict(zip(SLOTS, ("who", "trait", "deed", "what", "look", "where", "when"), strict=True))
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# Prompt, answer, and the content that decides the split.
Example = tuple[str, str, str]


def vary(rng: Random, meaning: Meaning, count: int) -> tuple[Meaning, list[str]]:
    """A meaning derived from another by `count` changes, and what was done to it, slot by slot."""
    second, done = meaning, {}
    bare = ["subject", "action", "object"]
    for slot in rng.sample([*bare, *filled(meaning), rng.choice(SLOTS)], count):
        current = getattr(meaning, slot)
        opposite = OPPOSITE_ACTION.get(current, OPPOSITE_QUALITY.get(current))
        draw = rng.random()
        if current is None:
            second, how = changed(rng, second, slot), "more"
        elif opposite and draw < 0.4:
            second, how = replace(second, **{slot: opposite}), "opposite"
        elif slot == "object" and draw < 0.4:
            second, how = replace(second, object=(KIND_OF[current],)), "kind"
        elif slot not in bare and draw < 0.7:
            second, how = replace(second, **{slot: None}), "less"
        else:
            filler = other(rng, slot, current)
            second, how = replace(second, **{slot: filler}), "opposite" if filler == opposite else "other"
        done[slot] = f"{how} {NAMES[slot]}"
    changes = [done[slot] for slot in SLOTS if slot in done]
    if rng.random() < 0.1:
        second = replace(second, negated=True)
        changes.append("not")
    return second, changes


def compare(rng: Random) -> Example:
    """Two sentences, or a text of two events and a sentence about one of them: name what differs."""
    meaning = random_meaning(rng)
    second, done = vary(rng, meaning, rng.choice((0, 0, 0, 1, 1, 1, 1, 2, 3)))
    text = say(rng, meaning, FREE)
    draw = rng.random()
    if draw < 0.15:
        parts = [text, say(rng, random_meaning(rng, extras=0.2), FREE)]
        rng.shuffle(parts)
        text = f" {rng.choice(LINKS)} ".join(parts)
    elif draw < 0.25:
        factive = rng.random() < 0.5
        text = f"the {rng.choice(REPORTERS)} {rng.choice(FACTIVE if factive else NOT_FACTIVE)} {text}"
        done = done if factive else ["unsure", *done]
    return f"Compare: {text} / {say(rng, second, FREE)} .", ", ".join(done) or "same", meaning.core


def compare_questions(rng: Random) -> Example:
    meaning = replace(random_meaning(rng), subject=("i",), subject_quality=None, time=None)
    kind = other_kind = rng.choice(list(duplicates.ASKS))
    if rng.random() < 0.35:
        other_kind = rng.choice(list(duplicates.ASKS))
    second, done = meaning, []
    for slot in ("action", "object", "object_quality", "place"):
        current = getattr(meaning, slot)
        if current and rng.random() < 0.2:
            opposite = OPPOSITE_ACTION.get(current, OPPOSITE_QUALITY.get(current))
            how = "opposite" if opposite and rng.random() < 0.5 else "other"
            second = replace(second, **{slot: opposite}) if how == "opposite" else changed(rng, second, slot)
            done.append(f"{'opposite' if getattr(second, slot) == opposite else 'other'} {NAMES[slot]}")
    answer = ", ".join([*(["asks"] if kind != other_kind else []), *done]) or "same"
    left, right = duplicates.ask(rng, kind, meaning, FREE), duplicates.ask(rng, other_kind, second, FREE)
    return f"Compare questions: {left} / {right} .", answer, f"{kind} {meaning.action[0].base} {meaning.object[0]}"


def relate(rng: Random) -> Example:
    """How two words are related."""
    pools = (PEOPLE, THINGS, ACTIONS, list(OPPOSITE_QUALITY), PLACES, TIMES)
    pool = rng.choice(pools)
    left = rng.choice(pool)
    opposite = OPPOSITE_ACTION.get(left, OPPOSITE_QUALITY.get(left))
    right, answer = left, "same"
    draw = rng.random()
    if draw < 0.3 and opposite:
        right, answer = opposite, "opposite"
    elif draw < 0.3 and left in KIND_OF:
        right, answer = (KIND_OF[left],), "kind"
    elif draw < 0.6:
        right = rng.choice(pool)
        answer = "same" if right == left else "opposite" if right == opposite else "other"
    first = rng.choice(left)
    second = rng.choice([name for name in right if name != first] or right)
    if pool is ACTIONS:
        first, second = (first.base, second.past) if rng.random() < 0.5 else (first.past, second.participle)
    return f"Relation: {first} / {second} .", answer, f"relation {first} {second}"


def lookup(rng: Random) -> Example:
    """Answer a question from the text, or say that it can't be."""
    row = answerability.make(rng, int(rng.random() < 0.4))
    question, text = row.texts
    asked = question.split()[0]
    if row.label == 1:
        return f"Question: {question} ? Text: {text} .", "unknown", row.core
    return f"Question: {question} ? Text: {text} .", find_answer(rng, asked, text), row.core


def find_answer(rng: Random, asked: str, text: str) -> str:
    """The first word of the phrase that answers: of the words that can, the first in the text's asked event.

    Texts with a second event put it after " and ".
    """
    event = text.split(" and ")[0]
    if asked in ("where", "when"):
        pool = PLACES if asked == "where" else TIMES
        return next(phrase for concept in pool for phrase in concept if phrase in event)
    words = event.split()
    pool = PEOPLE if asked == "who" else THINGS
    known = {name for concept in pool for name in concept}
    found = [name for name in words if name in known]
    return found[-1] if asked == "what" and event.count(" by ") == 0 else found[0]


def proofread(rng: Random) -> Example:
    """Name the kind of error, or none."""
    meaning = random_meaning(rng, extras=0.4)
    error = rng.choice((None, None, *acceptability.ERRORS))
    text = acceptability.write(rng, meaning, rng.random() < 0.5, error, simple=False)
    return f"Proofread: {text} .", error or "fine", meaning.core


def weigh(rng: Random) -> Example:
    """The sentiment of one opinion, negated or not."""
    good = rng.random() < 0.5
    text, core = sentiment.clause(rng, good, negation=0.5)
    if rng.random() < 0.5:
        good_too = rng.random() < 0.5
        link = rng.choice(("and", "but", "and yet", "even if"))
        text = f"{text} {link} {sentiment.clause(rng, good_too, negation=0.5)[0]}"
        return f"Opinions: {text} .", " ".join("good" if side else "bad" for side in (good, good_too)), core
    return f"Opinions: {text} .", "good" if good else "bad", core


def number(rng: Random) -> Example:
    """A number in words, as digits: similarity's answers must be sayable."""
    whole, tenth = rng.randrange(1, 6), rng.randrange(10)
    return f"Number: {DIGITS[whole]} point {DIGITS[tenth]} .", f"{whole}.{tenth}", f"number {rng.random()}"


def gaps(rng: Random, text: str) -> tuple[str, str]:
    """T5's span corruption: two spans of one or two words."""
    words = text.split()
    starts = sorted(rng.sample(range(0, len(words) - 1, 2), 2))
    answer = []
    for mark, start in reversed(list(enumerate(starts))):
        length = rng.choice((1, 2))
        answer.insert(0, f"<extra_id_{mark}> {' '.join(words[start : start + length])}")
        words[start : start + length] = [f"<extra_id_{mark}>"]
    return " ".join(words), " ".join(answer)


def fill_in(rng: Random) -> Example:
    """Gaps in an unlabelled text of some task: how every word of the tasks is met."""
    task = rng.choice(TASKS)
    row = task.writer.make(rng, rng.choice(task.writer.LABELS))
    text = rng.choice(row.texts)
    return (*(gaps(rng, text) if len(text.split()) > 4 else (f"<extra_id_0> {text}", "<extra_id_0>")), row.core)


def recall(rng: Random) -> Example:
    """Gaps in a sentence that stands beside another saying the same: how sentences come to be aligned."""
    meaning = random_meaning(rng)
    style = rng.choice((PLAIN, Style(synonyms=0.5, passive=0, fronted=0), FREE))
    text, answer = gaps(rng, say(rng, meaning, style))
    return f"{say(rng, meaning, style)} / {text}", answer, meaning.core


def simple_task(index: int, noise: float) -> Callable[[Random], Example]:
    task = TASKS[index]

    def write(rng: Random) -> Example:
        row = task.writer.make(rng, rng.choice(task.writer.LABELS), simple=True)
        if task.answers is None:
            label = row.label if rng.random() >= noise else rng.randrange(10, 51) / 10
        else:
            label = row.label if rng.random() >= noise else rng.randrange(len(task.answers))
        return task.ask(row.texts), task.target(label), row.core

    return write


def mixture(noise: float) -> list[tuple[Callable[[Random], Example], float]]:
    """Writers and their shares."""
    skills = [
        (compare, 0.30),
        (compare_questions, 0.07),
        (relate, 0.06),
        (lookup, 0.07),
        (proofread, 0.07),
        (weigh, 0.05),
        (fill_in, 0.03),
        (recall, 0.03),
        (number, 0.01),
    ]
    return skills + [(simple_task(index, noise), 0.31 / len(TASKS)) for index in range(len(TASKS))]
