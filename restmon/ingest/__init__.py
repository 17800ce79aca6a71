"""A file of any kind into checked, written rows."""
