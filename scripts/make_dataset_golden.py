"""Writes the golden parquet files of src/datasets/golden: tiny image data sets and broken ones.

`rows.parquet` is written by the datasets package, as on the Hub; the others by pyarrow, each with
one fault. Image bytes are the row number repeated, not real images: nothing decodes them here.
Needs datasets and pyarrow. Run from anywhere:

    python scripts/make_dataset_golden.py
"""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import ClassLabel, Dataset, Features, Image

GOLDEN = Path(__file__).resolve().parent.parent / "src" / "sources" / "golden"
ROWS = 7
CLASSES = ["cat", "dog", "großer bär"]
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def image(row):
    return {"bytes": bytes([row] * (row + 1)), "path": f"{row}.png"}


def features(names=CLASSES):
    return {"image": {"_type": "Image"}, "label": {"_type": "ClassLabel", "names": names}}


def write_as_hub():
    rows = {"img": [image(i) for i in range(ROWS)], "fine": [i % 3 for i in range(ROWS)]}
    spec = Features({"img": Image(decode=False), "fine": ClassLabel(names=CLASSES)})
    Dataset.from_dict(rows, features=spec).to_parquet(GOLDEN / "rows.parquet", batch_size=3)


def write(name, labels, images, hub_features, **options):
    table = pa.table(
        {
            "image": pa.array(images, IMAGE_TYPE),
            "label": pa.array(labels, pa.int64()),
        }
    )
    metadata = {}
    if hub_features is not None:
        metadata = {"huggingface": json.dumps({"info": {"features": hub_features}})}
    pq.write_table(
        table.replace_schema_metadata(metadata), GOLDEN / f"{name}.parquet", **options
    )


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    write_as_hub()
    images = [image(0), image(1)]
    write("no-features", [0, 1], images, None)
    write("no-label-column", [0, 1], images, {"image": {"_type": "Image"}})
    write("no-image-column", [0, 1], images, {"label": features()["label"]})
    write("no-classes", [0, 1], images, features(names=[]))
    write("label-out-of-range", [0, 3], images, features())
    write("label-missing", [0, None], images, features())
    write("image-by-path", [0, 1], [image(0), {"bytes": None, "path": "1.png"}], features())
    write("zstd", [0, 1], images, features(), compression="zstd")


if __name__ == "__main__":
    main()
