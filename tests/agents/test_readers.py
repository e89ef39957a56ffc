"""Readers: each format gives its text back, and one bad document is a failure, not the end."""

import json
import os
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from leucippus.agents.readers import Found, find_documents, read_documents
from leucippus.errors import InputError
from leucippus.store.triples import Document, Failure

TEXT = "Heavy rain caused flooding.\n\nThe café lost its stock — “all of it”."


def _read(*paths: Path, max_mb: float = 10, text_column: str | None = None) -> list[tuple[Document, str] | Failure]:
    return list(read_documents(paths, max_mb=max_mb, text_column=text_column))


def _documents(*paths: Path, text_column: str | None = None) -> list[Document]:
    items = _read(*paths, text_column=text_column)
    failures = [item for item in items if isinstance(item, Failure)]
    assert failures == []
    return [item[0] for item in items if not isinstance(item, Failure)]


def _document(path: Path) -> Document:
    (document,) = _documents(path)
    return document


def _failure(path: Path, *, max_mb: float = 10, text_column: str | None = None) -> Failure:
    (item,) = _read(path, max_mb=max_mb, text_column=text_column)
    assert isinstance(item, Failure), item
    assert item.stage == "read"
    assert item.message
    return item


def _file(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _pdf(text: str = "", *, trailer: bytes = b"") -> bytes:
    """The least PDF that has one page and draws `text`."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("latin-1") if text else b""
    font = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources %s >>" % font,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
    ]
    out = bytearray(b"%PDF-1.4\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 5\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    return bytes(out + b"trailer\n<< /Size 5 /Root 1 0 R %s >>\nstartxref\n%d\n%%%%EOF\n" % (trailer, start))


def _zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


# --- formats ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".txt", ".text", ".log", ".md", ".markdown", ".rst", ".TXT", ".transcript", ""])
def test_text_comes_back_as_it_stands(tmp_path: Path, suffix: str) -> None:
    path = _file(tmp_path / f"report{suffix}", TEXT)
    ((document, uri),) = [item for item in _read(path) if not isinstance(item, Failure)]
    assert document.text == TEXT
    assert document.title == "Heavy rain caused flooding."
    assert uri == str(path)


def test_markdown_is_titled_by_its_heading(tmp_path: Path) -> None:
    document = _document(_file(tmp_path / "a.md", "---\nx: 1\n---\n\n## The *flood* ##\n\nRain."))
    assert (document.media_type, document.title) == ("text/markdown", "The *flood*")


def test_html_keeps_what_a_page_shows(tmp_path: Path) -> None:
    page = (
        "<html><head><title>The  flood</title><style>p {color: red}</style></head><body><script>alert('evil')</script>"
        "<div>Causes</div><div>Rain &amp; wind\nfell.</div><ul><li>one</li></ul><noscript>enable</noscript></body></html>"
    )
    document = _document(_file(tmp_path / "a.html", page))
    assert document.title == "The flood"
    assert document.media_type == "text/html"
    assert "Causes\n\nRain & wind fell." in document.text
    assert "* one" in document.text
    for noise in ("evil", "color", "enable", "<"):
        assert noise not in document.text


def test_html_in_the_encoding_it_declares(tmp_path: Path) -> None:
    page = '<meta charset="iso-8859-2"><p>Wzrost płac spowodował inflację.</p>'.encode("iso-8859-2")
    assert _document(_file(tmp_path / "a.htm", page)).text == "Wzrost płac spowodował inflację."


@pytest.mark.parametrize("page", ["<!-- only this -->", "<html><script>alert(1)</script></html>"])
def test_html_that_shows_nothing_is_empty(tmp_path: Path, page: str) -> None:
    assert "empty" in _failure(_file(tmp_path / "a.html", page)).message


@pytest.mark.parametrize("name", ["a.pdf", "a"])
def test_pdf(tmp_path: Path, name: str) -> None:
    document = _document(_file(tmp_path / name, _pdf("Heavy rain caused flooding.")))
    assert (document.text, document.media_type) == ("Heavy rain caused flooding.", "application/pdf")


def test_docx_paragraphs_and_tables_in_order(tmp_path: Path) -> None:
    from docx import Document as new_word

    word = new_word()
    word.add_heading("Incident 7", 1)
    word.add_paragraph("The valve stuck — rust.")
    table = word.add_table(1, 3)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "heat"
    table.cell(0, 2).text = "fire"
    word.add_paragraph("The end.")
    word.core_properties.title = ""
    word.save(str(tmp_path / "a.docx"))
    document = _document(tmp_path / "a.docx")
    assert document.text == "Incident 7\n\nThe valve stuck — rust.\n\nheat\tfire\n\nThe end."
    assert document.title == "Incident 7"


ROWS = [
    {"id": "a1", "title": "Flood", "text": 'Rain, "heavy" rain,\ncaused it.', "date": "2020-03-04T10:00:00Z"},
    {"id": "a2", "title": "", "text": "Drought followed.", "date": "last week"},
]


def _csv(path: Path, delimiter: str) -> Path:
    import csv

    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(ROWS[0]), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(ROWS)
    return path


def _parquet(path: Path) -> Path:
    import duckdb

    with duckdb.connect(":memory:") as connection:
        connection.execute("CREATE TABLE t (id VARCHAR, title VARCHAR, text VARCHAR, date VARCHAR, n INTEGER)")
        connection.executemany("INSERT INTO t VALUES (?, ?, ?, ?, 1)", [list(row.values()) for row in ROWS])
        connection.table("t").write_parquet(str(path))
    return path


@pytest.mark.parametrize(
    "make",
    [
        lambda folder: _csv(folder / "t.csv", ","),
        lambda folder: _csv(folder / "t.csv", ";"),
        lambda folder: _csv(folder / "t.tsv", "\t"),
        lambda folder: _file(folder / "t.jsonl", "\n".join(map(json.dumps, ROWS))),
        lambda folder: _file(folder / "t.ndjson", "\n".join(map(json.dumps, ROWS)) + "\n\n"),
        lambda folder: _file(folder / "t.json", json.dumps(ROWS)),
        lambda folder: _parquet(folder / "t.parquet"),
    ],
)
def test_a_table_is_a_document_a_row(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    items = [item for item in _read(path) if not isinstance(item, Failure)]
    assert [uri for _, uri in items] == [f"{path}#row=1", f"{path}#row=2"]
    assert [document.text for document, _ in items] == [row["text"] for row in ROWS]
    assert [document.title for document, _ in items] == ["Flood", "a2"]
    assert [document.published for document, _ in items] == ["2020-03-04", None]


def test_a_json_object_is_one_document(tmp_path: Path) -> None:
    assert _document(_file(tmp_path / "a.json", '{"text": "It rained.", "title": "R"}')).text == "It rained."


def test_bad_rows_are_failures_and_the_rest_is_read(tmp_path: Path) -> None:
    path = _file(
        tmp_path / "t.jsonl", '{"text": "one"}\n{"text": \n[1]\n{"text": ""}\n{"text": 5}\n{"text": "\\ud800six"}'
    )
    items = _read(path)
    assert [item.item.rpartition("=")[2] for item in items if isinstance(item, Failure)] == ["2", "3", "4", "5"]
    assert [item[0].text for item in items if not isinstance(item, Failure)] == ["one", "\ufffdsix"]


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("n,Body \n1,It rained.\n", "It rained."),  # by its name
        ("n,place\n1,Rome\n", "Rome"),  # the only one with words
        ("place,notes\nRome," + "it rained and " * 9 + "\n", "it rained and " * 9),  # clearly the longest
        ("text\n" + "x" * 200_000 + "\n", "x" * 200_000),  # longer than the csv module allows
    ],
)
def test_the_text_column_is_found(tmp_path: Path, table: str, text: str) -> None:
    assert _document(_file(tmp_path / "t.csv", table)).text == text


def test_no_clear_text_column_lists_the_columns(tmp_path: Path) -> None:
    path = _file(tmp_path / "t.csv", "city,country\nRome,Italy\nParis,France\n")
    assert "'city', 'country'" in _failure(path).message
    assert [document.text for document in _documents(path, text_column="City")] == ["Rome", "Paris"]
    assert "'capital'" in _failure(path, text_column="capital").message


@pytest.mark.parametrize(
    ("name", "content"), [("t.csv", "text\n"), ("t.json", "[]"), ("t.json", "{"), ("t.jsonl", " ")]
)
def test_a_table_without_rows_is_a_failure(tmp_path: Path, name: str, content: str) -> None:
    assert _failure(_file(tmp_path / name, content)).item == str(tmp_path / name)


# --- encodings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    assert _document(_file(tmp_path / "a.txt", TEXT.encode(encoding))).text == TEXT


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Le chômage a augmenté à cause de la crise économique. Où? À Orléans.", "latin-1"),
        ("El año pasado subió la inflación", "latin-1"),
        ("Цены выросли из-за инфляции. Это плохо для экономики. ", "cp1251"),
        ("Η αύξηση των τιμών οφείλεται στον πληθωρισμό και στην ενεργειακή κρίση που έπληξε την Ευρώπη.", "cp1253"),
    ],
)
def test_old_encodings_are_recognised(tmp_path: Path, text: str, encoding: str) -> None:
    assert _document(_file(tmp_path / "a.txt", text.encode(encoding))).text == text


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("Größe und Länge führen".encode() + b"\xff" + "ähnlich".encode(), "damaged"),
        ("Wzrost płac spowodował inflację i spadł popyt.".encode("cp1250"), "encoding"),
        (bytes(range(256)) * 40, "binary"),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 60, "binary"),
    ],
)
def test_what_cannot_be_decoded_for_sure_is_a_failure(tmp_path: Path, content: bytes, reason: str) -> None:
    assert reason in _failure(_file(tmp_path / "a.txt", content)).message


def test_newlines_and_nul_are_normalised(tmp_path: Path) -> None:
    content = b"one\r\ntwo\rthree\0" + b"." * 200
    assert _document(_file(tmp_path / "a.txt", content)).text == "one\ntwo\nthree" + "." * 200


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a.txt", "a.md", "a.html", "a.pdf", "a.docx", "a.csv", "a.json", "a.parquet", "a.zip", "a"]
)
def test_an_empty_file_is_a_failure(tmp_path: Path, name: str) -> None:
    assert _failure(_file(tmp_path / name, b"")).item == str(tmp_path / name)


def test_white_space_is_empty(tmp_path: Path) -> None:
    assert "empty" in _failure(_file(tmp_path / "a.txt", " \n\t")).message


def test_a_huge_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    with path.open("wb") as file:
        file.truncate(200_000_000)

    def never(*args: object, **kwargs: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(Path, "open", never)
    failure = _failure(path, max_mb=64)
    assert "200.0 MB" in failure.message
    assert "LEUCIPPUS_EXTRACT__MAX_DOCUMENT_MB" in failure.message


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.pdf", b"%PDF-1.7\ngarbage", ""),
        ("a.pdf", _pdf("Cut off here.")[:150], ""),
        ("a.pdf", _pdf(), "no text layer"),
        ("a.pdf", _pdf("Secret.", trailer=b"/Encrypt << /Filter /None >>"), ""),
        ("a.docx", b"PK\x03\x04 broken", ""),
        ("a.parquet", b"PAR1 broken PAR1", ""),
        ("a.zip", b"PK\x03\x04 broken", ""),
        ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "binary"),
        ("a.rtf", b"{\\rtf1 text}", "Rich Text"),
        ("a.json", b"[" * 100_000, ""),
        ("a.html", b"<div>" * 100_000 + b"x", ""),
    ],
)
def test_broken_files_are_failures_and_reading_goes_on(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    _file(tmp_path / name, content)
    _file(tmp_path / "z.txt", TEXT)
    bad, good = _read(tmp_path)
    assert isinstance(bad, Failure)
    assert bad.item == str(tmp_path / name)
    assert reason in bad.message
    assert not isinstance(good, Failure)


def test_an_encrypted_pdf_is_a_failure(tmp_path: Path) -> None:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(PdfReader(BytesIO(_pdf("Secret."))))
    writer.encrypt("password", algorithm="RC4-128")
    writer.write(tmp_path / "a.pdf")
    assert "encrypted" in _failure(tmp_path / "a.pdf").message


def test_zip_members(tmp_path: Path) -> None:
    path = _zip(
        tmp_path / "a.zip", {"b/x.txt": b"It rained.", "t.csv": b"text\none\n", "__MACOSX/._x": b"\0", "d/": b""}
    )
    items = [item for item in _read(path) if not isinstance(item, Failure)]
    assert [(document.text, uri) for document, uri in items] == [
        ("It rained.", f"{path}#b/x.txt"),
        ("one", f"{path}#t.csv#row=1"),
    ]
    assert len(_read(path)) == 2


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("../../etc/passwd", b"root", "leads out"),
        ("/etc/passwd", b"root", "leads out"),
        ("..\\x.txt", b"root", "leads out"),
        ("C:\\x.txt", b"root", "leads out"),
        ("inner.zip", b"PK", "archive in an archive"),
        ("zeros.txt", b"0" * 1_900_000, "bomb"),
        ("large.txt", b"0" * 2_100_000, "2.1 MB"),
        ("image.png", b"\x89PNG" + bytes(50), "binary"),
    ],
)
def test_refused_members_are_failures_and_the_rest_is_read(
    tmp_path: Path, name: str, content: bytes, reason: str
) -> None:
    bad, good = _read(_zip(tmp_path / "a.zip", {name: content, "z.txt": b"It rained."}), max_mb=2)
    assert isinstance(bad, Failure)
    assert bad.item == f"{tmp_path / 'a.zip'}#{name}"
    assert reason in bad.message
    assert not isinstance(good, Failure)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.zip"]


def test_a_zip_unpacks_to_a_limited_total(tmp_path: Path) -> None:
    words = b"".join(b"%d " % number + b"rain " * 60 for number in range(2_000))
    items = _read(_zip(tmp_path / "a.zip", {f"{n:02}.txt": words for n in range(20)}), max_mb=len(words) / 1e6 + 1e-6)
    assert [isinstance(item, Failure) for item in items] == [False] * 16 + [True] * 4


def test_a_member_that_lies_about_its_size_is_a_failure(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"x.txt": b"0" * 50_000_000})
    data = path.read_bytes().replace((50_000_000).to_bytes(4, "little"), (40_000).to_bytes(4, "little"))
    failure = _failure(_file(path, data))
    assert failure.error == "BadZipFile"


def test_an_encrypted_member_is_a_failure(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.zip", {"x.txt": b"It rained."})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    assert "encrypted" in _failure(_file(path, bytes(data))).message


def test_a_docx_bomb_is_refused(tmp_path: Path) -> None:
    path = _zip(tmp_path / "a.docx", {"word/document.xml": b"0" * 30_000_000})
    assert "bomb" in _failure(path).message


# --- folders ---------------------------------------------------------------------------------------------------------


def test_a_folder_is_walked_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ["b.txt", "a/z.txt", "a/.hidden.txt", ".git/x.txt", "a.txt", "c"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        _file(tmp_path / name, name)
    found = [item for item in find_documents([tmp_path], max_mb=1) if isinstance(item, Found)]
    assert [item.uri for item in found] == [str(tmp_path / name) for name in ["a/z.txt", "a.txt", "b.txt", "c"]]
    assert [document.text for document in _documents(tmp_path)] == ["a/z.txt", "a.txt", "b.txt", "c"]


def test_symbolic_links_neither_loop_nor_lead_out(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    inside = tmp_path / "inside"
    for folder in (outside, inside, inside / "sub"):
        folder.mkdir()
    _file(outside / "secret.txt", "secret")
    _file(inside / "a.txt", "It rained.")
    (inside / "sub" / "loop").symlink_to(inside)
    (inside / "self").symlink_to("self")
    (inside / "out").symlink_to(outside)
    (inside / "out.txt").symlink_to(outside / "secret.txt")
    (inside / "same.txt").symlink_to("a.txt")
    (inside / "gone.txt").symlink_to("nowhere.txt")
    items = _read(inside)
    assert [item[1] for item in items if not isinstance(item, Failure)] == [
        str(inside / "a.txt"),
        str(inside / "same.txt"),
    ]
    assert [Path(item.item).name for item in items if isinstance(item, Failure)] == [
        "gone.txt",
        "out",
        "out.txt",
        "self",
    ]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    assert "pipe" in _failure(tmp_path / "pipe.txt").message


def test_a_name_that_is_not_unicode(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff.txt"
    with open(path, "wb") as file:
        file.write(b"It rained.")
    ((document, uri),) = [item for item in _read(tmp_path) if not isinstance(item, Failure)]
    assert (document.text, uri) == ("It rained.", f"{tmp_path}/\\xff.txt")


def test_a_missing_path_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere"):
        read_documents([tmp_path, tmp_path / "nowhere"], max_mb=1)


def test_a_folder_without_documents_is_an_error_that_names_it(tmp_path: Path) -> None:
    _file(tmp_path / ".hidden", "x")
    assert list(find_documents([tmp_path], max_mb=1)) == []
    with pytest.raises(InputError, match=r"(?s)test_a_folder_without.*\.parquet"):
        _read(tmp_path)
