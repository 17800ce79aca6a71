"""What comes in hour by hour after the data of a benchmark: files of polls."""

from pathlib import Path

import numpy as np

from restmon.demo import generator


def hours_after(data: Path, folder: Path, number: int) -> list[Path]:
    """Write files of one hour's polls each, one a store of the folder ``data``, after its end."""
    folder.mkdir(exist_ok=True)
    with (data / "timezones.csv").open() as file:
        ids = [line.split(",")[0] for line in file][1:]
    rng = np.random.default_rng(7)
    begin = np.datetime64(generator.END.replace(tzinfo=None), "us")
    paths = []
    for hour in range(number):
        offsets = rng.integers(0, 3_600_000_000, len(ids))
        when = begin + hour * 3_600_000_000 + offsets
        status = np.where(rng.random(len(ids)) < 0.95, "active", "inactive")
        path = folder / f"hour-{hour}.csv"
        with path.open("w") as out:
            out.write("store_id,status,timestamp_utc\n")
            for store, state, moment in zip(ids, status, when, strict=True):
                out.write(f"{store},{state},{str(moment).replace('T', ' ')} UTC\n")
        paths.append(path)
    return paths
