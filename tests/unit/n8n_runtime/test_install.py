"""A folder in the cache is whole or not there, whatever happens while it is filled."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from kette.n8n_runtime import install
from kette.n8n_runtime.install import filled_once
from kette.n8n_runtime.steps import StepFailedError, exclusive, run_step


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "kette"


def write_content(folder: Path) -> None:
    (folder / "content").write_text("whole")


def silent(_text: str) -> None:
    pass


def test_a_folder_is_filled_once() -> None:
    fills = []

    def fill(folder: Path) -> None:
        fills.append(folder)
        write_content(folder)

    first = filled_once("thing", fill, silent)
    second = filled_once("thing", fill, silent)

    assert first == second
    assert (first / "content").read_text() == "whole"
    assert len(fills) == 1


def test_an_interrupted_fill_leaves_nothing_that_is_taken_for_whole(cache: Path) -> None:
    def interrupted(folder: Path) -> None:
        (folder / "content").write_text("ha")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filled_once("thing", interrupted, silent)
    assert not (cache / "thing").exists()

    folder = filled_once("thing", write_content, silent)

    assert (folder / "content").read_text() == "whole"
    assert list(cache.glob("thing.partial-*")) == []


def test_what_a_dead_process_left_of_another_version_is_removed(cache: Path) -> None:
    (cache / "older.partial-x").mkdir(parents=True)
    with exclusive(cache / "running.lock", silent):
        (cache / "running.partial-x").mkdir()
        filled_once("thing", write_content, silent)

    assert not (cache / "older.partial-x").exists()
    assert (cache / "running.partial-x").exists()


def test_a_folder_without_its_mark_is_filled_again(cache: Path) -> None:
    (cache / "thing").mkdir(parents=True)
    (cache / "thing" / "content").write_text("ha")

    folder = filled_once("thing", write_content, silent)

    assert (folder / "content").read_text() == "whole"
    assert (folder / install.COMPLETE).exists()


def test_two_at_once_fill_once() -> None:
    fills: list[Path] = []
    told: list[str] = []
    entered = threading.Event()
    go_on = threading.Event()

    def slow(folder: Path) -> None:
        fills.append(folder)
        entered.set()
        assert go_on.wait(10)
        write_content(folder)

    threads = [threading.Thread(target=filled_once, args=("thing", slow, told.append))]
    threads[0].start()
    assert entered.wait(10)
    threads.append(threading.Thread(target=filled_once, args=("thing", slow, told.append)))
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join(10)

    assert len(fills) == 1


def test_a_failed_step_shows_the_end_of_its_output_without_terminal_codes(tmp_path: Path) -> None:
    said: list[str] = []

    with pytest.raises(
        StepFailedError, match=r"(?s)Trying failed .*exit code 4.*not found"
    ) as told:
        run_step(
            "Trying",
            ["sh", "-c", r"printf 'working\n\033[31mnot found\033[0m\n'; exit 4"],
            cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin"},
            log=tmp_path / "step.log",
            say=said.append,
        )

    assert "\x1b" not in str(told.value)
    assert said == ["Trying ..."]
