"""The cut fonts: the same letters as the whole ones, and used wherever they suffice."""

from __future__ import annotations

from io import BytesIO

import pytest
from fontTools.pens.recordingPen import DecomposingRecordingPen
from fontTools.ttLib import TTFont
from kette.adapters.documents import render_pdf
from kette.adapters.documents.faces import STYLES, WESTERN, font_path
from pypdf import PdfReader

from .samples import invoice_of, line, order_of


def drawn(font: TTFont, code: int) -> tuple[list[str], list[float]]:
    """The strokes of a letter, and all their coordinates, its width first."""
    name = font.getBestCmap()[code]
    glyphs = font.getGlyphSet()
    pen = DecomposingRecordingPen(glyphs)
    glyphs[name].draw(pen)
    points = [value for _, stroke in pen.value for point in stroke if point for value in point]
    return [verb for verb, _ in pen.value], [font["hmtx"][name][0], *points]


@pytest.mark.parametrize("style", STYLES)
def test_a_cut_font_draws_the_same_letters(style: str) -> None:
    whole, cut = TTFont(font_path(style)), TTFont(font_path(style, is_cut=True))
    assert set(cut.getBestCmap()) == WESTERN
    for code in WESTERN:
        verbs, points = drawn(cut, code)
        expected_verbs, expected_points = drawn(whole, code)
        assert verbs == expected_verbs, chr(code)
        # Letters made of other letters are rounded to one of 2,048 units.
        assert points == pytest.approx(expected_points, abs=1), chr(code)


def fonts_of(name: str) -> tuple[set[str], str]:
    document = invoice_of(order_of(line("1", "10.00", "1.90", name=name)))
    (page, *_) = PdfReader(BytesIO(render_pdf(document))).pages
    fonts = page["/Resources"]["/Font"]  # type: ignore[index]
    return {fonts[key]["/BaseFont"].partition("+")[0] for key in fonts}, page.extract_text()


@pytest.mark.parametrize("name", ["Grüße aus Łódź – 5 € „neu“", "Çelik ½ m² ×2", "Kávéfőző"])
def test_european_names_need_the_cut_font_only(name: str) -> None:
    fonts, text = fonts_of(name)
    assert fonts == {"/KETTEA"}
    assert name in text


@pytest.mark.parametrize("name", ["Кофе", "Ελληνικός καφές", "Grüße Кофе"])
def test_other_names_get_the_whole_font(name: str) -> None:
    fonts, text = fonts_of(name)
    assert "/KETTEA" not in fonts
    assert name in text
