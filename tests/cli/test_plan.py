"""`hutch plan` as a user meets it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hutch.cli.main import main
from tests.scaling.plans import saved_fits

HUTCH = Path(sys.executable).with_name("hutch")


def called(capsys, *arguments):
    try:
        code = main(["plan", *map(str, arguments)])
    except SystemExit as stop:
        code = stop.code
    return code, *capsys.readouterr()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "one of the arguments --flops --gpu-hours --dollars --tokens --parameters --loss is required"),
        (("--flops", "1e20", "--tokens", "1e9"), "argument --tokens: not allowed with argument --flops"),
        (("--flops", "-3"), "'-3' is not a number above 0 such as 5.76e23 or 70B"),
        (("--flops", "nan"), "'nan' is not a number above 0"),
        (("--tokens", "0"), "'0' is not a number above 0"),
        (("--parameters", "many"), "'many' is not a number above 0"),
        (("--flops", "1e400"), "'1e400' is not a number above 0"),
        (("--flops", "10"), "0.155 parameters, which is no model"),
        (("--flops", "1e20", "--law", "nonsense"), "there is no law 'nonsense': choose one of hoffmann-1, hoffmann-2"),
        (("--flops", "1e20", "--law", "missing.json"), "there is no law 'missing.json'"),
        (("--flops", "1e20", "--law", __file__), "test_plan.py is not JSON"),
        (("--flops", "1e20", "--loss-law", "nonsense"), "there is no loss law 'nonsense': choose one of hoffmann-3"),
        (("--flops", "1e20", "--device", "abacus"), "there is no device 'abacus': choose one of a100-40gb, a100-80gb"),
        (("--dollars", "100", "--device", "b200"), "b200 has no price of ours; give the dollars per hour of one with"),
        (("--loss", "1.5"), "a loss of 1.5 cannot be reached: it lies 0.3169 nats per token below 1.8169"),
        (("--loss", "2", "--law", "llama3"), "Llama 3 publishes no loss law"),
        (("--flops", "1e20", "--mfu", "1.5"), "'1.5' is not a share of the peak such as 0.4"),
        (("--flops", "1e20", "--mfu", "0.5:0.3"), "'0.5:0.3' is not a share of the peak"),
        (("--flops", "1e20", "--devices", "0"), "devices is 0; at least 1 is needed"),
        (("--flops", "1e20", "--vocabulary", "0"), "vocabulary is 0"),
        (("--flops", "1e20", "--precision", "int3"), "invalid choice: 'int3'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(arguments, says, capsys):
    code, out, err = called(capsys, *arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert says in err
    assert err.startswith("hutch")


def test_json_is_one_document_and_warnings_go_to_stderr(capsys, tmp_path):
    page = tmp_path / "plan.html"
    code, out, err = called(capsys, "--flops", "5.76e23", "--law", "hoffmann-2", "--json", "--report", page)
    made = json.loads(out)
    assert code == 0
    assert made["parameters"]["value"] == pytest.approx(6.34e10, rel=2e-3)
    assert err.splitlines() == [
        f"page: {page}",
        f"hutch plan: warning: {made['warnings'][0]['message']}",
    ]
    assert page.stat().st_size > 1e6


def test_the_view_is_at_most_100_columns_wide(capsys, tmp_path):
    law = saved_fits.parametric(tmp_path)
    for arguments in (
        ("--gpu-hours", "1e6", "--mfu", "0.3:0.5", "--devices", "1024"),
        ("--parameters", "70B", "--law", law, "--inference-tokens", "2T", "--unique-tokens", "200B"),
        ("--flops", "1e13", "--vocabulary", "256", "--context", "128", "--device", "b200"),
        ("--flops", "1e13"),
        ("--tokens", "1T", "--law", "llama3"),
    ):
        code, out, _ = called(capsys, *arguments)
        assert code == 0
        assert max(map(len, out.splitlines())) <= 100
        for told in ("parameters", "10× the compute", "suggested by", "assumed", "Step Law"):
            assert told in out
    assert "same compute" in called(capsys, "--flops", "1e20")[1]


def test_suffixes_are_numbers(capsys):
    assert json.loads(called(capsys, "--parameters", "70B", "--json")[1])["parameters"]["value"] == 70e9
    assert json.loads(called(capsys, "--tokens", "500K", "--json")[1])["tokens"]["value"] == 500e3
    assert called(capsys, "--tokens", "500K", "--json") == called(capsys, "--tokens", "500k", "--json")
    assert json.loads(called(capsys, "--tokens", "1.4T", "--json")[1])["tokens"]["value"] == pytest.approx(1.4e12)


def test_a_page_that_cannot_be_written_is_one_line(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "plan.html", tmp_path, tmp_path / "new" / "plan.html", "/proc/plan.html"):
        code, out, err = called(capsys, "--flops", "1e20", "--report", path)
        assert (code, out, len(err.splitlines())) == (2, "", 1)
        assert err.startswith(f"hutch: --report {path}")
    assert not (tmp_path / "new").exists()


def test_the_default_law_is_the_one_that_help_names():
    from hutch.scaling.plans.law_choice import DEFAULT_LAW

    done = subprocess.run([HUTCH, "plan", "--help"], capture_output=True, text=True)
    assert f"(default: {DEFAULT_LAW}" in " ".join(done.stdout.split())


def test_help_has_an_example():
    done = subprocess.run([HUTCH, "plan", "--help"], capture_output=True, text=True)
    assert done.returncode == 0
    assert "example: hutch plan --gpu-hours 1e6 --device h100" in " ".join(done.stdout.split())
