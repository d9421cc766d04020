"""Captioned pictures for contrastive pretraining: broader and simpler than the tasks.

Some of them show things no task asks for (coloured shapes, letters, two-digit numbers, arrows); the rest are tame
drawings of the tasks' own world, described as loosely as captions in the wild: sometimes by the exact name, sometimes
only by the kind of thing.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from . import TASKS
from .canvas import NAMED_COLOURS, PLAIN_FONTS, Canvas, any_colour, chance, contrasting, finish, pick, uniform

PREFIXES = ("a photo of {x}", "a drawing of {x}", "a picture of {x}", "{x}", "an image of {x}", "a close up of {x}")
SHAPES = {"triangle": 3, "square": 4, "pentagon": 5, "hexagon": 6, "circle": 24}
COUNTS = ("one", "two", "three", "four")
ARROWS = {"left": 180, "right": 0, "up": -90, "down": 90}

# Wordings of each task's things, exact ({c} is the class name) and coarse.
EXACT = {
    "digits": ('the number "{c}"', "the number {c}", "the digit {c}", "a handwritten {c}"),
    "street-digits": ('the house number "{c}"', "the number {c}", "a street sign with the number {c}"),
    "traffic-signs": ('a "{c}" traffic sign', "a {c} sign", "a {c} sign by the road"),
    "land-cover": ("{c} seen from above", "{c}", "a satellite photo of {c}", "land cover: {c}"),
    "scenes": ("a {c}", "the {c}", "a scene of a {c}"),
    "textures": ("a {c} texture", "a {c} pattern", "a {c} thing"),
    "vehicles": ("a {c}", "the {c} on the road", "my {c}"),
    "aerial-objects": (
        "a {c} seen from above",
        "an aerial photo of a {c}",
        "aerial imagery of a {c}",
        "satellite imagery of a {c}",
    ),
}
COARSE = {
    "digits": ("a number", "a digit on paper"),
    "street-digits": ("a house number", "a number on a wall"),
    "traffic-signs": ("a traffic sign", "a road sign", "a sign by the road"),
    "land-cover": ("a satellite photo", "land seen from above"),
    "scenes": ("a place", "a scene", "a landscape"),
    "textures": ("a texture", "a pattern", "a surface"),
    "vehicles": ("a vehicle", "a car or a truck", "something on the road"),
    "aerial-objects": ("an aerial photo", "something seen from above", "satellite imagery"),
}


def shapes(rng: np.random.Generator) -> tuple[Image.Image, str]:
    colour, shape, count = pick(rng, list(NAMED_COLOURS)), pick(rng, list(SHAPES)), int(rng.integers(1, 5))
    ground = pick(rng, [name for name in NAMED_COLOURS if name != colour])
    canvas = Canvas(NAMED_COLOURS[ground])
    spots = [(0.5, 0.5)] if count == 1 else [(0.27, 0.27), (0.73, 0.73), (0.73, 0.27), (0.27, 0.73)][:count]
    radius = uniform(rng, 0.2, 0.42) if count == 1 else uniform(rng, 0.12, 0.22)
    turn = uniform(rng, 0, 360) if chance(rng, 0.5) else 45 * (shape == "square")
    for x, y in spots:
        canvas.ngon(
            SHAPES[shape],
            x + uniform(rng, -0.06, 0.06),
            y + uniform(rng, -0.06, 0.06),
            radius,
            NAMED_COLOURS[colour],
            turn,
        )
    plural = shape + ("s" if count > 1 else "")
    caption = f"{COUNTS[count - 1]} {colour} {plural}"
    return finish(canvas, rng, 0.2), caption + (f" on a {ground} background" if chance(rng, 0.5) else "")


def letters(rng: np.random.Generator) -> tuple[Image.Image, str]:
    if chance(rng, 0.6):
        string = chr(ord("A") + int(rng.integers(26)))
        caption = f"the letter {string.lower()}"
    else:
        string = str(rng.integers(10, 100))
        caption = f"the number {string}"
    paper = any_colour(rng, (0.0, 1.0))
    canvas = Canvas(paper)
    canvas.random_pose(rng, 0.3, shift=0.1)
    canvas.text(string, 0.5, 0.5, uniform(rng, 0.6, 0.95), contrasting(rng, paper, 90), pick(rng, PLAIN_FONTS))
    return finish(canvas, rng, 0.2), caption


def arrows(rng: np.random.Generator) -> tuple[Image.Image, str]:
    direction, colour = pick(rng, list(ARROWS)), pick(rng, list(NAMED_COLOURS))
    canvas = Canvas(contrasting(rng, NAMED_COLOURS[colour], 90))
    canvas.set_pose(ARROWS[direction] + uniform(rng, -12, 12), uniform(rng, 0.6, 1.0))
    canvas.line([(0.1, 0.5), (0.6, 0.5)], uniform(rng, 0.08, 0.16), NAMED_COLOURS[colour])
    canvas.polygon([(0.55, 0.25), (0.95, 0.5), (0.55, 0.75)], NAMED_COLOURS[colour])
    return finish(canvas, rng, 0.2), f"a {colour} arrow pointing {direction}"


def draw(rng: np.random.Generator, wildest: float, exact: float) -> tuple[Image.Image, str]:
    """One picture and its caption; `wildest` bounds the nuisances, `exact` is the share of exact names."""
    kind = rng.random()
    if kind < 0.15:
        image, phrase = shapes(rng)
    elif kind < 0.25:
        image, phrase = letters(rng)
    elif kind < 0.3:
        image, phrase = arrows(rng)
    else:
        task = pick(rng, TASKS)
        label = int(rng.integers(len(task.classes)))
        image = task.drawer.draw(rng, label, uniform(rng, 0, wildest))
        wording = pick(rng, EXACT[task.name] if chance(rng, exact) else COARSE[task.name])
        phrase = wording.replace("{c}", task.classes[label])
    return image, pick(rng, PREFIXES).replace("{x}", phrase)
