"""Make the models that the server tests serve; run with the servers' Python.

    .venv-servers/bin/python tests/servers/make_models.py build/models --gguf FILE

Two folders come out, `vlm-DIGEST` (a Qwen2-VL with random weights: it sees pictures
and says nothing) and `smollm2-DIGEST` (the embedded model's weights in a form that
vLLM takes); a line of JSON says where. The digest is that of this file and of FILE: a
folder that is there already is left as it is.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

SEED = 7
VISION_TOKENS = (
    "<|vision_start|>",
    "<|vision_end|>",
    "<|vision_pad|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
LARGEST_PIXELS = 28 * 28 * 512  # 512 tokens a picture at most, after merging 2 by 2

CHAT_TEMPLATE = """\
{%- for message in messages -%}
<|im_start|>{{ message.role }}
{% if message.content is string -%}
{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' or 'image_url' in part -%}
<|vision_start|><|image_pad|><|vision_end|>
{%- elif part.type == 'text' -%}
{{ part.text }}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
<|im_end|>
{% endfor -%}
{%- if add_generation_prompt -%}
<|im_start|>assistant
{% endif -%}
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--gguf", type=Path, required=True, help="file of the embedded model")
    options = parser.parse_args(arguments)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    digest = hashlib.sha256(Path(__file__).read_bytes() + options.gguf.read_bytes()).hexdigest()
    made = {
        name: str(make(options.folder.absolute() / f"{name}-{digest[:12]}", options.gguf, maker))
        for name, maker in (("vlm", make_vlm), ("smollm2", make_smollm2))
    }
    sys.stdout.write(json.dumps(made) + "\n")


def make(folder: Path, gguf: Path, maker: Callable[[Path, Path], None]) -> Path:
    """Make one model, in a folder that is moved into place when it is whole."""
    if folder.exists():
        return folder
    sys.stderr.write(f"... making {folder}\n")
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    try:
        maker(unfinished, gguf)
        unfinished.rename(folder)
    except OSError:
        if not folder.exists():  # else another process was quicker
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def make_smollm2(folder: Path, gguf: Path) -> None:
    """Write the embedded model's weights out in full, as safetensors."""
    transformers = import_module("transformers")
    model = transformers.AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name)
    # It is no longer quantised, and must not say that it is.
    model.hf_quantizer = None
    model.is_quantized = False
    del model.config.quantization_config
    model.save_pretrained(folder)
    _tokenizer(gguf).save_pretrained(folder)


def make_vlm(folder: Path, gguf: Path) -> None:
    """Write a Qwen2-VL of two layers each with random weights."""
    transformers = import_module("transformers")
    tokenizer = _tokenizer(gguf)
    tokenizer.add_special_tokens({"additional_special_tokens": list(VISION_TOKENS)})
    tokenizer.chat_template = CHAT_TEMPLATE
    import_module("torch").manual_seed(SEED)
    config = transformers.Qwen2VLConfig(**_vlm_config(tokenizer))
    model = transformers.Qwen2VLForConditionalGeneration(config)
    model.save_pretrained(folder)
    size = {"shortest_edge": 28 * 28, "longest_edge": LARGEST_PIXELS}
    transformers.Qwen2VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(size=size),
        tokenizer=tokenizer,
        video_processor=transformers.Qwen2VLVideoProcessor(size=size),
        chat_template=CHAT_TEMPLATE,
    ).save_pretrained(folder)
    ends = tokenizer.convert_tokens_to_ids("<|im_end|>")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ends}))


def _vlm_config(tokenizer: Any) -> dict[str, object]:
    start, end, _, image, video = map(tokenizer.convert_tokens_to_ids, VISION_TOKENS)
    return {
        "text_config": {
            "vocab_size": len(tokenizer),
            "hidden_size": 64,
            "intermediate_size": 128,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 8192,
            "initializer_range": 0.2,  # large enough for what it sees to change what it says
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [4, 6, 6],
            },
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.convert_tokens_to_ids("<|im_end|>"),
        },
        "vision_config": {
            "depth": 2,
            "embed_dim": 64,
            "hidden_size": 64,
            "num_heads": 2,
            "mlp_ratio": 2,
        },
        "image_token_id": image,
        "video_token_id": video,
        "vision_start_token_id": start,
        "vision_end_token_id": end,
        "tie_word_embeddings": False,  # or it repeats its last token
    }


def _tokenizer(gguf: Path) -> Any:
    transformers = import_module("transformers")
    return transformers.AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)


if __name__ == "__main__":
    main()
