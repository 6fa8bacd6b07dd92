"""Sets that were made by an earlier version: their stages are recognized, and no call is repeated.

The hashes below are of that version. A change of a prompt is a reason to change them; a new name
for a setting or a class is not.
"""

import json
from dataclasses import replace
from pathlib import Path

from made_set import SETTINGS, made_set
from speech_sounds import RecordedProgress

from safejury.generation import (
    STAGES,
    PictureSettings,
    SpeechSettings,
    TaxonomySettings,
    make_stages,
)

TAXONOMY = """\
categories:
  - id: consultation
    title: Consultation
    alias: CO
    scenarios:
      - {id: medical_advice, title: Medical Advice, aliases: [MA], definition: A, guideline: B}
  - id: cybersecurity
    title: Cybersecurity
    alias: CS
    scenarios:
      - {id: hardware_security, title: Hardware, aliases: [HS], definition: A, guideline: B}
"""
MADE_BEFORE = {
    "taxonomy": {
        "inputs": "fccc6e318e464e716402d7a5ae7e537f02b66145f875aa3a214d77f731f6e18e",
        "outputs": {
            "taxonomy.yaml": "e447e572aff96270737a38d597f751925cc1be57502a51c02da4754d4fc913ca",
            "taxonomy.jsonl": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        },
        "counts": "14443f18d021d9f9b574cd07eedcbb89c13109c8f51da0477f9d6cbe844452c7",
    },
    "queries": {
        "inputs": "b066323757a38a7231e44753c4dd14032e11f40bf033d2e0ba66d26410bca7c2",
        "outputs": {
            "candidates.jsonl": "8308f271fa465cf45f12b1050c9a6ab30bc5c7460e677c8babf987d0221fc05a",
            "queries.jsonl": "0e290116227bbb0cd6ae6307e3e0c390763b84fa18b1e690c47405cf145c1748",
        },
        "counts": "64128b782d665ca92e0f1874c3103a98e3277c7fb1758b5d628809f845f6da19",
    },
    "twins": {
        "inputs": "8556c9566fd60c25322c01d9e3eebe4bc012fa304de1968100d5ad0243d03954",
        "outputs": {
            "twins.jsonl": "d812f11239e947789ea70429f807302c72dd18d5fd84529d5e66ab40a5531a0a"
        },
        "counts": "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b",
    },
    "pictures": {
        "inputs": "6c231284182d8ee0f544e2617dee0fc2051d0809dfa4a705deeedce0f0de992b",
        "outputs": {
            "pictures.jsonl": "e9f4c29710cb04a3dba03c2414903e2d93de0cfbd5abdf00e7958ae8848ee6cb"
        },
        "counts": "b31bb6ead2c512c0510fe5a7c9486b88a869fd6c9e0369829fe0d924269b71b8",
    },
    "speech": {
        "inputs": "e0f5b31f0211358c1e588e02f60cfcff916d547eba0ea65ca0119ce7f59e2cdc",
        "outputs": {
            "speech.jsonl": "b768963f53783c36a4f4658160d550a230df09f76839ab964bec434d72b35b7a"
        },
        "counts": "74234e98afe7498fb5daf1f36ac2d78acc339464f950703b8c019892f982b90b",
    },
}


async def test_stages_of_an_earlier_version_are_up_to_date(tmp_path: Path) -> None:
    made = made_set()
    made.settings = replace(
        SETTINGS,
        taxonomy=TaxonomySettings(),
        pictures=PictureSettings(
            renderer="endpoint", base_url="http://127.0.0.1:9/v1", model="painter"
        ),
        speech=SpeechSettings(whisper="never"),
    )
    context = made.put(tmp_path / "set")
    context.folder.write_bytes("taxonomy.yaml", TAXONOMY.encode())
    context.folder.write_bytes("taxonomy.jsonl", b"")
    context.folder.write_bytes("stages.json", json.dumps(MADE_BEFORE).encode())
    await make_stages(STAGES[:-1], context)
    progress = context.progress
    assert isinstance(progress, RecordedProgress)
    assert progress.lines == [f"{stage.name}: up to date" for stage in STAGES[:-1]]
