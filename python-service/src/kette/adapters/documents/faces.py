"""The two faces of the letter, cut to what European letters need, and how they get into a PDF.

fpdf2 reads a font and cuts it to the glyphs in use for every document, which takes ten times as
long as everything else in it. Here a small font is embedded as it is, read once per process. Texts
with other characters (Greek, Cyrillic, Hebrew) go fpdf2's way with the whole font.

`python -m kette.adapters.documents.faces` writes the cut fonts anew.
"""

from __future__ import annotations

import copy
from collections.abc import Set as AbstractSet
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from fontTools import subset  # type: ignore[import-untyped]
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.fonts import TTFFont
from fpdf.output import CIDSystemInfo, OutputProducer, PDFFont, PDFFontStream
from fpdf.syntax import Name, PDFArray, PDFContentStream

FAMILY = "DejaVuSansCondensed"
STYLES = {"": "", "B": "-Bold"}
_PUNCTUATION = "–—‘’‚“”„†•…‰‹›€™−■□▪"
# Basic Latin, Latin-1, Latin Extended-A, and the signs that letters and prices are written with.
WESTERN = frozenset({*range(0x20, 0x7F), *range(0xA0, 0x180), *map(ord, _PUNCTUATION)})


def font_path(style: str, *, is_cut: bool = False) -> Path:
    name = f"{FAMILY}{STYLES[style]}{'-Western' if is_cut else ''}.ttf"
    return Path(str(resources.files("kette.adapters.documents") / "fonts" / name))


class _WholeFont:
    """Stands where fpdf2 keeps the subset of a document: a character's code is its glyph."""

    def __init__(self, glyph_ids: dict[int, int]) -> None:
        self.pick = glyph_ids.get


class _Face:
    """One cut font, ready to be put into documents."""

    def __init__(self, style: str) -> None:
        path = font_path(style, is_cut=True)
        self.data = path.read_bytes()
        self.font = TTFFont(FPDF(), path, f"{FAMILY.lower()}{style}", style)
        codes = sorted(self.font.glyph_ids.items(), key=lambda pair: pair[1])
        widths = {glyph: self.font.cw[code] for code, glyph in codes}
        self.widths = f"[{' '.join(f'{g} [{width:.0f}]' for g, width in widths.items())}]"
        # Several characters may look the same; the first one is what a reader copies.
        meaning = {glyph: code for code, glyph in reversed(codes)}
        pairs = [f"<{glyph:04X}> <{meaning[glyph]:04X}>\n" for glyph in sorted(meaning)]
        blocks = [pairs[at : at + 100] for at in range(0, len(pairs), 100)]
        chars = "".join(f"{len(b)} beginbfchar\n{''.join(b)}endbfchar\n" for b in blocks)
        self.to_unicode = (_CMAP_HEAD + chars + _CMAP_END).encode("ascii")

    def font_for(self, pdf: FPDF) -> TTFFont:
        font = copy.copy(self.font)
        font.i = len(pdf.fonts) + 1
        font.desc = copy.copy(self.font.desc)
        font.subset = _WholeFont(font.glyph_ids)  # type: ignore[assignment]
        return font


_CMAP_HEAD = """/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo
<</Registry (Adobe)
/Ordering (UCS)
/Supplement 0
>> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
"""
_CMAP_END = "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"


@lru_cache(maxsize=len(STYLES))
def _face(style: str) -> _Face:
    return _Face(style)


class WholeFonts(OutputProducer):
    """Puts the faces into the file as they are."""

    def _add_fonts(self, *_: Any, **__: Any) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for style, font in zip(STYLES, self.fpdf.fonts.values(), strict=True):
            face, name = _face(style), f"KETTEA+{font.name}"
            outer = PDFFont(subtype="Type0", base_font=name, encoding="Identity-H")
            inner = PDFFont(
                subtype="CIDFontType2",
                base_font=name,
                d_w=face.font.desc.missing_width,
                w=face.widths,
            )
            descriptor: Any = font.desc  # type: ignore[union-attr]
            descriptor.font_name = Name(name)
            file = PDFFontStream(contents=face.data)
            meaning = PDFContentStream(contents=face.to_unicode, compress=True)
            info = CIDSystemInfo()
            for made in (outer, inner, meaning, info, descriptor, file):
                self._add_pdf_obj(made, "fonts")
            outer.descendant_fonts = PDFArray([inner])
            outer.to_unicode = meaning
            inner.c_i_d_system_info = info
            inner.font_descriptor = descriptor
            inner.c_i_d_to_g_i_d_map = Name("Identity")  # type: ignore[assignment]
            descriptor.font_file2 = file
            found[font.i] = outer
        return found


def add_fonts(pdf: FPDF, used: AbstractSet[int]) -> type[OutputProducer]:
    """Give the document its fonts, for these characters; returns what writes the file."""
    if used <= WESTERN:
        for style in STYLES:
            pdf.fonts[f"{FAMILY.lower()}{style}"] = _face(style).font_for(pdf)
        return WholeFonts
    for style in STYLES:
        pdf.add_font(FAMILY, style, font_path(style))
    return OutputProducer


def _cut(style: str) -> None:
    # Without a time stamp of now, so that the same font gives the same file.
    font = TTFont(font_path(style), recalcTimestamp=False)
    options = subset.Options(
        hinting=False, layout_features=[], glyph_names=False, notdef_outline=True
    )
    options.drop_tables += ["GDEF", "GPOS", "GSUB", "FFTM", "MATH", "kern"]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=WESTERN)
    cutter.subset(font)
    font.save(font_path(style, is_cut=True))


if __name__ == "__main__":
    for each in STYLES:
        _cut(each)
