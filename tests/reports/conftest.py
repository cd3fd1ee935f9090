"""Analyses of synthetic studies: a known law as a study would report it, whole and incomplete."""

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

A, ALPHA, B, BETA, E = 420.0, 0.34, 410.0, 0.28, 1.7
BUDGETS = [1e13, 3e13, 1e14, 3e14, 1e15]
HOLDOUT = 1e16
LICENCES = (("sotu", "public domain"), ("kjv", "public domain"), ("botocore", "Apache-2.0"))
HOSTILE = "The hutch </script><script>alert('x')</script> & <b>bold</b> \u2028 end"


def loss_of(parameters: float, tokens: float) -> float:
    """The law of Hoffmann et al. 2022, section 3.3."""
    return E + A / parameters**ALPHA + B / tokens**BETA


def between(value: float, share: float, level: float = 0.8) -> dict[str, float]:
    """An interval around `value`."""
    low, high = sorted((value * (1 - share), value * (1 + share)))
    return {"value": value, "low": low, "high": high, "level": level}


def optimum(budget: float) -> float:
    """Parameters at the minimum of the law for `budget` = 6 N D."""
    g = (ALPHA * A / (BETA * B)) ** (1 / (ALPHA + BETA))
    return float(g * (budget / 6) ** (BETA / (ALPHA + BETA)))


def a_run(name: str, role: str, budget: float, parameters: float, noise: float = 0.0) -> dict[str, Any]:
    """One finished run."""
    tokens = budget / (6 * parameters)
    seen = np.geomspace(tokens / 100, tokens, 30)
    curve = {
        "tokens": seen.tolist(),
        "flops": (6 * parameters * seen).tolist(),
        "loss": [loss_of(parameters, d) + 0.1 * float(np.sin(3 * i)) / (i + 2) for i, d in enumerate(seen)],
    }
    loss = loss_of(parameters, tokens) + noise
    return {
        "id": name, "role": role, "budget": budget, "layers": 6, "width": 128, "heads": 4,
        "parameters": round(parameters), "parameters_non_embedding": round(parameters * 0.8),
        "tokens": round(tokens), "tokens_per_parameter": tokens / parameters, "epochs": tokens / 9e6,
        "flops": budget, "flops_6nd": budget, "train_loss": loss - 0.02, "loss": loss,
        "bits_per_byte": loss / 2.6, "bits_per_byte_by_subset": {"sotu": loss / 2.5, "kjv": loss / 2.7},
        "tokens_per_second": 41234.0, "gflops": 38.0, "seconds": 12.4, "status": "done", "attempts": 1,
        "error": None, "curve": curve,
    }  # fmt: skip


def _profile(budget: float, runs: list[dict[str, Any]]) -> dict[str, Any]:
    log_n = np.log([r["parameters"] for r in runs])
    fit = np.polyfit(log_n, [r["loss"] for r in runs], 2)
    n = float(np.exp(-fit[1] / (2 * fit[0])))
    return {
        "budget": budget, "used": True, "reason": None, "coefficients_n": fit[::-1].tolist(),
        "parameters": [r["parameters"] for r in runs],
        "n_opt": between(n, 0.18), "d_opt": between(budget / 6 / n, 0.18),
        "loss_opt": between(float(np.polyval(fit, np.log(n))), 0.004),
    }  # fmt: skip


def _fits(runs: list[dict[str, Any]]) -> dict[str, Any]:
    a = BETA / (ALPHA + BETA)
    exponents = {"a": between(a, 0.09), "b": between(1 - a, 0.08), "reason": None}
    grouped = {b: [r for r in runs if r["role"] == "profile" and r["budget"] == b] for b in BUDGETS}
    flops = np.geomspace(2e12, 1e15, 25)
    return {
        "profiles": exponents | {
            "k_n": between(0.2, 0.5), "k_d": between(0.8, 0.5),
            "profiles": [_profile(b, g) for b, g in grouped.items()],
        },
        "envelope": exponents | {
            "a": between(a + 0.03, 0.12), "k_n": between(0.2, 0.5), "k_d": between(0.8, 0.5),
            "points": {
                "flops": flops.tolist(),
                "parameters": [optimum(c) for c in flops],
                "tokens": [c / 6 / optimum(c) for c in flops],
                "loss": [loss_of(optimum(c), c / 6 / optimum(c)) for c in flops],
                "fraction": [0.5 + 0.02 * i for i in range(25)],
                "at_edge": [i < 5 for i in range(25)],
                "used": [i >= 18 for i in range(25)],
            },
        },
        "parametric": exponents | {
            "a": between(a - 0.02, 0.06), "E": between(E, 0.1), "A": between(A, 0.5), "B": between(B, 0.5),
            "alpha": between(ALPHA, 0.1), "beta": between(BETA, 0.1), "status": "converged",
        },
    }  # fmt: skip


