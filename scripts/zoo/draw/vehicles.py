"""Road vehicles from the side: fine-grained body shapes in any colour, either way round (mirrors Stanford Cars)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .canvas import Canvas, any_colour, blend, chance, finish, hsv, near, pick, smooth_noise, uniform

CLASSES = (
    "sedan",
    "hatchback",
    "station wagon",
    "convertible",
    "sports car",
    "pickup truck",
    "van",
    "bus",
    "box truck",
    "tanker truck",
    "tractor",
    "motorcycle",
)
TEMPLATES = ("a photo of a {c}", "a photo of the {c} on the road", "i love my {c}")

GLASS = (150, 190, 215)
TYRE = (25, 25, 28)

# Outline above the sills, as (x, y) with the front to the right, and the window band of each plain body.
BODIES = {
    "sedan": (
        [(0.05, 0.66), (0.06, 0.54), (0.22, 0.51), (0.34, 0.38), (0.6, 0.38), (0.74, 0.52), (0.93, 0.56), (0.95, 0.66)],
        [(0.3, 0.5), (0.37, 0.41), (0.58, 0.41), (0.67, 0.5)],
    ),
    "hatchback": (
        [(0.14, 0.66), (0.13, 0.5), (0.22, 0.36), (0.58, 0.36), (0.72, 0.51), (0.87, 0.55), (0.89, 0.66)],
        [(0.22, 0.49), (0.28, 0.4), (0.56, 0.4), (0.65, 0.5)],
    ),
    "station wagon": (
        [(0.04, 0.66), (0.04, 0.5), (0.08, 0.37), (0.6, 0.37), (0.74, 0.51), (0.94, 0.55), (0.96, 0.66)],
        [(0.11, 0.49), (0.14, 0.41), (0.58, 0.41), (0.67, 0.5)],
    ),
    "sports car": (
        [(0.04, 0.67), (0.05, 0.56), (0.14, 0.5), (0.36, 0.44), (0.54, 0.44), (0.7, 0.55), (0.95, 0.61), (0.97, 0.67)],
        [(0.32, 0.53), (0.4, 0.47), (0.53, 0.47), (0.62, 0.54)],
    ),
    "van": (
        [(0.08, 0.67), (0.08, 0.27), (0.68, 0.27), (0.82, 0.46), (0.92, 0.5), (0.93, 0.67)],
        [(0.62, 0.44), (0.62, 0.32), (0.68, 0.32), (0.77, 0.45)],
    ),
}


def wheels(canvas: Canvas, places, radius: float) -> None:
    for x in places:
        canvas.disc(x, 0.68, radius, TYRE)
        canvas.disc(x, 0.68, radius * 0.5, (165, 165, 170))


def truck_cab(canvas: Canvas, paint) -> None:
    canvas.polygon([(0.68, 0.66), (0.68, 0.36), (0.84, 0.36), (0.93, 0.5), (0.94, 0.66)], paint)
    canvas.polygon([(0.76, 0.48), (0.76, 0.4), (0.83, 0.4), (0.88, 0.48)], GLASS)


def vehicle(rng: np.random.Generator, canvas: Canvas, name: str, paint, second) -> None:
    if name in BODIES:
        outline, window = BODIES[name]
        canvas.polygon(outline, paint)
        canvas.polygon(window, GLASS)
        wheels(canvas, (0.25, 0.76), 0.085)
    elif name == "convertible":
        canvas.polygon([(0.05, 0.66), (0.06, 0.54), (0.3, 0.52), (0.62, 0.53), (0.93, 0.57), (0.95, 0.66)], paint)
        canvas.line([(0.64, 0.53), (0.56, 0.4)], 0.025, (60, 60, 65))
        canvas.disc(0.42, 0.47, 0.05, (205, 160, 130))
        wheels(canvas, (0.25, 0.76), 0.085)
    elif name == "pickup truck":
        canvas.polygon(
            [
                (0.04, 0.66),
                (0.04, 0.5),
                (0.42, 0.5),
                (0.44, 0.35),
                (0.64, 0.35),
                (0.74, 0.49),
                (0.94, 0.52),
                (0.95, 0.66),
            ],
            paint,
        )
        canvas.polygon([(0.48, 0.48), (0.48, 0.39), (0.62, 0.39), (0.68, 0.48)], GLASS)
        wheels(canvas, (0.22, 0.78), 0.1)
    elif name == "bus":
        canvas.rect(0.03, 0.26, 0.97, 0.68, paint)
        for x in np.arange(0.08, 0.92, 0.15):
            canvas.rect(x, 0.32, x + 0.11, 0.46, GLASS)
        canvas.rect(0.03, 0.54, 0.97, 0.57, second)
        wheels(canvas, (0.22, 0.78), 0.08)
    elif name == "box truck":
        canvas.rect(0.04, 0.2, 0.66, 0.64, second)
        truck_cab(canvas, paint)
        wheels(canvas, (0.18, 0.32, 0.8), 0.08)
    elif name == "tanker truck":
        canvas.disc(0.35, 0.44, 0.32, second, 0.17)
        canvas.rect(0.05, 0.58, 0.66, 0.63, (70, 70, 75))
        truck_cab(canvas, paint)
        wheels(canvas, (0.18, 0.32, 0.8), 0.08)
    elif name == "tractor":
        canvas.rect(0.45, 0.46, 0.88, 0.62, paint)
        canvas.rect(0.28, 0.24, 0.54, 0.56, paint)
        canvas.rect(0.32, 0.29, 0.5, 0.45, GLASS)
        canvas.line([(0.74, 0.46), (0.74, 0.28)], 0.03, (50, 50, 55))
        canvas.disc(0.3, 0.6, 0.2, TYRE)
        canvas.disc(0.3, 0.6, 0.1, second)
        canvas.disc(0.8, 0.68, 0.11, TYRE)
        canvas.disc(0.8, 0.68, 0.05, second)
    else:
        for x in (0.24, 0.77):
            canvas.ring(x, 0.64, 0.14, 0.045, TYRE)
        canvas.line([(0.24, 0.64), (0.42, 0.5), (0.66, 0.5), (0.77, 0.64)], 0.05, (90, 90, 95))
        canvas.polygon([(0.2, 0.43), (0.44, 0.44), (0.62, 0.4), (0.68, 0.5), (0.55, 0.6), (0.4, 0.6)], paint)
        canvas.line([(0.66, 0.5), (0.62, 0.32), (0.56, 0.32)], 0.03, (40, 40, 45))


def draw(rng: np.random.Generator, label: int, wild: float) -> Image.Image:
    sky = hsv(uniform(rng, 0.5, 0.65), uniform(rng, 0, 0.4), uniform(rng, 0.6, 1))
    behind = any_colour(rng, (0.3, 0.9))
    canvas = Canvas(blend(sky, behind, smooth_noise(rng, int(rng.integers(2, 6))) * wild))
    canvas.random_pose(rng, wild, angle=6, scale=(0.7, 1.08), shift=0.1)
    canvas.rect(-0.5, 0.7, 1.5, 1.7, near(rng, (115, 112, 110), 15 + 25 * wild))
    if chance(rng, 0.5 * wild):
        x = uniform(rng, -0.1, 0.8)
        canvas.rect(x, uniform(rng, 0, 0.4), x + uniform(rng, 0.1, 0.35), 0.7, near(rng, behind, 50))
    if chance(rng, 0.5):
        canvas.mirror()
    paint = (
        any_colour(rng, (0.35, 1.0))
        if chance(rng, 0.5 + 0.5 * wild)
        else pick(rng, ((200, 40, 40), (40, 80, 180), (235, 235, 235), (230, 190, 40)))
    )
    vehicle(rng, canvas, CLASSES[label], paint, any_colour(rng, (0.5, 1.0)))
    return finish(canvas, rng, wild)
