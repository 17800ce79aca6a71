"""The tables in a file, and the kind of each."""

import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from restmon.errors import FileRejected
from restmon.ingest import workbooks, zip_archives
from restmon.ingest.containers import list_sheets_of_member, open_table
from restmon.ingest.file_sources import Source, TableInFile, in_sentences, on_disk
from restmon.ingest.headers import (
    BUSINESS_HOURS,
    LAYOUTS,
    LONGEST_HEADER,
    OTHER_HOURS,
    POLLS,
    TIMEZONES,
    WIDE_NEEDS,
    Chosen,
    Header,
    closest_kind,
    column_places,
    column_positions,
    find_header,
    has_several_a_weekday,
    header_reads,
    kind_of,
    loose,
)

Remembered = Callable[[list[str]], Chosen]
"""Returns the columns chosen for a file with these names in its header."""


@dataclass(frozen=True)
class Table:
    """One table of a file: where it is read, the name people know it by, its header (None: it has
    none), and its kind; where that is None, ``problem`` says what is wrong and ``closest`` is the
    kind it seems to be meant as."""

    source: Source
    name: str
    header: Header | None = None
    kind: str | None = None
    problem: FileRejected | None = None
    closest: str | None = None

    @property
    def path(self) -> tuple[str, ...]:
        """The place of the table in the file; empty for the file itself."""
        return self.source.path if isinstance(self.source, TableInFile) else ()

    @property
    def chosen(self) -> Chosen:
        """The columns that a user chose."""
        return {} if self.header is None else self.header.chosen


def tables_in(
    source: Source,
    name: str,
    chosen: Chosen | None = None,
    remembered: Remembered | None = None,
    kinds: Iterable[str] = tuple(LAYOUTS),
    most_mb: int | None = None,
) -> list[Table]:
    """The tables of a file: of a ZIP one a member, of a workbook one a sheet, else one. A ZIP of
    more than ``most_mb`` MB, unpacked, is rejected.

    Raises :class:`FileRejected` for a file that cannot be opened. A table that cannot be read, or
    has no known header, is there with its problem.
    """
    kinds = list(kinds)
    found = [
        _table(part, told, chosen or {}, remembered, kinds)
        for part, told in _parts(source, name, most_mb)
    ]
    if not found:
        raise FileRejected(f"{name} holds no file.", "It needs CSV files or workbooks.")
    return found


def needed(tables: list[Table], name: str) -> list[Table]:
    """The tables with a kind. Raises the problem if there are none."""
    good = [table for table in tables if table.kind]
    if good:
        return good
    problems = [table.problem for table in tables if table.problem]
    if len(tables) == 1:
        raise problems[0]
    raise FileRejected(
        f"{name} holds no table that restmon reads. {problems[0].message}", problems[0].hint
    )


def has_parts(source: Source, name: str) -> bool:
    """Whether a file is a ZIP or a workbook."""
    if isinstance(source, TableInFile):
        return False
    with in_sentences(name), on_disk(source) as disk:
        return zip_archives.is_zip(disk.read(4))


def _parts(source: Source, name: str, most_mb: int | None) -> list[tuple[Source, str]]:
    """The tables of a file with their names."""
    if isinstance(source, TableInFile):
        return [(source, name)]
    with in_sentences(name), on_disk(source) as disk:
        if not zip_archives.is_zip(disk.read(4)):
            return [(source, name)]
        disk.seek(0)
        with zipfile.ZipFile(disk) as archive:
            if zip_archives.is_workbook(archive):
                workbooks.check_workbook(disk, name)
                names = workbooks.list_sheets(disk, name)
                if not names:
                    raise FileRejected(f"{name} has no visible sheet.", "Show or add one.")
                return [
                    (TableInFile(source, (sheet,)), name if len(names) == 1 else f"{name}: {sheet}")
                    for sheet in names
                ]
            zip_archives.refuse_office(archive, name)
            found: list[tuple[Source, str]] = []
            infos = zip_archives.list_members(archive, name)
            if most_mb and sum(info.file_size for info in infos) > most_mb * 2**20:
                raise FileRejected(
                    f"{name} is larger than {most_mb:,} MB, unpacked.",
                    "Import it in parts, or raise RESTMON_MAX_FILE_MB.",
                )
            for info in infos:
                shown = f"{name}: {PurePosixPath(info.filename).name}"
                with zip_archives.open_member(archive, info, shown) as member:
                    head = member.read(4)
                if not zip_archives.is_zip(head):
                    found.append((TableInFile(source, (info.filename,)), shown))
                    continue
                for sheet in list_sheets_of_member(archive, info, shown):
                    found.append((TableInFile(source, (info.filename, sheet)), f"{shown}: {sheet}"))
            return found


