"""Makes the golden adapters of src/formats/peft/golden: what peft saves, and what it merges.

    python -m venv venv
    venv/bin/pip install torch==2.8.0 transformers==4.57.1 peft==0.17.1 safetensors
    venv/bin/python scripts/golden_adapters.py

bases/ holds the models, one a file. Each folder cases/CASE holds `base.txt`, the name of its base,
the adapter as `save_pretrained` wrote it, and `merged.safetensors`: those weights that differ from
the base after the saved adapter was loaded again and merged by `merge_and_unload`. Folders under
refused/ hold only the adapter: kinds that are more than LoRA. rules.json says which modules peft
targets under many configurations, and with which rank and alpha; patterns.json says what Python's
`re.fullmatch` makes of many patterns. Models are tiny and random; everything is seeded.
"""

import copy
import json
import re
import shutil
import tempfile
import warnings
from pathlib import Path

import torch
from peft import (
    AdaLoraConfig,
    IA3Config,
    LoHaConfig,
    LoraConfig,
    PeftModel,
    PrefixTuningConfig,
    get_peft_model,
)
from peft.tuners.tuners_utils import _ExcludedModule, check_target_module_exists
from peft.utils.other import get_pattern_key
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import (
    CLIPConfig,
    CLIPModel,
    GPT2Config,
    GPT2LMHeadModel,
    T5Config,
    T5ForConditionalGeneration,
)
from transformers.pytorch_utils import Conv1D

OUT = Path(__file__).resolve().parent.parent / "src/formats/peft/golden"
KEPT = ("adapter_config.json", "adapter_model.safetensors")


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(6, 5)
        self.v = nn.Linear(6, 5, bias=False)
        self.square = nn.Linear(5, 5)


