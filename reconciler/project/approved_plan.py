"""Approved plans: a saved plan that somebody has signed, where the policy lets nothing else buy.

The signature is ssh's, of the very bytes of the plan file, beside it as `FILE.sig`. The file has the fingerprint of all
that the plan does, so who signs it signs that; what `approve-plan` shows is planned again there, never read from the
file. Keys, passphrases and agents are the affair of `ssh-keygen`; clipform sees none of them.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from reconciler.diagnostics import ClipformError, Refused, UsageError
from reconciler.frozen import dataclass
from reconciler.next_command import command
from reconciler.plan.model import Plan
from reconciler.project import git, saved_plan
from reconciler.project.model import Planned
from reconciler.project.policy import content, policy_of
from reconciler.project.saved_plan import SavedPlan
from reconciler.project.workspace import Workspace
from reconciler.spec.project import Project
from reconciler.state import disk

NAMESPACE = "clipform-plan"
_TIMEOUT = 30.0
_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


@dataclass(frozen=True, slots=True)
class ApprovedPlan:
    """A plan that somebody has signed: `digest` is the SHA-256 of its file, `signer` the name beside their key."""

    saved: SavedPlan
    digest: str
    signer: str


def approved_plan(path: Path, signers: str) -> ApprovedPlan:
    """Return a plan file with a valid signature of one of the `signers`. Raises Refused for any other."""
    data, signature = content(path), Path(f"{path}.sig")
    ways = command("approve-plan", path.name)
    if not signature.is_file():
        raise Refused(f"nobody has approved {path.name}: there is no {signature.name}", help=ways, code="not-approved")
    if not os.path.isfile(signers):
        help = "put the public keys of those who may approve there: man ssh-keygen, ALLOWED SIGNERS"
        raise Refused(f"no file says who may approve plans: {signers} does not exist", help=help, code="no-signers")
    signer = _ssh("find-principals", "-s", str(signature), "-f", signers).decode("utf-8", "replace").split("\n")[0]
    check = ("-f", signers, "-I", signer, "-n", NAMESPACE, "-s", str(signature))
    if not signer or not _ssh("verify", *check, data=data):
        text = f"{signature.name} approves something else than {path.name}, or its key is not in {signers}"
        raise Refused(text, help=ways, code="not-approved")
    return ApprovedPlan(saved_plan.parse(data, path.name), hashlib.sha256(data).hexdigest(), signer)


def require_approved(
    workspace: Workspace, project: Project, plan: Plan, saved: SavedPlan | None, file: Path | None
) -> None:
    """Raise Refused if the policy lets only approved plans buy, and this is none. What is free needs no approval."""
    policy = policy_of(project, workspace.root, workspace.env)
    if not policy.approved_plans or all(step.cost.amount == 0 for step in plan.generating()):
        return
    if saved is None or file is None:
        lines = (("plan", "--out"), ("approve-plan",), ("apply",))
        help = "\n".join(command(*line, "my.plan") for line in lines)
        raise Refused("only approved plans are applied here (policy)", help=help, code="not-approved")
    if approved_plan(file, policy.signers).saved != saved:
        raise Refused(f"{file.name} was changed while it was read", help="run the command again", code="not-approved")


def review(workspace: Workspace, data: bytes, name: str) -> Planned:
    """Return the plan of a plan file, planned again from the present files. Raises Refused if that is another plan."""
    saved = saved_plan.parse(data, name)
    planned = workspace.plan(saved.choice, workspace.load(saved.choice.draft))
    saved_plan.require_fresh(saved, planned)
    return planned


def sign(path: Path, data: bytes, key: Path) -> Path:
    """Sign these bytes of a plan file, and return the file of the signature. ssh-keygen may ask for a passphrase."""
    signature = _ssh("sign", "-f", str(key), "-n", NAMESPACE, data=data)
    if not signature:
        help = "name another key: --key FILE"
        raise ClipformError(f"ssh-keygen did not sign with {key}", help=help, code="not-signed")
    target = Path(f"{path}.sig")
    with disk.translated(f"write {target.name}"):
        disk.replace(target, signature)
    return target


def signing_key(root: Path, env: Mapping[str, str]) -> Path:
    """Return the key that signs for this person: git's, if that is a file, else ssh's own. Raises UsageError."""
    home = Path(env.get("HOME", ""))
    named = os.path.expanduser(git.setting(root, "user.signingkey"))
    files = [Path(named), *(home / ".ssh" / name for name in _KEYS)]
    for file in files:
        if file.is_absolute() and file.is_file():
            return file
    raise UsageError("no ssh key to sign with", help="name it: --key FILE")


def _ssh(action: str, *options: str, data: bytes = b"") -> bytes:
    """Return what ssh-keygen answers; nothing if it refuses. Raises ClipformError if it cannot run."""
    line, seconds = ["ssh-keygen", "-Y", action, *options], None if action == "sign" else _TIMEOUT  # a person may type
    try:
        done = subprocess.run(line, input=data, capture_output=True, timeout=seconds, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        help = "install OpenSSH 8.9 or newer"
        raise ClipformError("ssh-keygen did not run", help=help, code="no-ssh-keygen") from error
    return done.stdout if done.returncode == 0 else b""
