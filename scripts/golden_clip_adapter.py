"""Golden data of a LoRA adapter on a CLIP tower: `python scripts/golden_clip_adapter.py`.

Trains nothing: an adapter with random factors on q and v of the embedded zoo's vision tower, saved by peft from the
bare tower (its keys lack `vision_model.`, as those of public adapters do), and the logits transformers gives with it
for the first images of one test split. Needs scripts/zoo/requirements.txt.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "zoo"))

from evaluate import Zoo  # noqa: E402
from model import image_logits  # noqa: E402

OUT = HERE.parent / "src/jobs/adapters/golden"
TASK = "digits"
IMAGES = 64


@torch.no_grad()
def main() -> None:
    torch.manual_seed(20240203)
    zoo = Zoo(HERE.parent / "public/zoo")
    config = LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], lora_dropout=0.0)
    tower = get_peft_model(zoo.model.vision_model, config)
    for name, parameter in tower.named_parameters():
        if "lora_B" in name:
            parameter.copy_(0.1 * torch.randn_like(parameter))
    tower.eval()
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    tower.save_pretrained(OUT)
    (OUT / "README.md").unlink()
    text = (OUT / "adapter_config.json").read_text()
    assert "/" not in text.replace("public/zoo", ""), "the configuration names a path of this machine"
    pixels, _ = zoo.images(TASK, "test")
    logits = image_logits(zoo.model, pixels[:IMAGES], zoo.heads[TASK])
    plain = Zoo(HERE.parent / "public/zoo").model
    without = image_logits(plain, pixels[:IMAGES], zoo.heads[TASK])
    save_file({"adapted": logits.contiguous(), "base": without.contiguous()}, OUT / "logits.safetensors")
    changed = (logits.argmax(1) != without.argmax(1)).sum().item()
    print(f"the adapter changes {changed} of {IMAGES} answers, logits by {(logits - without).abs().max():.3f}")


if __name__ == "__main__":
    main()
