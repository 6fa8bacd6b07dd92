"""The jury and the models of a config."""

from ._bench import Ask, Bench, Chair, model_spec, seat_bench

__all__ = [
    "Ask",
    "Bench",
    "Chair",
    "model_spec",
    "seat_bench",
]
