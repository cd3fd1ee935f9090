"""`hutch lm sample`, `hutch lm chat` and `hutch lm export`: language models at work."""

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from hutch.cli.lm_train import add_train

MODEL = 'a run of a study, a folder of transformers, a .gguf file, or "smollm2"'


def add_commands(rooms: Any) -> None:
    """Add `lm` and its verbs to the command line."""
    room = rooms.add_parser(
        "lm",
        help="language models: train one, text from them, talk with them, other formats",
        epilog="example: hutch lm sample demo/runs/ID --prompt 'In the beginning'",
    )
    verbs = room.add_subparsers(dest="verb", required=True, metavar="VERB")
    add_train(verbs)
    _add_sample(verbs)
    _add_chat(verbs)
    _add_export(verbs)


def _add_sample(verbs: Any) -> None:
    sample = verbs.add_parser(
        "sample",
        help="continue texts",
        description="Continue each prompt. One prompt is written to the terminal as it comes.",
        epilog="example: hutch lm sample demo/runs/ID --prompt 'In the beginning' --tokens 100 --temperature 0.7",
    )
    sample.add_argument("model", metavar="MODEL", help=MODEL)
    add_prompts(sample)
    add_sampling(sample)
    sample.add_argument("--json", action="store_true", help="one JSON document on stdout")
    sample.set_defaults(call=sample_texts)


def _add_chat(verbs: Any) -> None:
    chat = verbs.add_parser(
        "chat",
        help="talk with a model",
        description="Talk with a model, a line a turn, typed or piped in. Ctrl-C stops a reply, Ctrl-D ends the talk.",
        epilog="example: hutch lm chat smollm2 --system 'You answer in one sentence.'",
    )
    chat.add_argument("model", metavar="MODEL", help=MODEL)
    chat.add_argument("--system", type=_text, metavar="TEXT", help="who talks and how, said before all turns")
    add_sampling(chat)
    chat.add_argument("--json", action="store_true", help="one JSON document on stdout, when the talk has ended")
    chat.set_defaults(call=talk)


def _add_export(verbs: Any) -> None:
    export = verbs.add_parser(
        "export",
        help="write a model of Hutch in the format of transformers",
        epilog="example: hutch lm export demo/runs/ID my-model",
    )
    export.add_argument("model", type=Path, metavar="MODEL", help="a run of a study")
    export.add_argument("folder", type=Path, metavar="FOLDER", help="where to write it")
    export.add_argument(
        "--architecture",
        choices=("llama", "arcee"),
        default="llama",
        help="llama: read by every version of transformers; arcee: from 4.53 on, without dead weights (default: llama)",
    )
    export.add_argument("--json", action="store_true", help="one JSON document on stdout")
    export.set_defaults(call=export_to)


def add_prompts(parser: argparse.ArgumentParser) -> None:
    """What is continued (`prompts_of`)."""
    parser.add_argument(
        "--prompt", action="append", type=_text, default=[], metavar="TEXT", help="text to continue (repeatable)"
    )
    parser.add_argument(
        "--prompts", type=Path, metavar="FILE", help='prompts, one a line; in a .jsonl file {"prompt": TEXT} a line'
    )


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """The fields of `hutch.lm.language_model.Sampling`."""
    group = parser.add_argument_group("how text is drawn")
    group.add_argument("--tokens", type=int, default=200, metavar="N", help="at most N new tokens (default: 200)")
    group.add_argument("--temperature", type=float, default=0.8, metavar="T", help="0: the most likely (default: 0.8)")
    group.add_argument(
        "--top-k", type=_top_k, default=50, metavar="K", help="from the K most likely, or all (default: 50)"
    )
    group.add_argument("--top-p", type=float, metavar="P", help="from the fewest that reach this probability together")
    group.add_argument(
        "--repetition-penalty", type=float, default=1.0, metavar="R", help="above 1: shun tokens seen before"
    )
    group.add_argument("--no-repeat-ngram", type=int, metavar="N", help="no sequence of N tokens twice")
    group.add_argument(
        "--stop", action="append", type=_text, default=[], metavar="TEXT", help="end before TEXT (repeatable)"
    )
    group.add_argument("--seed", type=int, default=0, metavar="S", help="the same seed, the same text (default: 0)")


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise argparse.ArgumentTypeError("the text holds bytes that are no UTF-8") from error
    return text


