"""A database that cannot be used is named in a sentence, without its password."""

from __future__ import annotations

from pathlib import Path

import pytest
from kette.cli.main import app
from typer.testing import CliRunner

COMMANDS = (["keys", "create", "--role", "admin"], ["keys", "list"], ["audit", "verify"])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////no/such/folder/x.db", "unable to open database file"),
        ("sqlite:///", "no such database"),
        ("sqlite:///{text}", "file is not a database"),
        ("postgresql://ida:hush@127.0.0.1:1/x", "refused"),
        ("postgresql://ida:hush@127.0.0.1", "no such database"),
        ("mysql://ida:hush@127.0.0.1/x", "no such database"),
        ("ida:hush@127.0.0.1/x", "cannot be read"),
    ],
)
def test_a_database_that_cannot_be_used(
    command: list[str], url: str, said: str, tmp_path: Path
) -> None:
    """These ended in a traceback of two hundred lines that told nobody what to do."""
    text = tmp_path / "notes.txt"
    text.write_text("no database\n" * 1000)
    result = CliRunner().invoke(app, [*command, "--database", url.format(text=text)])
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert "hush" not in result.output
    assert len(result.output.splitlines()) == 1
