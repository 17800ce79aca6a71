"""One step as a whole process; prints its seconds in process and its peak memory as JSON."""

import json
import sys
import time
from pathlib import Path

import duckdb

from benchmarks.memory import peak_megabytes

HERE = Path(__file__).parent


def main(step: str, database: str, file: str = "") -> None:
    """Run ``import`` (of the current folder), ``upsert`` (of a file of polls), ``report`` (to a
    file) or ``store`` (a store's 30 days, of ids in a file, one a line)."""
    begin = time.perf_counter()
    with duckdb.connect(database, read_only=step in {"report", "store"}) as connection:
        sql = (HERE / f"{step}.sql").read_text()
        if step == "store":
            each = []
            for store in Path(file).read_text().split():
                start = time.perf_counter()
                connection.execute(sql, [store]).fetchnumpy()
                each.append(time.perf_counter() - start)
            print(json.dumps({"seconds": each}))
            return
        connection.execute(sql.replace("$FILE", file))
    seconds = time.perf_counter() - begin
    print(json.dumps({"seconds": seconds, "megabytes": peak_megabytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
