import json
import subprocess
import sys
from pathlib import Path

import pytest

from rag.language import detect_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("¿Quién ganó?", "es"),
        ("quien gano las elecciones", "es"),
        ("que tratados reemplaza el acuerdo", "es"),
        ("acuerdo rusia corea del norte", "es"),
        ("elecciones", "es"),
        ("¿Y en 2023?", "es"),
        ("¿Quién canta «All I Want for Christmas Is You»?", "es"),
        ("when did the port reopen", "en"),
        ("North Korea treaty", "en"),
        ("qui a signé le traité ?", "fr"),
        ("quand le port a-t-il rouvert", "fr"),
        ("quem assinou o tratado?", "pt"),
        ("quando reabriu o porto", "pt"),
        ("chi ha firmato il trattato?", "it"),
        ("Qual è la capitale dell'impero mongolo?", "it"),
        ("Ai đã ký hiệp ước đó?", "vi"),
        ("anlaşmayı kim imzaladı?", "tr"),
        ("wer hat den Vertrag unterschrieben?", "de"),
        ("wann wurde der hafen wieder geöffnet", "de"),
        ("qui va signar el tractat", "ca"),
        ("кто подписал договор?", "ru"),
        ("хто підписав угоду?", "uk"),
        ("谁签署了条约？", "zh"),
        ("条約に署名したのは誰ですか", "ja"),
        ("조약에 누가 서명했습니까?", "ko"),
        ("من وقع المعاهدة؟", "ar"),
        ("ποιος υπέγραψε τη συνθήκη;", "el"),
        ("संधि पर किसने हस्ताक्षर किए?", "hi"),
        ("Twilight シリーズの四番目の本は？", "ja"),
    ],
    ids=lambda value: value if len(value) > 2 else None,
)
def test_short_questions_are_told_apart(text: str, language: str) -> None:
    assert detect_language(text) == language


@pytest.mark.parametrize("text", ["", " \n", "12 %", "😀", "1961?"], ids=repr)
def test_text_without_letters_has_no_language(text: str) -> None:
    assert detect_language(text) == "und"


def test_prior_decides_what_the_words_leave_open() -> None:
    assert detect_language("Putin Kim") == "es"
    assert detect_language("Putin Kim", prior=("en",)) == "en"
    assert detect_language("ok", prior=("en",)) == "en"


def test_article_is_told_by_its_text_and_not_by_the_prior() -> None:
    text = "O presidente do Brasil assinou nesta quarta-feira um acordo comercial com a China, informou o governo."
    assert detect_language(text, prior=("es",)) == "pt"


def test_dialects_count_for_their_language() -> None:
    assert detect_language("Hvem vant valget, og hvor mange stemmer fikk de? Eg veit ikkje noko om det.") == "no"


def test_lone_surrogates_do_no_harm() -> None:
    assert detect_language("¿Quién ganó \ud83d las elecciones de este domingo en la capital del país?") == "es"


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, rag.language; print('py3langid' in sys.modules or 'numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"


def test_question_with_clear_words_needs_no_model() -> None:
    code = "import sys, rag.language as l; print(l.detect_language('¿Quién ganó?'), 'py3langid' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["es", "False"]


def test_news_in_26_languages_is_told_apart(data_folder: Path) -> None:
    files = sorted((data_folder / "data" / "ntrex").glob("docs.*.jsonl"))
    assert len(files) >= 26
    wrong = []
    for file in files:
        language = file.name.split(".")[1].split("-")[0]
        for line in file.read_text(encoding="utf-8").splitlines()[:15]:
            if (found := detect_language(" ".join(json.loads(line)["sentences"]))) != language:
                wrong.append((file.name, found))
    assert wrong == []


def test_a_question_that_opens_in_spanish_needs_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise AssertionError("the model takes half a second to load")

    monkeypatch.setattr("rag.language._model", fail)
    assert detect_language("¿Qué tratados reemplaza el acuerdo?") == "es"
    with pytest.raises(AssertionError):
        detect_language("¿Qué tratados reemplaza el acuerdo?", prior=["gl"])
