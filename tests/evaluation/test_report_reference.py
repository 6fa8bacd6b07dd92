"""The reference of the JSON report names what reports hold."""

import json
import re
from pathlib import Path
from typing import Any

from report_reference import report_page


def test_every_field_of_a_report_is_in_the_reference(finished_run: Path, workplace: Any) -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| [^|]+ \| (.*?) \|$", report_page(), re.MULTILINE)
    known = {name for name, meaning in rows if meaning.strip()}
    report: Any = json.loads(
        workplace.safejury("report", str(finished_run), "--format", "json").out
    )
    first: dict[str, Any] = report["targets"][0]
    assert first.keys() - known == set()
    for part in ("asr", "sri", "tokens", "agreement", "outcomes", "flips"):
        assert first[part].keys() - known == set()
