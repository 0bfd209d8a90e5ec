"""A CSV file as programs of all kinds write it: which encoding, which delimiter, and its rows. Pure."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from signals.intake.cleaning import storable

#: Largest file, in bytes, most rows below the head, and most columns.
MOST_BYTES = 10 * 1024 * 1024
MOST_ROWS = 100_000
MOST_COLUMNS = 200
#: Longest text of one cell: as much as a ticket may hold.
MOST_CELL = 1024 * 1024

#: Name of the codec -> what people call it.
ENCODINGS = {
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16 (Unicode text)",
    "cp1252": "Windows, Western Europe",
    "cp1250": "Windows, Central Europe",
    "cp1251": "Windows, Cyrillic",
    "cp1253": "Windows, Greek",
    "cp1254": "Windows, Turkish",
    "cp932": "Japanese (Shift JIS)",
    "gb18030": "Chinese (GB 18030)",
    "mac-roman": "Mac, Western Europe",
    "cp850": "Western Europe (DOS)",
    "cp437": "United States (DOS)",
}
#: A file that can be read so is written so; of the others one can only guess.
PROVEN = ("utf-8-sig", "utf-16")
#: In this order the others are tried. The last takes every byte, so that no text is turned away before somebody chose.
_GUESSED = ("cp1252", "cp1250", "cp932", "cp1251", "mac-roman")
#: What the DOS code pages write Western letters with, and nothing else beyond ASCII,
_DOS = re.compile(rb"[\x00-\x9b\x9d\xa0-\xa8\xad\xe1]*")
#: and those of them inside of a word where Windows, of the West and of the East, has quotation marks and signs.
_DOS_WORD = re.compile(rb"[a-z][\x81-\x84\x86-\x89\x8b\x93\x94\xa1\xa2\xa4][a-z]")
DELIMITERS = {",": "Comma", ";": "Semicolon", "\t": "Tab", "|": "Vertical bar"}
#: How many rows the delimiter is guessed from.
_LOOKED_AT = 30
#: How spreadsheets write the delimiter above the head.
_TOLD = re.compile(r'"?sep=(.)"?(?=\r|\n|$)')
#: What a spreadsheet takes for the beginning of a formula, in full width too.
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")

csv.field_size_limit(MOST_CELL)  # the module's own limit is one for the whole process, and an eighth of this


class TableRefused(ValueError):
    """A file that cannot be read as a table; the message says why and what to do."""


@dataclass(frozen=True)
class Row:
    """One row below the head. `line` = where it begins in the file, from 1, as an editor numbers lines."""

    number: int
    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """A decoded file. `head` = the names of the columns."""

    head: tuple[str, ...]
    text: str
    delimiter: str

    def rows(self, *, after: int = 0) -> Iterator[Row]:
        """The rows below the head from number `after` + 1 on; empty lines are no rows. Raises TableRefused."""
        below = islice(_read(self.text, self.delimiter), 1, None)
        for number, (line, cells) in enumerate(below, start=1):
            if number > MOST_ROWS:
                raise TableRefused(f"The file has more than {MOST_ROWS:,} rows: cut it into several files.")
            if number > after:
                yield Row(number, line, tuple(cells))


def guess_encoding(content: bytes) -> str:
    """A codec that the file can be read with; Western Windows where nothing tells otherwise."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if _is_written_in("utf-8-sig", content):
        return "utf-8-sig"
    if _DOS_WORD.search(content) and _DOS.fullmatch(content):
        return "cp850"
    return next(codec for codec in _GUESSED if _is_written_in(codec, content))


def _is_written_in(codec: str, content: bytes) -> bool:
    try:
        content.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def guess_delimiter(text: str) -> str:
    """The delimiter by which the first rows have most columns, all of them equally many; a comma where none has."""
    best, most = ",", 1
    for delimiter in DELIMITERS:
        try:
            widths = [len(cells) for _, cells in islice(_read(text, delimiter), _LOOKED_AT)]
        except TableRefused:
            continue
        if widths and widths[0] > most and sum(width == widths[0] for width in widths) * 2 > len(widths):
            best, most = delimiter, widths[0]
    return best


