"""Errors that an animator can act on: what was wrong, and the way out."""


class PirouetteError(Exception):
    """A failure with a stable code, one sentence for the animator and a hint how to go on.

    code: a short identifier such as ``no_sound``; message: what was wrong; hint: what to do.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class Cancelled(Exception):
    """The animator cancelled the job."""
