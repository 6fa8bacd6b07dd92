"""A node on which something else is installed is named, with what to do."""

from dataclasses import replace

import pytest

from safejury.evaluation.engine.cluster import Facts, facts_here

HERE = Facts("3.12.4", "2.60.0", "1.0.0", "a", ())


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (replace(HERE, python="3.11.9"), "has Python 3.11, and this command is of 3.12"),
        (replace(HERE, ray="2.59.0"), "has Ray 2.59.0, and this command is of 2.60.0"),
        (replace(HERE, version="0.9.0"), "has safejury 0.9.0, and this command is of 1.0.0"),
        (replace(HERE, sources="b"), "has another safejury 1.0.0"),
        (replace(HERE, unset=("KEY",)), "lacks the environment variable KEY: export it there"),
        ("No module named 'safejury'", "has no usable safejury: No module"),
    ],
)
def test_a_node_that_differs_is_named(there: object, said: str) -> None:
    (problem,) = HERE.problems(there, "node-7")
    assert problem.startswith("the node node-7 ")
    assert said in problem


def test_a_node_with_a_later_patch_of_python_is_the_same() -> None:
    assert not HERE.problems(replace(HERE, python="3.12.11"), "node-7")


def test_each_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFEJURY_TEST_SET", "sk-never-shown")
    monkeypatch.setenv("SAFEJURY_TEST_BLANK", " ")
    names = ("SAFEJURY_TEST_SET", "SAFEJURY_TEST_BLANK", "SAFEJURY_TEST_UNSET")
    there = facts_here(names)
    said = facts_here().problems(there, "node-7")
    assert [name for name in names if any(name in problem for problem in said)] == [*names[1:]]
    assert "sk-never-shown" not in repr(there)