def read_table(content: bytes, *, encoding: str, delimiter: str = "") -> Table:
    """The table in a file. Where no delimiter is given, the first line tells it (`sep=;`), else it is guessed.

    Raises:
        TableRefused: it is too large, empty, no text in that encoding, no table, or the delimiter is none.
    """
    if len(content) > MOST_BYTES:
        most = MOST_BYTES // 1024 // 1024
        raise TableRefused(f"The file is larger than {most} MB: cut it into several files.")
    if delimiter and delimiter not in DELIMITERS:
        raise TableRefused("Choose one of the delimiters.")
    text, told = _without_word_of_delimiter(_decoded(content, encoding))
    delimiter = delimiter or told or guess_delimiter(text)
    head = next((cells for _, cells in _read(text, delimiter)), None)
    if head is None:
        raise TableRefused("The file is empty.")
    if len(head) > MOST_COLUMNS:
        raise TableRefused(f"The first row names {len(head)} columns, the limit is {MOST_COLUMNS}.")
    return Table(head=_named(head), text=text, delimiter=delimiter)


def _without_word_of_delimiter(text: str) -> tuple[str, str]:
    """The text with its first line empty where that only tells the delimiter, and the delimiter; lines keep their
    numbers."""
    told = _TOLD.match(text)
    if told is None or told[1] not in DELIMITERS:
        return text, ""
    return text[told.end() :], told[1]


def written(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A CSV file of these rows that a spreadsheet opens without running anything that stands in it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([harmless(name) for name in head])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return out.getvalue()


def harmless(cell: str) -> str:
    """The cell with an apostrophe before what a spreadsheet would take for a formula; `plain` takes it off again."""
    return f"'{cell}" if _is_formula(cell) else cell


def plain(cell: str) -> str:
    """The cell without the apostrophe that stands before a formula."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell[1:]) else cell


def _is_formula(cell: str) -> bool:
    return cell.startswith(("\t", "\r", "\n")) or cell.lstrip(" \t\r\n").startswith(_FORMULA)


def _decoded(content: bytes, encoding: str) -> str:
    if encoding not in ENCODINGS:
        raise TableRefused("Choose one of the encodings.")
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        raise TableRefused(f"The file is not written in {ENCODINGS[encoding]}: choose another encoding.") from error
    if "\0" in text[:10_000]:
        raise TableRefused("The file is no text. Save it as CSV first.")
    return storable(text)


def _read(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Line and cells of every row that has any; raises TableRefused.

    Strict: a reader that forgives a quotation mark takes all rows up to the next one for a part of that cell.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            begins, line = line, reader.line_num + 1
            if any(cell.strip() for cell in cells):
                yield begins, cells
    except csv.Error as error:
        raise TableRefused(_broken(error, line)) from error


def _broken(error: csv.Error, line: int) -> str:
    """What is wrong with the row that begins at a line, and what to do."""
    if "unexpected end" in str(error):
        wrong = "A quotation mark is opened in it and never closed."
    elif "expected after" in str(error):
        wrong = "A cell in quotation marks goes on behind them: a quotation mark inside of a cell is written twice."
    else:
        wrong = f"It cannot be taken apart: {error}."
    return f"The row that begins at line {line} is broken. {wrong} Mend it, or save the file as CSV anew."


def _named(head: Sequence[str]) -> tuple[str, ...]:
    """The names of the columns, each once: a column without a name is called by its place."""
    names: list[str] = []
    for place, cell in enumerate(head, start=1):
        name = " ".join(plain(cell).split())[:80] or f"Column {place}"
        while name in names:
            name = f"{name[:70]} ({place})"
        names.append(name)
    return tuple(names)
