"""The reference pages agree with the code: setup keys, settings, commands, targets, API calls."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer.main
import yaml
from fastapi.routing import APIRoute
from kette.api import auth
from kette.api.routes import actions, checks, events, exceptions, operations, orders, pulls
from kette.cli.main import app as commands
from kette.domain import policy
from kette.domain.money import Money
from kette.settings import Settings
from kette.setup_fields import KINDS, ROLES
from support.markdown import DOCS, ROOT, blocks, coded, name_of, pages, rows, section

SETUP_PAGE = (DOCS / "setup-file.md").read_text("utf-8")
SETTINGS_PAGE = (DOCS / "settings.md").read_text("utf-8")
API_PAGE = (DOCS / "api.md").read_text("utf-8")
ALL_OPTIONS = yaml.safe_load((ROOT / "fixtures" / "setups" / "all-options.yaml").read_text("utf-8"))

# "KETTE_X", $KETTE_X, ${KETTE_X:-...} and env:KETTE_X; and KETTE_X: ... in a compose file.
_READ = re.compile(r"(?:[\"$]|\$\{|env:)(KETTE_[A-Z0-9_]*[A-Z0-9])[\"}:\s]")
_GIVEN = re.compile(r"^\s+(KETTE_[A-Z0-9_]*[A-Z0-9]):", re.M)

SECTIONS: dict[str, type[msgspec.Struct]] = {
    "intake": policy.IntakePolicy,
    "risk": policy.RiskPolicy,
    "payment": policy.PaymentPolicy,
    "fulfillment": policy.FulfillmentPolicy,
    "accounting": policy.AccountingPolicy,
    "customer": policy.CustomerPolicy,
    "approvals": policy.ApprovalPolicy,
    "exceptions": policy.ExceptionPolicy,
    "actions": policy.ActionPolicy,
}


def documented(title: str) -> dict[str, str]:
    """Key -> default, of a section of the setup page."""
    found = rows(section(SETUP_PAGE, title))
    prefix = f"`{title}."
    return {row[0].strip("`"): row[1] for row in found if row[0].startswith(prefix)}


def written(value: object, *, is_duration: bool) -> str:
    """A default as a person writes it in the file."""
    if value is None or value == () or value == {} or value == "":
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(written(item, is_duration=is_duration) for item in value)
    if is_duration and isinstance(value, int):
        for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
            if value % size == 0:
                return f"{value // size}{unit}"
    assert not isinstance(value, Money)
    return str(value)


class TestSetupFile:
    @pytest.mark.parametrize("title", SECTIONS)
    def test_every_field_is_documented_with_its_default(self, title: str) -> None:
        struct = SECTIONS[title]
        expected = {}
        for field in msgspec.structs.fields(struct):
            key = field.name.removesuffix("_s")
            default: Any = field.default
            if field.default_factory is not msgspec.NODEFAULT:
                default = field.default_factory()
            expected[f"{title}.{key}"] = written(default, is_duration=field.name.endswith("_s"))
        assert documented(title) == expected

    def test_every_field_of_merchant_and_system_is_documented(self) -> None:
        merchant = {f"merchant.{f.name}" for f in msgspec.structs.fields(policy.Merchant)}
        assert set(documented("merchant")) == merchant
        keys = {f"systems.ID.{f.name}" for f in msgspec.structs.fields(policy.System)}
        assert set(documented("systems")) == keys - {"systems.ID.id"}

    def test_every_key_of_a_pull_is_documented_with_its_default(self) -> None:
        told = {row[0].strip("`"): row[1] for row in rows(section(SETUP_PAGE, "systems"))}
        for field in msgspec.structs.fields(policy.PullPolicy):
            if field.name in ("is_watched", "page_size"):  # not a key; depends on the kind
                continue
            key = field.name.removesuffix("_s")
            assert told[key] == written(field.default, is_duration=True), key
        assert "page_size" in told

    def test_the_file_with_all_options_has_the_documented_keys(self) -> None:
        for title in ("merchant", *SECTIONS):
            keys = {f"{title}.{key}" for key in ALL_OPTIONS[title]}
            assert set(documented(title)) == keys, title

    def test_the_top_level_is_complete(self) -> None:
        named = set(coded("\n".join(row[0] for row in rows(section(SETUP_PAGE, "Top level")))))
        assert named == {f.name for f in msgspec.structs.fields(policy.Setup)} - {"version"}

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_kind_of_system_is_described(self, kind: str) -> None:
        row = next(row for row in rows(section(SETUP_PAGE, "systems")) if row[0] == kind)
        rule = KINDS[kind]
        assert row[1] == rule.role
        assert set(coded(row[3])) == {*rule.needs_secrets, *rule.may_have_secrets}
        assert set(rule.options) <= set(coded(row[4]))
        required = {*rule.needs_secrets, *rule.needs_options}
        assert {
            w for w in coded(row[3] + row[4]) if f"`{w}` (required)" in row[3] + row[4]
        } == required

    def test_the_roles_are_named(self) -> None:
        row = next(r for r in rows(section(SETUP_PAGE, "systems")) if r[0] == "`systems.ID.role`")
        assert [role for role in ROLES if role not in row[2]] == []


class TestSettings:
    def test_every_setting_is_documented_with_its_default(self) -> None:
        told = {row[0].strip("`"): row[1] for row in rows(section(SETTINGS_PAGE, "The service"))}
        told.pop("variable")
        names = {f"KETTE_{name.upper()}" for name in Settings.model_fields}
        assert set(told) == names
        for name, field in Settings.model_fields.items():
            default = field.default
            if isinstance(default, bool):
                default = str(default).lower()
            if isinstance(default, str | int | float) and default != "":
                assert told[f"KETTE_{name.upper()}"] == f"`{default}`", name

    def test_every_variable_that_the_code_reads_is_documented(self) -> None:
        """Also those of the ready setup and of the production files."""
        code = ROOT / "python-service" / "src" / "kette"
        read = {
            *(ROOT / "fixtures" / "setups").glob("woocommerce-*.yaml"),
            *code.rglob("*.py"),
            ROOT / "docker-compose.yml",
            ROOT / "Makefile",
            ROOT / "deploy" / "service.env.example",
        }
        found: set[str] = set()
        for path in read:
            text = path.read_text("utf-8")
            found |= set(_READ.findall(text))
            found |= set(_GIVEN.findall(text)) if path.suffix == ".yml" else set()
        assert len(found) > 20
        internal = {"KETTE_OWNER"}  # handed to a child process, nobody sets it
        assert sorted(found - internal - set(coded(SETTINGS_PAGE))) == []

    def test_the_documented_variables_exist(self) -> None:
        sources = "\n".join(
            path.read_text("utf-8")
            for pattern in ("python-service/src/**/*.py", "fixtures/setups/*.yaml")
            for path in ROOT.glob(pattern)
        )
        settings = {f"KETTE_{name.upper()}" for name in Settings.model_fields}
        named = {
            word for word in coded(SETTINGS_PAGE) if re.fullmatch(r"KETTE_[A-Z0-9_]+[A-Z0-9]", word)
        }
        assert sorted(name for name in named - settings if name not in sources) == []


def command_names() -> set[str]:
    """Every command as it is typed: "serve", "keys create"."""
    root = typer.main.get_command(commands)
    names = set()
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        names |= {f"{name} {sub}" for sub in inner} if inner else {name}
    return names


def mentioned_commands(text: str) -> set[str]:
    places = [*coded(text), *(b.text for b in blocks(text) if b.words[:1] in ((), ("sh",)))]
    found = set()
    for place in places:
        for first, second in re.findall(r"\bkette ([a-z]+)(?: ([a-z]+))?", place):
            found.add(f"{first} {second}".strip())
    return found


def is_command(name: str, known: set[str]) -> bool:
    groups = {command.split()[0] for command in known}
    return name in known or name.split()[0] in known or name in groups


class TestCommands:
    def test_every_command_is_documented(self) -> None:
        text = section(SETTINGS_PAGE, "Commands")
        missing = []
        for name in command_names():
            group, _, verb = name.partition(" ")
            line = next(
                (
                    row[0]
                    for row in rows(text)
                    if f"kette {group}" in row[0]
                    and (not verb or re.search(rf"\b{verb}\b", row[0]))
                ),
                None,
            )
            if line is None:
                missing.append(name)
        assert missing == []

    @pytest.mark.parametrize("page", pages(), ids=name_of)
    def test_mentioned_commands_exist(self, page: Path) -> None:
        known = command_names()
        wrong = {c for c in mentioned_commands(page.read_text("utf-8")) if not is_command(c, known)}
        assert sorted(wrong) == []

    def test_a_command_that_does_not_exist_is_found(self) -> None:
        assert not is_command("keys destroy", command_names())
        assert is_command("keys create", command_names())

    @pytest.mark.parametrize("page", pages(), ids=name_of)
    def test_mentioned_make_targets_exist(self, page: Path) -> None:
        targets = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.M))
        text = page.read_text("utf-8")
        places = [*coded(text), *(b.text for b in blocks(text) if b.words[:1] == ("sh",))]
        named = {t for place in places for t in re.findall(r"(?:^|\s)make ([a-z][a-z-]*)", place)}
        assert sorted(named - targets) == []


def routes() -> list[APIRoute]:
    found = []
    for module in (events, orders, exceptions, actions, pulls, checks, operations):
        found += [route for route in module.router.routes if isinstance(route, APIRoute)]
    return found


def roles_of(route: APIRoute) -> frozenset[str] | None:
    """Roles that a route's guard lets pass; None = no key is needed."""
    for dependency in route.dependant.dependencies:
        closure = getattr(dependency.call, "__closure__", None) or ()
        for cell in closure:
            if isinstance(cell.cell_contents, frozenset):
                return frozenset(role.value for role in cell.cell_contents)
    return None


