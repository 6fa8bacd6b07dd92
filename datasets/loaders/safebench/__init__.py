"""The loader of SafeBench's own layout."""
