"""Parsers of values in files (SEMANTICS.md, "Inputs"): pure, a module for each kind of value.

A parser takes a pyarrow binary array of n raw values and returns a :class:`.base.Parsed`. Each
distinct value is parsed once. Reasons and warnings are sentences for the person who mends the file.
"""
