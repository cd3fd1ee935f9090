import pytest

from hutch.scaling.tables.spellings import candidates, caution, without_unit


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("parameters", "N n params n_params Num-Params parameters model_size N_(M) params_M params_millions"),
        ("tokens", "D tokens n_tokens train.tokens TrainingTokens total_tokens tokens_B Tokens|(billions)"),
        ("flops", "C flops FLOP compute train_flops Training|FLOPs total_flops flops_T"),
        ("loss", "loss final_loss val/loss valid_loss Validation|Loss eval/loss test_loss train_loss loss_raw"),
        ("budget", "budget isoflop_budget flops_budget compute_budget"),
        ("run", "run run_id Run|Name id name"),
    ],
)
def test_common_names(role, names):
    for name in (name.replace("|", " ") for name in names.split()):
        assert candidates(["x", name, "y"], role) == ([name], [])


def test_the_best_name_wins_and_equals_are_all_told():
    assert candidates(["non_embedding_params", "N", "params_M"], "parameters") == (
        ["N"],
        ["params_M", "non_embedding_params"],
    )
    assert candidates(["train_loss", "val_loss"], "loss") == (["val_loss"], ["train_loss"])
    assert candidates(["loss", "val_loss"], "loss") == (["loss", "val_loss"], [])
    assert candidates(["c4_en", "pile", "D_unique", "flops_per_token"], "loss") == ([], [])
    assert candidates(["D_unique", "flops_per_token", "d_model", "d_k"], "tokens") == ([], [])


def test_names_of_the_last_resort_come_with_a_caution():
    assert caution("non_embedding_params_M", "parameters") == "which leaves the embedding out of N"
    assert caution("train_loss", "loss") == "the loss on training text, not on held-out text"
    assert caution("loss_raw", "loss") == "which may not be in nats per token"
    assert caution("train_tokens", "tokens") is caution("loss", "loss") is caution("name", "run") is None


@pytest.mark.parametrize(
    ("name", "base", "unit"),
    [
        ("params_M", "params", 1e6),
        ("N (M)", "N", 1e6),
        ("tokens [B]", "tokens", 1e9),
        ("tokens in billions", "tokens", 1e9),
        ("params_millions", "params", 1e6),
        ("n.params.k", "n.params", 1e3),
        ("flops_T", "flops", 1e12),
        ("tokens", "tokens", 1),
        ("d_k", "d_k", 1),
        ("_M", "_M", 1),
    ],
)
def test_units_in_names(name, base, unit):
    assert without_unit(name) == (base, unit)
