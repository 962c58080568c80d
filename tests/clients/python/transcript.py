"""What every Python client here shares: printing a transcript, and asking the test for something."""

import hashlib
import os
import pathlib
import sys

HOST = os.environ["CVP_HOST"]
PORT = int(os.environ["CVP_PORT"])
PASSWORD = os.environ.get("CVP_PASSWORD") or None
PROTOCOL = int(os.environ["CVP_PROTOCOL"]) if os.environ.get("CVP_PROTOCOL") else None


def show(value):
    """One line for any reply. Long strings are told by length and hash; sets have no order."""
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (bytes, str)):
        raw = value.encode() if isinstance(value, str) else value
        if len(raw) > 120:
            return f"<{len(raw)} bytes {hashlib.md5(raw).hexdigest()[:12]}>"
        return '"' + raw.decode("latin-1").replace("\r", "\\r").replace("\n", "\\n") + '"'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{show(k)}: {show(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (set, frozenset)):
        return "{" + ", ".join(sorted(show(v) for v in value)) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(show(v) for v in value) + "]"
    if isinstance(value, Exception):
        return f"!{type(value).__name__} {value}"
    return repr(value)


def section(name):
    print(f"# {name}", flush=True)


def say(operation, result):
    """One operation and its result."""
    print(f"{operation} -> {show(result)}", flush=True)


def ask_test(request):
    """Has the test do something to the server, and waits until it is done."""
    print(f"@{request}", flush=True)
    answer = sys.stdin.readline().strip()
    if answer != "done":
        raise SystemExit(f"the test answered '{answer}' to '{request}'")


def commands():
    """The words of each command of commands.txt; a str is the title of what follows."""
    for line in (pathlib.Path(__file__).parent.parent / "commands.txt").read_text().splitlines():
        if line.startswith("#") or not line:
            continue
        yield line, [word_of(word) for word in line.split()]


def word_of(word):
    if word == '""':
        return ""
    return "x" * int(word[1:]) if word.startswith("@") else word
