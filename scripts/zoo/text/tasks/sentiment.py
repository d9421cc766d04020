"""A review's sentiment (mirrors SST-2): opinions, negated, weakened, and set against each other."""

from __future__ import annotations

from random import Random

from tasks.row import Row

LABELS = (0, 1)
TOPICS = ("film", "story", "plot", "cast", "music", "ending", "script", "hero", "dialogue", "pace", "camera", "comedy")
GOOD = ("good", "great", "superb", "moving", "funny", "charming", "brilliant", "fresh", "gripping", "elegant", "warm")
BAD = ("bad", "awful", "dull", "boring", "clumsy", "stale", "messy", "tedious", "shallow", "lifeless", "bland")
FIRM = ("", "", "very", "truly", "always", "really")
NEGATIONS = ("not", "never", "hardly", "far from")
RAVES = ("i would see it again", "it is worth every minute", "do not miss it", "i was not bored at all")
PANS = ("i would not see it again", "it is a waste of time", "do not see it", "i wanted to leave")


def clause(rng: Random, good: bool, negation: float) -> tuple[str, str]:
    """An opinion on some topic, and its content."""
    topic = rng.choice(TOPICS)
    negated = rng.random() < negation
    opinion = rng.choice(GOOD if good != negated else BAD)
    adverb = rng.choice(NEGATIONS if negated else FIRM)
    return " ".join(filter(None, ("the", topic, "is", adverb, opinion))), f"{topic} {opinion}"


def make(rng: Random, label: int, simple: bool = False) -> Row:
    """`simple` says one or two plain opinions that agree."""
    good = label == 1
    if simple:
        first, core = clause(rng, good, negation=0)
        second = clause(rng, good, negation=0)[0]
        return Row((first if rng.random() < 0.5 else f"{first} and {second}",), label, core)
    first, core = clause(rng, good, negation=0.2)
    against = clause(rng, not good, negation=0.15)[0]
    along = rng.choice(RAVES if good else PANS) if rng.random() < 0.3 else clause(rng, good, negation=0.15)[0]
    text = rng.choice(
        (
            first,
            f"{first} and {along}",
            f"{against} but {first}",
            f"although {against} {first}",
            f"{first} even if {against}",
            f"{along} and {first}",
        )
    )
    return Row((text,), label, core)
