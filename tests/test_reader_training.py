"""What the reader learns from, and that a training cut at any step goes on to the same weights."""

import json
import os
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eval.reader_data import examples
from eval.reader_export import shipped
from eval.reader_features import Row, row_of
from eval.reader_mining import mined, with_shared_keys
from eval.reader_passages import Example
from eval.reader_scores import auroc, f1, is_exact
from eval.reader_sets import Question, Sets, Text, read_sets, side_of

NEEDS_DATA = pytest.mark.skipif(
    not (Path(os.environ.get("HEMEROTECA_DATA", "")) / "train").is_dir(),
    reason="HEMEROTECA_DATA names no folder with train/: the public sets are not here",
)
TOWNS = {"Ronda": "1485", "Cuenca": "1177", "Teruel": "1171", "Mérida": "713", "Soria": "1119", "Jaca": "1077"}


def _sets() -> Sets:
    """Towns with the year they were taken: each paragraph answers its own question alone."""
    texts, questions = {}, []
    for at, (town, year) in enumerate(TOWNS.items()):
        pid = f"p{at}"
        text = f"{town} tiene un puente viejo. La ciudad de {town} fue tomada en {year}. Hoy viven allí pocos."
        texts[pid] = Text(pid, "squad_es_dist", "es", town, text, subject=f"s{at}")
        start = text.index(year)
        span = ((start, start + len(year)),)
        questions.append(Question(f"k{at}", "squad_es_dist", "es", f"¿Cuándo fue tomada {town}?", pid, span))
    return Sets(texts, tuple(questions))


def _words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def _made(side: str) -> list[Example]:
    sets = _sets()
    return list(examples(sets, mined(sets, most=3), side=side, seed=1, count=_words))


def test_answers_and_sentences_are_exact_slices_of_the_passage() -> None:
    made = _made("train")
    assert {example.kind for example in made} >= {"given", "mined"}
    for example in made:
        assert [example.passage[a:b] for a, b in example.answers] in ([], [TOWNS[_town(example)]])
        assert " ".join(example.passage[a:b] for a, b in example.sentences) == example.passage


def _town(example: Example) -> str:
    return next(town for town in TOWNS if town in example.question)


def test_a_passage_that_is_said_not_to_answer_does_not_hold_the_answer() -> None:
    for example in _made("train"):
        if example.kind in ("mined", "near", "cut"):
            assert TOWNS[_town(example)] not in example.passage


def test_the_same_seed_gives_the_same_examples() -> None:
    assert _made("train") == _made("train")


def test_near_asks_for_more_passages_of_the_subject_among_those_that_do_not_answer() -> None:
    def share(near: float) -> float:
        sets, kinds = _sets(), list[str]()
        for seed in range(20):
            made = examples(sets, mined(sets, most=3), side="train", seed=seed, count=_words, near=near)
            kinds += [example.kind for example in made if example.kind != "given"]
        return sum(kind != "mined" for kind in kinds) / len(kinds)

    assert share(0.0) == 0.0 < share(1.0) < share(4.0)


def test_no_subject_is_on_both_sides() -> None:
    train, held = _made("train"), _made("validation")
    assert not {example.subject for example in train} & {example.subject for example in held}


def test_translations_are_found_by_their_vectors_within_one_subject() -> None:
    sets = _sets()
    other = Question("other", "en", "en", "When was Ronda taken?", "p0", sets.questions[0].answers)
    strange = Question("strange", "en", "en", "Who was born in Jaca?", "p1", sets.questions[1].answers)
    vectors = {question.question: np.eye(8, dtype=np.float32)[at] for at, question in enumerate(sets.questions)}
    # Nearest to a question on another subject: no translation.
    vectors |= {
        other.question: vectors["¿Cuándo fue tomada Ronda?"],
        strange.question: vectors["¿Cuándo fue tomada Jaca?"],
    }
    both = with_shared_keys(
        Sets(sets.texts, (*sets.questions, other, strange)),
        source="en",
        other="squad_es_dist",
        embed=lambda texts: np.stack([vectors[text] for text in texts]),
    )
    assert [question.key for question in both.questions[-2:]] == ["k0", "strange"]


