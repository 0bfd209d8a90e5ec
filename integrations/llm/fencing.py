"""Foreign text as data: shown whole, marked with where it came from, unable to end its own fence.

A fence asks the model to treat the inside as data. It is a courtesy to honest models and no control: nothing in Junto
relies on a model respecting it.
"""

import hashlib
import re

# Characters a reader cannot see or that reorder what he sees: controls (but tab and line feed), soft hyphen, joiners
# and spaces of no width, directional marks and isolates, invisible operators, fillers, blanks, tags, annotation marks,
# supplementary variation selectors, noncharacters and half surrogates. A test holds this list against Unicode's own.
_HIDDEN_RANGES = (
    (0x0000, 0x0008), (0x000B, 0x001F), (0x007F, 0x009F), (0x00AD, 0x00AD), (0x034F, 0x034F), (0x0600, 0x0605),
    (0x061C, 0x061C), (0x06DD, 0x06DD), (0x070F, 0x070F), (0x0890, 0x0891), (0x08E2, 0x08E2), (0x115F, 0x1160),
    (0x17B4, 0x17B5), (0x180B, 0x180F), (0x200B, 0x200F), (0x2028, 0x202E), (0x2060, 0x206F), (0x2800, 0x2800),
    (0x3164, 0x3164), (0xD800, 0xDFFF), (0xFDD0, 0xFDEF), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB),
    (0xFFFE, 0xFFFF), (0x110BD, 0x110BD), (0x110CD, 0x110CD), (0x13430, 0x1343F), (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF),
)  # fmt: skip
_HIDDEN = re.compile(
    "[" + "".join(f"{chr(first)}-{chr(last)}".replace("\\", r"\\") for first, last in _HIDDEN_RANGES) + "]"
    # One variation selector after a symbol chooses its look; a second in a row can only carry hidden bytes.
    "|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]"
)
_LINE_ENDS = re.compile(r"\r\n?|\x85")
_SELECTORS = re.compile("[\ufe00-\ufe0f]")

# Three or more of these in a row could be taken for the edge of a fence.
_OPENERS = "<\u2039\u00ab\u2329\u27e8\u27ea\u3008\u300a\ufe64\uff1c"
_CLOSERS = ">\u203a\u00bb\u232a\u27e9\u27eb\u3009\u300b\ufe65\uff1e"
_EDGE = re.compile(f"[{_OPENERS}]{{3,}}|[{_CLOSERS}]{{3,}}")


def show_escaped(text: str) -> str:
    """`text` with every hidden character (control, bidirectional, zero-width, tag) written as `[U+202E]`.

    Tab and line feed stay; other line ends become line feeds.
    """
    return _HIDDEN.sub(lambda match: f"[U+{ord(match[0]):04X}]", _LINE_ENDS.sub("\n", text))


def hides_nothing(text: str) -> bool:
    """True where `show_escaped` leaves `text` as it is; where it may be either way False.

    A page of half a megabyte has some hundred different letters: asking those takes a tenth of reading the page.
    """
    letters = "".join(set(text))
    return not any(pattern.search(letters) for pattern in (_HIDDEN, _LINE_ENDS, _SELECTORS))


def says_something(text: str) -> bool:
    """Whether a reader sees anything of `text`: more than space and hidden characters."""
    return bool(_HIDDEN.sub("", text).strip())


def fence(text: str, *, source: str, ref: str) -> str:
    """`text` between marked edges that name its `source` and `ref`, for use inside a prompt.

    The mark is a hash over everything inside, so no text can contain the mark of its own fence; runs of angle
    brackets that look like an edge are broken up with backslashes all the same. The same input gives the same output.
    """
    inside = _EDGE.sub(lambda match: "\\".join(match[0]), show_escaped(text))
    label = f'source="{_label(source)}" ref="{_label(ref)}"'
    mark = hashlib.sha256(f"{label}\0{inside}".encode()).hexdigest()[:20]
    return f"<<<FOREIGN {mark} {label}\n{inside}\nFOREIGN {mark}>>>"


def _label(text: str) -> str:
    """A label on one line that cannot close its own quotes."""
    shown = _EDGE.sub(lambda match: "\\".join(match[0]), show_escaped(text))
    return shown.replace("\n", " ").replace('"', "'")[:200]
