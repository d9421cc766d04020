"""Proves a Peru export right in other programs: safetensors, torch, peft, transformers, numpy.

    python scripts/verify_export.py FOLDER --sources DIR [--zoo public/zoo] [--without-accuracy]

FOLDER is an export, saved to a folder or unpacked from the zip. DIR holds the checkpoints it was made from, anywhere
below it: they are found by the SHA-256 that recipe.json names. What is checked:

- every file has the bytes and SHA-256 that the model card lists; safetensors opens them all and finds no NaN or Inf;
  the recipe inside the weights' files is that of recipe.json;
- full fine-tunes: theta* = theta_0 + sum c_t (theta_t - theta_0) in float64 is what merged.safetensors holds, up to
  the rounding of float32 sums and of the dtype; what is not merged is the base's, bit for bit; each sparse vector
  keeps exactly the k largest |theta_t - theta*| (ties: lowest index first in the order of names), with values within
  the rounding of their dtype; packed ones, by a decoder of its own, have the signs, the nearest magnitudes and the
  gains that they should; the loader printed in the card, taken from there and run, rebuilds each task's model from
  them; transformers opens the folder; tensors that are one in transformers' model (a head that is the embedding)
  count once, whichever of their names a file has, and what the export says of them is so;
- adapters: `PeftModel.from_pretrained` loads each one; its product is U_q S_q V_q^T of the source's product, by a
  dense SVD in float64; merging it into the base adds just that; the merged adapter is the sum of the sources' products;
- where the export was made from a demo: transformers and peft score the exported models on the embedded zoo's test
  sets as results.json says, and the base, the fine-tuned and the merged models, too.

Prints a markdown table; exit 0 only when every check passed. Needs numpy, torch, safetensors, transformers, peft, and
for the accuracies what scripts/zoo/requirements.txt lists. docs/VERIFY.md tells what is allowed, and why.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(Path(__file__).resolve().parent))

from verify import accuracy, adapters, files, full  # noqa: E402
from verify.report import Report  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="the export")
    parser.add_argument("--sources", type=Path, required=True, help="where its checkpoints lie, at any depth")
    parser.add_argument("--zoo", type=Path, default=ROOT / "public" / "zoo", help="embedded zoo, for accuracies")
    parser.add_argument("--without-accuracy", action="store_true", help="leave the accuracies out")
    arguments = parser.parse_args()

    report = Report()
    export = files.open_export(arguments.folder, report)
    if export is not None:
        files.verify_files(export, report)
        sources = files.find_sources(export, arguments.sources, report)
        if sources is not None:
            verifier = full if export.is_full else adapters
            verifier.verify(export, sources, report)
            if export.recipe["group"]["kind"] == "demo" and not arguments.without_accuracy:
                accuracy.verify(export, sources, arguments.zoo, report)
    print(report.markdown(arguments.folder.name))
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