def read_header(
    source: Source,
    name: str,
    kinds: Iterable[str] = tuple(LAYOUTS),
    chosen: Chosen | None = None,
) -> Header:
    """The header of a table. Raises :class:`FileRejected` if it is not CSV text."""
    with open_table(source, name) as (text, _):
        return find_header(text.read(LONGEST_HEADER), name, kinds, chosen)[0]


def _table(
    source: Source,
    name: str,
    chosen: Chosen,
    remembered: Remembered | None,
    kinds: list[str],
) -> Table:
    # A kind that columns are chosen for comes first.
    first = [kind for kind in kinds if any(key.startswith(f"{kind}.") for key in chosen)]
    kinds = [*first, *(kind for kind in kinds if kind not in first)]
    try:
        with open_table(source, name) as (text, _):
            beginning = text.read(LONGEST_HEADER)
        header = find_header(beginning, name, kinds, chosen)[0]
        if chosen and not kind_of(header, kinds):
            # Another table of the same file may be the one that has the column.
            here = {
                key: theirs
                for key, theirs in chosen.items()
                if loose(theirs) in map(loose, header.names)
            }
            header = find_header(beginning, name, kinds, here)[0]
        elif not chosen and remembered and not kind_of(header, kinds):
            header = replace(header, chosen=dict(remembered(header.names)))
    except FileRejected as error:
        return Table(source, name, problem=error)
    kind = kind_of(header, kinds)
    if kind == BUSINESS_HOURS and OTHER_HOURS in kinds and kind_of(header, [OTHER_HOURS]):
        both = FileRejected(
            f"{name} has a weekday and a date on each line, so it may be weekly hours or other "
            f"hours on dates; {header_reads(header)}.",
            "Leave out the column that does not count, or say which kind it is (--business-hours "
            "or --other-hours, or the field of that name of POST /import_data).",
        )
        return Table(source, name, header, None, both, closest=BUSINESS_HOURS)
    if kind is not None:
        return Table(source, name, header, kind, closest=kind)
    closest, problem = what_is_wrong(header, name, kinds)
    return Table(source, name, header, None, problem, closest)


def what_is_wrong(header: Header, name: str, kinds: list[str]) -> tuple[str | None, FileRejected]:
    """The kind that an unknown header is closest to, if any, and what is wrong with it."""
    closest = closest_kind(header, kinds)
    if BUSINESS_HOURS in kinds and has_several_a_weekday(header):
        return BUSINESS_HOURS, FileRejected(
            f"{name} has several columns for each weekday; {header_reads(header)}.",
            f"{WIDE_NEEDS}; or have a line for each day.",
        )
    if any(column_places(header, closest).values()):
        try:
            column_positions(header, closest, name)
        except FileRejected as error:
            return closest, error
    kind = _kind_of_data(header)
    if kind is not None:
        return kind, FileRejected(
            f"{name} has no header line; "
            f"{header_reads(header).replace('its header line', 'its first line')}.",
            f"Put the names of the columns there, as {','.join(LAYOUTS[kind])}.",
        )
    known = [f"{kind.replace('_', ' ')}: {', '.join(own)}" for kind, own in LAYOUTS.items()]
    return None, FileRejected(
        f"{name} has none of the columns that restmon reads; {header_reads(header)}.",
        f"Say which column is which, or name them as restmon does: {'; '.join(known)}.",
    )


def _kind_of_data(header: Header) -> str | None:
    """The kind of table that a line of data is of, which was read as a header; None for others."""
    # PyArrow takes a while to load, and a table with a known header does not need it here.
    from restmon.ingest import arrow_arrays  # noqa: PLC0415
    from restmon.ingest.values.statuses import parse_statuses  # noqa: PLC0415
    from restmon.ingest.values.times_of_day import parse_times  # noqa: PLC0415
    from restmon.ingest.values.timestamps import Timestamps  # noqa: PLC0415
    from restmon.ingest.values.zones import parse_zones  # noqa: PLC0415

    raw = arrow_arrays.of_bytes([n.encode() for n in header.names])
    if Timestamps("month-first")(raw).good.any():
        return POLLS
    if parse_times(raw, is_end=True).good.any():
        return BUSINESS_HOURS
    if parse_zones(raw).good.any():
        return TIMEZONES
    return POLLS if parse_statuses(raw).good.any() else None


def used(chosen: Mapping[str, str], tables: Iterable[Table]) -> set[str]:
    """The chosen columns that at least one of the tables has."""
    names = {loose(n) for table in tables if table.header for n in table.header.names}
    return {key for key, theirs in chosen.items() if loose(theirs) in names}
