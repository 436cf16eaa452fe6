"""Pages that are laid out first and painted later, so that "page 1 of 3" is known when it is drawn.

Units are millimetres, origin at the top left, text placed by its baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime
from functools import lru_cache
from typing import Literal

from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF

from kette.adapters.documents.faces import FAMILY, add_fonts, font_path
from kette.adapters.documents.text import printable, visual, wrap

Align = Literal["left", "right"]
Paint = Callable[[FPDF], None]

_MM_PER_POINT = 25.4 / 72

BLACK = (0, 0, 0)
GREY = (105, 105, 105)


@lru_cache(maxsize=2)
def _widths(style: str) -> dict[int, float]:
    """Advance width of every glyph for size 1 pt, in points. Read once per process."""
    with TTFont(font_path(style), lazy=True) as font:
        advances = font["hmtx"].metrics
        units = font["head"].unitsPerEm
        return {code: advances[name][0] / units for code, name in font.getBestCmap().items()}


class Canvas:
    """Collects what is to be painted, page by page."""

    def __init__(self) -> None:
        self.pages: list[list[Paint]] = []
        self._used: set[int] = set()

    def new_page(self) -> None:
        self.pages.append([])

    @property
    def glyphs(self) -> Collection[int]:
        return _widths("")

    def clean(self, text: str, limit: int = 400) -> str:
        return printable(text, self.glyphs, limit)

    def width(self, text: str, size: float, style: str = "") -> float:
        widths = _widths(style)
        missing = widths[0x25A1]
        return sum(widths.get(ord(char), missing) for char in text) * size * _MM_PER_POINT

    def lines(
        self, text: str, width: float, size: float, style: str = "", limit: int = 400
    ) -> list[str]:
        """The text, cleaned and broken into lines of at most this width."""
        return wrap(self.clean(text, limit), width, lambda part: self.width(part, size, style))

    def text(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        style: str = "",
        align: Align = "left",
        color: tuple[int, int, int] = BLACK,
        page: int = -1,
    ) -> None:
        """Place one line that is already clean; align right ends it at x."""
        shown = visual(text)
        self._used.update(map(ord, shown))
        left = x - self.width(text, size, style) if align == "right" else x

        def paint(pdf: FPDF) -> None:
            pdf.set_font(FAMILY, style, size)
            pdf.set_text_color(*color)
            pdf.text(left, y, shown)

        self.pages[page].append(paint)

    def rule(
        self, x1: float, y1: float, x2: float, y2: float, width: float = 0.2, page: int = -1
    ) -> None:
        def paint(pdf: FPDF) -> None:
            pdf.set_line_width(width)
            pdf.line(x1, y1, x2, y2)

        self.pages[page].append(paint)

    def to_pdf(
        self, title: str, author: str, subject: str, language: str, made_at: datetime
    ) -> bytes:
        """Paint all pages. Dates and names come from the caller, so equal input gives equal
        bytes."""
        pdf = FPDF(orientation="portrait", unit="mm", format="A4")
        pdf.set_auto_page_break(False)
        pdf.set_creation_date(made_at)
        pdf.set_producer("Kette")
        pdf.set_title(self.clean(title))
        pdf.set_author(self.clean(author))
        pdf.set_subject(self.clean(subject))
        pdf.set_lang(language)
        producer = add_fonts(pdf, self._used)
        for paints in self.pages:
            pdf.add_page()
            for paint in paints:
                paint(pdf)
        return bytes(pdf.output(output_producer_class=producer))
