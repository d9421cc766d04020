"""Man-made objects seen from an aeroplane, at any heading (mirrors RESISC45)."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from .canvas import Canvas, chance, finish, grain, hsv, near, pick, uniform

CLASSES = (
    "airplane",
    "ship",
    "storage tank",
    "baseball diamond",
    "tennis court",
    "roundabout",
    "intersection",
    "runway",
    "parking lot",
    "stadium",
    "harbor",
    "swimming pool",
    "railway",
    "wind turbine",
)
TEMPLATES = ("satellite imagery of a {c}", "aerial imagery of a {c}", "an aerial photo of a {c}")

ASPHALT, CONCRETE, GRASS, WATER, WHITE = (95, 95, 100), (175, 172, 165), (95, 130, 70), (45, 95, 130), (238, 238, 235)
CAR_COLOURS = ((200, 50, 50), (60, 90, 170), (235, 235, 235), (50, 50, 55), (190, 190, 190))


def ground(rng: np.random.Generator, name: str) -> tuple[int, int, int]:
    if name in ("ship", "harbor"):
        return hsv(uniform(rng, 0.5, 0.62), uniform(rng, 0.4, 0.7), uniform(rng, 0.3, 0.55))
    if name in ("airplane", "storage tank"):
        return near(rng, pick(rng, (CONCRETE, ASPHALT, GRASS)), 20)
    return near(rng, pick(rng, (GRASS, (150, 135, 100), (120, 130, 90))), 20)


def paint(rng: np.random.Generator, canvas: Canvas, name: str, wild: float) -> None:
    def tone(colour):
        return near(rng, colour, 10 + 20 * wild)

    if name == "airplane":
        body = tone(pick(rng, (WHITE, (200, 205, 215))))
        canvas.line([(0.5, 0.1), (0.5, 0.9)], 0.09, body)
        canvas.polygon([(0.5, 0.36), (0.95, 0.58), (0.95, 0.65), (0.5, 0.53), (0.05, 0.65), (0.05, 0.58)], body)
        canvas.polygon([(0.5, 0.78), (0.68, 0.9), (0.68, 0.94), (0.5, 0.88), (0.32, 0.94), (0.32, 0.9)], body)
    elif name == "ship":
        canvas.polygon([(0.5, 0.05), (0.62, 0.22), (0.62, 0.9), (0.38, 0.9), (0.38, 0.22)], tone((120, 60, 50)))
        canvas.polygon([(0.5, 0.12), (0.58, 0.25), (0.58, 0.85), (0.42, 0.85), (0.42, 0.25)], tone((165, 165, 165)))
        canvas.rect(0.42, 0.7, 0.58, 0.82, tone(WHITE))
        canvas.polygon([(0.4, 0.92), (0.6, 0.92), (0.72, 1.4), (0.28, 1.4)], tone((150, 190, 205)))
    elif name == "storage tank":
        for x, y in ((0.27, 0.27), (0.73, 0.27), (0.27, 0.73), (0.73, 0.73)):
            if chance(rng, 0.85) or (x, y) == (0.27, 0.27):
                canvas.disc(x + 0.03, y + 0.04, 0.19, (60, 60, 60))
                canvas.disc(x, y, 0.19, tone(WHITE))
                canvas.disc(x, y, 0.04, (150, 150, 150))
    elif name == "baseball diamond":
        canvas.polygon([(0.5, 0.92), (0.05, 0.45), (0.5, 0.02), (0.95, 0.45)], tone((85, 140, 65)))
        canvas.polygon([(0.5, 0.95), (0.18, 0.6), (0.5, 0.28), (0.82, 0.6)], tone((190, 140, 95)))
        canvas.polygon([(0.5, 0.78), (0.35, 0.6), (0.5, 0.44), (0.65, 0.6)], tone((95, 150, 75)))
    elif name == "tennis court":
        court = tone(pick(rng, ((60, 110, 160), (60, 125, 85), (175, 95, 70))))
        canvas.rect(0.1, 0.02, 0.9, 0.98, tone((70, 105, 80)))
        canvas.rect(0.24, 0.12, 0.76, 0.88, court)
        for left, top, right, bottom in ((0.24, 0.12, 0.76, 0.88), (0.33, 0.12, 0.67, 0.88), (0.33, 0.32, 0.67, 0.68)):
            canvas.line([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], 0.025, WHITE)
        canvas.line([(0.2, 0.5), (0.8, 0.5)], 0.03, WHITE)
    elif name == "roundabout":
        road = tone(ASPHALT)
        for angle in range(0, 360, 90):
            x, y = math.cos(math.radians(angle)), math.sin(math.radians(angle))
            canvas.line([(0.5 + 0.25 * x, 0.5 + 0.25 * y), (0.5 + x, 0.5 + y)], 0.14, road)
        canvas.disc(0.5, 0.5, 0.33, road)
        canvas.disc(0.5, 0.5, 0.17, tone(GRASS))
    elif name == "intersection":
        road = tone(ASPHALT)
        width = uniform(rng, 0.18, 0.28)
        for points in ([(-0.5, 0.5), (1.5, 0.5)], [(0.5, -0.5), (0.5, 1.5)]):
            canvas.line(points, width, road)
            canvas.line(points, 0.02, tone((225, 210, 120)))
        canvas.rect(0.5 - width / 2, 0.5 - width / 2, 0.5 + width / 2, 0.5 + width / 2, road)
    elif name == "runway":
        canvas.line([(0.5, -0.5), (0.5, 1.5)], uniform(rng, 0.3, 0.42), tone(ASPHALT))
        for y in np.arange(-0.3, 1.3, 0.22):
            canvas.rect(0.485, y, 0.515, y + 0.12, WHITE)
        for x in (0.38, 0.44, 0.56, 0.62):
            canvas.rect(x - 0.015, 0.75, x + 0.015, 0.92, WHITE)
    elif name == "parking lot":
        canvas.rect(-0.5, -0.5, 1.5, 1.5, tone(ASPHALT))
        for y in (0.05, 0.4, 0.75):
            for x in np.arange(-0.1, 1.1, 0.15):
                canvas.line([(x, y), (x, y + 0.22)], 0.012, (215, 215, 210))
                if chance(rng, 0.7):
                    canvas.rect(x + 0.03, y + 0.02, x + 0.12, y + 0.2, tone(pick(rng, CAR_COLOURS)))
    elif name == "stadium":
        canvas.disc(0.5, 0.5, 0.46, tone((185, 180, 180)), 0.4)
        canvas.disc(0.5, 0.5, 0.37, tone((165, 80, 65)), 0.31)
        canvas.disc(0.5, 0.5, 0.29, tone((75, 150, 70)), 0.23)
        canvas.line([(0.5, 0.28), (0.5, 0.72)], 0.02, WHITE)
    elif name == "harbor":
        canvas.rect(-0.5, -0.5, 0.18, 1.5, tone(CONCRETE))
        for y in (0.15, 0.5, 0.85):
            canvas.rect(0.1, y - 0.03, 0.95, y + 0.03, tone((190, 175, 150)))
            for x in np.arange(0.28, 0.9, 0.17):
                for side in (-1, 1):
                    if chance(rng, 0.75):
                        canvas.polygon(
                            [(x - 0.035, y + side * 0.04), (x + 0.035, y + side * 0.04), (x, y + side * 0.16)],
                            tone(WHITE),
                        )
    elif name == "swimming pool":
        canvas.rect(0.08, 0.14, 0.92, 0.86, tone((215, 205, 190)))
        pool = tone((70, 185, 215))
        if chance(rng, 0.5):
            canvas.rect(0.2, 0.26, 0.8, 0.74, pool)
        else:
            canvas.disc(0.4, 0.48, 0.2, pool)
            canvas.disc(0.62, 0.54, 0.17, pool)
    elif name == "railway":
        canvas.line([(0.5, -0.5), (0.5, 1.5)], 0.5, tone((150, 135, 120)))
        for middle in (0.36, 0.64):
            for y in np.arange(-0.4, 1.4, 0.1):
                canvas.rect(middle - 0.09, y, middle + 0.09, y + 0.035, (85, 65, 55))
            for x in (middle - 0.05, middle + 0.05):
                canvas.line([(x, -0.5), (x, 1.5)], 0.02, (205, 205, 210))
    else:
        spin = uniform(rng, 0, 120)
        for blade in range(3):
            angle = math.radians(spin + 120 * blade)
            canvas.line(
                [(0.53, 0.55), (0.53 + 0.42 * math.cos(angle), 0.55 + 0.42 * math.sin(angle))], 0.03, (55, 65, 50)
            )
        for blade in range(3):
            angle = math.radians(spin + 120 * blade)
            canvas.line([(0.5, 0.5), (0.5 + 0.42 * math.cos(angle), 0.5 + 0.42 * math.sin(angle))], 0.05, WHITE)
        canvas.disc(0.5, 0.5, 0.06, WHITE)


def draw(rng: np.random.Generator, label: int, wild: float) -> Image.Image:
    name = CLASSES[label]
    canvas = Canvas(grain(rng, ground(rng, name), 0.15 + 0.45 * wild))
    if chance(rng, wild):
        for _ in range(int(rng.integers(2, 7))):
            canvas.disc(uniform(rng, 0, 1), uniform(rng, 0, 1), uniform(rng, 0.03, 0.09), near(rng, (60, 90, 50), 30))
    heading = uniform(rng, 0, 360) if chance(rng, 0.25 + 0.75 * wild) else pick(rng, (0, 90, 180, 270))
    reach = 0.12 * wild
    canvas.set_pose(
        heading,
        uniform(rng, 0.95 - 0.35 * wild, 1.0),
        (uniform(rng, -reach, reach), uniform(rng, -reach, reach)),
        stretch=1 + uniform(rng, -0.15, 0.15) * wild,
    )
    paint(rng, canvas, name, wild)
    return finish(canvas, rng, wild)
