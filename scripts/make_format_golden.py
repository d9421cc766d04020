"""Writes src/jobs/scoring/golden/image-formats.json: one picture in the formats that data sets hold.

Four flat quarters, beside each file the colours of their middles as Pillow's convert("RGB") gives
them. Needs Pillow. Run from anywhere:

    python scripts/make_format_golden.py
"""

import base64
import io
import json
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "src" / "worker" / "scoring" / "golden" / "image-formats.json"
EDGE = 16
MIDDLES = [(3, 3), (12, 3), (3, 12), (12, 12)]


def picture():
    image = Image.new("RGB", (EDGE, EDGE))
    for y in range(EDGE):
        for x in range(EDGE):
            image.putpixel((x, y), (x // 8 * 150 + 40, y // 8 * 150 + 40, 90))
    return image


def entry(image, kind, **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    rgb = Image.open(io.BytesIO(out.getvalue())).convert("RGB")
    return {
        "file": base64.b64encode(out.getvalue()).decode(),
        "colours": [list(rgb.getpixel(place)) for place in MIDDLES],
    }


def main():
    image = picture()
    see_through = image.convert("RGBA")
    see_through.putalpha(128)
    formats = {
        "grey PNG": entry(image.convert("L"), "PNG"),
        "palette PNG": entry(image.convert("P"), "PNG"),
        "bilevel PNG": entry(image.convert("1"), "PNG"),
        "half see-through PNG": entry(see_through, "PNG"),
        "RGB JPEG": entry(image, "JPEG", quality=95),
        "grey JPEG": entry(image.convert("L"), "JPEG", quality=95),
        "CMYK JPEG": entry(image.convert("CMYK"), "JPEG", quality=95),
    }
    GOLDEN.write_text(json.dumps(formats, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
