"""The demo's ports: each can be changed, and one that is taken is named with the way out."""

from __future__ import annotations

import socket
from dataclasses import asdict

import pytest
from kette.cli.demo import PortError, ports_from, refuse_taken_ports
from kette.n8n_runtime.world import Ports


def test_without_variables_the_known_ports_are_used() -> None:
    assert asdict(ports_from({})) == {
        "service": 8710,
        "mail_gateway": 8711,
        "n8n": 5710,
        "sandbox": 8720,
        "sandbox_smtp": 8725,
    }


def test_each_port_has_a_variable() -> None:
    variables = {
        "KETTE_PORT_SERVICE": "1001",
        "KETTE_PORT_MAIL": "1002",
        "KETTE_PORT_N8N": "1003",
        "KETTE_PORT_SANDBOX": "1004",
        "KETTE_PORT_SANDBOX_SMTP": "1005",
    }
    assert list(asdict(ports_from(variables)).values()) == [1001, 1002, 1003, 1004, 1005]


@pytest.mark.parametrize("text", ["0", "65536", "n8n", "-1", "²"])
def test_what_is_no_port_is_refused_with_its_variable(text: str) -> None:
    with pytest.raises(PortError, match=f"KETTE_PORT_N8N={text}"):
        ports_from({"KETTE_PORT_N8N": text})


def test_a_taken_port_is_named_with_the_variable_that_changes_it() -> None:
    free = Ports.free()
    with socket.socket() as other:
        other.bind(("127.0.0.1", free.sandbox))
        other.listen()
        with pytest.raises(PortError) as told:
            refuse_taken_ports(free)

    assert str(told.value) == (
        f"Port {free.sandbox} is taken. Set another one with KETTE_PORT_SANDBOX=<port>."
    )
    refuse_taken_ports(free)
