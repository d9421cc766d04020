"""Writes the golden parquet files of src/datasets/golden of which only beginnings are read.

Written by pyarrow as the Hub's image sets are, in row groups, with values in dictionaries or plain,
in either version of data pages. Row r holds r in four bytes, then noise of a length of its own,
then a run of one byte, so that Snappy has something to copy. Needs pyarrow. Run from anywhere:

    python scripts/make_sample_golden.py
"""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

GOLDEN = Path(__file__).resolve().parent.parent / "src" / "sources" / "golden"
ROWS = 60
ROWS_PER_GROUP = 25
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def image(row):
    noise = random.Random(row).randbytes(60 + (row * 37) % 90)
    return {"bytes": row.to_bytes(4, "little") + noise + bytes([row]) * 40, "path": f"{row}.jpg"}


def write(name, images, **options):
    labels = pa.array([row % 7 for row in range(ROWS)], pa.int64())
    table = pa.table({"image": pa.array(images, IMAGE_TYPE), "label": labels})
    pq.write_table(table, GOLDEN / f"{name}.parquet", row_group_size=ROWS_PER_GROUP, **options)


def main():
    images = [image(row) for row in range(ROWS)]
    write("sample-dictionary", images)
    write("sample-plain", images, use_dictionary=False)
    write("sample-pages", images, use_dictionary=False, data_page_size=500, write_batch_size=4)
    write("sample-v2", images, data_page_version="2.0")
    write("sample-v2-plain", images, data_page_version="2.0", use_dictionary=False)
    write("sample-unpacked", images, compression="none")
    # One picture twice: fewer words than rows in the dictionary.
    write("sample-repeated", [images[row % 9] for row in range(ROWS)])
    with_null = [None if row % 5 == 3 else one for row, one in enumerate(images)]
    write("sample-null", with_null)
    write("sample-gzip", images, compression="gzip")


if __name__ == "__main__":
    main()
