"""The two ways a command can end badly, and the exit code of each."""


class HutchError(Exception):
    """The work failed. One line, addressed to the person who typed the command; exit code 1."""

    exit_code = 1


class BadInput(HutchError):
    """What was asked for cannot be done. The line says what is wrong with which value or file, and what
    would be right; exit code 2."""

    exit_code = 2
