"""DuckDB, as good as we could make it: ``python -m benchmarks.duckdb_peer STEP DATABASE FILE``.

It is what a data engineer would use instead of restmon. The SQL works on the files of the current
folder, without any check of what they hold: no rejected lines, no revisions, no undo.
"""
