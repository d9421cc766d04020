"""Repeating and irregular surfaces in two random colours, at random scale and angle (mirrors DTD)."""

from __future__ import annotations

import math

import numpy as np
from PIL import Image

from .canvas import CANVAS, Canvas, any_colour, blend, contrasting, finish, smooth_noise, to_image, uniform

CLASSES = (
    "striped",
    "polka dotted",
    "chequered",
    "zigzagged",
    "honeycombed",
    "bricked",
    "woven",
    "marbled",
    "gridded",
    "cracked",
    "bubbly",
    "scaly",
    "spiralled",
    "blotchy",
)
TEMPLATES = ("a photo of a {c} texture", "a {c} pattern", "a close up of a {c} thing")


def coordinates(rng: np.random.Generator, wild: float, turn: float) -> tuple[np.ndarray, np.ndarray]:
    """Pixel coordinates in units of a random period, turned and bent."""
    rows, columns = np.mgrid[0:CANVAS, 0:CANVAS].astype(np.float32) / CANVAS
    angle = math.radians(turn)
    x = columns * math.cos(angle) + rows * math.sin(angle)
    y = rows * math.cos(angle) - columns * math.sin(angle)
    bend = 0.08 * wild
    x = x + bend * (smooth_noise(rng, 4) - 0.5)
    y = y + bend * (smooth_noise(rng, 4) - 0.5)
    period = uniform(rng, 0.2 - 0.06 * wild, 0.28 + 0.08 * wild)
    return x / period + uniform(rng, 0, 1), y / period + uniform(rng, 0, 1)


def cells(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the nearest and second nearest of `count` random points (a Voronoi diagram)."""
    rows, columns = np.mgrid[0:CANVAS, 0:CANVAS].astype(np.float32) / CANVAS
    points = rng.random((count, 2)).astype(np.float32) * 1.3 - 0.15
    distance = (columns[..., None] - points[:, 0]) ** 2 + (rows[..., None] - points[:, 1]) ** 2
    nearest = np.sqrt(np.partition(distance, 1, axis=-1)[..., :2])
    return nearest[..., 0], nearest[..., 1]


def weight(rng: np.random.Generator, name: str, wild: float) -> np.ndarray:
    """How much of the second colour each pixel takes."""
    turn = uniform(rng, -90, 90)
    slight = uniform(rng, -25, 25) * wild
    if name == "striped":
        x, _ = coordinates(rng, wild, turn)
        return (x % 1 < uniform(rng, 0.35, 0.65)).astype(np.float32)
    if name == "polka dotted":
        x, y = coordinates(rng, wild, slight)
        return (((x % 1) - 0.5) ** 2 + ((y % 1) - 0.5) ** 2 < uniform(rng, 0.25, 0.36) ** 2).astype(np.float32)
    if name == "chequered":
        x, y = coordinates(rng, wild, slight)
        return ((np.floor(x) + np.floor(y)) % 2).astype(np.float32)
    if name == "zigzagged":
        x, y = coordinates(rng, wild, slight)
        return ((y + np.abs((x % 1) - 0.5) * uniform(rng, 1.2, 1.8)) % 1 < 0.5).astype(np.float32)
    if name == "honeycombed":
        x, y = coordinates(rng, wild, slight)
        first = ((x % 1) - 0.5) ** 2 + ((y % 1.732) - 0.866) ** 2
        second = (((x + 0.5) % 1) - 0.5) ** 2 + (((y + 0.866) % 1.732) - 0.866) ** 2
        gap = np.abs(np.sqrt(first) - np.sqrt(second))
        nearest = np.sqrt(np.minimum(first, second))
        return ((gap < 0.12) | (nearest > 0.45)).astype(np.float32)
    if name == "bricked":
        x, y = coordinates(rng, wild, slight)
        row = np.floor(y * 1.6)
        return (((y * 1.6) % 1 < 0.18) | ((x * 0.8 + 0.5 * (row % 2)) % 1 < 0.1)).astype(np.float32)
    if name == "woven":
        x, y = coordinates(rng, wild, slight)
        over = (np.floor(x) + np.floor(y)) % 2
        strand = np.where(over > 0, np.abs((x % 1) - 0.5), np.abs((y % 1) - 0.5))
        return (0.25 + 0.5 * over) * (strand < 0.38)
    if name == "marbled":
        x, y = coordinates(rng, wild, turn)
        veins = np.sin(2.5 * x + 9 * smooth_noise(rng, 4) + 4 * smooth_noise(rng, 8))
        return np.abs(veins) ** 0.4
    if name == "gridded":
        x, y = coordinates(rng, wild, slight)
        width = uniform(rng, 0.12, 0.25)
        return ((x % 1 < width) | (y % 1 < width)).astype(np.float32)
    if name == "cracked":
        first, second = cells(rng, int(rng.integers(7, 14)))
        return (second - first < uniform(rng, 0.02, 0.04)).astype(np.float32)
    if name == "bubbly":
        picture = Canvas((0, 0, 0))
        for _ in range(int(rng.integers(12, 22))):
            x, y, radius = uniform(rng, 0, 1), uniform(rng, 0, 1), uniform(rng, 0.06, 0.17)
            picture.disc(x, y, radius, (90, 90, 90))
            picture.ring(x, y, radius, 0.025, (255, 255, 255))
        return np.asarray(picture.image, np.float32)[..., 0] / 255
    if name == "scaly":
        x, y = coordinates(rng, wild, slight)
        shade = np.zeros_like(x)
        row = np.floor(y * 1.5)
        inside_x = ((x + 0.5 * (row % 2)) % 1) - 0.5
        inside_y = (y * 1.5) % 1
        radius = np.sqrt(inside_x**2 + (inside_y * 0.55) ** 2)
        shade[:] = np.clip(1 - radius * 1.9, 0, 1)
        return np.where(radius > 0.47, 0, shade + 0.15)
    if name == "spiralled":
        rows, columns = np.mgrid[0:CANVAS, 0:CANVAS].astype(np.float32) / CANVAS
        x, y = columns - uniform(rng, 0.35, 0.65), rows - uniform(rng, 0.35, 0.65)
        sense = 1 if rng.random() < 0.5 else -1
        phase = (
            np.sqrt(x**2 + y**2) * uniform(rng, 4, 6) + sense * np.arctan2(y, x) / (2 * math.pi) + uniform(rng, 0, 1)
        )
        return (phase % 1 < 0.5).astype(np.float32)
    return ((smooth_noise(rng, int(rng.integers(5, 8))) - 0.5) * 8 + 0.5).clip(0, 1)


def draw(rng: np.random.Generator, label: int, wild: float) -> Image.Image:
    first = any_colour(rng, (0.15, 1.0))
    second = contrasting(rng, first, 100 - 45 * wild)
    pixels = blend(first, second, weight(rng, CLASSES[label], wild))
    shade = 1 + 0.5 * wild * (smooth_noise(rng, 3) - 0.5)
    return finish(to_image(pixels * shade[..., None]), rng, wild)
