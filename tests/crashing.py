"""A process that writes into an archive until it is killed, telling of each step that was acknowledged."""

from __future__ import annotations

import json
import random
from multiprocessing.connection import Connection
from pathlib import Path

from ingest import ingest
from rag.archive import Archive
from rag.config import Settings
from tests.hashed_embedder import HashedEmbedder

NAMES = [f"n{number:03}" for number in range(40)]


def open_archive(folder: Path) -> Archive:
    """Return the archive, made if there is none, with an embedder that costs nothing."""
    return Archive.open(folder, settings=Settings(), create=True, embedder=HashedEmbedder())


def text_of(name: str, version: int) -> str:
    """Return an article's text: long enough for several passages, and another one for each version."""
    return " ".join(f"La noticia {name} en su versión {version} dice la frase número {at} entera." for at in range(30))


def write_until_killed(folder: Path, seed: int, acknowledged: Connection) -> None:
    """Take in, change and delete articles by chance; send each step before it begins and once it is acknowledged."""
    draw = random.Random(seed)
    version = seed * 1000
    archive = open_archive(folder)
    acknowledged.send(("opened", {}))
    while True:
        version += 1
        some = draw.sample(NAMES, draw.randint(1, 12))
        step = draw.choices(["put", "delete", "rebuild", "compact"], weights=[10, 4, 1, 1])[0]
        wanted = dict.fromkeys(some, version if step == "put" else None) if step in ("put", "delete") else {}
        acknowledged.send(("begun", wanted))
        if step == "put":
            rows = [
                {"id": name, "url": f"https://faro.example/{name}", "text": text_of(name, version)} for name in some
            ]
            file = folder.parent / f"{version}.jsonl"
            file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
            ingest(archive, file)
        elif step == "delete":
            held = {article.given_id: article.id for article in archive.articles()}
            for name in some:
                if name in held:
                    archive.delete(held[name])
        elif step == "rebuild":
            archive.rebuild()
        else:
            archive.compact()
        acknowledged.send(("done", wanted))
