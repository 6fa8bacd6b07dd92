"""Personas of jurors: the bundled ones and the user's own."""

from ._persona import HUMAN, Persona, PersonaSampling, bundled_personas, load_persona

__all__ = [
    "HUMAN",
    "Persona",
    "PersonaSampling",
    "bundled_personas",
    "load_persona",
]
