"""A real browser to look at a page with: Chromium without a window, asked over a pipe in its DevTools protocol.

Nothing beyond the standard library is needed. WebGL is drawn by the processor (SwiftShader), so pictures are the same on
every machine and frame rates are those of the slowest.
"""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time
from base64 import b64decode
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
"""What the browser may be called. Debian and Ubuntu: `apt-get install chromium`."""
_SOFTWARE_WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
_NO_WEBGL = ("--disable-gpu", "--disable-3d-apis", "--disable-software-rasterizer")
_PATIENCE_S = 120.0


def find_browser() -> str | None:
    """The path of a Chromium, or none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Browser:
    """One page of one browser. `errors` are what went wrong on it: exceptions, refused requests, logged errors."""

    def __init__(self, *, width: int = 1280, height: int = 800, webgl: bool = True) -> None:
        program = find_browser()
        if program is None:
            raise FileNotFoundError(f"no Chromium: none of {', '.join(NAMES)}")
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._number = 0
        self._buffer = b""
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        self._process = subprocess.Popen(
            # Chromium reads commands from file 3 and answers on file 4.
            ["sh", "-c", f'exec "$0" "$@" 3</dev/fd/{theirs_in} 4>/dev/fd/{theirs_out}', program, "--headless", "--no-sandbox",
             "--remote-debugging-pipe", "--hide-scrollbars", "--no-first-run", "--disable-dev-shm-usage",
             f"--user-data-dir={self._folder.name}", *(_SOFTWARE_WEBGL if webgl else _NO_WEBGL), "about:blank"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._session: str | None = None
        target = next(one for one in self.ask("Target.getTargets")["targetInfos"] if one["type"] == "page")
        attached = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        self.resize(width, height)

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Size in pixels, one to one; and whether the user prefers dark pages."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, path: Path, fragment: str = "") -> None:
        """Open a file from disk anew, with this after the # of its address; `errors` and `requests` begin anew."""
        self.ask("Page.navigate", url="about:blank")
        self.errors.clear()
        self.requests.clear()
        self.ask("Page.navigate", url=path.resolve().as_uri() + (f"#{fragment}" if fragment else ""))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression on the page; a promise is awaited."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait_for(self, expression: str, seconds: float = 60.0) -> Any:
        """The value of an expression as soon as it is true; `root` is the page's first element, once there is one.

        Raises
        ------
        TimeoutError : it never was; with what went wrong on the page.
        """
        end = time.monotonic() + seconds
        while not (
            value := self.evaluate(
                f"(() => {{ const root = document.documentElement; return root && ({expression}); }})()"
            )
        ):
            if time.monotonic() > end:
                raise TimeoutError(f"{expression} did not become true in {seconds:g} s; errors: {self.errors}")
            time.sleep(0.05)
        return value

    def click(self, x: float, y: float) -> None:
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def hover(self, x: float, y: float) -> None:
        self.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def enter(self, text: str) -> None:
        self.ask("Input.insertText", text=text)

    def press(self, key: str) -> None:
        """A key by its name: Enter, Escape, ArrowDown, /."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        codes = {"Enter": 13, "Escape": 27, "ArrowDown": 40, "ArrowUp": 38, "Tab": 9}
        for kind in ("keyDown", "keyUp"):
            self.ask(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=codes.get(key, 0),
                **({"text": text} if text and kind == "keyDown" else {}),
            )  # fmt: skip

    def screenshot(self) -> bytes:
        """What is to be seen, as PNG."""
        return b64decode(self.ask("Page.captureScreenshot", format="png")["data"])

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the DevTools protocol and its answer; events on the way are noted."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            said = self._read()
            if said.get("id") == self._number:
                if "error" in said:
                    raise RuntimeError(f"{method}: {said['error']}")
                answer: dict[str, Any] = said["result"]
                return answer
            self._note(said)

    def _note(self, event: dict[str, Any]) -> None:
        method, details = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            thrown = details["exceptionDetails"]
            self.errors.append(thrown.get("exception", {}).get("description") or thrown["text"])
        elif method == "Log.entryAdded" and details["entry"]["level"] == "error":
            self.errors.append(details["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and details["type"] == "error":
            self.errors.append(str([one.get("value") or one.get("description") for one in details["args"]]))
        elif method == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"])

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._in], [], [], _PATIENCE_S)
            if not ready:
                raise TimeoutError(f"the browser said nothing for {_PATIENCE_S:g} s")
            more = os.read(self._in, 1 << 20)
            if not more:
                raise ConnectionError(f"the browser ended with {self._process.wait()}")
            self._buffer += more
        one, self._buffer = self._buffer.split(b"\0", 1)
        value: dict[str, Any] = json.loads(one)
        return value

    def close(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._in)
        os.close(self._out)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
