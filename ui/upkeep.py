"""The commands that look after an archive: doctor, rebuild, compact."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from ui.terminal import Terminal

if TYPE_CHECKING:
    from rag.archive import Archive

OK, FAULTY = 0, 1


def doctor(options: argparse.Namespace, terminal: Terminal) -> int:
    """Say what is wrong with an archive; the status is 1 if anything is."""
    from ui.show import json_text

    with _opened(options, terminal) as archive:
        checkup, reader = archive.check(), archive.reader
    findings = checkup.findings()
    if options.json:
        terminal.print(
            json_text(
                {
                    "sound": checkup.is_sound,
                    "articles": checkup.articles,
                    "passages": checkup.passages,
                    "without_vectors": checkup.without_vectors,
                    "findings": findings,
                    "relinked": len(checkup.vectors.relinked),
                    "fingerprint": dict(checkup.fingerprint),
                    "reader": reader,
                }
            )
        )
        return OK if checkup.is_sound else FAULTY
    made_by = checkup.fingerprint
    terminal.print(f"{checkup.articles} articles, {checkup.passages} passages")
    if checkup.without_vectors:
        terminal.print(f"{checkup.without_vectors} passages wait for vectors: the next ingest makes them")
    if made_by:
        weights = made_by.get("weights_sha256", "")[:12]
        terminal.print(f"vectors of {made_by.get('dim')} numbers by {made_by.get('model')} (weights {weights})")
    terminal.print(_read_by(reader, terminal))
    if relinked := len(checkup.vectors.relinked):
        terminal.print(f"{relinked} passages that the graph of the vector index had lost by chance were linked anew")
    for finding in findings:
        terminal.print(f"- {terminal.shown(finding)}")
    if not findings:
        vector = "its vector, if it has one" if checkup.without_vectors else "its vector"
        terminal.print(f"sound: every article is whole, and every passage is found by its id, its words and {vector}")
    return OK if checkup.is_sound else FAULTY


def _read_by(reader: Mapping[str, str], terminal: Terminal) -> str:
    if "version" in reader:
        return f"read by the trained reader {reader['version']} (weights {reader['weights_sha256'][:12]})"
    why = f": {terminal.shown(reader['why'])}" if "why" in reader else ""
    return f"read sentence by sentence, without a trained reader{why}"


def rebuild(options: argparse.Namespace, terminal: Terminal) -> int:
    """Make both indexes anew from the articles."""
    with _opened(options, terminal) as archive:
        archive.rebuild()
        counts = archive.counts()
    waiting = f", {counts.without_vectors} of them without a vector" if counts.without_vectors else ""
    terminal.print(f"both indexes were made anew: {counts.articles} articles, {counts.passages} passages{waiting}")
    return OK


def compact(options: argparse.Namespace, terminal: Terminal) -> int:
    """Leave no byte of deleted text in the archive's folder."""
    with _opened(options, terminal) as archive:
        before, after = archive.compact()
    terminal.print(f"what was deleted left no trace in the folder: {before / 1e6:.1f} MB before, {after / 1e6:.1f} now")
    return OK


def _opened(options: argparse.Namespace, terminal: Terminal) -> AbstractContextManager[Archive]:
    return terminal.opened(options.archive, settings=terminal.settings(options, {}))
