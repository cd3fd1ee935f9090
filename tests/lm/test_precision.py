import pytest
import torch

from hutch.lm import keep_freed_memory, measured_precision, refuse_dynamic_threads
from hutch.lm.precision import gemm_flops_per_second
from hutch.runs import HutchError


def test_a_precision_is_chosen_by_measurement_and_threads_are_left_alone():
    before = torch.get_num_threads()
    name, rate = measured_precision()
    assert name in ("float32", "bfloat16")
    assert 1e8 < rate < 1e15
    assert torch.get_num_threads() == before


def test_dynamic_threads_are_refused(monkeypatch):
    monkeypatch.setenv("OMP_DYNAMIC", "TRUE")
    with pytest.raises(HutchError, match="OMP_DYNAMIC"):
        refuse_dynamic_threads()
    monkeypatch.delenv("OMP_DYNAMIC")
    assert refuse_dynamic_threads() is None


def test_keeping_memory_says_whether_it_worked():
    assert keep_freed_memory() in (True, False)


def test_a_rate_is_measured_even_where_no_time_is_left():
    assert gemm_flops_per_second(torch.float32, size=32, seconds=0.0) > 0
