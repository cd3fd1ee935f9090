import gzip
import os
import threading

import pytest

from hutch.scaling.tables import Dropped, read_runs

from .tables import refusal, write

TABLE = "N,D,loss\n1e9,2e10,2.5\n2e9,4e10,2.25\n"


def same(path):
    runs = read_runs(path).runs
    return (runs.parameters.tolist(), runs.tokens.tolist(), runs.loss.tolist(), runs.lines.tolist()) == (
        [1e9, 2e9],
        [2e10, 4e10],
        [2.5, 2.25],
        [2, 3],
    )


@pytest.mark.parametrize(
    "text",
    [
        TABLE,
        TABLE.rstrip("\n"),
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("\n", "\r"),
        TABLE.replace(",", "\t"),
        TABLE.replace(",", ";"),
        TABLE.replace(",", "|"),
        TABLE.replace(",", " , "),
        "\ufeff" + TABLE,
        TABLE + "\n,,\n \n",
        '"N","D","loss"\n"1,000,000,000",20B,2.5\n2e9,4e10,2.25\n',
    ],
)
def test_the_dialects_of_delimited_text(tmp_path, text):
    assert same(write(tmp_path, text))


def test_gzip_by_content_whatever_the_name(tmp_path):
    assert same(write(tmp_path, gzip.compress(TABLE.encode()), "t.csv.gz"))
    assert same(write(tmp_path, gzip.compress(TABLE.encode()), "t"))


def test_a_pipe_is_read_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text(TABLE))
    writer.start()
    assert same(tmp_path / "pipe")
    writer.join()


def test_lines_are_those_of_the_file(tmp_path):
    text = (
        '\n\nN,D,loss,"what\nit is"\n1e9,2e10,2.5,"two\nlines"\n\n2e9,4e10,2.25,x\n3e9,6e10,2,"a\n\nb"\n4e9,8e10,1.9,\n'
    )
    assert read_runs(write(tmp_path, text)).runs.lines.tolist() == [5, 8, 9, 12]


def test_records_of_another_length_are_faults_of_their_lines(tmp_path):
    path = write(tmp_path, TABLE + "3e9,6e10\n4e9,8e10,2.1,7\n")
    said = "t.csv: 2 rows cannot be used: line 4: 2 cells for 3 columns; line 5: 4 cells for 3 columns"
    assert refusal(path) == f"{said} (--drop-invalid leaves them out)"
    reading = read_runs(path, drop_invalid=True)
    assert (len(reading.runs), reading.rows, reading.dropped[0]) == (
        2,
        4,
        Dropped(line=4, reason="2 cells for 3 columns"),
    )


NO_TEXT = "; give a .csv, .tsv or .parquet table or a study's folder"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "t.csv is empty"),
        (b"\xef\xbb\xbf", "t.csv is empty"),
        (b"\n \n\n", "t.csv is empty"),
        (b"N,D,loss\n", "t.csv holds column names and no rows"),
        (b"N,D,loss\n\n,,\n", "t.csv holds column names and no rows"),
        (bytes(range(256)) * 20, f"t.csv is no UTF-8 text (line 2){NO_TEXT}"),
        (b"N,D\0,loss\n", f"t.csv is no UTF-8 text (line 1){NO_TEXT}"),
        (TABLE.encode("utf-16"), f"t.csv is no UTF-8 text (line 1){NO_TEXT}"),
        (TABLE.encode("utf-16-le"), f"t.csv is no UTF-8 text (line 1){NO_TEXT}"),
        ("N,D,loss,größe\n1,2,3,4\n".encode("latin-1"), f"t.csv is no UTF-8 text (line 1){NO_TEXT}"),
        (b"1e9,2e10,2.5\n2e9,4e10,2.2\n", "t.csv: line 1 holds numbers where the column names belong"),
        (b'N,D,loss\n1e9,2e10,2.5\n2e9,4e10,"2\n', "t.csv: line 3 begins no readable record: unexpected end of data"),
        (b'N,D,"loss\n1e9,2e10,2.5\n', "t.csv: line 1 begins no readable record: unexpected end of data"),
        (
            b'N,D,loss\n1e9,2e10,2.5\n"1"e9,2,3\n',
            "t.csv: line 3 begins no readable record: ',' expected after '\"'",
        ),
        (
            b'N,D,loss\n1e9,2e10,"' + b"x\n" * 80_000,
            "t.csv: line 2 begins no readable record: field larger than field limit (131072)",
        ),
        (gzip.compress(TABLE.encode() * 100, mtime=0)[:-20], "t.csv is gzipped and damaged: "),
        (gzip.compress(TABLE.encode(), mtime=0)[:10] + b"\x07" * 40, "t.csv is gzipped and damaged: "),
        (gzip.compress(TABLE.encode(), mtime=0)[:-8] + b"12345678", "t.csv is gzipped and damaged: "),
        (b"\x1f\x8b", "t.csv is gzipped and damaged: "),
    ],
)
def test_what_is_no_table(tmp_path, content, says):
    assert refusal(write(tmp_path, content)).startswith(says)


@pytest.mark.parametrize("rows", [3, 4_000, 60_000])
def test_the_line_of_bytes_that_are_no_text(tmp_path, rows):
    text = b"N,D,loss,what\n" + b'1e9,2e10,2.5,"a\nb"\n' * rows
    assert f"(line {2 * rows + 2})" in refusal(write(tmp_path, text + b"1e9,2e10,2.5,\xe9\n" + b"1,1,1,1\n" * rows))
