"""Install the pinned n8n and build the node package, each once per content, in the cache folder.

A folder in the cache is named by the hash of what it was made from, filled under another name and
renamed when it is complete. A process that dies in between leaves only a partial folder, which the
next run removes; a folder with its final name is therefore always whole.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from kette.n8n_runtime.node import NodeRuntime, find_node
from kette.n8n_runtime.project import Project, cache_folder
from kette.n8n_runtime.steps import Say, exclusive, is_free, run_step

COMPLETE = ".complete"
_PARTIAL = ".partial-"
_BUILT_OR_INSTALLED = {"node_modules", "dist", ".git", "coverage"}


def ensure_n8n(project: Project, say: Say) -> Path:
    """Return the folder of the installed n8n, installing it first if needed (some minutes)."""
    node = find_node()
    sources = [project.runtime / "package.json", project.runtime / "package-lock.json"]
    key = _key(_file_parts(sources, project.runtime), node)

    def fill(folder: Path) -> None:
        for source in sources:
            shutil.copy2(source, folder / source.name)
        log = folder / "install.log"
        run_step(
            "Installing the pinned n8n (2,300 packages)",
            node.npm("ci", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund"),
            cwd=folder,
            env=node.environment(),
            log=log,
            say=say,
        )
        # No install scripts run above; SQLite is the one native module n8n cannot start without.
        run_step(
            "Compiling SQLite for n8n",
            node.npm("rebuild", "sqlite3"),
            cwd=folder,
            env=node.environment(
                {
                    "npm_config_build_from_source": "sqlite3",
                    # A user's npmrc may name the headers of another Node; the environment wins.
                    "npm_config_nodedir": str(node.home),
                    "JOBS": "max",
                }
            ),
            log=log,
            say=say,
        )

    return filled_once(f"n8n-{key}", fill, say)


def ensure_node_dependencies(project: Project, say: Say) -> Path:
    """Return a folder whose node_modules has the build tools of the node package."""
    node = find_node()
    sources = [project.node_specs / "package.json", project.node_specs / "package-lock.json"]
    key = _key(_file_parts(sources, project.node_specs), node)

    def fill(folder: Path) -> None:
        for source in sources:
            shutil.copy2(source, folder / source.name)
        run_step(
            "Installing the build tools of the node package",
            node.npm("ci", "--ignore-scripts", "--no-audit", "--no-fund"),
            cwd=folder,
            env=node.environment(),
            log=folder / "install.log",
            say=say,
        )

    return filled_once(f"node-tools-{key}", fill, say)


def ensure_node_package(project: Project, say: Say) -> Path:
    """Return the .tgz of n8n-nodes-kette, built from the checkout's node-specs if not cached."""
    node = find_node()
    sources = sorted(_source_files(project.node_specs))
    key = _key(_file_parts(sources, project.node_specs), node)

    def fill(folder: Path) -> None:
        tools = ensure_node_dependencies(project, say)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            build = Path(scratch) / "package"
            for source in sources:
                target = build / source.relative_to(project.node_specs)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)
            (build / "node_modules").symlink_to(tools / "node_modules")
            steps = (
                ("Building the node package", node.npm("run", "build")),
                ("Packing the node package", node.npm("pack", "--ignore-scripts")),
            )
            for title, command in steps:
                run_step(
                    title,
                    command,
                    cwd=build,
                    env=node.environment(),
                    log=folder / "build.log",
                    say=say,
                )
            for packed in build.glob("*.tgz"):
                shutil.move(packed, folder / packed.name)

    return next(filled_once(f"node-package-{key}", fill, say).glob("*.tgz"))


def link_node_tools(project: Project, say: Say) -> None:
    """Let node-specs use the cached build tools, unless a developer installed them there."""
    link = project.node_specs / "node_modules"
    if link.exists() and not link.is_symlink():
        return
    tools = ensure_node_dependencies(project, say) / "node_modules"
    if link.is_symlink():
        if link.resolve() == tools:
            return
        link.unlink()
    link.symlink_to(tools)


def filled_once(name: str, fill: Callable[[Path], None], say: Say) -> Path:
    """Return the cache folder of this name, filled by fill if no complete one is there."""
    cache = cache_folder()
    final = cache / name
    if (final / COMPLETE).exists():
        return final
    with exclusive(cache / f"{name}.lock", say):
        if (final / COMPLETE).exists():
            return final
        # Whoever fills a folder holds its lock: what is there now was left by a dead process.
        shutil.rmtree(final, ignore_errors=True)
        for leftover in cache.glob(f"*{_PARTIAL}*"):
            owner = leftover.name.partition(_PARTIAL)[0]
            if owner == name or is_free(cache / f"{owner}.lock"):
                shutil.rmtree(leftover, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{name}{_PARTIAL}", dir=cache))
        partial.chmod(0o755)
        fill(partial)
        (partial / COMPLETE).touch()
        partial.rename(final)
    return final


def _key(parts: Iterable[bytes], node: NodeRuntime) -> str:
    digest = hashlib.sha256()
    for part in (node.version().encode(), platform.machine().encode(), *parts):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()[:16]


def _file_parts(files: Iterable[Path], base: Path) -> Iterator[bytes]:
    for file in files:
        yield file.relative_to(base).as_posix().encode()
        yield file.read_bytes()


def _source_files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _BUILT_OR_INSTALLED or path.suffix == ".tgz":
            continue
        if path.is_dir():
            yield from _source_files(path)
        else:
            yield path
