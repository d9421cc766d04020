/** Python that the model card shows: how to load what lies beside it, in as few lines as can be read. */

/**
 * Of full fine-tunes: merged model plus a task's sparse vector, value by value (version 1). At most 20
 * lines. Needs torch and safetensors.
 */
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

/**
 * The same with packed values (version 2). At most 60 lines: Python's loop is over blocks, and what is done
 * to entries is NumPy's. Raises ValueError where a file is not what was written, with the tensor that a block is of. Needs
 * NumPy, torch and safetensors.
 */
export const PACKED_LOADER = `import json
import zlib
import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import load_file

BLOCK = 2**18  # elements of a tensor that a block covers

def load_task(task, folder="."):
    """The weights of one task: the merged model plus the task's sparse vector."""
    index = json.load(open(f"{folder}/model.safetensors.index.json"))
    files = sorted(set(index["weight_map"].values()))
    weights = {name: tensor for file in files for name, tensor in load_file(f"{folder}/{file}").items()}
    sparse = load_file(path := f"{folder}/{task}.sparse.safetensors")
    facts = safe_open(path, "pt").metadata()
    book, told, blocks = (sparse.pop(f"peru.{part}").numpy() for part in ("codebook", "directory", "blocks"))
    if zlib.crc32(told[:-2], zlib.crc32(book)) % 65536 != int.from_bytes(told[-2:], "little"):
        raise ValueError(f"{path}: its codebook and directory are not what was written")
    told, bits, at, stored = iter(told[:-2].tolist()), int(facts["values"][1:]), 0, 0
    for name in sorted(weights):
        if weights[name].dtype not in (torch.float32, torch.float16, torch.bfloat16):
            continue
        for start in range(0, weights[name].numel(), BLOCK):
            if (kept := varint(told)) == 0:
                continue
            low, gain, unary = next(told, 0), next(told, 0), varint(told)
            check = next(told, 0) + 256 * next(told, 0)
            end = at + unary + (kept * (low + bits) + 7) // 8
            block, at, stored = blocks[at:end], end, stored + kept
            if zlib.crc32(block) % 65536 != check or np.unpackbits(block[:unary]).sum() != kept:
                raise ValueError(f"{path}: what it holds of {name} is not what was written")
            places, codes = entries(block, unary, kept, low, bits)
            if start + places[-1] >= weights[name].numel():
                raise ValueError(f"{path}: what it holds of {name} leads past its end")
            levels = book * np.float32((16 + gain % 16) * 2.0 ** (gain // 16 - 10))
            flat = weights[name].float().flatten()
            flat[torch.from_numpy(start + places)] += torch.from_numpy(np.append(levels, -levels)[codes])
            weights[name] = flat.view(weights[name].shape)
    if next(told, None) is not None or at != len(blocks) or stored != int(facts["kept"]):
        raise ValueError(f"{path}: what it holds up to {name} is not what was written for this merged model")
    weights |= sparse  # what is left in it, the task keeps whole
    tied = index["metadata"].get("tied", {}) | json.loads(facts.get("tied", "{}"))
    return weights | {copy: weights[name] for copy, name in tied.items()}

def entries(block, unary, kept, low, bits):
    """Places of a block's entries, from gaps as Rice codes, and the codes of their values."""
    ones = np.flatnonzero(np.unpackbits(block[:unary]))
    fields = np.unpackbits(block[unary:], count=kept * (low + bits)).reshape(kept, low + bits)
    places = ((ones - np.arange(kept)) << low) + np.cumsum(whole(fields[:, :low]) + 1) - 1
    return places, whole(fields[:, low:])

def whole(bits):
    return bits @ (1 << np.arange(bits.shape[1])[::-1])

def varint(told):
    value, unit = 0, 1
    while (byte := next(told, 0)) > 127:
        value, unit = value + (byte - 128) * unit, unit * 128
    return value + byte * unit
`;

/** Of adapters. At most 20 lines. Needs transformers and peft. */
export const ADAPTER_LOADER = `import transformers
from peft import PeftModel

def load_task(task, base, folder="."):
    """The base model with the adapter of one task; task "merged" is the merged adapter."""
    config = transformers.AutoConfig.from_pretrained(base)
    model = getattr(transformers, config.architectures[0]).from_pretrained(base)
    return PeftModel.from_pretrained(model, f"{folder}/{task}")
`;
