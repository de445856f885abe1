"""What all tests share: no network, real parts, archives built once by the real ingest."""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rag.archive import Archive
    from rag.config import Settings
    from rag.interfaces import Embedder

# Before anything imports a hub client, which reads them once.
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
for _variable in [name for name in os.environ if name.startswith("HEMEROTECA_")]:
    # A developer's own settings must not decide whether the tests pass.
    if _variable not in ("HEMEROTECA_DATA", "HEMEROTECA_CACHE", "HEMEROTECA_SCREENSHOTS"):
        del os.environ[_variable]

ROOT = Path(__file__).parent.parent
SAMPLE = ROOT / "eval" / "data" / "sample.jsonl"
_CONNECTING = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_RESOLVING = {"socket.getaddrinfo", "socket.gethostbyname"}
_attempts: list[str] = []


class NetworkBlockedError(RuntimeError):
    """A test tried to leave this machine."""


def _is_local(host: Any) -> bool:
    text = host.decode() if isinstance(host, bytes) else str(host or "localhost")
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return text == "localhost"
    return address.is_loopback or address.is_unspecified


def _block_network(event: str, arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTING:
        address = arguments[1]
        # Of Unix sockets the address is a path, of netlink a pair of numbers; a connected socket sends to None.
        if not isinstance(address, tuple) or not isinstance(address[0], str) or _is_local(address[0]):
            return
        target = f"{event} {address}"
    elif event in _RESOLVING:
        if _is_local(arguments[0]):
            return
        target = f"{event} {arguments[0]!r}"
    else:
        return
    _attempts.append(target)
    raise NetworkBlockedError(f"tests do not leave this machine: {target}")


# An audit hook sees every socket of the process, whichever library opened it, and cannot be taken away.
sys.addaudithook(_block_network)


@pytest.fixture
def network_attempts() -> list[str]:
    """What was blocked in this test, for the test to look at; emptied by the one that expected it."""
    return _attempts


@pytest.fixture(autouse=True)
def _stay_on_this_machine() -> Iterator[None]:
    _attempts.clear()
    yield
    assert not _attempts, "the network was tried, though something swallowed the refusal"


@pytest.fixture(scope="session")
def ctrl_c_is_not_ignored() -> None:
    """Let Ctrl-C be what it would be, also in processes that a test starts, if pytest runs in a script's background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with data/, train/ and seeds/."""
    folder = os.environ.get("HEMEROTECA_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("HEMEROTECA_DATA does not name the folder with the shared data")
    return Path(folder)


@pytest.fixture(scope="session")
def embedder() -> Embedder:
    """The bundled model itself."""
    from rag.config import EmbeddingSettings
    from rag.embedding import load_embedder

    return load_embedder(EmbeddingSettings())


@pytest.fixture(scope="session")
def built_sample(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder) -> Path:
    """The folder of the sample archive, for copying: nothing opens it."""
    return _built(tmp_path_factory.mktemp("built") / "sample", SAMPLE, embedder)


@pytest.fixture(scope="session")
def built_seeds(tmp_path_factory: pytest.TempPathFactory, embedder: Embedder, data_folder: Path) -> Path:
    """The folder of an archive with the five seed articles, for copying: nothing opens it."""
    return _built(tmp_path_factory.mktemp("built") / "seeds", data_folder / "seeds", embedder)


@pytest.fixture(scope="session")
def sample_folder(tmp_path_factory: pytest.TempPathFactory, built_sample: Path) -> Path:
    """A folder with the sample archive that tests of the command line read, and none writes."""
    return _copied(built_sample, tmp_path_factory.mktemp("read") / "sample")


@pytest.fixture(scope="session")
def sample_archive(
    tmp_path_factory: pytest.TempPathFactory, built_sample: Path, embedder: Embedder
) -> Iterator[Archive]:
    """The sample archive, open; no test writes into it."""
    from rag.archive import Archive

    folder = _copied(built_sample, tmp_path_factory.mktemp("open") / "sample")
    with Archive.open(folder, settings=_settings(), embedder=embedder) as archive:
        yield archive


@pytest.fixture(scope="session")
def seeds_archive(tmp_path_factory: pytest.TempPathFactory, built_seeds: Path, embedder: Embedder) -> Iterator[Archive]:
    """The archive of the five seed articles, open; no test writes into it."""
    from rag.archive import Archive

    folder = _copied(built_seeds, tmp_path_factory.mktemp("open") / "seeds")
    with Archive.open(folder, settings=_settings(), embedder=embedder) as archive:
        yield archive


@pytest.fixture
def sample_copy(built_sample: Path, tmp_path: Path) -> Path:
    """A folder with a sample archive of the test's own, to write into."""
    return _copied(built_sample, tmp_path / "sample")


@pytest.fixture
def seeds_copy(built_seeds: Path, tmp_path: Path) -> Path:
    """A folder with an archive of the seeds of the test's own, to write into."""
    return _copied(built_seeds, tmp_path / "seeds")


def _settings() -> Settings:
    from rag.config import Settings

    return Settings()


def _built(folder: Path, source: Path, embedder: Embedder) -> Path:
    from ingest import ingest
    from rag.archive import Archive

    with Archive.open(folder, settings=_settings(), create=True, embedder=embedder) as archive:
        summary = ingest(archive, [source])
    assert not summary.failures
    assert summary.added
    return folder


def _copied(source: Path, target: Path) -> Path:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("lock", "holder.json"))
    return target
