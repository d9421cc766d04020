"""Shared drawing tools: a canvas in unit coordinates, colours, fonts, noise and the final degradation.

Everything is drawn at three times the final size and averaged down, which is the cheapest antialiasing PIL offers.
`wild` in [0, 1] scales every nuisance (pose, clutter, lighting, noise): pretraining draws tame pictures, the eight
tasks draw wild ones. That gap is what makes zero-shot transfer partial, as it is for real checkpoints.
"""

from __future__ import annotations

import colorsys
import functools
import math
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

SIZE = 32
OVERSAMPLING = 3
CANVAS = SIZE * OVERSAMPLING

Point = tuple[float, float]
Colour = tuple[int, int, int]

NAMED_COLOURS: dict[str, Colour] = {
    "red": (205, 35, 40),
    "green": (40, 150, 60),
    "blue": (35, 80, 190),
    "yellow": (240, 205, 40),
    "orange": (240, 130, 30),
    "purple": (130, 60, 160),
    "brown": (120, 75, 40),
    "pink": (240, 150, 175),
    "grey": (130, 130, 130),
    "white": (240, 240, 240),
    "black": (20, 20, 20),
}

FONT_FILES = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSansMono-Bold.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSerif-Italic.ttf",
    "STIXGeneral.ttf",
    "STIXGeneralBol.ttf",
    "STIXGeneralItalic.ttf",
    "cmr10.ttf",
    "cmb10.ttf",
    "cmss10.ttf",
    "cmtt10.ttf",
)
PLAIN_FONTS = FONT_FILES[:2]


@functools.cache
def font(name: str, pixels: int) -> ImageFont.FreeTypeFont:
    """Load one of matplotlib's bundled fonts; a missing file is a set-up error, never a silent fallback."""
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
    if not path.is_file():
        raise FileNotFoundError(f"font {name} is not among matplotlib's fonts ({path}); install the pinned matplotlib")
    return ImageFont.truetype(str(path), pixels)


def uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(rng.uniform(low, high))


def chance(rng: np.random.Generator, probability: float) -> bool:
    return bool(rng.random() < probability)


def pick(rng: np.random.Generator, items):
    return items[int(rng.integers(len(items)))]


def hsv(hue: float, saturation: float, value: float) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, min(max(saturation, 0.0), 1.0), min(max(value, 0.0), 1.0))
    return int(red * 255), int(green * 255), int(blue * 255)


def any_colour(rng: np.random.Generator, value: tuple[float, float] = (0.2, 1.0)) -> Colour:
    return hsv(uniform(rng, 0, 1), uniform(rng, 0, 1), uniform(rng, *value))


def near(rng: np.random.Generator, colour: Colour, spread: float) -> Colour:
    """The colour with each channel moved by at most `spread` levels."""
    return tuple(int(min(max(channel + uniform(rng, -spread, spread), 0), 255)) for channel in colour)


def luminance(colour: Colour) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def contrasting(rng: np.random.Generator, colour: Colour, gap: float) -> Colour:
    """A random colour whose luminance differs from the given one by at least `gap` levels."""
    for _ in range(40):
        candidate = any_colour(rng, (0.0, 1.0))
        if abs(luminance(candidate) - luminance(colour)) >= gap:
            return candidate
    return (255, 255, 255) if luminance(colour) < 128 else (0, 0, 0)


def smooth_noise(rng: np.random.Generator, cells: int) -> np.ndarray:
    """Low-frequency noise in [0, 1], CANVAS x CANVAS, from a coarse random grid."""
    coarse = Image.fromarray((rng.random((cells, cells)) * 255).astype(np.uint8))
    return np.asarray(coarse.resize((CANVAS, CANVAS), Image.Resampling.BICUBIC), dtype=np.float32) / 255


def blend(first: Colour, second: Colour, weight: np.ndarray) -> np.ndarray:
    """Mix two colours pixel by pixel: weight 0 gives the first, 1 the second."""
    weight = np.clip(weight, 0, 1)[..., None]
    return np.asarray(first, np.float32) * (1 - weight) + np.asarray(second, np.float32) * weight


def grain(rng: np.random.Generator, colour: Colour, amount: float, cells: int = 12) -> np.ndarray:
    """A rough surface: one colour, darker and lighter in patches."""
    shade = 1 + amount * (smooth_noise(rng, cells) - 0.5) + amount * 0.5 * (smooth_noise(rng, cells * 3) - 0.5)
    return np.asarray(colour, np.float32) * shade[..., None]


