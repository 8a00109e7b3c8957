"""How smoothly a long answer grows in the page: `PYTHONPATH=tests python -m benchmarks.frames`.

A fake account streams 35 KB of Markdown through a real chatbot to real Chromium, 100 tokens of
four characters a second, as quick models do. Measured is what the page's scripts take of each
frame in which they run (reading, laying out, keeping up with the end of the answer), and how far
frames are apart. At 60 frames a second there are 16.7 ms for one, and the browser needs some.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

from chatbot.browsing import answers, say
from chatbot.chromium import launch
from chatbot.conftest import unprobed
from chatbot.upstream import Say, Upstream
from playwright.sync_api import expect, sync_playwright
from sandbox.certificates import create_authority

if TYPE_CHECKING:
    from playwright.sync_api import Page

SIZE = 35_000
TOKEN = 4
PAUSE = 0.01
FRAME = 1000 / 60

SECTION = """## Step {n}: make it *work*, then make it **fast**

A paragraph of the usual length, with `code`, a [link](https://example.com/{n}), some **bold** and
some _italic_ words, so that there is something to read in every line of it, and more than one line.

- **First**: what comes first, with `an identifier`
- **Second**: what comes next
  1. in detail
  2. in more detail, and a little longer
- [x] done

```python
def step_{n}(values: list[int]) -> int:
    \"\"\"Add them up.\"\"\"
    total = 0
    for value in values:
        total += value * {n}
    return total
```

| Name | Value | Meaning |
|:-----|------:|---------|
| `a`  | {n}   | the first one |
| `b`  | 42    | the second one, with **weight** |
| `c`  | 3.14  | a third |

> A quote, so that nobody forgets.

"""

WATCH = """(() => {
  const scripted = new Map();
  const apart = [];
  const later = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (work) => later((frame) => {
    const began = performance.now();
    work(frame);
    scripted.set(frame, (scripted.get(frame) ?? 0) + performance.now() - began);
  });
  let last = 0;
  const look = (frame) => {
    if (last) apart.push(frame - last);
    last = frame;
    later(look);
  };
  later(look);
  window.watched = () => ({ scripted: [...scripted.values()], apart });
})()"""


@dataclass(frozen=True)
class Frames:
    """How frames went while an answer grew; times in milliseconds."""

    characters: int
    seconds: float
    frames: int
    script_median: float
    script_p95: float
    script_max: float
    apart_p95: float

    @property
    def smooth(self) -> bool:
        """Whether the scripts fit into 95 of 100 frames."""
        return self.script_p95 <= FRAME


def text(size: int) -> str:
    """Write an answer of that many characters, with all that answers are made of."""
    sections = "".join(SECTION.format(n=n) for n in range(1, size // len(SECTION) + 2))
    return sections[:size]


def measure(size: int = SIZE) -> Frames:
    """Stream an answer of `size` characters into the page and watch its frames."""
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        directory = Path(name)
        authority = create_authority(directory)
        with unprobed(authority, directory) as (chatbot, upstream):
            page = launch(playwright).new_page()
            page.add_init_script(WATCH)
            page.goto(chatbot.page)
            return _watched(page, upstream, text(size))


def _watched(page: Page, upstream: Upstream, answer: str) -> Frames:
    pieces = tuple(answer[at : at + TOKEN] for at in range(0, len(answer), TOKEN))
    upstream.answers = [Say(pieces, pause=PAUSE)]
    say(page, "Explain")
    expect(answers(page)).to_contain_text("Step 1")
    began, _ = _now(page)
    expect(page.get_by_role("button", name="Send", exact=True)).to_be_visible(timeout=600_000)
    ended, seen = _now(page)
    scripted, apart = seen["scripted"], seen["apart"]
    return Frames(
        characters=len(answer),
        seconds=round((ended - began) / 1000, 1),
        frames=len(scripted),
        script_median=round(median(scripted), 1),
        script_p95=_p95(scripted),
        script_max=round(max(scripted), 1),
        apart_p95=_p95(apart),
    )


def _now(page: Page) -> tuple[float, dict[str, Any]]:
    moment: float = page.evaluate("performance.now()")
    seen: dict[str, Any] = page.evaluate("window.watched()")
    return moment, seen


def _p95(values: list[float]) -> float:
    return round(quantiles(values, n=20)[-1], 1)


def main() -> int:
    """Print what was measured as JSON; return 1 when scripts took more than a frame."""
    frames = measure()
    print(json.dumps(asdict(frames) | {"budget": round(FRAME, 1)}))  # noqa: T201
    return 0 if frames.smooth else 1


if __name__ == "__main__":
    sys.exit(main())
