"""Pictures of documents. `render_pdf` makes the same bytes of the same document, every time."""

from kette.adapters.documents.pdf import render_pdf

__all__ = ["render_pdf"]
