"""Fixtures of the tests that run evaluations, by the command line."""

from workplace import keys_end_with_their_test, scripted, workplace

__all__ = ["keys_end_with_their_test", "scripted", "workplace"]
