"""Asks a model that no server serves, in this process, by its card's code with transformers.

`safejury run examples/safebench/elsewhere.yaml` calls `bunny` for each query. It needs `torch`,
`transformers`, `accelerate` and Pillow beside safejury, and about 20 GB of GPU memory.
"""

import asyncio
from functools import cache
from importlib import import_module
from typing import Any

from safejury.datasets import Query

_BUNNY = "BAAI/Bunny-v1_1-Llama-3-8B-V"
_PROMPT = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant "
    "gives helpful, detailed, and polite answers to the user's questions. "
    "USER: <image>\n{} ASSISTANT:"
)
_IMAGE_TOKEN = -200
_MAX_TOKENS = 1024
_one_at_a_time = asyncio.Lock()


async def bunny(query: Query) -> str:
    """Answer as Bunny-v1.1-Llama-3-8B-V, greedily."""
    async with _one_at_a_time:
        return await asyncio.to_thread(_answer, query)


def _imported(name: str) -> Any:
    return import_module(name)  # not before it is needed


@cache
def _loaded() -> tuple[Any, Any]:
    torch, transformers = (_imported(name) for name in ("torch", "transformers"))
    model = transformers.AutoModelForCausalLM.from_pretrained(
        _BUNNY, torch_dtype=torch.float16, device_map="auto", trust_remote_code=True
    )
    return model, transformers.AutoTokenizer.from_pretrained(_BUNNY, trust_remote_code=True)


def _answer(query: Query) -> str:
    from PIL import Image

    torch: Any = _imported("torch")
    model, tokenizer = _loaded()
    before, after = (
        tokenizer(part).input_ids for part in _PROMPT.format(query.text).split("<image>")
    )
    ids = torch.tensor([[*before, _IMAGE_TOKEN, *after[1:]]], device=model.device)
    pictures = [Image.open(image.path).convert("RGB") for image in query.images]
    pixels = model.process_images(pictures, model.config).to(dtype=model.dtype, device=model.device)
    said = model.generate(
        ids, images=pixels, max_new_tokens=_MAX_TOKENS, do_sample=False, use_cache=True
    )
    return str(tokenizer.decode(said[0][ids.shape[1] :], skip_special_tokens=True)).strip()
