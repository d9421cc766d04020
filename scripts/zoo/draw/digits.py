"""Digits, clean but varied: handwriting-like strokes and many fonts, light on dark or dark on light (mirrors MNIST)."""

from __future__ import annotations

import numpy as np
from PIL import Image

from .canvas import FONT_FILES, PLAIN_FONTS, Canvas, chance, finish, hsv, pick, smooth_path, uniform

CLASSES = tuple("0123456789")
TEMPLATES = ('a photo of the number "{c}"', "a drawing of the number {c}")

# Skeletons of handwritten digits; each is a list of strokes in unit coordinates.
STROKES = {
    "0": [
        [
            (0.5, 0.12),
            (0.3, 0.25),
            (0.25, 0.5),
            (0.32, 0.78),
            (0.5, 0.88),
            (0.68, 0.78),
            (0.75, 0.5),
            (0.69, 0.24),
            (0.5, 0.12),
        ]
    ],
    "1": [[(0.36, 0.3), (0.52, 0.12), (0.52, 0.5), (0.52, 0.88)]],
    "2": [
        [
            (0.28, 0.32),
            (0.38, 0.14),
            (0.6, 0.13),
            (0.7, 0.3),
            (0.6, 0.5),
            (0.4, 0.7),
            (0.27, 0.87),
            (0.5, 0.86),
            (0.74, 0.86),
        ]
    ],
    "3": [
        [
            (0.3, 0.2),
            (0.5, 0.12),
            (0.68, 0.25),
            (0.62, 0.42),
            (0.45, 0.48),
            (0.66, 0.55),
            (0.72, 0.72),
            (0.55, 0.88),
            (0.28, 0.8),
        ]
    ],
    "4": [[(0.58, 0.12), (0.42, 0.4), (0.26, 0.62), (0.5, 0.62), (0.78, 0.62)], [(0.6, 0.38), (0.6, 0.65), (0.6, 0.9)]],
    "5": [
        [
            (0.7, 0.14),
            (0.5, 0.14),
            (0.34, 0.15),
            (0.31, 0.45),
            (0.55, 0.42),
            (0.71, 0.56),
            (0.68, 0.78),
            (0.48, 0.88),
            (0.28, 0.8),
        ]
    ],
    "6": [[(0.64, 0.12), (0.42, 0.3), (0.3, 0.6), (0.38, 0.84), (0.6, 0.86), (0.7, 0.68), (0.56, 0.52), (0.34, 0.62)]],
    "7": [[(0.27, 0.15), (0.5, 0.15), (0.73, 0.15), (0.6, 0.45), (0.44, 0.88)]],
    "8": [
        [
            (0.5, 0.48),
            (0.33, 0.32),
            (0.45, 0.13),
            (0.62, 0.18),
            (0.64, 0.35),
            (0.5, 0.48),
            (0.3, 0.68),
            (0.42, 0.87),
            (0.64, 0.84),
            (0.69, 0.66),
            (0.5, 0.48),
        ]
    ],
    "9": [[(0.68, 0.4), (0.46, 0.5), (0.31, 0.36), (0.4, 0.16), (0.6, 0.14), (0.69, 0.32), (0.66, 0.6), (0.52, 0.88)]],
}


def handwrite(canvas: Canvas, digit: str, rng: np.random.Generator, wild: float, width: float, ink) -> None:
    wobble = 0.035 * wild
    for stroke in STROKES[digit]:
        jittered = [(x + rng.normal(0, wobble), y + rng.normal(0, wobble)) for x, y in stroke]
        canvas.line(smooth_path(jittered), width, ink)


def draw(rng: np.random.Generator, label: int, wild: float) -> Image.Image:
    digit = CLASSES[label]
    paper, ink = uniform(rng, 0, 0.12), uniform(rng, 0.75, 1.0)
    if chance(rng, 0.35):
        paper, ink = 1 - paper, 1 - ink
    hue, saturation = uniform(rng, 0, 1), 0.25 * wild * uniform(rng, 0, 1)
    canvas = Canvas(hsv(hue, saturation, paper))
    colour = hsv(hue, saturation, ink)
    canvas.random_pose(rng, wild, angle=22, scale=(0.62, 1.1), shift=0.12)
    if chance(rng, 0.25 + 0.4 * wild):
        handwrite(canvas, digit, rng, wild, uniform(rng, 0.05, 0.05 + 0.1 * (0.4 + 0.6 * wild)), colour)
    else:
        name = pick(rng, FONT_FILES if chance(rng, wild) else PLAIN_FONTS)
        canvas.text(digit, 0.5, 0.5, uniform(rng, 0.85, 1.0), colour, name, uniform(rng, -20, 20) * wild)
    return finish(canvas, rng, 0.7 * wild)
