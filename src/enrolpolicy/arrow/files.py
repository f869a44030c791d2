"""A directory with one file for each table, Parquet or Arrow; and files written whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedWriter
from pathlib import Path
from typing import Protocol, final

import pyarrow as pa
import pyarrow.parquet as pq
from attrs import define, field

from enrolpolicy.arrow.conforming import check_names, check_schema, conformed
from enrolpolicy.arrow.layout import is_text, text_columns
from enrolpolicy.arrow.problems import Problems
from enrolpolicy.arrow.tables import estates_of_batches
from enrolpolicy.arrow.walking import ROWS, Block, blocks
from enrolpolicy.bulk import SHAPES, Estate, Shape

FORMATS = {".parquet": "Parquet", ".arrow": "Arrow IPC"}
"""What a file is, by the end of its name."""
GROUP = 1 << 17
"""So many rows make a group of a file that is written, so that its bytes do not tell in which parts they came."""


class _Source(Protocol):
    schema: pa.Schema
    rows: int | None

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]: ...


@final
class _Parquet:
    def __init__(self, path: Path, shape: Shape) -> None:
        texts = set(text_columns(shape))
        encoded = [field.name for field in pq.read_schema(path) if field.name in texts and is_text(field.type)]
        self._file = pq.ParquetFile(path, read_dictionary=encoded, pre_buffer=False)
        self.schema = self._file.schema_arrow
        self.rows: int | None = self._file.metadata.num_rows

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        return self._file.iter_batches(batch_size=rows)


@final
class _Arrow:
    """A file of the random-access or of the streaming format, mapped into memory."""

    def __init__(self, path: Path, _: Shape) -> None:
        mapped = pa.memory_map(str(path))
        self.rows: int | None = None
        self._batches: Iterator[pa.RecordBatch]
        try:
            file = pa.ipc.open_file(mapped)
        except pa.ArrowInvalid:
            mapped.seek(0)
            reader = pa.ipc.open_stream(mapped)
            self.schema, self._batches = reader.schema, iter(reader)
        else:
            self.schema = file.schema
            self._batches = (file.get_batch(number) for number in range(file.num_record_batches))

    def batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        return self._batches


_OPEN: Mapping[str, Callable[[Path, Shape], _Source]] = {".parquet": _Parquet, ".arrow": _Arrow}


@final
@define(eq=False)
class Directory:
    """The tables of a directory, found and looked at, not read yet; `accounts` is how many there are, if known."""

    _sources: Mapping[str, _Source]
    _problems: Problems
    accounts: int | None

    def estates(self, *, rows: int = ROWS) -> Iterator[Estate]:
        """The accounts, a few at a time, as `enrolpolicy.arrow.estates` gives them."""
        shares = self._shares(rows)
        return estates_of_batches(self._batches(shares), self._problems, rows=shares)

    def blocks(self, *, rows: int = ROWS) -> Iterator[Block]:
        """The same rows as they are, not looked at but for their accounts."""
        shares = self._shares(rows)
        return blocks(self._batches(shares), self._problems, rows=shares)

    def _shares(self, rows: int) -> dict[str, int]:
        """How many rows of each table are read at once: so many of the largest, of others what goes with those."""
        largest = max((source.rows or 0 for source in self._sources.values()), default=0)
        return {
            name: rows if source.rows is None else max(1, -(-rows * source.rows // max(1, largest)))
            for name, source in self._sources.items()
        }

    def _batches(self, rows: Mapping[str, int]) -> dict[str, Iterator[pa.RecordBatch]]:
        return {
            name: conformed(SHAPES[name], self._read(name, source, rows[name]), rows[name])
            for name, source in self._sources.items()
        }

    def _read(self, name: str, source: _Source, rows: int) -> Iterator[pa.RecordBatch]:
        try:
            yield from source.batches(rows)
        except (pa.ArrowException, OSError) as error:
            _refuse_file(self._problems, name, error)
            self._problems.refuse()


def open_tables(directory: str | os.PathLike[str]) -> Directory:
    """The tables of a directory: `records.parquet` or `records.arrow`, and so on for every table of `SHAPES`.

    Raises `InvalidSnapshot` with everything that the files' heads show to be wrong, and `OSError` where there is no
    such directory. Other files are left alone.
    """
    problems = Problems()
    paths = _found(Path(directory), problems)
    check_names(paths, problems)
    sources: dict[str, _Source] = {}
    for name, shape in SHAPES.items():
        if name in paths:
            try:
                sources[name] = _OPEN[paths[name].suffix](paths[name], shape)
            except (pa.ArrowException, OSError) as error:
                _refuse_file(problems, name, error)
            else:
                check_schema(shape, sources[name].schema, problems)
    problems.refuse()
    return Directory(sources, problems, sources["accounts"].rows)


def _found(directory: Path, problems: Problems) -> dict[str, Path]:
    paths: dict[str, Path] = {}
    for path in sorted(directory.iterdir()):
        if path.suffix not in FORMATS or path.name.startswith("."):
            continue
        if path.stem in paths:
            message = f"has two files, `{paths[path.stem].name}` and `{path.name}`; keep the one that is meant"
            problems.add(path.stem, "two-files", message)
        paths[path.stem] = path
    return paths


def _refuse_file(problems: Problems, name: str, error: Exception) -> None:
    reason = str(error).splitlines()[0].rstrip(".")[:200] if str(error) else type(error).__name__
    problems.add(name, "unreadable-file", f"cannot be read: {reason}; write the file anew")


# Out


@final
@define(eq=False)
class Sink:
    """A file being written, in groups of `GROUP` rows whatever the parts that come."""

    _write: pq.ParquetWriter | pa.ipc.RecordBatchFileWriter
    _schema: pa.Schema
    _waiting: list[pa.Table] = field(factory=list)

    def add(self, table: pa.Table) -> None:
        """Write more rows."""
        self._waiting.append(table)
        if sum(len(part) for part in self._waiting) >= GROUP:
            self._flush(GROUP)

    def close(self) -> None:
        """Write what is left, and the end of the file."""
        self._flush(1)
        self._write.close()

    def _flush(self, least: int) -> None:
        whole = pa.concat_tables([self._schema.empty_table(), *self._waiting]).combine_chunks()
        while len(whole) >= least:
            self._write.write_table(whole.slice(0, GROUP))
            whole = whole.slice(GROUP)
        self._waiting = [whole]


@contextmanager
def written(files: Mapping[str | os.PathLike[str], pa.Schema]) -> Iterator[tuple[Sink, ...]]:
    """Files to write tables of these schemas to; they are there, whole and all of them, when the block has ended well.

    Until then they have names of their own beside the place; after an exception nothing is left of them. Raises
    `OSError` where a file cannot be written, and `ValueError` for a name that ends in nothing known.
    """
    drafts = [(Path(name).resolve(), _draft(Path(name).resolve())) for name in files]
    with ExitStack() as stack:
        for _, draft in drafts:
            stack.callback(_remove, draft)
        sinks = []
        for (path, draft), schema in zip(drafts, files.values(), strict=True):
            file = stack.enter_context(draft.open("xb"))
            writer = _writer(path, file, schema)
            stack.callback(writer.close)  # which does nothing the second time
            sinks.append((Sink(writer, schema), file))
        yield tuple(sink for sink, _ in sinks)
        for sink, file in sinks:
            sink.close()
            file.flush()
            os.fsync(file.fileno())
        for path, draft in drafts:
            draft.replace(path)


def _draft(path: Path) -> Path:
    return path.with_name(f".{path.name[:200]}.{os.getpid()}.new")


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _writer(path: Path, file: BufferedWriter, schema: pa.Schema) -> pq.ParquetWriter | pa.ipc.RecordBatchFileWriter:
    if path.suffix == ".parquet":
        return pq.ParquetWriter(file, schema, compression="zstd")
    if path.suffix == ".arrow":
        return pa.ipc.new_file(file, schema)
    raise ValueError(f"`{path.name}` must end in {' or '.join(f'`{end}`' for end in FORMATS)}")


def write_tables(tables: Mapping[str, pa.Table], directory: str | os.PathLike[str]) -> None:
    """Write tables into a directory, which is made, each to a Parquet file of its name."""
    Path(directory).mkdir(parents=True, exist_ok=True)
    files: dict[str | os.PathLike[str], pa.Schema] = {
        Path(directory) / f"{name}.parquet": table.schema for name, table in tables.items()
    }
    with written(files) as sinks:
        for sink, table in zip(sinks, tables.values(), strict=True):
            sink.add(table)