def to_image(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def smooth_path(points: list[Point], steps: int = 6) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    padded = np.asarray([points[0], *points, points[-1]], dtype=np.float64)
    result: list[Point] = []
    for index in range(1, len(padded) - 2):
        before, start, end, after = padded[index - 1 : index + 3]
        for step in range(steps):
            t = step / steps
            value = 0.5 * (
                2 * start
                + (end - before) * t
                + (2 * before - 5 * start + 4 * end - after) * t**2
                + (3 * start - before - 3 * end + after) * t**3
            )
            result.append((float(value[0]), float(value[1])))
    result.append((float(padded[-2][0]), float(padded[-2][1])))
    return result


class Canvas:
    """A picture addressed in unit coordinates, with a pose (rotation, scale, shift, shear) on everything drawn."""

    def __init__(self, background: Colour | np.ndarray | Image.Image):
        if isinstance(background, np.ndarray):
            self.image = to_image(background)
        elif isinstance(background, Image.Image):
            self.image = background
        else:
            self.image = Image.new("RGB", (CANVAS, CANVAS), background)
        self.pen = ImageDraw.Draw(self.image)
        self.set_pose()

    def set_pose(self, angle: float = 0, scale: float = 1, shift: Point = (0, 0), shear: float = 0, stretch: float = 1):
        """Pose about the centre; angle in degrees, stretch widens x against y."""
        cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        self._matrix = (
            scale * (cosine * stretch),
            scale * (cosine * shear - sine),
            scale * (sine * stretch),
            scale * (sine * shear + cosine),
        )
        self._shift = shift
        self._scale = scale

    def mirror(self):
        """Flip everything drawn from now on left to right."""
        a, b, c, d = self._matrix
        self._matrix = (-a, b, -c, d)

    def random_pose(
        self, rng: np.random.Generator, wild: float, angle: float = 0, scale=(0.75, 1.1), shift: float = 0.1
    ):
        middle = (scale[0] + scale[1]) / 2
        half = (scale[1] - scale[0]) / 2 * (0.3 + 0.7 * wild)
        reach = shift * (0.2 + 0.8 * wild)
        self.set_pose(
            angle=uniform(rng, -angle, angle) * wild,
            scale=uniform(rng, middle - half, middle + half),
            shift=(uniform(rng, -reach, reach), uniform(rng, -reach, reach)),
            shear=uniform(rng, -0.15, 0.15) * wild,
            stretch=1 + uniform(rng, -0.15, 0.15) * wild,
        )

    def place(self, x: float, y: float) -> Point:
        a, b, c, d = self._matrix
        x, y = x - 0.5, y - 0.5
        return (
            (a * x + b * y + 0.5 + self._shift[0]) * CANVAS,
            (c * x + d * y + 0.5 + self._shift[1]) * CANVAS,
        )

    def polygon(self, points: list[Point], fill: Colour):
        self.pen.polygon([self.place(x, y) for x, y in points], fill=fill)

    def line(self, points: list[Point], width: float, fill: Colour):
        pixels = max(1, round(width * self._scale * CANVAS))
        placed = [self.place(x, y) for x, y in points]
        self.pen.line(placed, fill=fill, width=pixels, joint="curve")
        if pixels > 3:
            for x, y in (placed[0], placed[-1]):
                self.pen.ellipse((x - pixels / 2, y - pixels / 2, x + pixels / 2, y + pixels / 2), fill=fill)

    def rect(self, left: float, top: float, right: float, bottom: float, fill: Colour):
        self.polygon([(left, top), (right, top), (right, bottom), (left, bottom)], fill)

    def disc(self, x: float, y: float, radius: float, fill: Colour, radius_y: float | None = None):
        tall = radius if radius_y is None else radius_y
        self.polygon(
            [
                (x + radius * math.cos(a), y + tall * math.sin(a))
                for a in np.linspace(0, 2 * math.pi, 24, endpoint=False)
            ],
            fill,
        )

    def ring(self, x: float, y: float, radius: float, width: float, fill: Colour):
        self.line(
            [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in np.linspace(0, 2 * math.pi, 28)], width, fill
        )

    def ngon(self, sides: int, x: float, y: float, radius: float, fill: Colour, turn: float = 0):
        """A regular polygon; turn is in degrees, 0 points a corner upwards."""
        angles = [math.radians(turn - 90 + 360 * k / sides) for k in range(sides)]
        self.polygon([(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles], fill)

    def text(
        self,
        string: str,
        x: float,
        y: float,
        height: float,
        fill: Colour,
        font_name: str = "DejaVuSans-Bold.ttf",
        angle: float = 0,
    ):
        """Text centred on a point; the pose moves and scales it, and `angle` turns it."""
        pixels = max(4, round(height * self._scale * CANVAS))
        face = font(font_name, pixels)
        left, top, right, bottom = face.getbbox(string)
        mask = Image.new("L", (right - left + 4, bottom - top + 4), 0)
        ImageDraw.Draw(mask).text((2 - left, 2 - top), string, fill=255, font=face)
        if angle:
            mask = mask.rotate(angle, Image.Resampling.BILINEAR, expand=True)
        centre_x, centre_y = self.place(x, y)
        self.image.paste(
            Image.new("RGB", mask.size, fill),
            (round(centre_x - mask.width / 2), round(centre_y - mask.height / 2)),
            mask,
        )


def finish(canvas: Canvas | Image.Image, rng: np.random.Generator, wild: float, noise: float = 14) -> Image.Image:
    """Average down to 32 x 32 and degrade as a camera would: blur, exposure, tint, noise; five bits a channel are kept.

    Five bits are invisible at this size and keep the PNGs of the embedded data sets small.
    """
    image = canvas.image if isinstance(canvas, Canvas) else canvas
    if chance(rng, 0.5 * wild):
        image = image.filter(ImageFilter.GaussianBlur(uniform(rng, 0.5, 2.2)))
    small = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BOX), dtype=np.float32)
    if wild > 0:
        gain = 1 + uniform(rng, -0.35, 0.2) * wild
        tint = 1 + rng.uniform(-0.12, 0.12, size=3) * wild
        pivot = small.mean()
        contrast = 1 + uniform(rng, -0.4, 0.15) * wild
        small = ((small - pivot) * contrast + pivot) * gain * tint
        small = small + rng.normal(0, uniform(rng, 0, noise) * wild, size=small.shape)
    quantised = (np.clip(small, 0, 255).astype(np.uint8) >> 3) << 3
    return Image.fromarray(quantised | (quantised >> 5))
