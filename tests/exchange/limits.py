"""Pace as the venues keep it: requests per window and path, a refusal with its headers, bans that grow."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True, kw_only=True)
class PaceLimit:
    """So many requests per window for paths that end so ("*" any).

    Too many are answered with `status` (`code` in the body where it is 200, as Bybit's 10006), and ban for
    `ban_ms` where that is set; every request during a ban makes it begin anew with `ban_status`.
    """

    path: str = "*"
    requests: int
    window_ms: int
    status: int = 429
    code: int = 0
    ban_ms: int = 0
    ban_status: int = 0
    seen: list[int] = field(default_factory=list)
    banned_until_ms: int = 0

    def meets(self, path: str) -> bool:
        return self.path == "*" or path.endswith(self.path)


class RateLimits:
    """The limits as set now; none by default. `bans` counts how often one was imposed or made longer."""

    def __init__(self) -> None:
        self.limits: list[PaceLimit] = []
        self.bans = 0
        self.refusals = 0

    def add(self, **dial: Any) -> PaceLimit:
        limit = PaceLimit(**dial)
        self.limits.append(limit)
        return limit

    def clear(self) -> None:
        self.limits.clear()

    def refused(self, path: str, now_ms: int) -> tuple[int, Any, dict[str, str]] | None:
        """Count a request; return status, body and headers of the "no" if it is one too many."""
        for limit in self.limits:
            if not limit.meets(path):
                continue
            if now_ms < limit.banned_until_ms:
                limit.banned_until_ms = now_ms + limit.ban_ms
                self.bans += 1
                return self._no(limit, now_ms, limit.ban_status or limit.status)
            limit.seen = [at for at in limit.seen if at > now_ms - limit.window_ms]
            if len(limit.seen) >= limit.requests:
                if limit.ban_ms:
                    limit.banned_until_ms = now_ms + limit.ban_ms
                    self.bans += 1
                return self._no(limit, now_ms, limit.status)
            limit.seen.append(now_ms)
        return None

    def _no(self, limit: PaceLimit, now_ms: int, status: int) -> tuple[int, Any, dict[str, str]]:
        self.refusals += 1
        until_ms = max(limit.banned_until_ms, (limit.seen or [now_ms])[0] + limit.window_ms)
        headers = {"Retry-After": str(max(1, -(-(until_ms - now_ms) // 1_000)))}
        headers |= _bapi(limit, until_ms)
        text = "Too many visits. Exceeded the API Rate Limit."
        if status == 200:
            envelope = {"retCode": limit.code, "retMsg": text, "result": {}, "retExtInfo": {}, "time": now_ms}
            return status, envelope, headers
        return status, {"code": -1003, "msg": text}, headers

    def headers(self, path: str, now_ms: int) -> dict[str, str]:
        """Return what a reply tells of the pace: the narrowest limit of this path."""
        meeting = [limit for limit in self.limits if limit.meets(path)]
        if not meeting:
            return {}
        narrow = min(meeting, key=lambda each: each.requests - len(each.seen))
        return _bapi(narrow, (narrow.seen or [now_ms])[0] + narrow.window_ms)


def _bapi(limit: PaceLimit, until_ms: int) -> dict[str, str]:
    return {
        "X-Bapi-Limit": str(limit.requests),
        "X-Bapi-Limit-Status": str(max(0, limit.requests - len(limit.seen))),
        "X-Bapi-Limit-Reset-Timestamp": str(until_ms),
    }
