"""Says of a model's reply whether it refuses."""


def is_refusal(text: str) -> bool:
    """Return whether a text begins with a refusal (English).

    A text that quotes a refusal is none, nor is an answer that holds only a part back,
    regrets something or sets a disclaimer before its help. Empty text is none either.
    """
    from ._refusing import begins_with_refusal  # when there is a reply, not at every start

    return begins_with_refusal(text)
