"""Weeks a second that the classroom shows: `python -m tests.benchmark_classroom`. Needs Chromium; takes two minutes.

A week counts when the page has drawn it and said so. Browsers, server and models share the machine, as in a classroom
with one laptop they do not: with ten tablets of their own the server does better.
"""

import shutil
import subprocess
import sys
import time
import urllib.request

from playwright.sync_api import sync_playwright

from experiments.classroom.scene import Scene

PORT = 8739
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
ONE, TWO = (("mission=un_only",),), (("mission=none",), ("mission=un_only",))
THREE = (("mission=sequential",), ("mission=parallel",), ("mission=separated",))


def week(page):
    """Return the week on the screen."""
    return int(page.inner_text("#when").split()[1])


def rate(browser, scene, visitors, seconds=15):
    """Return the weeks a second that each of some visitors sees at full speed."""
    contexts = [browser.new_context(viewport={"width": 1280, "height": 720}) for _ in range(visitors)]
    pages = [c.new_page() for c in contexts]
    for page in pages:
        page.goto(f"http://127.0.0.1:{PORT}/?{Scene(scene, 60).link()}")
    for page in pages:
        page.wait_for_selector("#when:has-text('Week 60')", timeout=120_000)
        for _ in range(4):
            page.keyboard.press("+")
    for page in pages:
        page.keyboard.press("Space")
    time.sleep(2)
    begin = [(week(p), time.monotonic()) for p in pages]
    time.sleep(seconds)
    end = [(week(p), time.monotonic()) for p in pages]
    for context in contexts:
        context.close()
    return [(b[0] - a[0]) / (b[1] - a[1]) for a, b in zip(begin, end)]


def main():
    """Print the table."""
    command = [sys.executable, "-m", "experiments.classroom", "--port", str(PORT)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.3)
        with sync_playwright() as p:
            browser = p.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            for visitors, name, scene in ((1, "one model", ONE), (1, "two models", TWO), (1, "three models", THREE),
                                          (10, "one model", ONE), (10, "three models", THREE)):  # fmt: skip
                rates = sorted(rate(browser, scene, visitors))
                each = f"{rates[0]:.1f} to {rates[-1]:.1f}" if visitors > 1 else f"{rates[0]:.1f}"
                print(f"{visitors:>3} browser(s), {name:<13} {each} weeks a second each", flush=True)
            browser.close()
    finally:
        server.terminate()
        server.wait(20)


if __name__ == "__main__":
    main()
