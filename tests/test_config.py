from __future__ import annotations

from pathlib import Path

import pytest

from rag.config import KEYS, Settings, load_settings
from rag.errors import ConfigError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def _origins(settings: Settings) -> dict[str, str]:
    return {key: origin for key, _, origin in settings.items()}


def test_defaults_are_said_to_be_defaults() -> None:
    settings = load_settings()
    assert settings.answer.model == "extractive"
    assert set(_origins(settings).values()) == {"default"}
    assert list(_origins(settings)) == list(KEYS)


def test_each_layer_wins_over_the_one_before(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[web]\nport = 8001\nlanguage = 'en'\nhost = 'localhost'\n", encoding="utf-8")
    settings = load_settings(
        file,
        environ={"HEMEROTECA_WEB_PORT": "8002", "HEMEROTECA_WEB_LANGUAGE": "es"},
        arguments={"web.port": "8003"},
    )
    assert (settings.web.port, settings.web.language, settings.web.host) == (8003, "es", "localhost")
    origins = _origins(settings)
    assert origins["web.port"] == "argument"
    assert origins["web.language"] == "environment HEMEROTECA_WEB_LANGUAGE"
    assert origins["web.host"] == f"file {file}"
    assert origins["answer.model"] == "default"


def test_the_file_of_the_working_directory_is_read() -> None:
    Path("hemeroteca.toml").write_text("[answer]\nmax_statements = 3\n", encoding="utf-8")
    assert load_settings().answer.max_statements == 3


def test_an_argument_of_none_says_nothing() -> None:
    assert load_settings(arguments={"web.port": None}).web.port == 7860


def test_a_confidence_can_be_unset_again() -> None:
    settings = load_settings(
        environ={"HEMEROTECA_ANSWER_MIN_CONFIDENCE": "0.4"}, arguments={"answer.min_confidence": "default"}
    )
    assert settings.answer.min_confidence is None


def test_variables_that_are_no_settings_pass() -> None:
    load_settings(environ={"HEMEROTECA_DATA": "/somewhere", "HEMEROTECA_CACHE": "/elsewhere", "HOME": "/home/me"})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"answer.modle": "x"}, r"answer\.modle in argument is no setting: did you mean answer\.model\?"),
        ({"port": "1"}, r"port in argument is no setting"),
        ({"web.port": "many"}, r"web\.port = 'many' in argument is not a whole number"),
        ({"web.port": 7860.0}, r"web\.port = 7860\.0 in argument is not a whole number"),
        ({"web.port": True}, r"web\.port = True in argument is not a whole number"),
        (
            {"answer.min_confidence": "x"},
            r"min_confidence = 'x' in argument is not a number or \"default\": correct it",
        ),
        ({"answer.timeout_s": "x"}, r"timeout_s = 'x' in argument is not a number: correct it"),
        ({"web.port": 70000}, r"out of range: it must be 1 to 65535"),
        ({"web.language": "fr"}, r"it must be \"es\" or \"en\""),
        ({"retrieval.dense_weight": "nan"}, r"out of range: it must be 0 to 1"),
        ({"answer.timeout_s": 0}, r"more than 0"),
        (
            {"answer.model": " "},
            r'answer\.model = . . in argument is out of range: it must be "extractive" or "provider:name"',
        ),
        ({"answer.model": 3}, r"answer\.model = 3 in argument is not a text"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named_with_what_to_do(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(arguments=arguments)


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(
        ConfigError, match=r"HEMEROTECA_ANSWER_MODLE is no setting: did you mean HEMEROTECA_ANSWER_MODEL"
    ):
        load_settings(environ={"HEMEROTECA_ANSWER_MODLE": "x"})


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"settings file absent\.toml cannot be read \(No such file"):
        load_settings(Path("absent.toml"))


@pytest.mark.parametrize("content", [b"[web\n", b"\xff\xfe"], ids=["no TOML", "no UTF-8"])
def test_a_file_that_is_no_toml_is_an_error(content: bytes) -> None:
    Path("bad.toml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"bad\.toml is not TOML"):
        load_settings(Path("bad.toml"))


def test_a_key_outside_every_section_is_an_error() -> None:
    Path("hemeroteca.toml").write_text("port = 8000\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"port in file hemeroteca\.toml is no setting"):
        load_settings()
