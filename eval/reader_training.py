"""Trains the reader on the public sets: `make train-reader`, or `python -m eval.reader_training WORK`.

Reads `HEMEROTECA_DATA`/train and the bundled model, downloads nothing. What was done is kept in the folder WORK every
few minutes; the same command goes on from there. Validation chooses among the states that were kept; what is only
reported (`eval.reader_quality`) is not looked at.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from eval.reader_data import NEGATIVES, examples
from eval.reader_features import Row, counter, rows_of
from eval.reader_mining import Mined, mined, with_shared_keys
from eval.reader_model import Encoder, batch_of, copies, learning_weights, logits_of, loss_of, read_base, weights_of
from eval.reader_passages import MOST_TOKENS
from eval.reader_sets import Sets, read_sets
from eval.reader_validation import Validation, validation
from rag.bundled import bundled_model_folder
from rag.config import EmbeddingSettings
from rag.embedding import load_embedder
from rag.wheels import Notify

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

STATE, BEST, LAST, LOG = "state.pt", "best.safetensors", "last.safetensors", "log.jsonl"


@dataclass(frozen=True, slots=True)
class Plan:
    """How the reader is trained; the shipped weights are what comes of the defaults.

    Args:
        tokens: Of a batch, at most; rows of one length make a batch.
        whole_numbers_from: Share of the steps after which the weights are rounded as they will be shipped.
        passes: How often every example is seen; a part of one is fine.
        following: Share of the questions that are asked in a conversation, after another one.
        near: How much oftener than by default questions come over what is on their subject and does not answer.
        seed: Of the examples and their order.
        heads: Seed of the new heads; trainings whose weights are averaged have to begin from the same ones.
    """

    learning_rate: float = 1.5e-4
    warmup: float = 0.05
    frozen: int = 4
    tokens: int = 4096
    smoothing: float = 0.0
    weight_decay: float = 0.01
    whole_numbers_from: float = 0.7
    passes: float = 0.6
    following: float = 0.0
    near: float = 1.0
    seed: int = 1
    heads: int = 1


def batches(lengths: Sequence[int], *, plan: Plan) -> list[list[int]]:
    """Return the rows of each step, by position: rows of one length together, in an order that the seed decides."""
    made: list[list[int]] = []
    whole = int(plan.passes) + (plan.passes % 1 > 0)
    for at in range(whole):
        rng = random.Random(f"{plan.seed} {at}")
        by_length: dict[int, list[int]] = defaultdict(list)
        for position in rng.sample(range(len(lengths)), len(lengths)):
            by_length[lengths[position]].append(position)
        found = []
        for length, positions in sorted(by_length.items()):
            size = max(1, plan.tokens // length)
            found += [positions[start : start + size] for start in range(0, len(positions), size)]
        rng.shuffle(found)
        made += found[: round(len(found) * min(1.0, plan.passes - at))]
    return made


def rate_at(step: int, *, steps: int, plan: Plan) -> float:
    """Return the learning rate of a step: rising over the warm-up, then falling in a line to zero."""
    rising = max(1, round(steps * plan.warmup))
    return plan.learning_rate * min((step + 1) / rising, (steps - step) / max(1, steps - rising))


class Training:
    """A training that can be cut at any step and goes on as if it had not been.

    Args:
        base: Tensors of the model that it starts from.
        rows: What it learns.
        folder: Where its state is kept.
        judge: Tells how good weights are, higher is better, and the figures that say so.
        start: Weights that learn on, instead of the model's upper layers and new heads.
    """

    def __init__(
        self,
        base: Mapping[str, Tensor],
        rows: Sequence[Row],
        *,
        folder: Path,
        plan: Plan,
        judge: Callable[[Encoder, Mapping[str, Tensor]], Mapping[str, float]],
        start: Mapping[str, Tensor] | None = None,
        notify: Notify = print,
    ) -> None:
        import torch

        self.encoder = Encoder(base, frozen=plan.frozen)
        self.weights = learning_weights(base, frozen=plan.frozen, seed=plan.heads)
        for name, value in (start or {}).items():
            self.weights[name].copy_(value)
        self._rows, self._folder, self._plan, self._judge, self._notify = rows, folder, plan, judge, notify
        self._batches = batches([len(row.ids) for row in rows], plan=plan)
        bare = [value for name, value in self.weights.items() if value.ndim == 1]
        decayed = [value for name, value in self.weights.items() if value.ndim > 1]
        groups = [{"params": decayed, "weight_decay": plan.weight_decay}, {"params": bare, "weight_decay": 0.0}]
        self._optimizer = torch.optim.AdamW(groups, lr=plan.learning_rate, betas=(0.9, 0.98), fused=True)
        self.step = 0
        self._best = float("-inf")
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / STATE).exists():
            self._resume()

    @property
    def steps(self) -> int:
        """How many steps there are in all."""
        return len(self._batches)

    def _resume(self) -> None:
        import torch

        kept = torch.load(self._folder / STATE, weights_only=True)
        # Passes may change on the way: the order is the same, and the rate falls to the new end.
        if {**kept["plan"], "passes": self._plan.passes} != asdict(self._plan):
            raise ValueError(f"{self._folder} holds a training by another plan, {kept['plan']}: name another folder")
        for name, value in kept["weights"].items():
            self.weights[name].copy_(value)
        self._optimizer.load_state_dict(kept["optimizer"])
        self.step, self._best = kept["step"], kept["best"]
        self._notify(f"going on from step {self.step}")

    def keep(self) -> None:
        """Write down all that going on needs; the file is replaced at once."""
        import torch

        kept = {
            "plan": asdict(self._plan),
            "weights": self.weights,
            "optimizer": self._optimizer.state_dict(),
            "step": self.step,
            "best": self._best,
        }
        unfinished = self._folder / f"{STATE}.unfinished"
        torch.save(kept, unfinished)
        unfinished.replace(self._folder / STATE)

    def run(self, *, until: int | None = None, keep_every_s: float = 300, judge_every_s: float = 600) -> None:
        """Train up to a step, or to the end; afterwards the folder has the last weights, and those judged best."""
        from safetensors.torch import save_file

        kept_at = judged_at = told_at = time.monotonic()
        tokens = 0
        running = 0.0
        while self.step < min(self.steps, until if until is not None else self.steps):
            rows = [self._rows[at] for at in self._batches[self.step]]
            loss = self._learn(rows)
            running = loss if not running else 0.98 * running + 0.02 * loss
            tokens += len(rows) * len(rows[0].ids)
            self.step += 1
            now = time.monotonic()
            if self.step % 50 == 0:
                pace = tokens / (now - told_at)
                self._notify(f"step {self.step}/{self.steps} loss {running:.3f} {pace:.0f} tokens/s")
                told_at, tokens = now, 0
            if now - kept_at > keep_every_s:
                self.keep()
                kept_at = time.monotonic()
            if now - judged_at > judge_every_s:
                self.judge()
                told_at = judged_at = time.monotonic()
                tokens = 0
        self.judge()
        self.keep()
        save_file(self.weights, self._folder / LAST)

    @property
    def _is_whole(self) -> bool:
        return self.step >= self._plan.whole_numbers_from * self.steps

    def _learn(self, rows: Sequence[Row]) -> float:
        import torch

        used = copies(self.weights, whole_numbers=self._is_whole)
        for value in used.values():
            value.requires_grad_(True)
        batch = batch_of(rows)
        loss = loss_of(logits_of(batch, self.encoder, used), batch, smoothing=self._plan.smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        for name, value in self.weights.items():
            gradient = used[name].grad
            value.grad = None if gradient is None else gradient.float()
        torch.nn.utils.clip_grad_norm_(self.weights.values(), 1.0)
        for group in self._optimizer.param_groups:
            group["lr"] = rate_at(self.step, steps=self.steps, plan=self._plan)
        self._optimizer.step()
        return float(loss.detach())

    def judge(self) -> None:
        """Write down how good the weights are, rounded as they will be shipped, and keep them if none were better."""
        from safetensors.torch import save_file

        figures = self._judge(self.encoder, copies(self.weights, whole_numbers=True))
        line = {"step": self.step, "of": self.steps, **{name: round(value, 4) for name, value in figures.items()}}
        with (self._folder / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        self._notify(json.dumps(line))
        if figures["score"] >= self._best:
            self._best = figures["score"]
            unfinished = self._folder / f"{BEST}.unfinished"
            save_file(self.weights, unfinished)
            unfinished.replace(self._folder / BEST)


@dataclass(frozen=True, slots=True)
class Material:
    """What examples are made of: the public sets, and what ranks high for their questions without answering them."""

    sets: Sets
    mined: Mined
    tokenizer: Tokenizer

    def learned(
        self,
        *,
        seed: int,
        negatives: float = NEGATIVES,
        longest: int = MOST_TOKENS,
        following: float = 0.0,
        near: float = 1.0,
    ) -> list[Row]:
        """Return the rows of the training articles; `examples` has the parameters."""
        made = examples(
            self.sets,
            self.mined,
            side="train",
            seed=seed,
            count=counter(self.tokenizer),
            negatives=negatives,
            longest=longest,
            following=following,
            near=near,
        )
        return [row for row in rows_of(list(made), self.tokenizer) if row is not None]

    def judged(self) -> Validation:
        """Return what is judged by, of the validation articles: always the same."""
        return validation(self.sets, self.mined, tokenizer=self.tokenizer, count=counter(self.tokenizer))


def main(arguments: Sequence[str] | None = None) -> int:
    """Train, or go on training, in a folder."""
    parser = argparse.ArgumentParser(prog="python -m eval.reader_training", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the state of the training is kept")
    plan = Plan()
    for name in ("learning_rate", "smoothing", "passes", "whole_numbers_from", "following", "near"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=getattr(plan, name))
    for name in ("frozen", "tokens", "seed", "heads"):
        parser.add_argument(f"--{name}", type=int, default=getattr(plan, name))
    parser.add_argument("--start", type=Path, help="weights that learn on, shipped ones or a training's best")
    parser.add_argument("--judge-every", type=float, default=600, help="seconds between two looks at validation")
    chosen = vars(parser.parse_args(arguments))
    folder, judge_every_s, start = chosen.pop("folder"), chosen.pop("judge_every"), chosen.pop("start")
    data = Path(os.environ.get("HEMEROTECA_DATA", ""))
    if not (data / "train").is_dir():
        parser.exit(2, "HEMEROTECA_DATA names no folder with train/: set it to the folder of the public data sets\n")
    made_of = material(data)
    learned = made_of.learned(seed=chosen["seed"], following=chosen["following"], near=chosen["near"])
    judge = made_of.judged().figures
    base = read_base(bundled_model_folder())
    known = None if start is None else weights_of(start)
    training = Training(base, learned, folder=folder, plan=Plan(**chosen), judge=judge, start=known)
    training.run(judge_every_s=judge_every_s)
    return 0


def material(data: Path) -> Material:
    """Return what is learned from; a few minutes of work."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(bundled_model_folder() / "tokenizer.json"))
    embedder = load_embedder(EmbeddingSettings())
    sets = with_shared_keys(
        read_sets(data), source="squad2_dev_half_en", other="squad_dev_mt_da", embed=embedder.embed_questions
    )
    return Material(sets, mined(sets, most=12), tokenizer)


if __name__ == "__main__":
    raise SystemExit(main())
