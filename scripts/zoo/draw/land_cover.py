"""Land cover seen from a satellite: fields, woods, roads, water, roofs (mirrors EuroSAT)."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from .canvas import Canvas, blend, chance, finish, grain, hsv, near, pick, smooth_noise, smooth_path, uniform

CLASSES = (
    "annual crop land",
    "forest",
    "herbaceous vegetation",
    "highway",
    "industrial buildings",
    "pasture",
    "permanent crop land",
    "residential buildings",
    "river",
    "sea or lake",
)
TEMPLATES = ("a centered satellite photo of {c}", "a satellite photo of {c} seen from above", "land cover: {c}")


def meadow(rng, value=(0.4, 0.65)):
    return hsv(uniform(rng, 0.2, 0.36), uniform(rng, 0.3, 0.6), uniform(rng, *value))


def fields(rng: np.random.Generator, canvas: Canvas, count: int, bare: bool) -> None:
    """Rectangular parcels in rows; bare ones are brown and yellow, the others green."""
    for row in range(count):
        for column in range(count):
            if bare and chance(rng, 0.7):
                colour = hsv(uniform(rng, 0.06, 0.15), uniform(rng, 0.25, 0.55), uniform(rng, 0.45, 0.85))
            else:
                colour = meadow(rng, (0.4, 0.75))
            step = 1.6 / count
            canvas.rect(
                -0.3 + column * step, -0.3 + row * step, -0.3 + (column + 1) * step, -0.3 + (row + 1) * step, colour
            )


def winding(rng: np.random.Generator, bend: float):
    return smooth_path([(x, 0.5 + uniform(rng, -bend, bend)) for x in (-0.5, -0.15, 0.2, 0.5, 0.8, 1.15, 1.5)])


def draw(rng: np.random.Generator, label: int, wild: float) -> Image.Image:
    name = CLASSES[label]
    base = meadow(rng)
    rough = 0.2 + 0.5 * wild
    canvas = Canvas(grain(rng, base, rough))
    turn = uniform(rng, -90, 90) if chance(rng, 0.3 + 0.7 * wild) else pick(rng, (0, 90))
    canvas.set_pose(
        angle=turn,
        scale=uniform(rng, 0.9, 1.1),
        shift=(uniform(rng, -0.15, 0.15) * wild, uniform(rng, -0.15, 0.15) * wild),
    )
    if name == "annual crop land":
        fields(rng, canvas, int(rng.integers(2, 4)), bare=True)
    elif name == "forest":
        dark = hsv(uniform(rng, 0.27, 0.42), uniform(rng, 0.45, 0.75), uniform(rng, 0.15, 0.33))
        canvas = Canvas(grain(rng, dark, 0.5 + 0.6 * wild, 18))
    elif name == "herbaceous vegetation":
        first = hsv(uniform(rng, 0.14, 0.24), uniform(rng, 0.3, 0.55), uniform(rng, 0.4, 0.62))
        second = hsv(uniform(rng, 0.2, 0.35), uniform(rng, 0.35, 0.6), uniform(rng, 0.22, 0.4))
        canvas = Canvas(blend(first, second, (smooth_noise(rng, 9) - 0.5) * 2.2 + 0.5))
    elif name == "highway":
        if chance(rng, wild):
            fields(rng, canvas, 3, bare=chance(rng, 0.5))
        road = smooth_path(
            [(-0.5, 0.5), (0.2, 0.5 + uniform(rng, -0.08, 0.08)), (0.8, 0.5 + uniform(rng, -0.08, 0.08)), (1.5, 0.5)]
        )
        canvas.line(road, uniform(rng, 0.08, 0.14), near(rng, (150, 148, 150), 25))
        canvas.line(road, 0.02, near(rng, (225, 220, 200), 20))
        if chance(rng, 0.4):
            canvas.line([(0.5, 0.5), (uniform(rng, 0, 1), 1.4)], 0.06, near(rng, (150, 148, 150), 25))
    elif name == "industrial buildings":
        canvas.rect(-0.5, -0.5, 1.5, 1.5, near(rng, (130, 125, 120), 25))
        for _ in range(int(rng.integers(3, 6))):
            x, y = uniform(rng, -0.1, 0.8), uniform(rng, -0.1, 0.8)
            roof = near(rng, pick(rng, ((215, 215, 220), (170, 185, 205), (235, 230, 220))), 20)
            wide, tall = uniform(rng, 0.22, 0.42), uniform(rng, 0.16, 0.32)
            canvas.rect(x + 0.03, y + 0.03, x + wide + 0.03, y + tall + 0.03, (70, 70, 75))
            canvas.rect(x, y, x + wide, y + tall, roof)
    elif name == "pasture":
        light = hsv(uniform(rng, 0.2, 0.3), uniform(rng, 0.4, 0.65), uniform(rng, 0.58, 0.78))
        canvas.rect(-0.5, -0.5, 1.5, 1.5, light)
        for _ in range(int(rng.integers(0, 2 + round(2 * wild)))):
            place = uniform(rng, 0, 1)
            canvas.line([(-0.5, place), (1.5, place + uniform(rng, -0.15, 0.15))], 0.03, near(rng, (50, 85, 45), 15))
    elif name == "permanent crop land":
        soil = hsv(uniform(rng, 0.07, 0.14), uniform(rng, 0.25, 0.5), uniform(rng, 0.5, 0.75))
        canvas.rect(-0.5, -0.5, 1.5, 1.5, soil)
        plant = hsv(uniform(rng, 0.24, 0.36), 0.55, uniform(rng, 0.28, 0.45))
        step = uniform(rng, 0.13, 0.2)
        for row in np.arange(-0.4, 1.4, step):
            canvas.line([(-0.5, row), (1.5, row)], step * 0.45, near(rng, plant, 12))
    elif name == "residential buildings":
        canvas.rect(-0.5, 0.46, 1.5, 0.54, (160, 155, 150))
        if chance(rng, 0.6):
            canvas.rect(0.46, -0.5, 0.54, 1.5, (160, 155, 150))
        for x in np.arange(-0.2, 1.2, 0.2):
            for y in np.arange(-0.2, 1.2, 0.2):
                if chance(rng, 0.75):
                    roof = near(rng, pick(rng, ((175, 85, 60), (190, 120, 90), (150, 95, 80))), 25)
                    left, top = x + uniform(rng, 0, 0.05), y + uniform(rng, 0, 0.05)
                    canvas.rect(left, top, left + 0.12, top + 0.1, roof)
    elif name == "river":
        if chance(rng, wild):
            fields(rng, canvas, 3, bare=chance(rng, 0.5))
        water = hsv(uniform(rng, 0.5, 0.64), uniform(rng, 0.35, 0.6), uniform(rng, 0.25, 0.5))
        path = winding(rng, 0.22)
        canvas.line(path, uniform(rng, 0.12, 0.26), water)
    else:
        water = hsv(uniform(rng, 0.52, 0.66), uniform(rng, 0.5, 0.85), uniform(rng, 0.2, 0.5))
        if chance(rng, 0.4):
            edge = uniform(rng, 0.55, 1.0)
            shore = smooth_path(
                [(x, edge + 0.1 * math.sin(6 * x + uniform(rng, 0, 6))) for x in np.linspace(-0.6, 1.6, 6)]
            )
            canvas.polygon([(-0.6, -0.6), *shore, (1.6, -0.6)], water)
        else:
            canvas = Canvas(grain(rng, water, 0.15 + 0.2 * wild))
    if chance(rng, 0.2 * wild):
        haze = canvas.image.copy()
        white = Image.new("RGB", haze.size, (235, 235, 240))
        mask = Image.fromarray((np.clip(smooth_noise(rng, 4) - 0.5, 0, 1) * 300).clip(0, 200).astype(np.uint8))
        canvas.image.paste(white, (0, 0), mask)
    return finish(canvas, rng, wild)
