"""The sentences that the rules say to people, read off the source: every string that is handed over
as the summary, suggestion, message or reason of an exception, finding, risk signal or task.

A value that is put into a string becomes the letter x. Names are followed to what the function
assigns to them, so a sentence made of parts is found in all its forms.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import kette

ROOT = Path(kette.__file__).parent
FOLDERS = ("domain", "use_cases", "adapters/vendors")
VALUE = "x"

# Positional arguments that people read, by the name of what is called.
_ARGUMENTS = {
    "except_": (2, 4),
    "Finding": (3,),
    "note": (2,),
    "hint": (2,),
    "warn": (2,),
    "refuse": (2,),
    "_error": (1, 2),
    "_finding": (1,),
    "ask_refund": (3,),
    "fail_attempt": (3,),
    "UnknownPayload": (1,),
    "UnknownPayloadError": (1,),
    "FieldError": (1,),
    "DocumentError": (1,),
    "PresentationError": (0,),
}
_KEYWORDS = frozenset({"summary", "suggestion", "message"})
_DICT_KEYS = frozenset({"subject", "task", "message"})
# Functions that yield (code, fact), names under which texts are gathered, tables of texts.
_YIELDS_IN = frozenset({"risk.py"})
_GATHERED = frozenset({"reasons", "problems", "missing", "found", "broken"})
_CONSTANTS = frozenset({"LEASE_LOST"})
_TABLES = frozenset({"SUGGESTIONS", "ALARMS", "_CURELESS"})
# Modules of adapters in which `found` gathers texts.
_GATHERING_IN = frozenset({"pull.py"})

Function = ast.FunctionDef | ast.Module


class Sentence(str):
    """A sentence with x for its values, and where it stands."""

    __slots__ = ("place",)
    place: str

    @staticmethod
    def at(text: str, path: Path, line: int) -> Sentence:
        found = Sentence(text)
        found.place = f"{path.relative_to(ROOT)}:{line}"
        return found


@cache
def rule_sentences() -> list[Sentence]:
    found: list[Sentence] = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            functions = [x for x in ast.walk(tree) if isinstance(x, ast.FunctionDef)]
            for scope in [*functions, tree]:
                for node in _shown(scope, path):
                    texts = _texts(node, scope, 0)
                    found += [Sentence.at(text, path, node.lineno) for text in sorted(texts)]
    return [text for text in found if _is_sentence(text)]


def _is_sentence(text: str) -> bool:
    """Two words at least that are no values."""
    words = "".join(x if x.isalpha() else " " for x in text).split()
    return sum(word != VALUE for word in words) > 1


def _shown(scope: Function, path: Path) -> Iterator[ast.expr]:
    """Expressions of one function whose text people read."""
    for node in _own(scope):
        match node:
            case ast.Call():
                yield from _passed(node, path)
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                yield from (
                    v for k, v in pairs if isinstance(k, ast.Constant) and k.value in _DICT_KEYS
                )
            case ast.Yield(value=ast.Tuple(elts=[_, fact])) if path.name in _YIELDS_IN:
                yield fact
            case ast.Return(value=ast.JoinedStr() as fact) if path.name in _YIELDS_IN:
                yield fact
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value)
            ):
                yield from _kept(name, value)


def _passed(call: ast.Call, path: Path) -> Iterator[ast.expr]:
    """Texts handed over in a call."""
    owner = ""
    match call.func:
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            pass
        case ast.Attribute(attr=name):
            pass
        case ast.Name(id=name):
            pass
        case _:
            return
    yield from (call.args[n] for n in _ARGUMENTS.get(name, ()) if n < len(call.args))
    yield from (x.value for x in call.keywords if x.arg in _KEYWORDS)
    if name == "append" and owner in _GATHERED and (owner != "found" or path.name in _GATHERING_IN):
        for text in call.args:
            yield text.elts[-1] if isinstance(text, ast.Tuple) else text


def _kept(name: str, value: ast.expr) -> Iterator[ast.expr]:
    """Texts kept under a name that says so."""
    if name in _CONSTANTS:
        yield value
    if name in _TABLES and isinstance(value, ast.Dict):
        yield from value.values
    if name in _GATHERED and isinstance(value, ast.Tuple):
        yield from value.elts
    if name in _GATHERED and isinstance(value, ast.ListComp):
        yield value.elt


def _own(scope: Function) -> Iterator[ast.AST]:
    """Nodes of a function without those of functions inside of it."""
    waiting: list[ast.AST] = list(scope.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            waiting += ast.iter_child_nodes(node)
        elif isinstance(node, ast.ClassDef) and isinstance(scope, ast.Module):
            waiting += [x for x in node.body if not isinstance(x, ast.FunctionDef)]


def _texts(node: ast.expr, scope: Function, depth: int) -> set[str]:
    """Every text that an expression may be, as far as the function itself says it."""
    if depth > 6:
        return {VALUE}
    match node:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.JoinedStr(values=parts):
            return _joined([_texts(part, scope, depth + 1) for part in parts])
        case ast.FormattedValue(value=value):
            return _texts(value, scope, depth + 1)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _joined([_texts(left, scope, depth + 1), _texts(right, scope, depth + 1)])
        case ast.IfExp(body=one, orelse=other):
            return _texts(one, scope, depth + 1) | _texts(other, scope, depth + 1)
        case ast.BoolOp(op=ast.Or(), values=values):
            return set().union(*(_texts(value, scope, depth + 1) for value in values))
        case ast.Subscript(value=value, slice=ast.Slice()):
            return _texts(value, scope, depth + 1)
        case ast.Call(func=ast.Attribute(attr="get"), args=[_, default]):
            return _texts(default, scope, depth + 1)
        case ast.Name(id=name):
            return _assigned(name, scope, depth + 1) or {VALUE}
    return {VALUE}


def _joined(parts: list[set[str]]) -> set[str]:
    return {"".join(chosen) for chosen in product(*parts)}


def _assigned(name: str, scope: Function, depth: int) -> set[str]:
    found: set[str] = set()
    added: list[set[str]] = []
    for node in _own(scope):
        match node:
            case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                found |= _texts(value, scope, depth)
            case ast.AugAssign(target=ast.Name(id=target), value=value) if target == name:
                added.append(_texts(value, scope, depth))
            case ast.For(target=ast.Tuple(elts=targets), iter=rows):
                names = [x.id if isinstance(x, ast.Name) else "" for x in targets]
                if name in names:
                    found |= _column(rows, names.index(name), scope, depth)
    for texts in added:
        found |= _joined([found, texts])
    return found


def _column(rows: ast.expr, index: int, scope: Function, depth: int) -> set[str]:
    """What a loop over a written table gives one of its names."""
    if isinstance(rows, ast.Name):
        tables = [
            node.value
            for node in _own(scope)
            if isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == rows.id
        ]
        rows = tables[0] if tables else rows
    if not isinstance(rows, ast.Tuple):
        return set()
    cells = [row.elts[index] for row in rows.elts if isinstance(row, ast.Tuple)]
    return set().union(*(_texts(cell, scope, depth) for cell in cells))


@cache
def context_keys() -> set[str]:
    """Keys that exceptions carry in their context, as far as they are written in the call."""
    found: set[str] = set()
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text("utf-8"))
            for scope in (x for x in ast.walk(tree) if isinstance(x, ast.FunctionDef)):
                for node in _own(scope):
                    if isinstance(node, ast.Call):
                        found |= _keys(_context_of(node), scope)
    return found


def _context_of(call: ast.Call) -> ast.expr | None:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    name = call.func.id if isinstance(call.func, ast.Name) else name
    if name == "except_" and len(call.args) > 3:
        return call.args[3]
    if name == "WantedException":
        return next((x.value for x in call.keywords if x.arg == "context"), None)
    return None


def _keys(node: ast.expr | None, scope: Function) -> set[str]:
    match node:
        case ast.Dict(keys=keys, values=values):
            own = {str(k.value) for k in keys if isinstance(k, ast.Constant)}
            spread = [v for k, v in zip(keys, values, strict=True) if k is None]
            return own.union(*(_keys(value, scope) for value in spread))
        case ast.Name(id=name):
            return set().union(
                *(
                    _keys(x.value, scope)
                    for x in _own(scope)
                    if isinstance(x, ast.Assign)
                    and isinstance(x.targets[0], ast.Name)
                    and x.targets[0].id == name
                )
            )
    return set()
