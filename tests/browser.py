"""A headless browser on PATH, for the reports and the site."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
#: Seconds after which a browser counts as hanging.
_MAX_SECONDS = 600


def find_browser() -> str | None:
    """Return the path of a browser; None without one."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> str:
    """Return the path of a browser."""
    path = find_browser()
    assert path, f"no browser on PATH: install one of {', '.join(_NAMES)}"
    return path


def run_browser(browser: str, url: str, profile: Path, *flags: str) -> str:
    """Open a page without a window, and return the output."""
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}", *flags, url]
    return subprocess.run(command, capture_output=True, text=True, timeout=_MAX_SECONDS, check=True).stdout


class Browser:
    """A headless browser with one tab, controlled by the Chrome DevTools Protocol over a pipe."""

    def __init__(self, path: str, profile: Path) -> None:
        commands, self._commands = os.pipe()
        self._messages, messages = os.pipe()
        # The browser reads descriptor 3 and writes descriptor 4; higher numbers keep the two apart.
        descriptors = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in (commands, messages)]
        actions: list[Any] = [(os.POSIX_SPAWN_DUP2, one, number) for number, one in enumerate(descriptors, start=3)]
        actions += [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={profile}"]
        command = [path, *flags, "--remote-debugging-pipe"]
        self._process = os.posix_spawn(path, command, os.environ, file_actions=actions)
        for one in (commands, messages, *descriptors):
            os.close(one)
        self._buffer, self._number, self._session = b"", 0, ""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def close(self) -> None:
        """End the browser."""
        self._session = ""
        self.call("Browser.close")
        os.waitpid(self._process, 0)
        os.close(self._commands)
        os.close(self._messages)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command to the tab, and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        response = self._read(lambda one: one.get("id") == self._number)
        assert "error" not in response, f"{method}: {response.get('error')}"
        result: dict[str, Any] = response["result"]
        return result

    def open(self, url: str, *, width: int, dark: bool = False) -> None:
        """Open a page in a width, and block until it has loaded."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = "dark" if dark else "light"
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        assert "errorText" not in self.call("Page.navigate", url=url)
        self._read(lambda one: one.get("method") == "Page.loadEventFired")

    def evaluate(self, script: str) -> Any:
        """Return the value of a JavaScript expression, awaited if it is a promise."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, such as `Tab`."""
        code = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}[key]
        text = {"Enter": "\r", " ": " "}.get(key)
        options: dict[str, Any] = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", **options, **({"text": text} if text else {}))
        self.call("Input.dispatchKeyEvent", type="keyUp", **options)

    def take_screenshot(self, file: Path) -> None:
        """Write the visible part of the page as PNG."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))

    def _read(self, is_expected: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return the next message that is expected; the tests ignore all others."""
        while True:
            while b"\0" not in self._buffer:
                assert select.select([self._messages], [], [], _MAX_SECONDS)[0], "the browser does not respond"
                part = os.read(self._messages, 1 << 20)
                assert part, "the browser ended"
                self._buffer += part
            text, _, self._buffer = self._buffer.partition(b"\0")
            message: dict[str, Any] = json.loads(text)
            if is_expected(message):
                return message
