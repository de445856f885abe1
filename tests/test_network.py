from __future__ import annotations

import asyncio
import socket
import urllib.request

import pytest


def test_a_connection_to_another_machine_is_refused(network_attempts: list[str]) -> None:
    with socket.socket() as connection, pytest.raises(RuntimeError, match=r"203\.0\.113\.7"):
        connection.connect(("203.0.113.7", 80))
    network_attempts.clear()


def test_a_datagram_to_another_machine_is_refused(network_attempts: list[str]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(RuntimeError):
        sender.sendto(b"x", ("203.0.113.7", 53))
    network_attempts.clear()


def test_a_name_is_not_looked_up(network_attempts: list[str]) -> None:
    with pytest.raises(RuntimeError, match=r"example\.org"):
        urllib.request.urlopen("http://example.org/", timeout=1)
    network_attempts.clear()


def test_a_refusal_that_a_library_swallows_is_still_known(network_attempts: list[str]) -> None:
    async def try_and_forget() -> None:
        try:
            await asyncio.open_connection("203.0.113.7", 80)
        except Exception:
            return

    asyncio.run(try_and_forget())
    assert network_attempts == ["socket.connect ('203.0.113.7', 80)"]
    network_attempts.clear()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_this_machine_can_be_reached(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert socket.getaddrinfo(host, 80)
        assert client.getpeername() == server.getsockname()
