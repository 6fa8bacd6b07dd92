"""Readers of recorded responses, by format."""
