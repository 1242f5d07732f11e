"""Every error, sorted by what the caller must do."""


class ChloeError(Exception):
    """Base of all errors that are ours."""


class ConfigError(ChloeError):
    """Edit a file: configuration can't be read, parsed or accepted. The text names file, place and remedy."""


class DataError(ChloeError):
    """Skip this asset this tick: its bars are missing, late or wrong. `reason` is a short stable code."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class VenueError(ChloeError):
    """Something at a venue; the subclasses say what to do about it."""


class VenueBusy(VenueError):
    """Back off and try later: nothing was sent, or the venue asked for patience."""


class Refused(VenueError):
    """Do not retry: the venue said no, and why. `code` is the venue's own, "" where it gave none."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class StopPassed(Refused):
    """Close the position at market: the price is through the stop already, so the venue takes none there."""


class OutcomeUnknown(VenueError):
    """Look it up, never resend: the request may have taken effect."""


class JournalError(ChloeError):
    """Stop now: what happened can't be written down or can't be trusted."""


class BrokenPromise(ChloeError):
    """Stop now: an invariant of ours failed, so no further decision can be trusted."""


class LockHeld(ChloeError):
    """Another runner works on this account; wait for it or stop it."""


class SystemdFailed(ChloeError):
    """Do what systemd's own words say, then repeat: a command of the service manager failed."""
