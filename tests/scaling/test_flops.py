import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling import flops
from hutch.scaling.shapes import CHINCHILLA, CHINCHILLA_TABLE_A9, GOPHER, Shape

# Millions, N, printed ratio, table-A4, literal: Hoffmann et al. 2022, Table A4, and facts worked out from App. F.
TABLE_A4 = [
    (74, 73_728_000, 1.03, 1.0264, 1.5819, 1.3042),
    (306, 305_397_760, 1.10, 1.1019, 1.3165, 1.2092),
    (552, 552_140_800, 1.08, 1.0838, 1.2322, 1.1580),
    (1143, 1_142_751_232, 1.04, 1.0447, 1.1451, 1.0949),
    (1593, 1_592_262_656, 1.03, 1.0335, 1.1158, 1.0746),
    (6796, 6_794_117_120, 0.99, 0.9944, 1.0282, 1.0113),
]


def ratio(shape, convention):
    return flops.training_flops_per_token(shape, convention, "rotary") / (6 * flops.parameters(shape))


@pytest.mark.parametrize(("millions", "n", "printed", "table_a4", "literal", "logits"), TABLE_A4)
def test_table_a4(millions, n, printed, table_a4, literal, logits):
    shape = CHINCHILLA_TABLE_A9[millions]
    assert flops.parameters(shape) == n
    assert round(ratio(shape, "table-a4"), 2) == printed
    assert ratio(shape, "table-a4") == pytest.approx(table_a4, abs=5e-5)
    assert ratio(shape, "literal") == pytest.approx(literal, abs=5e-5)
    # Without a position projection, "executed" is Appendix F with logits and without the input embedding.
    assert ratio(shape, "executed") == pytest.approx(logits, abs=5e-5)


def test_range_of_ratios_over_table_a9():
    ratios = {m: ratio(shape, "table-a4") for m, shape in CHINCHILLA_TABLE_A9.items()}
    assert max(ratios, key=ratios.get) == 106
    assert ratios[106] == pytest.approx(1.146, abs=5e-4)
    # The lowest ratio is that of 44M, more than a third of which is embedding, and not of the largest model.
    assert min(ratios, key=ratios.get) == 44
    assert ratios[44] == pytest.approx(0.966, abs=6e-4)
    # By hand: 3·47·(24·5120² + 4·2048·5120 + 3·40·2048) FLOP a token over 6·N.
    by_hand = 3 * 47 * (24 * 5120**2 + 4 * 2048 * 5120 + 3 * 40 * 2048)
    assert ratios[16183] == pytest.approx(by_hand / (6 * (32_000 * 5120 + 47 * 13 * 5120**2)))
    assert ratios[16183] == pytest.approx(0.975, abs=5e-4)


@pytest.mark.parametrize(
    ("shape", "tokens", "n", "literal", "table_a4"),
    [
        (GOPHER, 300 * 10**9, 279_697_162_240, 4.755e23, 4.736e23),
        (CHINCHILLA, 1400 * 10**9, 70_055_362_560, 5.683e23, 5.638e23),
    ],
)
def test_gopher_and_chinchilla(shape, tokens, n, literal, table_a4):
    assert flops.parameters(shape) == n
    assert flops.training_flops(shape, tokens, "literal") == pytest.approx(literal, rel=2e-4)
    assert flops.training_flops(shape, tokens, "table-a4") == pytest.approx(table_a4, rel=2e-4)


def test_operations_of_a_tiny_shape_by_hand():
    shape = Shape(layers=2, width=3, heads=2, key_size=5, feed_forward=7, vocabulary=11, context=4)
    assert flops.forward_operations(shape, "literal") == {
        "query_key_value": 2 * (2 * 3 * 4 * 3 * 10),
        "attention_logits": 2 * (2 * 16 * 10),
        "softmax": 2 * (3 * 2 * 16),
        "attention_values": 2 * (2 * 16 * 10),
        "attention_output": 2 * (2 * 4 * 10 * 3),
        "feed_forward": 2 * (2 * 4 * 2 * 3 * 7),
        "input_embedding": 2 * 4 * 11 * 3,
        "output_logits": 2 * 4 * 3 * 11,
    }
    executed = flops.forward_operations(shape, "executed", "relative")
    assert executed["position_projection"] == 2 * (2 * 4 * 3 * 10)
    assert "input_embedding" not in executed
    assert "position_projection" not in flops.forward_operations(shape, "executed", "rotary")
    assert flops.parameters(shape, "relative") == 33 + 2 * (5 * 30 + 42)
    assert flops.parameters(shape, "rotary") == 33 + 2 * (4 * 30 + 42)
    assert flops.parameters_non_embedding(shape, "rotary") == 2 * (4 * 30 + 42)


def test_per_token_is_exact():
    for convention in ("literal", "table-a4", "executed"):
        for shape in CHINCHILLA_TABLE_A9.values():
            total = sum(flops.training_operations(shape, convention).values())
            assert flops.training_flops_per_token(shape, convention) * shape.context == total


