"""Writes the golden text data sets of src/datasets/golden, text-*.parquet, all by the datasets
package, as on the Hub. Needs datasets. Run from anywhere:

    python scripts/make_text_dataset_golden.py
"""

from pathlib import Path

from datasets import ClassLabel, Dataset, Features, Value

GOLDEN = Path(__file__).resolve().parent.parent / "src" / "sources" / "golden"
CLASSES = ClassLabel(names=["yes", "maybe", "no"])
TEXT = Value("string")
FIRST = ["a", "{second}", "$& $1 \\1 {first}", "", "größer 日本 🙂", "f", "g"]
SECOND = [f"second {row}" for row in range(len(FIRST))]


def write(name, columns, features):
    data = Dataset.from_dict(columns, features=Features(features))
    # Small batches make several row groups.
    data.to_parquet(GOLDEN / f"text-{name}.parquet", batch_size=3)


def main():
    texts, kinds = {"first": FIRST, "second": SECOND}, {"first": TEXT, "second": TEXT}
    rows = list(range(len(FIRST)))
    numbers = [row / 2 + 0.25 for row in rows]
    write(
        "classes",
        {**texts, "idx": rows, "label": [row % 3 for row in rows]},
        {**kinds, "idx": Value("int32"), "label": CLASSES},
    )
    write("numbers", {**texts, "score": numbers}, {**kinds, "score": Value("float32")})
    write("no-label", {**texts, "label": rows}, {**kinds, "label": Value("int64")})
    # In what follows row 1 is at fault.
    classed, scored = {"first": TEXT, "label": CLASSES}, {"first": TEXT, "score": Value("float32")}
    write("unlabelled", {"first": ["a", "b"], "label": [0, -1]}, classed)
    write("null-text", {"first": ["a", None], "label": [0, 1]}, classed)
    write("null-number", {"first": ["a", "b"], "score": [1.5, None]}, scored)


if __name__ == "__main__":
    main()
