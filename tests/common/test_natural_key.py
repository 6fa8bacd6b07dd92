"""Names sorted by a database as people sort them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from safejury.common.text import natural_key, natural_order

_NAMES = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"])) | st.text(
    "a019-"
)


@settings(max_examples=30)
@given(st.lists(_NAMES, max_size=8))
def test_bytes_sort_like_the_lists(names: list[str]) -> None:
    assert sorted(names, key=natural_key) == sorted(names, key=natural_order)


def test_q2_comes_before_q10() -> None:
    assert natural_key("q2") < natural_key("q10")