@NEEDS_DATA
def test_translations_of_a_question_are_on_one_side_of_the_split() -> None:
    names = ("squad_dev_mt_es", "squad_it_dev", "squad2_dev_half_en")
    sets = read_sets(Path(os.environ["HEMEROTECA_DATA"]), names=names)
    sides: dict[str, set[str]] = {}
    for question in sets.questions:
        sides.setdefault(question.key, set()).add(sets.side(question))
    assert all(len(side) == 1 for side in sides.values())
    titles: dict[str, set[str]] = {}
    for text in sets.texts.values():
        titles.setdefault(text.title, set()).add(side_of(text.subject))
    assert all(len(side) == 1 for title, side in titles.items() if title)


def test_tokens_of_answers_and_sentences_are_where_the_text_says() -> None:
    passage = "El río crece. Fue en 1485."
    example = Example("k", "given", "s", "es", "es", "q", "", passage, ((0, 13), (14, 26)), ((21, 25),), "s")
    # As the bundled tokenizer cuts it: a token begins with the space before it.
    spans = [(0, 2), (2, 6), (6, 13), (13, 17), (17, 20), (20, 25), (25, 26)]
    row = row_of(example, [7, 8], [], (list(range(10, 17)), spans), most_tokens=192)
    assert row is not None
    assert row.ids.tolist() == [0, 7, 8, 2, 2, 10, 11, 12, 13, 14, 15, 16, 2]
    assert (row.first, row.starts, row.ends, row.holds) == (5, (10,), (10,), (False, True))
    assert row.sentence.tolist() == [-1] * 5 + [0, 0, 0, 1, 1, 1, 1] + [-1]
    assert passage[slice(*row.spans[5])] == "1485"


def test_an_example_whose_answer_lies_beyond_the_length_is_left_out() -> None:
    example = Example("k", "given", "s", "es", "es", "q", "", "a b c", ((0, 5),), ((4, 5),), "s")
    assert row_of(example, [7], [], ([1, 2, 3], [(0, 1), (1, 3), (3, 5)]), most_tokens=7) is None


def test_the_answer_most_like_what_was_found_counts() -> None:
    assert f1("en 1485", ["mayo", "1485"], language="es") == pytest.approx(2 / 3)
    assert is_exact("El Ebro", ["río", "Ebro."], language="es")


def test_auroc_counts_ties_half() -> None:
    assert auroc([3, 1], [2, 1]) == pytest.approx((1 + 1 + 0 + 0.5) / 4)


def test_what_is_shipped_is_off_by_half_a_step_at_most() -> None:
    weight = np.random.default_rng(1).normal(size=(5, 40)).astype(np.float32)
    name = "encoder.layer.4.attention.self.query.weight"
    tensors = shipped({name: weight, "span.weight": weight})
    steps = tensors[f"{name}.scale"][:, None]
    assert tensors[name].dtype == np.int8
    assert np.abs(tensors[name].astype(np.int16)).max() == 64
    assert (np.abs(tensors[name] * steps - weight) <= steps * 0.5001).all()
    assert np.array_equal(tensors["span.weight"], weight)


WIDTH = 64


