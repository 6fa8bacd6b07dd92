"""Fixtures of the tests that run commands."""

from workplace import keys_end_with_their_test, scripted, workplace

__all__ = ["keys_end_with_their_test", "scripted", "workplace"]
