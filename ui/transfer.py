"""The commands that carry an archive between machines: export, import."""

from __future__ import annotations

import argparse
from collections import deque
from dataclasses import asdict
from functools import partial

from ui.terminal import Terminal

OK = 0


def export(options: argparse.Namespace, terminal: Terminal) -> int:
    """Write an archive into one file; who holds the archive is not disturbed."""
    from rag.exports import export_archive
    from ui.show import json_text

    # A wrong setting is said by every command.
    terminal.settings(options, {})
    summary = export_archive(
        terminal.folder / options.archive, options.file, progress=partial(terminal.progress, unit="articles")
    )
    if options.json:
        terminal.print(json_text(asdict(summary)))
    else:
        terminal.print(
            f"{summary.articles} articles, {summary.passages} passages, {summary.bytes / 1e6:.1f} MB: "
            f"{terminal.shown(str(options.file))}"
        )
    return OK


def import_(options: argparse.Namespace, terminal: Terminal) -> int:
    """Take in what another archive exported."""
    from rag.folder import is_unused
    from rag.imports import open_export
    from ui.show import json_text, summary_text, summary_to_dict

    settings = terminal.settings(options, {})
    with open_export(options.file, max_article_mb=settings.ingest.max_article_mb) as export:
        # No archive is begun for a file that is none, or is not whole.
        if is_unused(options.archive):
            deque(export.kept, maxlen=0)
    with terminal.opened(options.archive, settings=settings, create=True) as archive:
        from ingest import import_archive

        summary = import_archive(archive, options.file, progress=terminal.progress, notify=terminal.say)
    terminal.print(json_text(summary_to_dict(summary)) if options.json else summary_text(summary))
    return OK
