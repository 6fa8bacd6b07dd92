"""Derives seeds from the id of a call, so that a repeated call has the same one."""

import hashlib


def seed_for(seed: int, name: str) -> int:
    """Return the seed of one call or draw, from 0 to 2³¹ - 1.

    Args:
        seed: The set's seed.
        name: What it is for, such as the call's id.
    """
    digest = hashlib.sha256(f"{seed}/{name}".encode()).digest()
    return int.from_bytes(digest[:4]) >> 1
