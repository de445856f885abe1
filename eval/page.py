"""A run as one HTML page: for every question what was retrieved, chosen and cited, and why it is right or wrong.

Nothing is loaded from elsewhere, and the page's own policy forbids it. Questions, articles and answers are hostile:
everything of theirs is escaped here.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from eval.dataset import DatasetError
from eval.gate import Gate, verdict
from eval.page_question import escaped, question_html
from eval.runner import TOTAL, Record, Run, groups, summarise
from eval.scoring import MEASURES

_STYLE = Path(__file__).with_name("page.css")
_SCRIPT = Path(__file__).with_name("page.js")


def page(run: Run, *, about: Mapping[str, Any], gate: Gate | None = None) -> str:
    """Return the page of a run.

    Args:
        run: The run; its candidates are shown where it has them.
        about: What `eval.report.run_to_dict` takes.
        gate: How it compares with the baseline, if it was compared.
    """
    style, script = _STYLE.read_text(encoding="utf-8"), _SCRIPT.read_text(encoding="utf-8")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    name = escaped(str(about.get("dataset", {}).get("name", "questions")))
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>Evaluation: {name}</title><style>{style}</style></head><body>",
            f"<header><h1>Evaluation: {name}</h1>{_about(run, about)}</header><main>",
            _summary(run),
            f"<section><h2>Against the baseline</h2><pre>{escaped(verdict(gate))}</pre></section>" if gate else "",
            _problems(run),
            "<section><h2>Questions</h2>",
            _filters(run.records),
            *(question_html(record, number) for number, record in enumerate(run.records, start=1)),
            '<p id="none" hidden>No question fits these filters.</p></section></main>',
            f"<script>{script}</script></body></html>\n",
        ]
    )


def write_page(content: str, path: Path) -> None:
    """Write a page, making the folders above it.

    Raises:
        DatasetError: The file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    except OSError as exc:
        raise DatasetError(f"page {path} cannot be written ({exc.strerror}): choose another --html FILE") from exc


# ---- the run as a whole


def _about(run: Run, about: Mapping[str, Any]) -> str:
    archive: Mapping[str, Any] = about.get("archive", {})
    passed = sum(record.passed for record in run.records)
    facts = [
        f"{passed} of {len(run.records)} questions passed",
        f"{archive['articles']} articles, {archive['passages']} passages" if "articles" in archive else "",
        str(about.get("time", "")),
    ]
    settings: Mapping[str, Any] = about.get("settings", {})
    fingerprint: Mapping[str, Any] = archive.get("fingerprint", {})
    reader = {f"reader {name}": value for name, value in archive.get("reader", {}).items()}
    rows = "".join(
        f"<tr><th scope=row>{escaped(str(key))}</th><td>{escaped(str(value))}</td></tr>"
        for key, value in [*settings.items(), *fingerprint.items(), *reader.items(), ("code", about.get("code", ""))]
    )
    notes = "".join(f"<p>{escaped(note)}</p>" for note in about.get("notes", ()))
    return (
        f"<p>{' · '.join(escaped(fact) for fact in facts if fact)}</p>{notes}"
        f"<details><summary>Settings and what made the vectors</summary><div class=wide><table>{rows}</table></div>"
        "</details>"
    )


def _summary(run: Run) -> str:
    head = "".join(
        f'<th scope=col title="{escaped(measure.meaning)}">{escaped(measure.heading)}</th>' for measure in MEASURES
    )
    rows = []
    for split, by_type in groups(run.records).items():
        for kind, records in by_type.items():
            summaries = summarise(records)
            cells = []
            for measure in MEASURES:
                found = summaries[measure.name]
                if found.mean is None or found.interval is None:
                    cells.append("<td class=quiet>–</td>")
                else:
                    bounds = f"{found.interval.low:.2f}–{found.interval.high:.2f}"
                    cells.append(f"<td>{found.mean:.2f}<small>{bounds}</small></td>")
            label = f"{split}" if kind == TOTAL else f"{split} · {kind}"
            style = ' class="total"' if kind == TOTAL else ""
            rows.append(f"<tr{style}><th scope=row>{escaped(label)}</th><td>{len(records)}</td>{''.join(cells)}</tr>")
    meanings = "".join(f"<dt>{escaped(item.heading)}</dt><dd>{escaped(item.meaning)}</dd>" for item in MEASURES)
    return (
        "<section><h2>Summary</h2><p>Means over the questions that a measure applies to; Wilson 95 % intervals.</p>"
        f"<div class=wide><table class=summary><thead><tr><td></td><th scope=col>n</th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
        f"<details><summary>What the measures say</summary><dl>{meanings}</dl></details></section>"
    )


def _problems(run: Run) -> str:
    if not run.problems:
        return ""
    items = "".join(f"<li>{escaped(problem)}</li>" for problem in run.problems)
    return f"<section><details><summary>{len(run.problems)} problems</summary><ul>{items}</ul></details></section>"


def _filters(records: Sequence[Record]) -> str:
    def choice(name: str, label: str, values: Iterable[str]) -> str:
        options = "".join(
            f'<option value="{escaped(value)}">{escaped(value)}</option>' for value in dict.fromkeys(values)
        )
        return f'<label>{label} <select id="{name}"><option value="">all</option>{options}</select></label>'

    # Without scripts a filter would do nothing, so the script shows them.
    return (
        '<div id="filters" hidden>'
        + choice("passed", "Result", ("right", "wrong"))
        + choice("split", "Split", (record.question.split for record in records if record.question.split))
        + choice("type", "Type", (record.question.type for record in records if record.question.type))
        + '<label>Words <input id="words" type="search" size="16"></label>'
        '<span id="count" role="status"></span></div>'
    )


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