class Stack(nn.Module):
    """Linear layers in a list, an embedding, and a head."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(9, 6)
        self.layers = nn.ModuleList([Block() for _ in range(3)])
        self.norm = nn.LayerNorm(5)
        self.head = nn.Linear(5, 4)

    def forward(self, ids):
        return ids


class Mixed(nn.Module):
    """Weights stored [in, out] and [out, in] side by side; one of the former is square."""

    def __init__(self):
        super().__init__()
        self.attn = nn.ModuleDict({"c_proj": Conv1D(5, 5)})
        self.mlp = nn.ModuleDict({"c_proj": Conv1D(5, 7)})
        self.head = nn.Linear(5, 4)

    def forward(self, x):
        return x


class Convolutions(nn.Module):
    def __init__(self):
        super().__init__()
        self.point = nn.Conv2d(4, 6, 1)
        self.square = nn.Conv2d(3, 5, 3)
        self.oblong = nn.Conv2d(2, 5, (2, 3), bias=False)
        self.line = nn.Conv1d(3, 4, 5)

    def forward(self, x):
        return x


def t5():
    return T5ForConditionalGeneration(
        T5Config(
            vocab_size=12, d_model=8, d_kv=3, d_ff=10, num_layers=1, num_decoder_layers=1,
            num_heads=2, relative_attention_num_buckets=4, feed_forward_proj="gated-gelu",
            tie_word_embeddings=False, decoder_start_token_id=0,
        )
    )


def gpt2():
    return GPT2LMHeadModel(
        GPT2Config(vocab_size=11, n_positions=5, n_embd=6, n_layer=2, n_head=2, n_inner=14)
    )


def clip():
    text = dict(
        hidden_size=6, intermediate_size=10, num_hidden_layers=1, num_attention_heads=2,
        vocab_size=13, max_position_embeddings=5,
    )
    vision = dict(
        hidden_size=8, intermediate_size=12, num_hidden_layers=2, num_attention_heads=2,
        image_size=8, patch_size=4,
    )
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=4))


def whole(model):
    return model


QV = ["q", "v"]

# name: (model, part that peft adapts, settings)
CASES = {
    "plain": (Stack, whole, dict(r=2, lora_alpha=3, target_modules=QV)),
    "defaults": (Stack, whole, dict(target_modules=["layers.1.q", "v"])),
    "rslora": (Stack, whole, dict(r=3, lora_alpha=5, use_rslora=True, target_modules=QV)),
    "regex": (
        Stack,
        whole,
        dict(r=2, lora_alpha=1, target_modules=r".*layers\.[02]\.(?:q|square)|head"),
    ),
    "excluded": (
        Stack,
        whole,
        dict(r=2, lora_alpha=1, target_modules=QV, exclude_modules=r"layers\.1\..*"),
    ),
    "all-linear": (Stack, whole, dict(r=1, lora_alpha=2, target_modules="all-linear")),
    "layers-to-transform": (
        Stack,
        lambda model: nn.ModuleDict({"inner": model}),
        dict(r=2, target_modules=QV, layers_to_transform=[0, 2], layers_pattern="layers"),
    ),
    "patterns": (
        Stack,
        whole,
        dict(
            r=2, lora_alpha=3, target_modules=[*QV, "square"],
            rank_pattern={r"layers\.0\..*": 1, "1.q": 4, "^layers.2.v": 3, "q": 5},
            alpha_pattern={"layers.0.q": 7, "v": 0.5, r"layers\.[12]\.square": 11},
        ),
    ),
    "patterns-rslora": (
        Stack,
        whole,
        dict(
            r=4, lora_alpha=3, use_rslora=True, target_modules=QV,
            rank_pattern={"v": 2}, alpha_pattern={"1.v": 9},
        ),
    ),
    "modules-to-save": (
        Stack, whole, dict(r=2, target_modules=QV, modules_to_save=["head", "norm"])
    ),
    "bias-all": (Stack, whole, dict(r=2, target_modules=QV, bias="all")),
    "bias-all-saved": (
        Stack, whole, dict(r=2, target_modules=QV, bias="all", modules_to_save=["head"])
    ),
    "bias-lora-only": (Stack, whole, dict(r=2, target_modules=QV, bias="lora_only")),
    "embedding": (Stack, whole, dict(r=2, lora_alpha=5, target_modules=["embed", "q"])),
    "embedding-rslora": (
        Stack,
        whole,
        dict(
            r=4, lora_alpha=5, use_rslora=True, target_modules=["embed"],
            rank_pattern={"embed": 3},
        ),
    ),
    "convolution": (
        Convolutions,
        whole,
        dict(r=2, lora_alpha=3, target_modules=["point", "square", "oblong", "line"]),
    ),
    "gaussian": (Stack, whole, dict(r=2, target_modules=QV, init_lora_weights="gaussian")),
    "orthogonal": (Stack, whole, dict(r=2, target_modules=QV, init_lora_weights="orthogonal")),
    "t5-qv": (
        t5, whole, dict(r=2, lora_alpha=4, target_modules=QV, task_type="SEQ_2_SEQ_LM")
    ),
    "t5-all-linear": (t5, whole, dict(r=1, target_modules="all-linear")),
    "t5-bias-all": (t5, whole, dict(r=1, target_modules=["k"], bias="all")),
    "t5-embedding": (t5, whole, dict(r=2, target_modules=["shared", "q", "lm_head"])),
    "gpt2-conv1d": (gpt2, whole, dict(r=2, target_modules=["c_attn"], fan_in_fan_out=True)),
    "gpt2-square": (gpt2, whole, dict(r=2, target_modules=["attn.c_proj"], fan_in_fan_out=True)),
    # PEFT corrects a flag that does not fit, and saves the last correction.
    "gpt2-unflagged": (gpt2, whole, dict(r=2, target_modules=["c_attn", "c_proj"])),
    "mixed-storage": (Mixed, whole, dict(r=2, target_modules=["c_proj", "head"])),
    "gpt2-embedding": (
        gpt2, whole, dict(r=2, target_modules=["wte", "c_proj"], fan_in_fan_out=True)
    ),
    "gpt2-part": (
        gpt2,
        lambda model: model.transformer,
        dict(r=2, target_modules=["c_fc", "c_proj"], fan_in_fan_out=True),
    ),
    "clip-vision": (
        clip,
        lambda model: model.vision_model,
        dict(r=2, target_modules=["q_proj", "v_proj"]),
    ),
    "clip-whole": (
        clip, whole, dict(r=2, target_modules=["q_proj", "patch_embedding", "visual_projection"])
    ),
}

REFUSED = {
    "dora": (Stack, LoraConfig(r=2, target_modules=QV, use_dora=True)),
    "lora-bias": (Stack, LoraConfig(r=2, target_modules=QV, lora_bias=True)),
    "pissa": (Stack, LoraConfig(r=2, target_modules=QV, init_lora_weights="pissa")),
    "olora": (Stack, LoraConfig(r=2, target_modules=QV, init_lora_weights="olora")),
    "trainable-tokens": (
        Stack, LoraConfig(r=2, target_modules=QV, trainable_token_indices={"embed": [1, 3]})
    ),
    "target-parameters": (
        Stack, LoraConfig(r=2, target_modules=[], target_parameters=["layers.0.q.weight"])
    ),
    "ia3": (Stack, IA3Config(target_modules=QV, feedforward_modules=[])),
    "loha": (Stack, LoHaConfig(r=2, target_modules=QV)),
    "adalora": (Stack, AdaLoraConfig(init_r=2, target_modules=QV, total_step=10)),
    "prefix-tuning": (t5, PrefixTuningConfig(task_type="SEQ_2_SEQ_LM", num_virtual_tokens=2)),
}


MODULES = [
    "q", "v", "head", "layers.0.q", "layers.1.q", "layers.10.q", "layers.0.vq", "layers_0_q",
    "model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj",
    "model.layers.11.self_attn.v_proj", "model.layers.1.mlp.q_proj",
    "model.vision.layers.1.self_attn.q_proj", "model.layers.1.experts.2.up_proj",
    "h.1.attn.c_attn", "transformer.h.1.attn.c_attn", "transformer.h.12.mlp.c_proj",
    "encoder.block.0.layer.0.SelfAttention.q", "decoder.block.1.layer.1.EncDecAttention.q",
    "classifier", "classifier.dense", "my_classifier", "score.original", "lm_head",
]

RULES = [
    dict(target_modules=["q", "q_proj", "c_attn"]),
    dict(target_modules=["layers.1.q", "classifier", "self_attn.q_proj"]),
    dict(target_modules=r".*\.q(_proj)?"),
    dict(target_modules=r"model\.layers\.(?:0|1)\.(self_attn|mlp)\.[qv]_proj"),
    dict(target_modules=r"^(?!.*vision).*(?:q_proj|v_proj)$"),
    dict(
        target_modules=r"(?:.*?(?:language|layers).*?(?:attn|mlp).*?(?:q_proj|up_proj).*?)|lm_head"
    ),
    dict(target_modules=r"(?i).*selfattention\.Q"),
    dict(target_modules=r".*\b1\b.*", exclude_modules=r".*mlp.*"),
    dict(target_modules=r".*(?<=attn\.)c_attn|h\.\d{2,}\..*"),
    dict(target_modules="q"),
    dict(target_modules="all-linear"),
    dict(target_modules=["q", "q_proj", "v_proj"], exclude_modules=["layers.0.q", "v_proj"]),
    dict(target_modules=["q_proj", "dense", "classifier"], modules_to_save=["classifier"]),
    dict(target_modules=["q_proj", "q"], layers_to_transform=[1, 10]),
    dict(target_modules=["q_proj", "q", "layers.1.q"], layers_to_transform=0),
    dict(
        target_modules=["c_attn", "c_proj", "q_proj"],
        layers_to_transform=[1, 12],
        layers_pattern="h",
    ),
    dict(
        target_modules=["up_proj", "q_proj"],
        layers_to_transform=[1],
        layers_pattern=["layers", "experts"],
    ),
    dict(target_modules=["up_proj"], layers_to_transform=[2]),
    dict(target_modules=["q_proj", "q"], layers_to_transform=[]),
    dict(
        target_modules=["q"],
        rank_pattern={"q": 3, "layers.0.q": 4, r".*\.v_proj": 5, "^q": 6},
        alpha_pattern={"layers.0.q": 4, "q": 3, "self_attn.q_proj": 2.5},
    ),
    dict(
        target_modules=["q"],
        rank_pattern={r"layers\.1\..*": 2, "model.layers.1.self_attn.q_proj": 9, "s.0.q": 3},
        alpha_pattern={"c_(attn|proj)": 1, "h.[0-9]+.mlp.c_proj": 7, "": 5},
    ),
    dict(target_modules=["q"], rank_pattern={"model|q": 2, "(?:layers).(0|1).q": 7, "lm.head": 4}),
]

PATTERNS = [
    "", "a", "ab", "a|b", "a|", "(a|b)*c", "a+?b", "a{2}", "a{1,2}b", "a{,2}b", "a{2,}", "a{,}b",
    "a{", "a{x}", "{a}", "a{}", "[ab]+", "[^ab]+", "[]a]", "[^]a]", "[a-c]x", "[a\\-c]", "[[]",
    "[.]", "a.b", r"a\.b", r"\w+\.\d+", r"\W\S\s?\D", "^a$", "a$b", "a^b", "(^a|b)c?", r"\Aab\Z",
    r"a\b\.b", r"a\Bb", "(?=a)ab", "(?!a).*", "a(?!b).", ".*(?<=a)b", ".*(?<!a)b", "(?P<name>a)b",
    "(?:a(?:b|c))+", "(?i)AB", "(?s).*", "()", "(|a)b", "(a*)*b", "(a+)+b", "(a|a)*b", r"\-\_",
    "a-b", "x{2}{3}", "a**", "*a", "a++b", "(?>a)b", r"(a)\1", "(a", "a)", "[a", "a\\",
    "(?P=name)", "[z-a]", "a{3,2}", r"\p", "[\\w.]+", "[\\d-]+", "é", "(?#note)a",
]

TEXTS = [
    "", "a", "b", "ab", "ba", "aab", "abc", "ac", "bc", "bac", "aa", "aaa", "a{", "a{x}", "{a}",
    "a{}", "]", "]]", "cx", "-", "a-b", "[", ".", "a.b", "axb", "ab.12", "._ 3", ". x", "abab",
    "abac", "AB", "a\nb", "-_", "é", "xxxxxx", "a1", "b.c", "aaaab",
]


def write_rules():
    rules = []
    for settings in RULES:
        config = LoraConfig(r=8, lora_alpha=8, **settings)
        answers = {}
        for module in MODULES:
            found = settings["target_modules"] == "all-linear" or check_target_module_exists(
                config, module
            )
            excluded = isinstance(found, _ExcludedModule)
            rank = config.rank_pattern.get(get_pattern_key(config.rank_pattern, module), 8)
            alpha = config.alpha_pattern.get(get_pattern_key(config.alpha_pattern, module), 8)
            answers[module] = [bool(found) and not excluded, rank, alpha]
        rules.append({"config": {"peft_type": "LORA", "r": 8, **settings}, "modules": answers})
    (OUT / "rules.json").write_text(json.dumps(rules, indent=1) + "\n")


def write_patterns():
    """The texts each pattern matches; null for what Python itself refuses."""
    answers = {}
    for pattern in PATTERNS:
        try:
            answers[pattern] = [text for text in TEXTS if re.fullmatch(pattern, text)]
        except re.error:
            answers[pattern] = None
    facts = {"texts": TEXTS, "matched": answers}
    (OUT / "patterns.json").write_text(json.dumps(facts, indent=1) + "\n")


def randomise(model):
    """Random values wherever the adapter has been trained; a fresh one changes nothing."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.copy_(torch.randn_like(parameter) * 0.25)


