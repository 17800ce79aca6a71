"""The command line: python -m restmon."""
