/** Python that the model card shows: how to load what lies beside it. At most 20 lines each. */

/** Of full fine-tunes: merged model plus a task's sparse vector. Needs torch and safetensors. */
export const SPARSE_LOADER = `import json
import torch
from safetensors import safe_open
from safetensors.torch import load_file

def load_task(task, folder="."):
    """The weights of one task: the merged model plus the task's sparse vector."""
    index = json.load(open(f"{folder}/model.safetensors.index.json"))
    files = sorted(set(index["weight_map"].values()))
    weights = {name: tensor for file in files for name, tensor in load_file(f"{folder}/{file}").items()}
    sparse = load_file(path := f"{folder}/{task}.sparse.safetensors")
    for name in [key[:-5] for key in sparse if key.endswith(".gaps")]:
        gaps = sparse.pop(f"{name}.gaps")
        values = sparse.pop(f"{name}.values").float() * sparse.pop(f"{name}.scale", 1)
        flat = weights[name].float().flatten()
        flat[torch.cumsum(gaps.long(), 0)[gaps != 255] - 1] += values
        weights[name] = flat.view(weights[name].shape)
    weights |= sparse  # what is left in it, the task keeps whole
    tied = index["metadata"].get("tied", {}) | json.loads(safe_open(path, "pt").metadata().get("tied", "{}"))
    return weights | {copy: weights[name] for copy, name in tied.items()}
`;

/** Of adapters. Needs transformers and peft. */
export const ADAPTER_LOADER = `import transformers
from peft import PeftModel

def load_task(task, base, folder="."):
    """The base model with the adapter of one task; task "merged" is the merged adapter."""
    config = transformers.AutoConfig.from_pretrained(base)
    model = getattr(transformers, config.architectures[0]).from_pretrained(base)
    return PeftModel.from_pretrained(model, f"{folder}/{task}")
`;
