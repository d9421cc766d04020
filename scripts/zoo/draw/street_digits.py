"""House-number digits: coloured, low contrast, on clutter, with neighbours cut off at the sides (mirrors SVHN)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .canvas import (
    FONT_FILES,
    PLAIN_FONTS,
    Canvas,
    any_colour,
    blend,
    chance,
    contrasting,
    finish,
    near,
    pick,
    smooth_noise,
    uniform,
)

CLASSES = tuple("0123456789")
TEMPLATES = ('a photo of the house number "{c}"', "a street sign with the number {c}")


def draw(rng: np.random.Generator, label: int, wild: float) -> Image.Image:
    wall = any_colour(rng, (0.15, 0.95))
    ink = contrasting(rng, wall, 110 - 55 * wild)
    weight = smooth_noise(rng, int(rng.integers(2, 6))) * wild
    canvas = Canvas(blend(wall, near(rng, wall, 60), weight))
    if chance(rng, 0.5 * wild):
        for _ in range(int(rng.integers(1, 4))):
            place = uniform(rng, 0, 1)
            ends = (
                [(place, -0.2), (place + uniform(rng, -0.2, 0.2), 1.2)]
                if chance(rng, 0.5)
                else [(-0.2, place), (1.2, place)]
            )
            canvas.line(ends, uniform(rng, 0.01, 0.06), near(rng, wall, 45))
    canvas.random_pose(rng, wild, scale=(0.7, 1.1), shift=0.08)
    name = pick(rng, FONT_FILES if chance(rng, wild) else PLAIN_FONTS)
    angle = uniform(rng, -15, 15) * wild
    height = uniform(rng, 0.8, 1.0)
    for side in (-1, 1):
        if chance(rng, 0.6 * wild):
            neighbour = CLASSES[int(rng.integers(10))]
            canvas.text(
                neighbour,
                0.5 + side * uniform(rng, 0.5, 0.62),
                0.5 + uniform(rng, -0.06, 0.06),
                height,
                ink,
                name,
                angle,
            )
    if chance(rng, 0.3 * wild):
        canvas.text(CLASSES[label], 0.53, 0.53, height, near(rng, wall, 70), name, angle)
    canvas.text(CLASSES[label], 0.5, 0.5, height, ink, name, angle)
    return finish(canvas, rng, wild)