def save_adapter(model, folder):
    with tempfile.TemporaryDirectory() as saved:
        model.save_pretrained(saved)
        keep(Path(saved), folder)


def keep(saved, folder):
    """The two files of an adapter, with the sets of its configuration in one order."""
    folder.mkdir(parents=True)
    for name in KEPT:
        shutil.copy(saved / name, folder / name)
    config = json.loads((folder / KEPT[0]).read_text())
    for field in ("target_modules", "exclude_modules"):
        if isinstance(config.get(field), list):
            config[field].sort()
    (folder / KEPT[0]).write_text(json.dumps(config, indent=1) + "\n")


def tensors(model):
    """State as a file has it: tied weights once."""
    tied = set(getattr(model, "_tied_weights_keys", None) or [])
    tied = tied if getattr(getattr(model, "config", None), "tie_word_embeddings", False) else set()
    if isinstance(model, T5ForConditionalGeneration):
        tied = {"encoder.embed_tokens.weight", "decoder.embed_tokens.weight"}
    return {
        name: value.detach().clone().contiguous()
        for name, value in model.state_dict().items()
        if name not in tied
    }


def fresh(make):
    torch.manual_seed(5)
    model = make()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.5)
    return model


def write_case(name, make, part, settings):
    folder = OUT / "cases" / name
    torch.manual_seed(7)
    trained = get_peft_model(part(fresh(make)), LoraConfig(**copy.deepcopy(settings)))
    randomise(trained)
    save_adapter(trained, folder)
    model = fresh(make)
    base = write_base(folder, make, model)
    wrapped = part(model)
    merged = PeftModel.from_pretrained(wrapped, folder).merge_and_unload()
    assert merged is wrapped or isinstance(merged, type(wrapped))
    write_merged(folder, base, tensors(model))


