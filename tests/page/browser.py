"""A headless Chromium driven over its own protocol: opens a page, tells what it said and asked for."""

import asyncio
import base64
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
SECONDS = 60.0


def found_browser() -> str | None:
    """Return the path of a Chromium, None if this machine has none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


@dataclass
class Tab:
    """One page. `said` are its console messages and errors, `asked` the addresses it requested."""

    socket: aiohttp.ClientWebSocketResponse
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answers: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    number: int = 0

    async def call(self, method: str, **parameters: Any) -> Any:
        """Send one command and return its result."""
        self.number += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.answers[self.number] = answer
        await self.socket.send_json({"id": self.number, "method": method, "params": parameters})
        return await asyncio.wait_for(answer, SECONDS)

    async def listen(self) -> None:
        """Sort what comes in until the socket closes."""
        async for message in self.socket:
            found = message.json()
            if "id" in found:
                answer = self.answers.pop(found["id"])
                if "error" in found:
                    answer.set_exception(RuntimeError(str(found["error"])))
                else:
                    answer.set_result(found["result"])
            else:
                self._note(found["method"], found["params"])

    def _note(self, method: str, parameters: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self.said.append(str(parameters["exceptionDetails"].get("exception", parameters)))
        elif method == "Runtime.consoleAPICalled":
            self.said.append(" ".join(str(part.get("value")) for part in parameters["args"]))
        elif method == "Log.entryAdded":
            self.said.append(parameters["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.asked.append(parameters["request"]["url"])

    async def run(self, script: str) -> Any:
        """Return the value of an expression in the page; promises are awaited."""
        found = await self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise AssertionError(f"{script}: {found['exceptionDetails']}")
        return found["result"].get("value")

    async def open(self, path: Path, width: int = 1280, dark: bool = False, phone: bool = False) -> None:
        """Show a file and wait until it is drawn."""
        scheme = "dark" if dark else "light"
        await self.call(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}]
        )
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=844 if phone else 900,
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        await self.call("Page.navigate", url=path.as_uri())
        for _ in range(int(SECONDS * 20)):
            if await self.run("document.documentElement?.dataset.drawn === 'yes'"):
                await self.settle()
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{path} was not drawn in {SECONDS} s: {self.said}")

    async def settle(self) -> None:
        """Wait for two frames to be painted."""
        await self.run(
            "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))"
        )

    async def picture(self, path: Path, whole: bool = True) -> None:
        """Save what is seen, or the whole page, as PNG."""
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))


@asynccontextmanager
async def browser_tab(binary: str, profile: Path) -> AsyncIterator[Tab]:
    """Start a browser with a profile of its own and give one tab; it is ended in any case."""
    arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
    ]
    arguments += ["--remote-debugging-port=0", f"--user-data-dir={profile}", "--no-first-run", "about:blank"]
    started = subprocess.Popen([binary, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port = await _port(profile / "DevToolsActivePort")
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [page for page in await answer.json() if page["type"] == "page"]
            async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                listening = asyncio.create_task(tab.listen())
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await tab.call(f"{domain}.enable")
                await tab.call("Emulation.setFocusEmulationEnabled", enabled=True)
                yield tab
                listening.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listening
    finally:
        started.terminate()
        started.wait(SECONDS)


async def _port(file: Path) -> int:
    for _ in range(int(SECONDS * 20)):
        if file.exists() and file.read_text().strip():
            return int(file.read_text().split()[0])
        await asyncio.sleep(0.05)
    raise AssertionError("the browser did not start")
