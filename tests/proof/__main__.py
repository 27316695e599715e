"""Try to break it, in bulk, and print what held: python -m tests.proof NAME [more words], or without a name: all.

Each subject is a file in this folder with `main(words)`, which prints counts and returns whether everything held.
"""

import sys
from importlib import import_module
from pathlib import Path

SUBJECTS = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if not path.stem.startswith("_"))


def prove(words):
    """Try one subject, or all; return whether everything held."""
    if words and words[0] not in SUBJECTS:
        sys.exit(f"there is no proof of {words[0]!r}; choose among {', '.join(SUBJECTS)}")
    held = {name: import_module(f"tests.proof.{name}").main(words[1:]) for name in (words[:1] or SUBJECTS)}
    for name, well in held.items():
        print(f"{name}: {'held' if well else 'DID NOT HOLD'}")
    return all(held.values())


if __name__ == "__main__":
    sys.exit(0 if prove(sys.argv[1:]) else 1)
