"""Which browser the gallery is looked at with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--mute-audio",
)
MISSING = """The gallery is looked at with Chromium, and there is none here. Install it:
    Debian, Ubuntu: apt-get install chromium
    macOS: brew install --cask chromium
or say where it is: CLIPFORM_CHROMIUM=/path/to/chrome"""


def find_chromium() -> str:
    """Where it is; FileNotFoundError says what to install."""
    told = os.environ.get("CLIPFORM_CHROMIUM")
    names = (told,) if told else (*NAMES, MAC)
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None or not Path(found).exists():
        raise FileNotFoundError(f"CLIPFORM_CHROMIUM is {told}, which cannot be run" if told else MISSING)
    return found