def documented_calls() -> dict[str, str]:
    """ "POST /v1/..." -> who may."""
    found = {}
    for row in rows(section(API_PAGE, "Calls")):
        for call in coded(row[0]):
            found[call] = row[1]
    return found


WORDS = {
    "readers": {role.value for role in auth.READERS},
    "every key": {role.value for role in auth.ANYBODY},
}


class TestApi:
    def test_every_call_is_documented_and_every_documented_call_exists(self) -> None:
        served = {
            f"{method} {route.path}" for route in routes() for method in sorted(route.methods or ())
        }
        assert set(documented_calls()) == served

    @pytest.mark.parametrize("route", routes(), ids=lambda r: f"{'|'.join(r.methods)} {r.path}")
    def test_the_roles_are_those_of_the_code(self, route: APIRoute) -> None:
        for method in sorted(route.methods or ()):
            told = documented_calls()[f"{method} {route.path}"]
            if told.startswith("signature"):
                assert {r.value for r in auth.INGESTERS} == set(
                    re.findall(r"ingest|automation|admin", told)
                )
                continue
            names = WORDS.get(told, set(told.split(", ")))
            assert (None if told == "none" else names) == roles_of(route)

    def test_readers_are_explained(self) -> None:
        line = next(x for x in API_PAGE.splitlines() if x.startswith('"Readers" are'))
        sentence = line.split(".")[0]
        assert (
            set(re.findall(r"automation|agent|approver|accountant|admin|ingest", sentence))
            == WORDS["readers"]
        )

    def test_every_role_is_described(self) -> None:
        told = {row[0] for row in rows(section(API_PAGE, "Keys and roles"))} - {"role"}
        assert told == WORDS["every key"]
