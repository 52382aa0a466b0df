"""A team on a real S3 server: two buy at once, and who may only read rebuilds everything."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from tests.artifacts.radosgw import BUCKET, RealS3
from tests.e2e.kit import project
from tests.e2e.shared import MakeRig, clone, outputs
from tests.emulator.process import Emulator

CLIPS = {"lamp": {"prompt": "a lamp"}, "sun": {"prompt": "the sun", "takes": 2}}


def test_a_team_on_real_s3_buys_each_key_once_and_a_reader_rebuilds_it(
    rig: MakeRig, vendor: Emulator, tmp_path: Path, real_s3: RealS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "trust"))
    cache = {"remote": f"s3://{BUCKET}/{secrets.token_hex(8)}", "endpoint": real_s3.url, "region": "x"}
    ana = rig("ark", project("ark", tmp_path / "ana", vendor, CLIPS, cache=cache), vendor)
    for name, value in real_s3.owner.items():
        monkeypatch.setenv(name, value)
    ben = clone(ana, "ben")
    command = [sys.executable, "-m", "reconciler", "--json", "apply", "--yes", "--trust", "-C"]
    running = [subprocess.Popen([*command, str(each.folder)], stdout=subprocess.PIPE) for each in (ana, ben)]
    texts = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], texts
    bought = ana.ledger()
    assert len(bought) == 3 and outputs(ben) == outputs(ana) and len(outputs(ana)) == 2

    for name, value in real_s3.reader.items():
        monkeypatch.setenv(name, value)
    reader = clone(ana, "reader")
    with monkeypatch.context() as without:
        without.delenv("ARK_API_KEY")
        pulled = reader.run("pull", "--trust")
    assert pulled.code == 0 and outputs(reader) == outputs(ana), pulled.text
    assert reader.run("apply", "--locked", "--yes").code == 0
    reader.edit("a lamp", "a torch")  # it could not claim what it would buy
    assert reader.run("apply", "--yes").results["lamp"] == "skipped"
    assert ana.ledger() == bought
