"""Places seen from the ground, indoors and outdoors, at different times of day (mirrors SUN397)."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from .canvas import Canvas, blend, chance, finish, hsv, near, pick, smooth_path, uniform

CLASSES = (
    "beach",
    "mountain",
    "city skyline",
    "desert",
    "forest path",
    "waterfall",
    "corridor",
    "bedroom",
    "bridge",
    "castle",
    "farm field",
    "volcano",
)
TEMPLATES = ("a photo of a {c}", "a photo of the {c}", "a scene of a {c}")


def sky(rng: np.random.Generator, wild: float) -> np.ndarray:
    """A vertical gradient: by day, and when wild also at dusk or night."""
    if chance(rng, 0.35 * wild):
        top, low = (
            hsv(uniform(rng, 0.62, 0.75), 0.6, uniform(rng, 0.1, 0.4)),
            hsv(uniform(rng, 0.95, 1.1), 0.6, uniform(rng, 0.5, 0.9)),
        )
    else:
        top, low = (
            hsv(uniform(rng, 0.53, 0.63), uniform(rng, 0.3, 0.7), uniform(rng, 0.6, 0.95)),
            hsv(0.56, 0.15, uniform(rng, 0.8, 1)),
        )
    rows = np.linspace(0, 1, 96, dtype=np.float32)[:, None].repeat(96, axis=1)
    return blend(top, low, rows * 1.5)


def ridge(rng, left: float, right: float, base: float, height: float, steps: int = 7):
    points = [(x, base - height * uniform(rng, 0.4, 1)) for x in np.linspace(left, right, steps)]
    return [(left, 1.2), *points, (right, 1.2)]


def draw(rng: np.random.Generator, label: int, wild: float) -> Image.Image:
    name = CLASSES[label]
    canvas = Canvas(sky(rng, wild))
    if chance(rng, 0.4):
        canvas.disc(
            uniform(rng, 0.1, 0.9), uniform(rng, 0.08, 0.25), uniform(rng, 0.05, 0.09), near(rng, (250, 235, 180), 20)
        )
    canvas.random_pose(rng, wild, angle=4, scale=(0.85, 1.25), shift=0.1)
    horizon = uniform(rng, 0.42, 0.62)
    spread = 10 + 25 * wild

    def tone(colour):
        return near(rng, colour, spread)

    if name == "beach":
        canvas.rect(-0.3, horizon, 1.3, 1.3, tone((45, 115, 165)))
        slope = uniform(rng, -0.15, 0.15)
        canvas.polygon([(-0.3, 0.75 + slope), (1.3, 0.75 - slope), (1.3, 1.4), (-0.3, 1.4)], tone((225, 200, 145)))
        canvas.line([(-0.3, 0.75 + slope), (1.3, 0.75 - slope)], 0.03, (245, 245, 245))
        if chance(rng, 0.5):
            x = uniform(rng, 0.2, 0.8)
            canvas.line([(x, 0.95), (x, 0.72)], 0.02, (120, 90, 60))
            canvas.polygon([(x - 0.15, 0.74), (x, 0.62), (x + 0.15, 0.74)], tone((210, 60, 60)))
    elif name == "mountain":
        for layer in range(2):
            peak = uniform(rng, 0.3, 0.7)
            top = uniform(rng, 0.12, 0.3) + 0.1 * (1 - layer)
            rock = tone((105, 110, 125) if layer else (130, 140, 160))
            canvas.polygon(
                [
                    (peak - 0.55, 0.85),
                    (peak - 0.2, top + 0.22),
                    (peak, top),
                    (peak + 0.22, top + 0.25),
                    (peak + 0.55, 0.85),
                ],
                rock,
            )
            canvas.polygon(
                [(peak - 0.13, top + 0.15), (peak, top), (peak + 0.14, top + 0.16), (peak + 0.02, top + 0.11)],
                (240, 242, 248),
            )
        canvas.rect(-0.3, 0.82, 1.3, 1.3, tone((70, 105, 65)))
    elif name == "city skyline":
        for left in np.arange(-0.2, 1.2, 0.13):
            top = uniform(rng, 0.2, 0.65)
            wall = tone(pick(rng, ((75, 80, 95), (110, 110, 120), (60, 60, 75))))
            canvas.rect(left, top, left + 0.12, 1.3, wall)
            lit = tone((240, 220, 140))
            for row in np.arange(top + 0.05, 0.95, 0.1):
                for column in (0.03, 0.08):
                    if chance(rng, 0.6):
                        canvas.rect(left + column, row, left + column + 0.025, row + 0.04, lit)
    elif name == "desert":
        canvas.polygon(
            [
                (-0.3, 1.3),
                *smooth_path(
                    [
                        (x, horizon + 0.08 * math.sin(7 * x + label) + uniform(rng, 0, 0.08))
                        for x in np.linspace(-0.3, 1.3, 6)
                    ]
                ),
                (1.3, 1.3),
            ],
            tone((215, 160, 90)),
        )
        canvas.polygon(
            [
                (-0.3, 1.3),
                *smooth_path([(x, horizon + 0.25 + uniform(rng, -0.07, 0.07)) for x in np.linspace(-0.3, 1.3, 5)]),
                (1.3, 1.3),
            ],
            tone((190, 130, 70)),
        )
        if chance(rng, 0.6):
            x, green = uniform(rng, 0.15, 0.85), tone((70, 110, 60))
            canvas.line([(x, 0.85), (x, 0.5)], 0.06, green)
            canvas.line([(x, 0.7), (x + 0.12, 0.7), (x + 0.12, 0.57)], 0.04, green)
    elif name == "forest path":
        canvas.rect(-0.3, -0.3, 1.3, 1.3, tone((60, 95, 50)))
        canvas.rect(-0.3, 0.6, 1.3, 1.3, tone((75, 85, 45)))
        bend = uniform(rng, -0.15, 0.15)
        canvas.polygon([(0.46 + bend, 0.55), (0.54 + bend, 0.55), (0.8, 1.3), (0.2, 1.3)], tone((165, 135, 95)))
        for _ in range(int(rng.integers(5, 9))):
            x = pick(rng, (uniform(rng, -0.1, 0.35), uniform(rng, 0.65, 1.1)))
            canvas.line([(x, -0.3), (x, uniform(rng, 0.65, 0.9))], uniform(rng, 0.03, 0.08), tone((70, 50, 35)))
    elif name == "waterfall":
        canvas.rect(-0.3, 0.15, 1.3, 1.3, tone((85, 80, 70)))
        canvas.rect(-0.3, 0.12, 1.3, 0.25, tone((65, 110, 55)))
        middle, half = uniform(rng, 0.35, 0.65), uniform(rng, 0.08, 0.18)
        canvas.rect(middle - half, 0.15, middle + half, 0.85, tone((225, 235, 245)))
        for _ in range(4):
            x = middle + uniform(rng, -half, half)
            canvas.line([(x, 0.2), (x, 0.85)], 0.015, tone((150, 180, 205)))
        canvas.rect(-0.3, 0.82, 1.3, 1.3, tone((70, 130, 160)))
        canvas.disc(middle, 0.84, half * 1.6, (235, 240, 245), 0.05)
    elif name == "corridor":
        wall, floor, ceiling = tone((200, 190, 170)), tone((120, 95, 75)), tone((230, 228, 220))
        x, y, half = uniform(rng, 0.4, 0.6), uniform(rng, 0.4, 0.55), uniform(rng, 0.1, 0.17)
        canvas.rect(-0.3, -0.3, 1.3, 1.3, wall)
        canvas.polygon([(-0.3, 1.3), (x - half, y + half), (x + half, y + half), (1.3, 1.3)], floor)
        canvas.polygon([(-0.3, -0.3), (x - half, y - half), (x + half, y - half), (1.3, -0.3)], ceiling)
        canvas.rect(x - half, y - half, x + half, y + half, tone((90, 85, 80)))
        for side in (-1, 1):
            near_x, far_x = x + side * 0.42, x + side * 0.27
            canvas.polygon(
                [(near_x, y - 0.25), (far_x, y - 0.14), (far_x, y + 0.22), (near_x, y + 0.36)], tone((130, 80, 50))
            )
    elif name == "bedroom":
        canvas.rect(-0.3, -0.3, 1.3, 0.65, tone(pick(rng, ((205, 190, 170), (170, 190, 205), (200, 175, 185)))))
        canvas.rect(-0.3, 0.62, 1.3, 1.3, tone((135, 100, 70)))
        x = uniform(rng, 0.1, 0.35)
        cover = tone(pick(rng, ((60, 90, 160), (170, 60, 70), (80, 140, 100), (150, 110, 160))))
        canvas.rect(x, 0.38, x + 0.06, 0.92, tone((95, 60, 40)))
        canvas.rect(x, 0.6, x + 0.6, 0.85, cover)
        canvas.rect(x + 0.06, 0.53, x + 0.22, 0.64, (240, 240, 240))
        canvas.rect(x + 0.56, 0.55, x + 0.61, 0.92, tone((95, 60, 40)))
        canvas.rect(0.62, 0.1, 0.88, 0.38, tone((175, 215, 240)))
        canvas.line([(0.75, 0.1), (0.75, 0.38)], 0.02, (245, 245, 245))
    elif name == "bridge":
        canvas.rect(-0.3, 0.68, 1.3, 1.3, tone((60, 110, 150)))
        steel = tone(pick(rng, ((150, 60, 45), (95, 95, 105), (190, 185, 175))))
        deck = uniform(rng, 0.52, 0.62)
        canvas.line([(-0.3, deck), (1.3, deck)], 0.05, steel)
        towers = (uniform(rng, 0.18, 0.3), uniform(rng, 0.7, 0.82))
        for x in towers:
            canvas.line([(x, 0.2), (x, 0.8)], 0.045, steel)
        for start, end in ((towers[0] - 0.5, towers[0]), (towers[1], towers[1] + 0.5)):
            down = start if start < towers[0] else end
            up = end if start < towers[0] else start
            canvas.line([(down, deck), (up, 0.2)], 0.02, steel)
        canvas.line(
            smooth_path([(towers[0], 0.2), ((towers[0] + towers[1]) / 2, deck - 0.05), (towers[1], 0.2)]), 0.02, steel
        )
    elif name == "castle":
        canvas.rect(-0.3, 0.75, 1.3, 1.3, tone((85, 125, 65)))
        stone = tone((150, 140, 125))
        canvas.rect(0.2, 0.45, 0.8, 0.82, stone)
        for x in (0.12, 0.72):
            canvas.rect(x, 0.3, x + 0.16, 0.82, tone((140, 130, 118)))
            for notch in (0, 0.07, 0.14):
                canvas.rect(x + notch - 0.01, 0.25, x + notch + 0.03, 0.32, stone)
        for notch in np.arange(0.3, 0.7, 0.1):
            canvas.rect(notch, 0.4, notch + 0.05, 0.47, stone)
        canvas.rect(0.43, 0.62, 0.57, 0.82, (60, 40, 30))
        if chance(rng, 0.5):
            canvas.line([(0.2, 0.27), (0.2, 0.1)], 0.015, (60, 60, 60))
            canvas.polygon([(0.2, 0.1), (0.32, 0.14), (0.2, 0.18)], tone((200, 40, 50)))
    elif name == "farm field":
        canvas.rect(-0.3, horizon, 1.3, 1.3, tone((190, 165, 70)))
        vanishing = uniform(rng, 0.3, 0.7)
        crop = tone((95, 130, 50))
        for x in np.arange(-1.2, 2.3, 0.28):
            canvas.polygon([(vanishing, horizon), (x, 1.3), (x + 0.13, 1.3)], crop)
        if chance(rng, 0.5):
            x = uniform(rng, 0.1, 0.7)
            canvas.rect(x, horizon - 0.14, x + 0.2, horizon + 0.02, tone((165, 50, 45)))
            canvas.polygon(
                [(x - 0.02, horizon - 0.13), (x + 0.1, horizon - 0.24), (x + 0.22, horizon - 0.13)], tone((90, 60, 50))
            )
    else:
        peak, top = uniform(rng, 0.38, 0.62), uniform(rng, 0.28, 0.4)
        canvas.polygon(
            [(peak - 0.5, 0.95), (peak - 0.1, top), (peak + 0.1, top), (peak + 0.5, 0.95)], tone((75, 60, 60))
        )
        canvas.polygon(
            [
                (peak - 0.1, top),
                (peak + 0.1, top),
                (peak + 0.05, top + 0.08),
                (peak + 0.08, top + 0.3),
                (peak, top + 0.12),
                (peak - 0.06, top + 0.22),
            ],
            tone((235, 95, 30)),
        )
        for _ in range(4):
            canvas.disc(
                peak + uniform(rng, -0.12, 0.2),
                top - uniform(rng, 0.05, 0.28),
                uniform(rng, 0.06, 0.11),
                tone((115, 110, 115)),
            )
        canvas.rect(-0.3, 0.9, 1.3, 1.3, tone((60, 75, 50)))
    return finish(canvas, rng, wild)
