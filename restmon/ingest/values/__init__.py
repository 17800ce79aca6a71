"""What single values in the files mean (SEMANTICS.md, "Inputs"): pure, one module a column.

A parser takes a pyarrow binary array of n raw values and returns a :class:`.base.Parsed`. Each
distinct value is parsed once. Reasons and warnings are sentences for the person who mends the file.
"""
