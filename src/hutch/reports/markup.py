"""HTML that cannot be injected into: every string is escaped unless this module made it."""

import re
from collections.abc import Iterable
from html import escape
from typing import Any

_EXPONENT = re.compile(r"\^(-?\d+(?:\.\d+)?|[A-Za-z]\b)")
_SCIENTIFIC = re.compile(r"\b(\d(?:\.\d+)?)e\+?(-?\d+)\b")
_VOID = frozenset({"meta", "br", "link"})


class Html(str):
    """Text that is already HTML."""

    __slots__ = ()


def joined(children: Iterable[Any]) -> Html:
    """Children one after another: `Html` as it is, lists flattened, `None` left out, the rest escaped."""
    pieces: list[str] = []
    for child in children:
        if isinstance(child, Html):
            pieces.append(child)
        elif isinstance(child, list | tuple):
            pieces.append(joined(child))
        elif child is not None:
            pieces.append(escape(str(child)))
    return Html("".join(pieces))


def element(name: str, /, *children: Any, **attributes: Any) -> Html:
    """`<name ...>children</name>`; `class_` is `class`, `data_x` is `data-x`, `None` is left out."""
    spelled = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID:
        return Html(f"<{name}{spelled}>")
    return Html(f"<{name}{spelled}>{joined(children)}</{name}>")


def prose(text: Any) -> Html:
    """Text with its exponents raised, as people write `C^0.45` and `3.2e+15`; all else is escaped."""

    def power_of_ten(found: re.Match[str]) -> str:
        mantissa = "" if found[1] == "1" else f"{found[1]}×"
        return f"{mantissa}10<sup>{int(found[2])}</sup>".replace("-", "−")

    raised = _EXPONENT.sub(r"<sup>\1</sup>", escape(str(text or "")))
    return Html(_SCIENTIFIC.sub(power_of_ten, raised))


def json_script(text: str, **attributes: Any) -> Html:
    """JSON inside a page. `<` is spelled as an escape, so no string in it can end the script element."""
    safe = text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    return element("script", Html(safe), type="application/json", **attributes)
