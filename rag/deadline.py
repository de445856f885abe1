"""A limit on how long something may go on giving."""

from __future__ import annotations

import contextvars
import queue
import threading
import time
from collections.abc import Generator
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(Exception):
    """Something was still going on when its time was up."""


class _End:
    """Says that nothing more comes, and what went wrong if something did."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


def within(items: Generator[T, None, None], *, seconds: float) -> Generator[T, None, None]:
    """Yield the items as they come.

    They are drawn in a thread of their own: a peer that keeps a connection alive and says nothing would otherwise be
    waited for without end. What is given up, here or by the caller, ends with the next item that it gives.

    Raises:
        DeadlineError: They have not ended after so many seconds.
    """
    drawn: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
    given_up = threading.Event()

    def draw() -> None:
        try:
            with closing(items):
                for item in items:
                    if given_up.is_set():
                        return
                    drawn.put(item)
        except BaseException as exc:  # whatever it is, it is raised where the items are wanted
            drawn.put(_End(exc))
        else:
            drawn.put(_End())

    # Tracing follows the context that the caller is in.
    threading.Thread(target=contextvars.copy_context().run, args=(draw,), daemon=True).start()
    until = time.monotonic() + seconds
    try:
        while True:
            try:
                item = drawn.get(timeout=max(until - time.monotonic(), 0))
            except queue.Empty:
                raise DeadlineError(f"not ended after {seconds:g} s") from None
            if not isinstance(item, _End):
                yield item
            elif item.error:
                raise item.error
            else:
                return
    finally:
        given_up.set()
