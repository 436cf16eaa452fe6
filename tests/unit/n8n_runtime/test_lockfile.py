"""Lock files get the entries that `npm ci` wants and a registry did not deliver."""

from __future__ import annotations

from typing import Any

import pytest
from kette.n8n_runtime.lockfile import LockFileError, complete_lock


def lock_with(optional: dict[str, str], **packages: dict[str, Any]) -> dict[str, Any]:
    return {
        "packages": {
            "": {"name": "root"},
            "node_modules/native": {
                "version": "2.0.0",
                "optionalDependencies": optional,
                "funding": {"url": "anywhere"},
            },
            **packages,
        }
    }


@pytest.mark.parametrize(
    ("name", "entry"),
    [
        ("@x/native-darwin-arm64", {"cpu": ["arm64"], "optional": True, "os": ["darwin"]}),
        ("@x/native-linux-x64-musl", {"cpu": ["x64"], "optional": True, "os": ["linux"]}),
        ("@x/native-win32-ia32-msvc", {"cpu": ["ia32"], "optional": True, "os": ["win32"]}),
    ],
)
def test_a_missing_build_for_another_platform_is_added(name: str, entry: dict[str, Any]) -> None:
    lock = lock_with({name: "2.0.0"})

    assert complete_lock(lock) == [name]
    assert lock["packages"][f"node_modules/{name}"] == {"version": "2.0.0", **entry}
    assert complete_lock(lock) == []


def test_what_is_resolved_in_the_packages_own_folder_is_not_added() -> None:
    nested = {"node_modules/native/node_modules/@x/native-linux-x64": {"version": "2.0.0"}}
    assert complete_lock(lock_with({"@x/native-linux-x64": "2.0.0"}, **nested)) == []


@pytest.mark.parametrize(
    ("name", "version"), [("left-pad", "1.0.0"), ("@x/native-linux-x64", "^2.0.0")]
)
def test_what_cannot_be_known_without_the_registry_is_refused(name: str, version: str) -> None:
    with pytest.raises(LockFileError, match=name):
        complete_lock(lock_with({name: version}))


def test_funding_links_are_dropped() -> None:
    lock = lock_with({})
    complete_lock(lock)
    assert "funding" not in lock["packages"]["node_modules/native"]
