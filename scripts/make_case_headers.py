"""Writes src/jobs/cases/golden: folders of real models without their weights.

Each case folder given (CASE/inputs/...) becomes CASE.json: for every file its path, and
- of safetensors files the header: metadata, and each tensor's dtype and shape in the file's order;
- `like`, where another file of the case has the very same header, `copy`, where it has the same bytes;
- the text of JSON files and the front matter of model cards, and of others only how long they are.

case-files.fixture.ts lays them out again, with numbers of its own. Standard library only:

    python scripts/make_case_headers.py /path/to/cases/*/
"""

import hashlib
import json
import re
import struct
import sys
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "src" / "worker" / "cases" / "golden"
FRONT_MATTER = re.compile(r"---\n.*?\n---\n", re.DOTALL)


def read_header(path):
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
    metadata = header.pop("__metadata__", None)
    entries = sorted(header.items(), key=lambda entry: entry[1]["data_offsets"])
    tensors = {
        name: entry["dtype"] + json.dumps(entry["shape"], separators=(",", ":"))
        for name, entry in entries
    }
    return {"tensors": tensors} if metadata is None else {"metadata": metadata, "tensors": tensors}


def describe(folder):
    """What each file of a folder is, by its path inside it."""
    files, of_bytes, of_header = {}, {}, {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        name = path.relative_to(folder).as_posix()
        content = path.read_bytes()
        digest = hashlib.sha256(content).digest()
        if digest in of_bytes:
            files[name] = {"copy": of_bytes[digest]}
            continue
        of_bytes[digest] = name
        if path.suffix == ".safetensors":
            header = read_header(path)
            key = json.dumps(header)
            files[name] = {"like": of_header[key]} if key in of_header else header
            of_header.setdefault(key, name)
        elif path.suffix == ".json":
            files[name] = {"text": content.decode()}
        elif path.name == "README.md":
            front = FRONT_MATTER.match(content.decode())
            files[name] = {"text": front.group() if front else ""}
        else:
            files[name] = {"bytes": len(content)}
    return files


def main():
    cases = [Path(argument) for argument in sys.argv[1:] if (Path(argument) / "inputs").is_dir()]
    if not cases:
        sys.exit(__doc__)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    for case in cases:
        files = describe(case / "inputs")
        lines = [
            f"{json.dumps(name)}: {json.dumps(about, ensure_ascii=False, separators=(',', ':'))}"
            for name, about in files.items()
        ]
        text = "{\n" + ",\n".join(lines) + "\n}\n"
        (GOLDEN / f"{case.name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
