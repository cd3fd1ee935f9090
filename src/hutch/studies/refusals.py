"""What every study refuses before it trains anything, each in one line that says what would be right."""

from pathlib import Path
from typing import Any

from hutch.runs import BadInput, plain
from hutch.runs.atomic import read_json
from hutch.text import Corpus


def refuse_many_epochs(corpus: Corpus, tokens: int, max_epochs: float) -> None:
    """`BadInput` where a run of so many tokens would read the corpus too often."""
    available = len(corpus.train.tokens)
    if tokens > max_epochs * available:
        raise BadInput(
            f"the corpus has {available:,} training tokens and a run of this study needs {tokens:,}, "
            f"{tokens / available:.1f} epochs: give more text, smaller --budgets, or a higher --max-epochs than "
            f"{max_epochs:g}"
        )


def refuse_other_study(study: str, config: Any, folder: Path) -> None:
    """`BadInput` where the folder holds another study than `study` with `config`, or things that are none of ours."""
    path = folder / "study.json"
    if not path.exists():
        strangers = sorted(p.name for p in folder.iterdir() if not p.name.startswith(".") and p.name != "corpus")
        if strangers:
            raise BadInput(f"{folder} is not empty and holds no study ({strangers[0]} ...): choose another --out")
        return
    found = read_json(path)
    if not isinstance(found, dict) or found.get("study") != study or not isinstance(found.get("config"), dict):
        raise BadInput(f"{path} does not describe a {study} study: choose another --out")
    for name, value in plain(config).items():
        if found["config"].get(name) != value:
            raise BadInput(
                f"{folder} was begun with {name} = {found['config'].get(name)!r}, not {value!r}: "
                f"choose another --out, or ask for the same again"
            )