def _top_k(text: str) -> int | None:
    try:
        return None if text == "all" else int(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a number of tokens nor all") from error


def sampling_of(options: argparse.Namespace) -> Any:
    """The `Sampling` that the flags ask for."""
    from hutch.lm.language_model import Sampling

    names = [field.name for field in dataclasses.fields(Sampling) if field.name != "stop"]
    return Sampling(stop=tuple(options.stop), **{name: getattr(options, name) for name in names})


def prompts_of(options: argparse.Namespace) -> list[str]:
    """All prompts, those of the file last."""
    from hutch.runs.errors import BadInput

    prompts = [*options.prompt, *(_prompts_in(options.prompts) if options.prompts else [])]
    if not prompts:
        raise BadInput("there is nothing to continue: give --prompt TEXT, or --prompts FILE with a prompt a line")
    return prompts


def _prompts_in(path: Path) -> list[str]:
    from hutch.runs.errors import BadInput
    from hutch.text.files import json_lines, text_pieces

    if path.suffix != ".jsonl":
        prompts = [line.removesuffix("\r") for line in "".join(text_pieces(path)).split("\n") if line.strip()]
    else:
        prompts = []
        for number, row in json_lines(path):
            if not (isinstance(row, dict) and isinstance(row.get("prompt"), str)):
                raise BadInput(f'{path}:{number} holds no prompt: write {{"prompt": "TEXT"}}')
            prompts.append(row["prompt"])
    if not prompts:
        raise BadInput(f"{path} holds no prompt")
    return prompts


def sample_texts(options: argparse.Namespace) -> int:
    """Continue the prompts: as it comes where there is one, else all at the end. Returns the exit code."""
    sampling, prompts = sampling_of(options), prompts_of(options)
    from hutch.lm.exchange import load_language_model

    return continue_texts(load_language_model(options.model), prompts, sampling, options)


def continue_texts(model: Any, prompts: list[str], sampling: Any, options: argparse.Namespace) -> int:
    """Continue the prompts with any `LanguageModel`; returns the exit code."""
    from hutch.cli.stream import say, say_prompt, stream_text, working

    if len(prompts) == 1 and not options.json:
        return stream_text(model, prompts[0], sampling)
    with working(len(prompts)) as on_text:
        texts = model.generate(prompts, sampling, on_text)
    if options.json:
        samples = [{"prompt": prompt, "text": text} for prompt, text in zip(prompts, texts, strict=True)]
        document = {"model": model.name, "sampling": dataclasses.asdict(sampling), "samples": samples}
        print(json.dumps(document, indent=1))
        return 0
    for number, (prompt, text) in enumerate(zip(prompts, texts, strict=True), start=1):
        say(f"[{number} of {len(prompts)}]\n")
        say_prompt(prompt)
        say(text + "\n" * (1 if number == len(prompts) else 2))
    return 0


def talk(options: argparse.Namespace) -> None:
    """Talk until the turns end."""
    sampling = sampling_of(options)
    from hutch.cli.talk import talk_to
    from hutch.lm.chat import Chat
    from hutch.lm.exchange import load_language_model

    chat = Chat(load_language_model(options.model), options.system)
    talk_to(chat, sampling, quiet=options.json)
    if options.json:
        document = {"model": chat.model.name, "sampling": dataclasses.asdict(sampling), "messages": chat.messages}
        print(json.dumps(document, indent=1))


def export_to(options: argparse.Namespace) -> None:
    """Write the model where it was asked for."""
    from hutch.lm.exchange.export import export_model

    folder = export_model(options.model, options.folder, architecture=options.architecture)
    print(json.dumps({"folder": str(folder)}, indent=1) if options.json else folder)
