"""Traffic signs on a blurred roadside, seen at an angle and in bad light (mirrors GTSRB)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .canvas import Canvas, blend, chance, finish, hsv, near, smooth_noise, smooth_path, uniform

CLASSES = (
    "stop",
    "yield",
    "no entry",
    "speed limit 30",
    "speed limit 50",
    "speed limit 80",
    "priority road",
    "general warning",
    "crossroads ahead",
    "bend to the left",
    "bend to the right",
    "turn left",
    "turn right",
    "straight ahead",
    "no parking",
    "end of limits",
)
TEMPLATES = ('a photo of a "{c}" traffic sign', "a {c} sign", "a close up of a {c} sign by the road")

WHITE, RED, BLUE, BLACK, YELLOW = (240, 240, 240), (200, 30, 40), (30, 80, 180), (25, 25, 25), (245, 195, 30)


def red_circle(canvas: Canvas, red, white) -> None:
    canvas.disc(0.5, 0.5, 0.46, red)
    canvas.disc(0.5, 0.5, 0.33, white)


def warning_triangle(canvas: Canvas, red, white) -> None:
    canvas.ngon(3, 0.5, 0.58, 0.56, red)
    canvas.ngon(3, 0.5, 0.58, 0.36, white)


def arrow(canvas: Canvas, path, colour, width: float) -> None:
    """A line that ends in an arrow head."""
    canvas.line(path, width, colour)
    (x0, y0), (x1, y1) = path[-2], path[-1]
    length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-6)
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    reach, half = width * 1.6, width * 1.5
    canvas.polygon(
        [(x1 + dx * reach, y1 + dy * reach), (x1 - dy * half, y1 + dx * half), (x1 + dy * half, y1 - dx * half)], colour
    )


def face(canvas: Canvas, name: str, red, white, blue, black, yellow) -> None:
    if name == "stop":
        canvas.ngon(8, 0.5, 0.5, 0.48, white, turn=22.5)
        canvas.ngon(8, 0.5, 0.5, 0.43, red, turn=22.5)
        canvas.text("STOP", 0.5, 0.5, 0.27, white)
    elif name == "yield":
        canvas.ngon(3, 0.5, 0.42, 0.56, red, turn=180)
        canvas.ngon(3, 0.5, 0.42, 0.32, white, turn=180)
    elif name == "no entry":
        canvas.disc(0.5, 0.5, 0.46, red)
        canvas.rect(0.18, 0.42, 0.82, 0.58, white)
    elif name.startswith("speed limit"):
        red_circle(canvas, red, white)
        canvas.text(name.rsplit(" ", 1)[1], 0.5, 0.5, 0.46, black)
    elif name == "priority road":
        canvas.ngon(4, 0.5, 0.5, 0.49, white)
        canvas.ngon(4, 0.5, 0.5, 0.36, yellow)
    elif name == "general warning":
        warning_triangle(canvas, red, white)
        canvas.line([(0.5, 0.42), (0.5, 0.6)], 0.08, black)
        canvas.disc(0.5, 0.72, 0.045, black)
    elif name == "crossroads ahead":
        warning_triangle(canvas, red, white)
        canvas.line([(0.39, 0.48), (0.61, 0.74)], 0.07, black)
        canvas.line([(0.61, 0.48), (0.39, 0.74)], 0.07, black)
    elif name.startswith("bend"):
        warning_triangle(canvas, red, white)
        sign = -1 if name.endswith("left") else 1
        arrow(
            canvas,
            smooth_path([(0.5 - sign * 0.06, 0.76), (0.5 - sign * 0.05, 0.6), (0.5 + sign * 0.07, 0.5)]),
            black,
            0.07,
        )
    elif name.startswith("turn"):
        sign = -1 if name.endswith("left") else 1
        canvas.disc(0.5, 0.5, 0.46, blue)
        arrow(canvas, [(0.5 - sign * 0.15, 0.75), (0.5 - sign * 0.15, 0.46), (0.5 + sign * 0.12, 0.46)], white, 0.1)
    elif name == "straight ahead":
        canvas.disc(0.5, 0.5, 0.46, blue)
        arrow(canvas, [(0.5, 0.78), (0.5, 0.38)], white, 0.1)
    elif name == "no parking":
        canvas.disc(0.5, 0.5, 0.46, red)
        canvas.disc(0.5, 0.5, 0.35, blue)
        canvas.line([(0.27, 0.27), (0.73, 0.73)], 0.09, red)
    else:
        canvas.disc(0.5, 0.5, 0.46, black)
        canvas.disc(0.5, 0.5, 0.42, white)
        for offset in (-0.08, 0.0, 0.08):
            canvas.line([(0.68 + offset, 0.25 + offset), (0.32 + offset, 0.75 + offset)], 0.035, black)


def draw(rng: np.random.Generator, label: int, wild: float) -> Image.Image:
    sky = hsv(uniform(rng, 0.5, 0.65), uniform(rng, 0, 0.5), uniform(rng, 0.4, 1))
    ground = hsv(uniform(rng, 0.08, 0.4), uniform(rng, 0.1, 0.6), uniform(rng, 0.15, 0.6))
    canvas = Canvas(blend(sky, ground, smooth_noise(rng, int(rng.integers(2, 7))) * (0.2 + wild)))
    canvas.random_pose(rng, wild, angle=14, scale=(0.55, 1.0), shift=0.12)
    if chance(rng, 0.5):
        canvas.rect(0.47, 0.5, 0.53, 1.5, (110, 110, 110))
    spread = 10 + 40 * wild
    face(canvas, CLASSES[label], *(near(rng, colour, spread) for colour in (RED, WHITE, BLUE, BLACK, YELLOW)))
    if chance(rng, 0.25 * wild):
        canvas.line(
            [(uniform(rng, 0, 1), -0.1), (uniform(rng, 0, 1), 1.1)], uniform(rng, 0.02, 0.07), near(rng, ground, 20)
        )
    return finish(canvas, rng, wild)
