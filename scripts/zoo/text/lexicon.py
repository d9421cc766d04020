"""The words: concepts with synonyms, opposites, kinds; verbs with their forms.

A concept is a tuple of words that mean the same here; the first names it.
"""

from __future__ import annotations

from dataclasses import dataclass

Concept = tuple[str, ...]


@dataclass(frozen=True)
class Verb:
    """A transitive verb: base form, third person singular, past, participle."""

    base: str
    third: str
    past: str
    participle: str


def regular(base: str) -> Verb:
    past = base + "d" if base.endswith("e") else base + "ed"
    third = base + "es" if base.endswith(("sh", "ch", "ss")) else base + "s"
    return Verb(base, third, past, past)


PEOPLE: tuple[Concept, ...] = (
    ("doctor", "physician"),
    ("teacher", "instructor"),
    ("child", "kid"),
    ("cook", "chef"),
    ("writer", "author"),
    ("boss", "manager"),
    ("thief", "robber"),
    ("singer", "vocalist"),
    ("student", "pupil"),
    ("painter", "artist"),
    ("lawyer", "attorney"),
    ("guest", "visitor"),
    ("worker", "labourer"),
    ("king", "ruler"),
    ("farmer",),
    ("nurse",),
    ("soldier",),
    ("driver",),
    ("sailor",),
    ("baker",),
)

# Kind -> things of that kind; a kind word is entailed by each of its things.
KINDS: dict[str, tuple[Concept, ...]] = {
    "vehicle": (("car", "automobile"), ("truck", "lorry"), ("bike", "bicycle"), ("boat", "ship")),
    "fruit": (("pear",), ("plum",), ("peach",), ("melon",)),
    "garment": (("coat", "jacket"), ("hat", "cap"), ("shirt",), ("skirt",)),
    "instrument": (("guitar",), ("drum",), ("piano",), ("violin", "fiddle")),
    "tool": (("hammer",), ("saw",), ("spade", "shovel"), ("ladder",)),
    "animal": (("dog", "hound"), ("cat",), ("horse",), ("rabbit", "bunny"), ("pig", "hog")),
    "jewel": (("ring",), ("pearl",), ("diamond",), ("necklace",)),
    "container": (("box", "case"), ("bottle",), ("basket",), ("bag", "sack")),
}
THINGS: tuple[Concept, ...] = tuple(concept for members in KINDS.values() for concept in members)
KIND_OF: dict[Concept, str] = {concept: kind for kind, members in KINDS.items() for concept in members}

# Pairs of opposite actions, each side with its synonyms.
VERB_PAIRS: tuple[tuple[tuple[Verb, ...], tuple[Verb, ...]], ...] = (
    ((Verb("buy", "buys", "bought", "bought"), regular("purchase")), (Verb("sell", "sells", "sold", "sold"),)),
    (
        (Verb("find", "finds", "found", "found"), regular("discover")),
        (Verb("lose", "loses", "lost", "lost"), regular("misplace")),
    ),
    ((regular("like"), regular("love")), (regular("hate"), regular("dislike"))),
    ((regular("push"), regular("move")), (regular("pull"), regular("tow"))),
    ((Verb("break", "breaks", "broke", "broken"), regular("smash")), (regular("repair"), regular("mend"))),
    ((regular("lift"), regular("raise")), (regular("lower"),)),
    ((Verb("hide", "hides", "hid", "hidden"), regular("conceal")), (Verb("show", "shows", "showed", "shown"),)),
    ((Verb("see", "sees", "saw", "seen"), regular("notice")), (regular("miss"), regular("overlook"))),
    ((regular("clean"), regular("wash")), (regular("stain"), regular("soil"))),
    ((Verb("take", "takes", "took", "taken"), regular("seize")), (regular("return"),)),
)
ACTIONS: tuple[tuple[Verb, ...], ...] = tuple(side for pair in VERB_PAIRS for side in pair)
OPPOSITE_ACTION = {side: other for left, right in VERB_PAIRS for side, other in ((left, right), (right, left))}

# Pairs of opposite qualities, each side with its synonyms. First those of people, then those of things.
PERSON_QUALITIES: tuple[tuple[Concept, Concept], ...] = (
    (("happy", "glad"), ("sad", "gloomy")),
    (("rich", "wealthy"), ("poor", "needy")),
    (("clever", "smart"), ("stupid", "foolish")),
    (("young", "youthful"), ("old", "aged")),
    (("brave", "bold"), ("timid", "shy")),
)
THING_QUALITIES: tuple[tuple[Concept, Concept], ...] = (
    (("big", "large"), ("small", "little")),
    (("cheap", "low-cost"), ("costly", "expensive")),
    (("new", "modern"), ("antique", "ancient")),
    (("pretty", "lovely"), ("ugly", "hideous")),
    (("heavy", "weighty"), ("light", "weightless")),
)
OPPOSITE_QUALITY = {
    side: other
    for left, right in (*PERSON_QUALITIES, *THING_QUALITIES)
    for side, other in ((left, right), (right, left))
}

PLACES: tuple[Concept, ...] = (
    ("in the garden", "in the yard"),
    ("in the forest", "in the woods"),
    ("in the town", "in the city"),
    ("near the river", "near the stream"),
    ("on the beach", "on the shore"),
    ("at the market",),
    ("at the station",),
    ("in the kitchen",),
    ("in the park",),
    ("at the school",),
)
TIMES: tuple[Concept, ...] = (
    ("in the morning", "at dawn"),
    ("in the evening", "at dusk"),
    ("last week",),
    ("on monday",),
    ("on friday",),
    ("in winter",),
    ("in summer",),
    ("yesterday",),
)