def _base() -> dict[str, "np.ndarray[tuple[int, ...], np.dtype[np.float32]]"]:
    """A model of two layers of which the first is frozen, by the names of the bundled one."""
    draw = np.random.default_rng(3)
    shapes = {"attention.self.query": (WIDTH, WIDTH), "attention.self.key": (WIDTH, WIDTH)}
    shapes |= {"attention.self.value": (WIDTH, WIDTH), "attention.output.dense": (WIDTH, WIDTH)}
    shapes |= {"intermediate.dense": (128, WIDTH), "output.dense": (WIDTH, 128)}
    made = {
        "embeddings.word_embeddings.weight": draw.normal(size=(40, WIDTH)),
        "embeddings.position_embeddings.weight": draw.normal(size=(32, WIDTH)) * 0.1,
        "embeddings.token_type_embeddings.weight": np.zeros((1, WIDTH)),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(2):
        for name, shape in shapes.items():
            made[f"encoder.layer.{layer}.{name}.weight"] = draw.normal(size=shape) * 0.1
            made[f"encoder.layer.{layer}.{name}.bias"] = np.zeros(shape[0])
        norms += [f"encoder.layer.{layer}.{part}.LayerNorm" for part in ("attention.output", "output")]
    for norm in norms:
        made |= {f"{norm}.weight": np.ones(WIDTH), f"{norm}.bias": np.zeros(WIDTH)}
    return {name: value.astype(np.float32) for name, value in made.items()}


def _toy_rows(count: int) -> list[Row]:
    """Passages of six tokens: those from 30 on are answers, and some passages have none."""
    rng = random.Random(5)
    rows = []
    for _ in range(count):
        passage = rng.sample(range(10, 30), 6)
        answers = rng.random() < 0.6
        place = rng.randrange(6)
        if answers:
            passage[place] = rng.randrange(30, 40)
        sentence = np.array([-1] * 4 + [0, 0, 0, 1, 1, 1, -1], np.int32)
        at = (4 + place,) if answers else (0,)
        holds = (answers and place < 3, answers and place >= 3)
        spans = np.array([(at, at + 1) for at in range(6)], np.int32)
        rows.append(Row(np.array([0, 5, 2, 2, *passage, 2], np.int32), 4, spans, sentence, at, at, holds))
    return rows


def test_a_training_goes_on_from_weights_as_they_were_shipped(tmp_path: Path) -> None:
    import torch
    from safetensors.numpy import save_file

    from eval.reader_model import copies, weights_of
    from eval.reader_training import Plan, Training

    base = {name: torch.from_numpy(value) for name, value in _base().items()}
    plan = Plan(learning_rate=0.0, frozen=1, tokens=11 * 32)

    def training(folder: str, heads: int, start: "dict[str, torch.Tensor] | None" = None) -> Training:
        # The seed of the examples says nothing about where the heads begin.
        chosen = replace(plan, seed=7, heads=heads)
        folder_of = tmp_path / folder
        judge = {"score": 0.0}
        return Training(base, _toy_rows(40), folder=folder_of, plan=chosen, judge=lambda *_: judge, start=start)

    first = training("first", 1)
    file = tmp_path / "weights.safetensors"
    save_file(shipped({name: value.numpy() for name, value in first.weights.items()}), file)
    second = training("second", 2, weights_of(file))
    # Whole numbers already: rounding them again changes nothing.
    for name, value in copies(first.weights, whole_numbers=True).items():
        assert torch.equal(value, copies(second.weights, whole_numbers=True)[name]), name
    assert torch.equal(first.weights["span.weight"], second.weights["span.weight"])
    assert not torch.equal(first.weights["span.weight"], training("third", 2).weights["span.weight"])


def test_a_training_learns_and_one_that_was_cut_comes_to_the_same_weights(tmp_path: Path) -> None:
    import torch

    from eval.reader_model import Encoder, copies, weights_of
    from eval.reader_scores import read
    from eval.reader_training import LAST, Plan, Training

    base = {name: torch.from_numpy(value) for name, value in _base().items()}
    rows = _toy_rows(800)
    plan = Plan(learning_rate=3e-3, frozen=1, tokens=11 * 32, passes=1.5, whole_numbers_from=0.5)

    def training(folder: str) -> Training:
        return Training(
            base, rows, folder=tmp_path / folder, plan=plan, judge=lambda *_: {"score": 0.0}, notify=lambda _: None
        )

    whole = training("whole")
    whole.run()
    cut = training("cut")
    cut.run(until=cut.steps // 3)
    resumed = training("cut")
    assert resumed.step == cut.step
    resumed.run()
    for name, value in whole.weights.items():
        assert torch.equal(value, resumed.weights[name]), name
    assert torch.equal(weights_of(tmp_path / "whole" / LAST)["span.weight"], whole.weights["span.weight"])
    fresh = _toy_rows(1000)[800:]
    said = read(fresh, Encoder(base, frozen=1), copies(whole.weights, whole_numbers=True))
    right = [int(one.start.argmax()) == row.starts[0] for one, row in zip(said, fresh, strict=True)]
    assert np.mean(right) > 0.9
    assert (
        auroc(
            [one.relevance for one, row in zip(said, fresh, strict=True) if row.answers],
            [one.relevance for one, row in zip(said, fresh, strict=True) if not row.answers],
        )
        > 0.9
    )


def test_plans_are_compared_question_by_question(tmp_path: Path) -> None:
    import torch

    from eval.reader_comparison import FIRST, Variant, table, trained
    from eval.reader_training import Plan
    from eval.reader_validation import Validation

    base = {name: torch.from_numpy(value) for name, value in _base().items()}
    rows = _toy_rows(600)
    plain = Example("k", "given", "s", "es", "es", "q", "", "abcdef", ((0, 3), (3, 6)), (), "s")
    examples = tuple(
        replace(plain, answers=((row.starts[0] - 4, row.starts[0] - 3),) if row.answers else (), subject=str(at))
        for at, row in enumerate(rows[:40])
    )
    # What is across two languages, and in others, is judged apart.
    languages = ("es", "en", "fr")
    examples = tuple(
        replace(one, language=languages[at % 3], question_language="en" if at % 3 == 1 else "es")
        for at, one in enumerate(examples)
    )
    others = [at for at in range(40) if rows[at].answers][:2]
    judged = Validation((*examples, examples[0]), tuple(rows[:41]), ((others[0], 40),))
    found = {}
    for name, rate in ((FIRST, 3e-3), ("hardly", 1e-6)):
        file = tmp_path / name / "result.json"
        variant = Variant(Plan(learning_rate=rate, frozen=1, tokens=11 * 32))
        trained(variant, base, rows, judged, tokens=11 * 600, file=file)
        found[name] = json.loads(file.read_text(encoding="utf-8"))
    assert found[FIRST]["steps"] == found["hardly"]["steps"] == 19
    assert len(found[FIRST]["shared"]) == len(found[FIRST]["subjects"]) == sum(row.answers for row in rows[:40])
    lines = table(found).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith(f"| {FIRST} | ")
    assert lines[3].startswith("| hardly | ")
    assert " (" in lines[3]
    assert " (" not in lines[2]


def test_the_mean_of_trainings_is_the_mean_of_each_weight_shipped_or_not(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from eval.reader_average import main as average
    from eval.reader_average import mean_of
    from eval.reader_model import weights_of

    one = {"span.weight": torch.tensor([[1.0, 3.0]]), "encoder.layer.4.x.weight": torch.tensor([[64.0, -32.0]])}
    two = {"span.weight": torch.tensor([[3.0, 5.0]]), "encoder.layer.4.x.weight": torch.tensor([[0.0, 32.0]])}
    assert mean_of([one, two])["span.weight"].tolist() == [[2.0, 4.0]]
    save_file(one, str(tmp_path / "one.safetensors"))
    codes = {"span.weight": two["span.weight"], "encoder.layer.4.x.weight": torch.tensor([[0, 64]], dtype=torch.int8)}
    save_file({**codes, "encoder.layer.4.x.weight.scale": torch.tensor([0.5])}, str(tmp_path / "two.safetensors"))
    states = [str(tmp_path / name) for name in ("mean.safetensors", "one.safetensors", "two.safetensors")]
    assert average(states) == 0
    mean = weights_of(tmp_path / "mean.safetensors")
    assert mean["encoder.layer.4.x.weight"].tolist() == [[32.0, 0.0]]
    with pytest.raises(ValueError, match=r"training 2 differs from the first one in span\.weight"):
        mean_of([one, {**two, "span.weight": torch.zeros(3, 3)}])
    with pytest.raises(ValueError, match="no training"):
        mean_of([])
