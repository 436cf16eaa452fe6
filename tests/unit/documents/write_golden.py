"""Write the golden documents anew: python -m unit.documents.write_golden, with tests/ on the
path."""

from .test_golden import GOLDEN, content, documents, printed

GOLDEN.mkdir(parents=True, exist_ok=True)
for name, document in documents().items():
    (GOLDEN / f"{name}.json").write_text(content(document), "utf-8")
    (GOLDEN / f"{name}.txt").write_text(printed(document), "utf-8")
