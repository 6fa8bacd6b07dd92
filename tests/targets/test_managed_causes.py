"""Logs are in vLLM's manner; that the real one's are read too, tests/servers shows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from safejury.common import FirstContactError
from safejury.targets import ManagedServer, VllmSpec, explain_log

Fake = Callable[..., VllmSpec]
ENGINE = "(EngineCore_0 pid=71) ERROR 01-01 00:00:00 [core.py:700] "
WRAPPED = (
    "(APIServer pid=70) RuntimeError: Engine core initialization failed. See root cause above."
)
SPEC = VllmSpec.of("org/model", python="/opt/vllm/bin/python")


async def _failed(spec: VllmSpec, folder: Path) -> str:
    with pytest.raises(FirstContactError) as failed:
        await ManagedServer("tiny", spec, folder=folder).start()
    error = str(failed.value)
    assert "the server 'tiny' did not start: it ended with code" in error
    assert f"(log: {folder / 'tiny.log'}); the end of its log: " in error
    assert "\n" not in error
    return error


async def test_out_of_memory(fake_vllm: Fake, tmp_path: Path) -> None:
    says = f"{ENGINE}torch.OutOfMemoryError: CUDA out of memory. Tried 20 GiB.\n{WRAPPED}"
    error = await _failed(fake_vllm(says=says), tmp_path)
    assert "the GPU's memory is too small; lower max-model-len, max-num-seqs or" in error
    assert "Tried 20 GiB. | RuntimeError: Engine core" in error


async def test_an_unknown_argument(fake_vllm: Fake, tmp_path: Path) -> None:
    error = await _failed(fake_vllm(args={"max_modle_len": 9}), tmp_path)
    assert "this vLLM does not know the argument --max-modle-len=9; correct it under" in error


async def test_a_limit_that_is_not_json(fake_vllm: Fake, tmp_path: Path) -> None:
    error = await _failed(fake_vllm(args={"limit-mm-per-prompt": "image=2"}), tmp_path)
    assert "the argument --limit-mm-per-prompt has a value that vLLM does not take" in error
    assert "such as limit-mm-per-prompt: {image: 2}" in error


async def test_a_model_that_is_not_found(fake_vllm: Fake, tmp_path: Path) -> None:
    error = await _failed(fake_vllm("org/no-model"), tmp_path)
    assert "there is no model 'org/no-model' on the hub, or it is private" in error


async def test_a_port_that_is_taken_after_all(fake_vllm: Fake, tmp_path: Path) -> None:
    says = "OSError: [Errno 98] Address already in use"
    error = await _failed(fake_vllm(says=says), tmp_path)
    assert "the port is taken; give it another, or leave `port:` out" in error
    assert (tmp_path / "tiny.log").read_text().count(says) == 3, "with a free port three are tried"


async def test_a_python_without_vllm(fake_vllm: Fake, tmp_path: Path) -> None:
    error = await _failed(fake_vllm(env={"PYTHONPATH": ""}), tmp_path)
    assert "vLLM is not installed in" in error
    assert "name the Python that has it with `python:`" in error


@pytest.mark.parametrize(
    ("log", "says"),
    [
        (
            "ValueError: Free memory on device cuda:0 (10/80 GiB) on startup is less than desired",
            "other programs use the GPU's memory",
        ),
        (
            "ValueError: Available memory on node 0 (3/24 GiB) on startup is less than desired CPU",
            "other programs use the machine's memory",
        ),
        (
            "ValueError: No available memory for the cache blocks. Try increasing",
            "the model leaves no memory for its KV cache",
        ),
        (
            "ValueError: To serve one request with the max seq len (131072), (16 GiB KV cache is",
            "the model's context of 131072 tokens needs more memory",
        ),
        (
            "RuntimeError: DefaultCPUAllocator: can't allocate memory: you tried to allocate",
            "the machine's memory is too small",
        ),
        ("GatedRepoError: 403 Client Error.", "accept its terms there, and set HF_TOKEN"),
        ("RepositoryNotFoundError: 401 Client Error.", "there is no model 'org/model' on the hub"),
        (
            "huggingface_hub.errors.LocalEntryNotFoundError: outgoing traffic has been disabled",
            "is not on this machine and the hub cannot be reached",
        ),
        (
            "ValueError: At most 2 images: set `--limit-mm-per-prompt` to increase it",
            "its limits for pictures and sounds do not fit (At most 2 images",
        ),
        ("RuntimeError: Cannot find any model weights with `x`", "the model has no weights"),
        (
            "ValueError: Model architectures ['NewOne'] are not supported for now.",
            "this vLLM cannot serve the architecture ['NewOne']; upgrade vLLM",
        ),
        ("/opt/vllm/bin/python: No module named 'vllm'", "not installed in /opt/vllm/bin/python"),
    ],
)
def test_other_causes_are_named(log: str, says: str) -> None:
    said = explain_log(f"INFO loading\n{ENGINE}{log}\n{WRAPPED}\n", SPEC)
    assert says in said
    assert "\n" not in said


def test_what_nobody_foresaw_is_quoted() -> None:
    log = f"INFO loading\n{ENGINE}KeyError: 'visual.merger'\n{WRAPPED}\n"
    assert explain_log(log, SPEC) == "KeyError: 'visual.merger'"
    assert explain_log(WRAPPED, SPEC).startswith("RuntimeError: Engine core")
    assert explain_log("INFO loading\n", SPEC) == "the log does not say why"


def test_the_arguments_that_a_log_begins_with_are_no_cause() -> None:
    log = "INFO non-default args: {'limit_mm_per_prompt': {'image': 2}}\nKeyError: 'x'\n"
    assert explain_log(log, SPEC) == "KeyError: 'x'"


def test_escapes_in_a_log_are_made_harmless() -> None:
    assert (
        explain_log("ValueError: \x1b[31mred\x1b[0m\n", SPEC) == r"ValueError: \x1b[31mred\x1b[0m"
    )


async def test_noise_is_left_out_of_the_end(fake_vllm: Fake, tmp_path: Path) -> None:
    """Calls that were answered, and the list of all arguments."""
    noise = 'INFO:     127.0.0.1:4 - "GET /health HTTP/1.1" 200 OK\n    [--dtype DTYPE] [--seed]\n'
    error = await _failed(fake_vllm(says=f"ValueError: a\n{noise * 40}b"), tmp_path)
    assert "ValueError: a | b" in error
    assert "/health" not in error
    assert "--dtype" not in error
