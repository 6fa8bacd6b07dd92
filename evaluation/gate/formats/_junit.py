"""Writes what a gate decided as JUnit XML, a test case for each check."""

from datetime import UTC, datetime
from xml.etree import ElementTree

from ....common import escape_line
from .._check import Check, Outcome
from .._gate import GateResult
from .._words import explained

_NOT_XML = {"\ufffe": "\\ufffe", "\uffff": "\\uffff"}
"""Characters that XML cannot hold, beside those that are escaped anyway."""


def gate_junit(result: GateResult, *, now: datetime | None = None) -> bytes:
    """Return a gate's result as JUnit XML, as Ant's schema has it and Jenkins and GitLab read it.

    What failed is a failure, also where nobody can tell; what the policy accepts all the same is
    skipped. That a run is not fit to be decided by is an error.

    Args:
        result: The result.
        now: When it was decided, unless it is the clock's time.
    """
    root = ElementTree.Element("testsuites")
    cases = [_case(result, check) for check in result.checks]
    problems = [*result.unfit, *([] if result.error is None else [result.error])]
    for problem in problems:
        case = _testcase(result, "the run is fit to be decided by")
        _said(case, "error", problem, "infrastructure" if result.error is None else "error")
        cases.append(case)
    if not cases:  # nothing was checked, which is no success
        cases.append(_testcase(result, "the policy has rules"))
        _said(cases[0], "error", "nothing was checked", "error")
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        {
            "name": "safejury gate",
            "package": "safejury",
            "id": "0",
            "timestamp": f"{(now or datetime.now(UTC)).astimezone(UTC):%Y-%m-%dT%H:%M:%S}",
            "hostname": "localhost",
            "tests": str(len(cases)),
            "failures": str(_number(cases, "failure")),
            "errors": str(_number(cases, "error")),
            "skipped": str(_number(cases, "skipped")),
            "time": "0",
        },
    )
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in (("run", str(result.run)), ("record_sha256", result.record)):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _text(value)})
    suite.extend(cases)
    ElementTree.SubElement(suite, "system-out").text = "\n".join(map(_text, result.notes))
    ElementTree.SubElement(suite, "system-err").text = "\n".join(map(_text, problems))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _case(result: GateResult, check: Check) -> ElementTree.Element:
    case = _testcase(result, check.title)
    if check.outcome is Outcome.FAILED:
        _said(case, "failure", explained(check), str(check.outcome))
    elif not check.is_accepted:
        _said(case, "failure", explained(check), str(check.doubt))
    elif check.outcome is Outcome.CANNOT_TELL:
        ElementTree.SubElement(case, "skipped", {"message": _text(explained(check))})
    return case


def _testcase(result: GateResult, name: str) -> ElementTree.Element:
    classname = f"safejury.gate.{result.run.name or 'run'}"
    return ElementTree.Element(
        "testcase", {"name": _text(name), "classname": _text(classname), "time": "0"}
    )


def _said(case: ElementTree.Element, kind: str, message: str, reason: str) -> None:
    said = ElementTree.SubElement(case, kind, {"message": _text(message), "type": reason})
    said.text = _text(message)


def _number(cases: list[ElementTree.Element], kind: str) -> int:
    return sum(case.find(kind) is not None for case in cases)


def _text(text: str) -> str:
    line = escape_line(text)
    for char, shown in _NOT_XML.items():
        line = line.replace(char, shown)
    return line
