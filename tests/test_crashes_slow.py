"""A process that is killed at any instant loses nothing that it acknowledged, and leaves nothing half done."""

from __future__ import annotations

import multiprocessing
import random
import time
from pathlib import Path

import pytest

from tests.crashing import open_archive, text_of, write_until_killed

KILLS = 60
# Seconds after which a process is killed: in the first ones it is still opening the archive.
LATEST_S = 1.5


@pytest.mark.slow
def test_sixty_kills_lose_nothing_and_leave_nothing_half_done(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    draw = random.Random(2024)
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tests.crashing", "rag.vectors", "rag.words", "rag.doctor"])
    # What the archive must hold: the version of each article.
    known: dict[str, int] = {}
    killed_while = {"opening": 0, "a step was under way": 0, "idle": 0}
    for kill in range(KILLS):
        receiver, sender = server.Pipe(duplex=False)
        process = server.Process(target=write_until_killed, args=(folder, kill, sender))
        process.start()
        sender.close()
        time.sleep(draw.uniform(0.0, LATEST_S))
        process.kill()
        process.join()
        assert process.exitcode == -9
        under_way: dict[str, int | None] | None = None
        opened = False
        try:
            while True:
                what, wanted = receiver.recv()
                opened = True
                under_way = wanted if what == "begun" else None
                if what == "done":
                    known |= {name: version for name, version in wanted.items() if version is not None}
                    for name in (name for name, version in wanted.items() if version is None):
                        known.pop(name, None)
        except EOFError:
            receiver.close()
        killed_while["opening" if not opened else "idle" if under_way is None else "a step was under way"] += 1
        known = _checked(folder, known, under_way=under_way or {}, kill=kill)
    # The instants were what they are meant to be.
    assert killed_while["a step was under way"] >= KILLS // 2, killed_while
    assert known


def _checked(folder: Path, known: dict[str, int], *, under_way: dict[str, int | None], kill: int) -> dict[str, int]:
    """Return the version of each article in the archive, each of which must be an acknowledged one or under way."""
    with open_archive(folder) as archive:
        held = {str(article.given_id): article for article in archive.articles()}
        assert len(held) == archive.counts().articles, f"an article twice, after kill {kill}"
        found: dict[str, int] = {}
        for name in sorted({*known, *under_way, *held}):
            possible = {known.get(name)} | ({under_way[name]} if name in under_way else set())
            matching = [
                version
                for version in possible
                if (version is None and name not in held)
                or (version is not None and name in held and held[name].text == text_of(name, version))
            ]
            assert matching, f"{name} is none of the versions {possible}, after kill {kill}"
            if matching[0] is not None:
                found[name] = matching[0]
        archive.embed_pending()
        checkup = archive.check()
        assert checkup.findings() == [], f"after kill {kill}"
        assert checkup.without_vectors == 0
        assert checkup.articles == len(found)
    return found
