"""`kette workflows` as a person runs it, against a real n8n."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from kette.n8n_runtime.child import free_port
from kette.n8n_runtime.deploy import Outcome
from kette.n8n_runtime.process import N8n


def kette(*arguments: str, url: str = "", key: str = "") -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("kette")), "workflows", *arguments]
    variables = {"KETTE_N8N_URL": url, "KETTE_N8N_API_KEY": key, "COLUMNS": "200"}
    environment = {**os.environ, **variables}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_second_installation_says_that_nothing_changed(
    bare_n8n: N8n, installed: list[Outcome]
) -> None:
    done = kette("install", url=bare_n8n.url, key=bare_n8n.api.api_key)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Kette 10 · Order intake" in done.stdout
    assert done.stdout.count("unchanged") == len(installed)


def test_a_wrong_key_is_told(bare_n8n: N8n) -> None:
    done = kette("install", url=bare_n8n.url, key="wrong")
    assert done.returncode == 1
    assert "n8n answered 401" in done.stderr


def test_an_n8n_that_does_not_answer_is_told() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    done = kette("install", url=url, key="any")
    assert done.returncode == 1
    assert f"n8n does not answer at {url}" in done.stderr


def test_the_committed_workflows_pass_the_check() -> None:
    done = kette("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert "no problems" in done.stdout
