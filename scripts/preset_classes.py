"""Writes public/presets/*.json: class names, in label order, and templates of the image tasks.

They are those of FusionBench (fusion_bench/tasks/clip_classification/TASK.py), which scored the
checkpoints of the presets. The input is a Markdown table of them, a section a task:

    ### TASK (10 classes, 3 templates)
    templates: `a photo of {c}.` | `a photo of a {c}.`
    classes: one | two | three

    python scripts/preset_classes.py TABLE.md
"""

import json
import re
import sys
from pathlib import Path

PRESETS = Path(__file__).resolve().parent.parent / "public" / "presets"
SECTION = re.compile(
    r"^### ([\w-]+) \((\d+) classes, (\d+) templates\)\s+"
    r"^templates: (.+?)$\s+"
    r"^classes: (.+?)$",
    re.MULTILINE,
)


def read_task(match):
    name, class_count, template_count, templates, classes = match.groups()
    task = {
        "templates": [text.strip()[1:-1] for text in templates.split(" | ")],
        "classNames": [text.strip() for text in classes.split(" | ")],
    }
    assert len(task["classNames"]) == int(class_count), name
    assert len(task["templates"]) == int(template_count), name
    assert all("{c}" in template for template in task["templates"]), name
    return name.replace("_", "-"), task


def main(table):
    PRESETS.mkdir(parents=True, exist_ok=True)
    for match in SECTION.finditer(Path(table).read_text(encoding="utf-8")):
        name, task = read_task(match)
        text = json.dumps(task, indent=1, ensure_ascii=False)
        (PRESETS / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(name, len(task["classNames"]), len(task["templates"]))


if __name__ == "__main__":
    main(sys.argv[1])
