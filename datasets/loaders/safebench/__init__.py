"""Loads SafeBench in its published layout."""
