from __future__ import annotations

import subprocess
import sys

import pytest

import rag

HEAVY = (
    "chromadb",
    "dateparser",
    "gradio",
    "langchain",
    "langchain_core",
    "onnxruntime",
    "sentence_transformers",
    "sqlalchemy",
    "tantivy",
    "tiktoken",
    "torch",
    "transformers",
)
LIGHT = (
    "rag", "ingest", "ui.cli", "ui.commands", "ui.options", "ui.show", "ui.terminal",
    "eval", "eval.command", "eval.runner", "eval.metrics",
)  # fmt: skip


def _loaded(statement: str, *watched: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*(name for name in {watched!r} if name in sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


@pytest.mark.parametrize("module", LIGHT)
def test_importing_loads_no_heavy_library(module: str) -> None:
    assert _loaded(f"import {module}", *HEAVY) == set()


def test_help_loads_neither_numpy_nor_any_heavy_library() -> None:
    command = "from ui.cli import main\nmain(['ask', '--help'])"
    assert (
        _loaded(
            f"import io, sys\nout, sys.stdout = sys.stdout, io.StringIO()\n{command}\nsys.stdout = out", *HEAVY, "numpy"
        )
        == set()
    )


def test_public_names_of_rag_can_be_had() -> None:
    for name in rag.__all__:
        assert getattr(rag, name) is not None


def test_a_name_that_rag_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Arhive'"):
        rag.Arhive  # noqa: B018