def write_base(folder, make, model):
    """The model's file, once for all of its cases, and its name in the case's folder."""
    name = make.__name__.lower()
    base = tensors(model)
    save_file(base, OUT / "bases" / f"{name}.safetensors")
    (folder / "base.txt").write_text(name + "\n")
    return base


def write_merged(folder, base, merged):
    assert base.keys() == merged.keys(), base.keys() ^ merged.keys()
    changed = {name: value for name, value in merged.items() if not torch.equal(value, base[name])}
    assert changed, f"{folder.name}: nothing changed"
    save_file(changed, folder / "merged.safetensors")


def write_half_case():
    """An adapter saved in bfloat16; peft widens it on loading."""
    folder = OUT / "cases/bf16"
    torch.manual_seed(7)
    trained = get_peft_model(fresh(Stack), LoraConfig(r=2, target_modules=QV))
    randomise(trained)
    save_adapter(trained, folder)
    file = folder / KEPT[1]
    save_file({name: value.bfloat16() for name, value in load_file(file).items()}, file)
    model = fresh(Stack)
    base = write_base(folder, Stack, model)
    PeftModel.from_pretrained(model, folder).merge_and_unload()
    write_merged(folder, base, tensors(model))


def write_converted_pissa():
    """PiSSA, saved as plain LoRA of twice the rank: the conversion that the refusal recommends."""
    folder = OUT / "cases/pissa-converted"
    torch.manual_seed(7)
    trained = get_peft_model(
        fresh(Stack), LoraConfig(r=2, lora_alpha=3, target_modules=QV, init_lora_weights="pissa")
    )
    with tempfile.TemporaryDirectory() as scratch:
        initial = Path(scratch) / "initial"
        trained.peft_config["default"].init_lora_weights = True
        trained.save_pretrained(initial)
        trained.peft_config["default"].init_lora_weights = "pissa"
        with torch.no_grad():
            for parameter in trained.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter) * 0.3)
        saved = Path(scratch) / "saved"
        trained.save_pretrained(saved, path_initial_model_for_weight_conversion=str(initial))
        keep(saved, folder)
    model = fresh(Stack)
    base = write_base(folder, Stack, model)
    PeftModel.from_pretrained(model, folder).merge_and_unload()
    write_merged(folder, base, tensors(model))


def write_refused(name, make, config):
    torch.manual_seed(7)
    model = get_peft_model(fresh(make), config)
    randomise(model)
    save_adapter(model, OUT / "refused" / name)


def main():
    warnings.simplefilter("ignore")
    shutil.rmtree(OUT, ignore_errors=True)
    (OUT / "bases").mkdir(parents=True)
    for name, (make, part, settings) in CASES.items():
        print(name)
        write_case(name, make, part, settings)
    write_half_case()
    write_converted_pissa()
    write_rules()
    write_patterns()
    for name, (make, config) in REFUSED.items():
        print("refused", name)
        write_refused(name, make, config)


if __name__ == "__main__":
    main()
