"""Which law splits the budget, which gives the loss: published figures, saved fits, refusals."""

import numpy as np
import pytest

from hutch.runs.errors import BadInput
from hutch.scaling.fits.saved import load_fit, save_fit
from hutch.scaling.kaplan import KAPLAN_LAWS
from hutch.scaling.plans.figures import Drawn
from hutch.scaling.plans.law_choice import choose_law
from hutch.scaling.plans.loss_laws import LOSS_LAWS, FrontierLaw, choose_loss_law
from hutch.scaling.published import LAWS


@pytest.mark.parametrize(
    ("key", "compute", "parameters", "tokens"),
    [
        ("hoffmann-1", 5.76e23, 6.78e10, 1.43e12),
        ("hoffmann-2", 5.76e23, 6.34e10, 1.51e12),
        ("hoffmann-3", 5.76e23, 4.036e10, 2.379e12),
        ("besiroglu", 5.76e23, 7.23e10, 1.327e12),
        ("kaplan", 1e21, 7.77e9, 3.87e10),
        ("llama3", 3.8e25, 3.9e11, 1.63e13),
    ],
)
def test_published_allocations(key, compute, parameters, tokens):
    law = choose_law(key.upper())
    at = Drawn.given(compute)
    assert law.parameters(at).value == pytest.approx(parameters, rel=5e-3)
    assert law.tokens(at).value == pytest.approx(tokens, rel=5e-3)
    assert law.compute_for_parameters(law.parameters(at)).value == pytest.approx(compute, rel=1e-9)
    assert law.compute_for_tokens(law.tokens(at)).value == pytest.approx(compute, rel=1e-9)


def test_published_intervals_are_the_papers_and_the_ratio_goes_with_the_size():
    law = choose_law("hoffmann-2")
    at = Drawn.given(5.76e23)
    n, d, ratio = law.figures(at, law.parameters(at), law.tokens(at))
    printed = LAWS["hoffmann-2"].n_opt_interval(5.76e23)
    assert (n.value, n.low, n.high, n.level) == pytest.approx((printed.value, printed.low, printed.high, 0.8))
    assert ratio.low == pytest.approx(d.value / n.value * (n.value / n.high) ** 2)
    asked = law.compute_for_tokens(Drawn.given(1e12))
    missing = law.figures(asked, law.parameters(asked), Drawn.given(1e12))[0]
    assert missing.low is None
    assert "at a given compute" in missing.reason


def test_where_nothing_is_printed_the_reason_says_so():
    law = choose_law("kaplan")
    at = Drawn.given(1e21)
    assert law.figures(at, law.parameters(at), law.tokens(at))[0].reason == "the source prints none"


def test_a_saved_fit_gives_its_own_intervals(law_file):
    law, fit = choose_law(law_file), load_fit(law_file)
    at = Drawn.given(1e21)
    n = law.figures(at, law.parameters(at), law.tokens(at))[0]
    theirs = fit.n_opt(1e21)
    assert (n.value, n.low, n.high) == pytest.approx((theirs.value, theirs.low, theirs.high))
    loss = choose_loss_law(law, None).loss(law.parameters(at), law.tokens(at)).figure()
    lowest = fit.loss_opt(1e21)
    assert (loss.value, loss.low, loss.high) == pytest.approx((lowest.value, lowest.low, lowest.high))
    assert law.compute_range == pytest.approx((1e18, 1e22), rel=1e-6)


def test_profiles_know_the_loss_at_the_optimum_alone(profiles_file):
    law = choose_law(profiles_file)
    frontier = choose_loss_law(law, None)
    assert isinstance(frontier, FrontierLaw)
    at = Drawn.given(1e21)
    theirs = load_fit(profiles_file).loss_opt(1e21)
    mine = frontier.lowest(at).figure()
    assert (mine.value, mine.low, mine.high) == pytest.approx((theirs.value, theirs.low, theirs.high))
    assert frontier.compute_for(frontier.lowest(at)).value == pytest.approx(1e21)


def test_the_loss_law_of_each_published_law():
    kept = {key: choose_loss_law(choose_law(key), None) for key in LAWS}
    assert kept["hoffmann-1"].key == kept["hoffmann-2"].key == kept["hoffmann-3"].key == "hoffmann-3"
    assert [key for key, law in kept.items() if getattr(law, "own", False)] == ["hoffmann-3", "besiroglu"]
    assert "publishes no loss law" in kept["llama3"]
    assert choose_loss_law(choose_law("llama3"), "muennighoff").floor == pytest.approx(1.86914, abs=1e-5)


def test_kaplans_form_is_kaplans_law():
    law = choose_loss_law(choose_law("kaplan"), None)
    n, d = 1.3e9, 2.2e10
    assert law.loss(Drawn.given(n), Drawn.given(d)).value == pytest.approx(KAPLAN_LAWS.loss(n, d), rel=1e-12)
    best = law.best_size(Drawn.given(n * d)).value
    at = [law.loss(Drawn.given(x), Drawn.given(n * d / x)).value for x in (best, best * 1.01, best / 1.01)]
    assert min(at) == at[0]


@pytest.mark.parametrize("key", LOSS_LAWS)
def test_the_best_size_is_the_optimum_of_the_law(key):
    law = choose_loss_law(choose_law("hoffmann-2"), key)
    assert law.best_size(Drawn.given(1e22 / 6)).value == pytest.approx(LOSS_LAWS[key][0].n_opt(1e22))


def test_files_that_do_not_serve(tmp_path, profiles_file, law_file):
    other = tmp_path / "other.json"
    other.write_text("{}")
    with pytest.raises(BadInput, match=r"there is no law 'nonsense': choose one of hoffmann-1, .*llama3, or give"):
        choose_law("nonsense")
    with pytest.raises(BadInput, match=r"other\.json: not a saved fit"):
        choose_law(str(other))
    with pytest.raises(BadInput, match="there is no loss law 'x': choose one of hoffmann-3"):
        choose_loss_law(choose_law("kaplan"), "x")
    with pytest.raises(BadInput, match="holds no loss at any N and D"):
        choose_loss_law(choose_law("kaplan"), profiles_file)
    assert choose_loss_law(choose_law(profiles_file), law_file).key == law_file


def test_a_fit_without_bootstraps_says_so(tmp_path):
    from hutch.scaling.fits.parametric import fit_parametric
    from tests.scaling.plans import saved_fits

    path = tmp_path / "bare.json"
    save_fit(fit_parametric(saved_fits.runs(), bootstraps=0), path)
    law = choose_law(str(path))
    at = Drawn.given(1e21)
    figure = law.figures(at, law.parameters(at), law.tokens(at))[0]
    assert np.isfinite(figure.value)
    assert figure.reason == "the fit was made without bootstraps"
