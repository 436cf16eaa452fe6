"""Text that a customer or a shop wrote, made fit for print.

Nothing may stop a document: characters without a glyph become a visible box, control characters and
direction overrides vanish, words without end are broken, endless texts are cut with a mark.
Right-to-left text is reordered for display; Arabic letters stay unjoined, a limit of the font
engine used.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection

from fpdf.bidi import BidiParagraph
from fpdf.enums import TextDirection

MISSING = "\u25a1"  # white square, the usual sign for "there was a character"
CUT = " […]"

_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_RIGHT_TO_LEFT = {"R", "AL"}


def printable(text: str, glyphs: Collection[int], limit: int = 400) -> str:
    """One line of text that the font can show, at most `limit` characters; the rest is marked as
    cut."""
    # Normalising first: an "u" with a combining diaeresis becomes the one letter that has a glyph.
    kept = []
    for char in unicodedata.normalize("NFC", text[: 4 * limit]):
        category = unicodedata.category(char)
        if char.isspace() or category == "Zs":
            kept.append("\u00a0" if char == "\u00a0" else " ")
        elif category == "Cn" or category == "Co" or category == "Cs":
            kept.append(MISSING)
        elif category in _INVISIBLE or 0xFE00 <= ord(char) <= 0xFE0F:
            continue
        else:
            kept.append(char if ord(char) in glyphs and ord(char) < 0x10000 else MISSING)
    line = " ".join("".join(kept).split(" ")).strip()
    while "  " in line:
        line = line.replace("  ", " ")
    if len(line) > limit or len(text) > 4 * limit:
        return line[:limit].rstrip() + CUT
    return line


def visual(line: str) -> str:
    """Order of the characters on paper; changes only lines with right-to-left letters."""
    if not any(unicodedata.bidirectional(char) in _RIGHT_TO_LEFT for char in line):
        return line
    return BidiParagraph(text=line, base_direction=TextDirection.LTR).get_reordered_string()


def wrap(line: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Break a line at spaces so that each piece fits; a word wider than the line is broken
    inside."""
    pieces: list[str] = []
    current = ""
    for word in line.split(" "):
        candidate = f"{current} {word}" if current else word
        if measure(candidate) <= width:
            current = candidate
            continue
        if current:
            pieces.append(current)
        while measure(word) > width and len(word) > 1:
            fit = _fitting(word, width, measure)
            pieces.append(word[:fit])
            word = word[fit:]
        current = word
    if current:
        pieces.append(current)
    return pieces


def _fitting(word: str, width: float, measure: Callable[[str], float]) -> int:
    """Number of leading characters that fit, at least one."""
    low, high = 1, len(word)
    while low < high:
        middle = (low + high + 1) // 2
        if measure(word[:middle]) <= width:
            low = middle
        else:
            high = middle - 1
    return low