def _bands() -> dict[str, Any]:
    compute = np.geomspace(BUDGETS[0] / 2, HOLDOUT * 1.5, 30)
    centre = np.log(1e14)
    spread = np.exp(0.12 + 0.06 * np.abs(np.log(compute) - centre))
    n = np.array([optimum(c) for c in compute])

    def band(values: np.ndarray) -> dict[str, list[float]]:
        return {
            "value": values.tolist(),
            "low": (values / spread).tolist(),
            "high": (values * spread).tolist(),
        }

    return {
        "compute": compute.tolist(),
        "profiles": {"parameters": band(n), "tokens": band(compute / 6 / n)},
        "envelope": None,
        "parametric": None,
    }


def _test_outcome(name: str, difference: float) -> dict[str, Any]:
    return {
        "name": name, "documents": 120, "bytes": 812345, "optimal_bpb": 1.81,
        "gopher_like_bpb": 1.81 - difference,
        "difference": between(difference, 0.4, 0.95),
    }  # fmt: skip


def _claim(id_: str, name: str, verdict: str, statement: str) -> dict[str, str]:
    return {
        "id": id_, "name": name, "statement": statement, "source": "Hoffmann et al. 2022, table 2",
        "published": "a = 0.50, 0.49, 0.46", "ours": "a = 0.45 [0.41, 0.49]", "verdict": verdict,
        "why": "Our interval holds the published value of approach 3.",
    }  # fmt: skip


def _paper(name: str, source: str, a: float, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"name": name, "source": source, "a": a, "b": 1 - a, "a_low": low, "a_high": high}


def _sample(run: str, role: str, prompt: str) -> dict[str, Any]:
    text = f" have seen in the {role} year. {HOSTILE}"
    return {"run": run, "role": role, "prompt": prompt, "text": text, "temperature": 0.8, "seed": 3}


def complete() -> dict[str, Any]:
    """A study in which everything worked."""
    random = np.random.default_rng(7)
    runs = [
        a_run(f"p{i}{j}", "profile", budget, optimum(budget) * factor, 0.004 * float(random.normal()))
        for i, budget in enumerate(BUDGETS)
        for j, factor in enumerate((0.25, 0.45, 0.75, 1.2, 2.1, 3.8))
    ]
    runs += [
        a_run("small", "holdout", HOLDOUT, optimum(HOLDOUT) / 4),
        a_run("opt", "optimal", HOLDOUT, optimum(HOLDOUT)),
        a_run("gopher", "gopher-like", HOLDOUT, optimum(HOLDOUT) * 4),
    ]
    prompts = ("The people of the United States", "And it came to pass")
    return {
        "study": "compute-optimal",
        "title": "Compute-optimal training of small language models",
        "question": "At equal training compute, how should parameters and tokens grow together?",
        "scale": "quick",
        "answer": (
            "Parameters and tokens should grow almost together: the optimum moves as C^0.45 [0.41, 0.49]. "
            "At ten times the largest fitted budget the predicted optimum beats a model four times "
            "its size by 0.09 bits per byte."
        ),
        "how": {
            "command": "hutch study run compute-optimal --scale quick",
            "machine": "x86-64, 2 cores",
            "precision": "float32",
            "git": "abc1234", "python": "3.11.9", "torch": "2.9.0+cpu", "workers": 2, "seconds": 371.0,
            "train_share": 0.93, "peak_memory_mb": 1432.0, "started": "2026-11-24T22:01:00Z",
            "finished": "2026-11-24T22:07:11Z", "peak_gflops": 88.0,
        },
        "corpus": {
            "subsets": [
                {
                    "name": name, "licence": licence, "source": f"package {name}", "documents": 1000,
                    "train_tokens": 4_500_000, "train_bytes": 18_000_000, "holdout_documents": 60,
                    "holdout_bytes": 812_345, "missing": None,
                }
                for name, licence in LICENCES
            ],
            "train_tokens": 13_500_000, "bytes_per_token": 3.9, "vocabulary": 4096, "max_epochs": 4.0,
            "duplicates_removed": 37,
        },
        "model": {
            "context": 256, "positions": "rotary",
            "batch_tokens": 8192, "learning_rate": 0.003, "optimizer": "AdamW",
            "schedule": "a cosine to one tenth", "sizes_and_rates": "64 units of width a layer",
        },
        "runs": runs,
        "budgets": BUDGETS,
        "holdout_budget": HOLDOUT,
        "fits": _fits(runs),
        "bands": _bands(),
        "published": [
            _paper("Hoffmann, approach 1", "arXiv:2203.15556", 0.50, 0.488, 0.502),
            _paper("Hoffmann, approach 2", "arXiv:2203.15556", 0.49, 0.462, 0.534),
            _paper("Hoffmann, approach 3", "arXiv:2203.15556", 0.46, 0.454, 0.455),
            _paper("Kaplan", "arXiv:2001.08361", 0.73),
        ],
        "extrapolation": {
            "budget": HOLDOUT, "parameters_predicted": between(optimum(HOLDOUT) * 1.1, 0.3),
            "tokens_predicted": between(HOLDOUT / 6 / optimum(HOLDOUT) / 1.1, 0.3),
            "loss_predicted": between(4.102, 0.01), "loss_measured": 4.114, "loss_error": -0.012,
            "parameters_measured": between(optimum(HOLDOUT), 0.15), "parameters_error": 1.1, "reason": None,
        },
        "chinchilla_test": {
            "budget": HOLDOUT, "optimal": "opt", "gopher_like": "gopher",
            "overall": _test_outcome("overall", -0.09),
            "subsets": [
                _test_outcome("sotu", -0.11), _test_outcome("kjv", -0.07), _test_outcome("botocore", 0.02),
            ],
            "verdict": "The compute-optimal model is better on all held-out text together.", "reason": None,
        },
        "samples": [
            _sample(run, role, prompt)
            for prompt in prompts
            for run, role in (("opt", "optimal"), ("gopher", "gopher-like"))
        ],
        "claims": [
            _claim("tenfold", "size and tokens grow alike", "reproduced", "Parameters and tokens should grow equally"),
            _claim("kaplan", "N ∝ C^0.73 (Kaplan)", "contradicted", "Parameters should grow as C^0.73"),
            _claim("twenty-tokens", "20 tokens a parameter", "not at this scale", "20 tokens a parameter are optimal"),
            _claim("concave-frontier", "a concave frontier", "not measured", "The frontier is concave at high compute"),
        ],
        "notes": ["The held-out budget is ten times the largest fitted one.", "<b>Losses</b> are held-out."],
    }  # fmt: skip


