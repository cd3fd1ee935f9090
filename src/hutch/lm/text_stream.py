"""Bytes of tokens in, text out as soon as it is certain: whole characters, and nothing that a stop string may cut."""

import codecs


class TextStream:
    """The text of one continuation as it grows.

    A stop string may begin in one token and end in another, and a character's bytes may be several tokens; how the
    bytes are cut makes no difference to the text. It ends before the stop string that is complete first; of several
    complete at the same character, before the longest.
    """

    def __init__(self, stop: tuple[str, ...] = ()) -> None:
        self.stop = stop
        self.ended = False
        """A stop string has come."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""

    def write(self, data: bytes) -> str:
        """The text that has become certain with `data`."""
        if self.ended:
            return ""
        self._held += self._decoder.decode(data)
        end = first_stop(self._held, self.stop)
        self.ended = end is not None
        return self._give(len(self._held) - held_back(self._held, self.stop) if end is None else end)

    def close(self) -> str:
        """The rest, when no more comes. Bytes that only begin a character are left out."""
        if self.ended:
            return ""
        self.ended = True
        return self._give(len(self._held))

    def _give(self, length: int) -> str:
        given, self._held = self._held[:length], self._held[length:]
        return given


def first_stop(text: str, stop: tuple[str, ...]) -> int | None:
    """Where the stop string begins that is complete first; None where none is in `text`."""
    found = [(start + len(string), start) for string in stop if (start := text.find(string)) >= 0]
    return min(found)[1] if found else None


def held_back(text: str, stop: tuple[str, ...]) -> int:
    """How many of the last characters may be the beginning of a stop string."""
    longest = min(len(text), max(map(len, stop), default=1) - 1)
    lengths = range(longest, 0, -1)
    return next((n for n in lengths if any(string.startswith(text[len(text) - n :]) for string in stop)), 0)