def test_large_products_do_not_overflow():
    exact = 6 * 70 * 10**9 * 1400 * 10**9
    assert flops.flops_6nd(70 * 10**9, 1400 * 10**9) == exact
    assert flops.flops_6nd(np.int64(70 * 10**9), np.int64(1400 * 10**9)) == exact
    assert flops.flops_6nd(1e12, 2e13) == pytest.approx(1.2e26)
    assert isinstance(flops.training_flops(GOPHER, 10**15, "executed"), int)


def test_products_beyond_64_bits_are_exact():
    n, d = 10**13, 10**13
    assert flops.flops_6nd(np.int64(n), np.int64(d)) == 6 * 10**26
    per_token = flops.training_flops_per_token(GOPHER, "executed", "rotary", recomputation="full")
    exact = flops.training_flops(GOPHER, np.int64(10**15), "executed", "rotary", recomputation="full")
    assert exact == per_token * 10**15
    assert exact > 2**63
    kaplan = flops.kaplan_training_flops(GOPHER, np.int64(10**15))
    assert kaplan == 6 * flops.parameters_non_embedding(GOPHER, "rotary") * 10**15
    assert isinstance(kaplan, int)


def test_recomputation_runs_the_forward_pass_of_some_operations_again():
    shape = Shape(layers=2, width=3, heads=2, key_size=5, feed_forward=7, vocabulary=11, context=4)
    forward = flops.forward_operations(shape, "literal")
    core, outside = {"attention_logits", "softmax", "attention_values"}, {"input_embedding", "output_logits"}
    kept, selective, full = (
        flops.training_operations(shape, "literal", recomputation=how) for how in ("none", "selective", "full")
    )
    for name, flop in forward.items():
        assert kept[name] == 3 * flop
        assert selective[name] == (4 if name in core else 3) * flop
        assert full[name] == (3 if name in outside else 4) * flop
    assert flops.training_operations(shape, "literal") == kept


@pytest.mark.parametrize(("layers", "width", "heads"), [(96, 12288, 96), (105, 20480, 128)])
def test_what_recomputation_costs_large_models(layers, width, heads):
    shape = Shape(
        layers=layers,
        width=width,
        heads=heads,
        key_size=width // heads,
        feed_forward=4 * width,
        vocabulary=51_200,
        context=2048,
    )
    kept, selective, full = (
        flops.training_flops_per_token(shape, "table-a4", "rotary", recomputation=how)
        for how in ("none", "selective", "full")
    )
    assert full * 3 == kept * 4
    # By hand, a token and layer: two S-long products of 2·d and 3·h·S of softmax, over 24·d² and the same.
    attention = 2048 * (4 * width + 3 * heads)
    assert selective - kept == layers * attention
    assert (selective - kept) / kept == pytest.approx(attention / (3 * (24 * width**2 + attention)))
    assert (selective - kept) / kept < 0.01


def test_extra_operations_are_added_by_name():
    shape = CHINCHILLA_TABLE_A9[74]
    extra = {"neighbour_encoder": np.int64(5_000_000 * shape.context), "cross_attention": 0}
    plain = flops.training_operations(shape, "executed")
    assert flops.training_operations(shape, "executed", extra=extra) == plain | {
        "neighbour_encoder": 3 * 5_000_000 * shape.context,
        "cross_attention": 0,
    }
    per_token = flops.training_flops_per_token(shape, "executed")
    assert flops.training_flops_per_token(shape, "executed", extra=extra) == per_token + 15_000_000
    assert (
        flops.training_flops(shape, 10, "executed", recomputation="full", extra=extra)
        == flops.training_flops(shape, 10, "executed", recomputation="full") + 200_000_000
    )


def test_kaplan_counts_without_embeddings():
    shape = Shape(layers=2, width=3, heads=2, key_size=5, feed_forward=7, vocabulary=11, context=4)
    n = 2 * 2 * 3 * (2 * 10 + 7)
    assert flops.parameters_non_embedding(shape, "rotary") == n
    assert flops.kaplan_forward_flops_per_token(shape) == 2 * n + 2 * 2 * 4 * 10
    assert flops.kaplan_training_flops(shape, 100) == 6 * n * 100
    assert flops.kaplan_training_flops(shape, 100, attention=True) == 3 * (2 * n + 160) * 100
    # Where d ≫ S/12 the finer count is 6·N·D.
    finer = flops.kaplan_training_flops(GOPHER, 1, attention=True) / flops.kaplan_training_flops(GOPHER, 1)
    assert finer == pytest.approx(1 + GOPHER.context / (12 * GOPHER.width))


def test_names_are_checked():
    with pytest.raises(BadInput, match="table-a4"):
        flops.training_flops_per_token(GOPHER, "table-A4")
    with pytest.raises(BadInput, match="rotary"):
        flops.parameters(GOPHER, "learned")
    with pytest.raises(BadInput, match="tokens"):
        flops.training_flops(GOPHER, -1, "literal")
    with pytest.raises(BadInput, match="selective"):
        flops.training_flops_per_token(GOPHER, "literal", recomputation="some")
    with pytest.raises(BadInput, match="another name"):
        flops.training_operations(GOPHER, "literal", extra={"softmax": 1})
    with pytest.raises(BadInput, match="whole number of FLOP"):
        flops.training_operations(GOPHER, "literal", extra={"retrieval": -1})