def refused() -> dict[str, Any]:
    """The same study after every fit was refused: the data are there, the conclusions are not."""
    analysis = complete()
    why = "fewer than three profiles have an interior minimum"
    for profile in analysis["fits"]["profiles"]["profiles"]:
        profile |= {"used": False, "reason": "the minimum lies at the edge", "n_opt": None, "d_opt": None}
        profile |= {"loss_opt": None}
    for name, approach in analysis["fits"].items():
        approach |= {k: None for k in approach if k != "profiles"}
        approach["reason"] = f"{name}: {why}"
    for name in ("extrapolation", "chinchilla_test"):
        analysis[name] = dict.fromkeys(analysis[name]) | {"reason": f"{name}: {why}"}
    return analysis | {"bands": None, "answer": "Nothing could be concluded.", "samples": []}


def diverged() -> dict[str, Any]:
    """The same study with one run that diverged, one that failed, and one profile refused for it."""
    analysis = complete()
    lost = {"loss": None, "train_loss": None, "bits_per_byte": None, "bits_per_byte_by_subset": None}
    analysis["runs"][0] |= lost | {
        "status": "diverged",
        "error": "loss is not finite at step 12",
        "attempts": 2,
    }
    analysis["runs"][1] |= lost | {"status": "failed", "error": "the worker was killed <9>", "curve": None}
    profile = analysis["fits"]["profiles"]["profiles"][0]
    profile |= {"used": False, "reason": "too few finished runs", "n_opt": None, "coefficients_n": None}
    return analysis


@pytest.fixture
def analysis() -> dict[str, Any]:
    """A complete analysis, free to change."""
    return copy.deepcopy(complete())


@pytest.fixture
def refused_analysis() -> dict[str, Any]:
    """An analysis whose fits were all refused."""
    return refused()


@pytest.fixture
def diverged_analysis() -> dict[str, Any]:
    """An analysis with a diverged and a failed run."""
    return diverged()


def write_study(folder: Path, analysis: dict[str, Any]) -> Path:
    """A study folder that holds nothing but its analysis."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "analysis.json").write_text(json.dumps(analysis), encoding="utf-8")
    return folder
