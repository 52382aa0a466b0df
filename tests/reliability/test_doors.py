"""Every effect goes through a door that is listed with its reason and its points, and the check bites."""

from __future__ import annotations

import pytest

from tests.reliability import doors

PLANTED = {
    "import os\nos.rename('a', 'b')": "os.rename",
    "import os as system\nmove = system.replace": "os.replace",
    "from os import unlink as gone\ngone('a')": "os.unlink",
    "from os import *": "os.*",
    "import os\nos.fsync(3)": "os.fsync",
    "import os\nos.link('a', 'b')": "os.link",
    "import os\ngetattr(os, 'ren' + 'ame')('a', 'b')": "getattr of os",
    "open('a', 'w')": "open for writing",
    "open('a', mode='ab')": "open for writing",
    "mode = input\nopen('a', mode())": "open for writing",
    "from pathlib import Path\nPath('a').open('w')": "open for writing",
    "import av\nav.open('a', 'w')": "open for writing",
    "from pathlib import Path\nPath('a').write_text('b')": ".write_text()",
    "from pathlib import Path\nPath('a').rename('b')": ".rename()",
    "from pathlib import Path\nPath('a').replace('b')": ".replace() of a path",
    "import sqlite3\nsqlite3.connect('a')": "sqlite3.connect",
    "from sqlite3 import connect": "sqlite3.connect",
    "import sqlite3\nsqlite3.Connection('a')": "sqlite3.connect",
    "import httpx": "httpx",
    "from httpx import AsyncClient": "httpx",
    "def late():\n    import time\n": "time",
    "from time import sleep": "time",
    "from datetime import datetime\ndatetime.now()": "datetime.now",
    "import asyncio\nasyncio.sleep(1)": "asyncio.sleep",
    "import random": "random",
    "import secrets": "secrets",
    "from uuid import uuid4": "uuid",
    "import os\nos.urandom(8)": "os.urandom",
    "import subprocess": "subprocess",
    "import os\nos.system('ls')": "os.system",
    "import signal": "signal",
    "import socket": "socket",
    "import urllib.request": "urllib.request",
    "from urllib import request": "urllib.request",
    "import asyncio\nasyncio.open_connection('a', 1)": "asyncio.open_connection",
    "print('a')": "print",
    "import importlib": "importlib",
    "__import__('os')": "__import__",
    "import sys\nsys.stdout.write('a')": "sys.stdout",
}


@pytest.mark.parametrize("text", PLANTED)
def test_a_planted_door_is_found(text: str) -> None:
    assert PLANTED[text] in doors.used(text)


@pytest.mark.parametrize(
    "text",
    [
        "import os\nos.path.join('a', 'b')\nos.stat('a')",
        "open('a')\nopen('a', 'rb')",
        "from pathlib import Path\nPath('a').read_text()\nPath('a').open('rb')",
        "'a'.replace('b', 'c')",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import httpx\n",
        "import sqlite3\ndef f(c: sqlite3.Connection) -> None: ...",
        "from datetime import UTC, datetime\ndatetime.fromtimestamp(0, UTC)",
        "import asyncio\nasyncio.gather()",
    ],
)
def test_what_only_looks_is_no_door(text: str) -> None:
    assert doors.used(text) == {}


def test_each_module_uses_what_the_table_lets_it_and_nothing_else() -> None:
    assert list(doors.undeclared()) == []


def test_each_module_of_the_table_says_why() -> None:
    assert [name for name, entry in doors.table().items() if len(str(entry["why"])) < 5] == []


def test_every_effect_has_its_points_or_a_reason_for_none() -> None:
    assert list(doors.without_points()) == []


def test_an_effect_without_a_point_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "table", lambda: {"a.py": {"why": "test", "doors": {"os.rename": "rename in a.b"}}})
    assert list(doors.without_points()) == ["a.py, os.rename: no story passes the point 'rename in a.b'"]
