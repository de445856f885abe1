"""A process that is killed at any instant loses nothing that it acknowledged, and leaves nothing half done."""

from __future__ import annotations

import multiprocessing
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.crashing import open_archive, text_of, write_until_killed

KILLS = 60
# One process in three is killed so many seconds after its start at most, when it may still be opening the archive; the
# others after so many steps at most, and a moment, however long a loaded machine takes for them.
LATEST_S, MOST_STEPS, MOMENT_S = 1.0, 3, 0.3
# What a machine is given for a step, or for opening.
PATIENCE_S = 120


@dataclass
class Killed:
    """What processes that were killed one after the other had acknowledged: the version of each article there is.

    `under_way` is what the last one had begun and not ended, None if it was between two steps.
    """

    known: dict[str, int] = field(default_factory=dict)
    under_way: dict[str, int | None] | None = None
    opened: bool = False

    def hear(self, what: str, wanted: dict[str, int | None]) -> None:
        """Take note of what a process says."""
        self.opened = True
        self.under_way = wanted if what == "begun" else None
        if what == "done":
            self.known |= {name: version for name, version in wanted.items() if version is not None}
            for name in (name for name, version in wanted.items() if version is None):
                self.known.pop(name, None)


@pytest.mark.slow
def test_sixty_kills_lose_nothing_and_leave_nothing_half_done(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    draw = random.Random(2024)
    server = multiprocessing.get_context("forkserver")
    server.set_forkserver_preload(["tests.crashing", "rag.vectors", "rag.words", "rag.doctor"])
    told = Killed()
    killed_while = {"opening": 0, "a step was under way": 0, "idle": 0}
    acknowledged = 0
    for kill in range(KILLS):
        receiver, sender = server.Pipe(duplex=False)
        process = server.Process(target=write_until_killed, args=(folder, kill, sender))
        process.start()
        sender.close()
        told.opened, told.under_way = False, None
        if kill % 3:
            steps = draw.randint(0, MOST_STEPS)
            # It says that it has opened the archive, then that each step begins and is done.
            for _ in range(2 * steps + 2):
                assert receiver.poll(PATIENCE_S), f"no word from a process for {PATIENCE_S} s, at kill {kill}"
                told.hear(*receiver.recv())
            acknowledged += steps
            time.sleep(draw.uniform(0.0, MOMENT_S))
        else:
            time.sleep(draw.uniform(0.0, LATEST_S))
        process.kill()
        process.join()
        assert process.exitcode == -9
        try:
            while True:
                told.hear(*receiver.recv())
        except EOFError:
            receiver.close()
        instant = "opening" if not told.opened else "idle" if told.under_way is None else "a step was under way"
        killed_while[instant] += 1
        told.known = _checked(folder, told.known, under_way=told.under_way or {}, kill=kill)
    # The instants were what they are meant to be.
    assert killed_while["a step was under way"] >= KILLS // 2, killed_while
    assert acknowledged > KILLS // 2


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
