"""The address of a shared database: `postgresql://host/name?sslmode=verify-full`. Pure: nothing connects to it.

A password is refused: the file is in git. The database's own library reads PGPASSWORD, `~/.pgpass`, service files and
certificates. Parameters that could send it elsewhere unseen, or run something there, are refused too.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote, urlsplit

from reconciler.spec.environment import is_local
from reconciler.spec.problems import listed, shown
from reconciler.spec.scalars import LITERAL_SECRET, Unfit, line

_EXAMPLE = "postgresql://db.example.com/clipform?sslmode=verify-full"
_PARAMETERS = ("user", "sslmode", "sslrootcert", "sslcert", "sslkey", "host", "port", "service", "connect_timeout")
_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SECRETS = ("password", "passfile", "sslpassword")


def database_address(raw: object) -> str:
    """Parse an address. Its text is not in the message of an error: it may contain a password."""
    value = line(raw)
    try:
        parts = urlsplit(value)
        parameters = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise Unfit("is not an address", f"write {_EXAMPLE}") from None
    if ":" in parts.netloc.rpartition("@")[0] or set(_SECRETS) & parameters.keys():
        raise Unfit("contains a password", "remove it, and set PGPASSWORD or write it to ~/.pgpass", LITERAL_SECRET)
    if parts.scheme != "postgresql":
        raise Unfit("must begin with postgresql://: no other database can be shared", f"write {_EXAMPLE}")
    if parts.fragment or not value.isascii() or " " in value or value.count("@") > 1:
        raise Unfit("is not an address", f"write {_EXAMPLE}")
    for name in parameters:
        if name not in _PARAMETERS:
            raise Unfit(f"has an unknown parameter {shown(name)}", f"known parameters: {', '.join(_PARAMETERS)}")
    if parameters.get("sslmode", _MODES[0]) not in _MODES:
        raise Unfit(f"has an sslmode that is not {listed(_MODES)}", "write sslmode=verify-full")
    return value


def schema_name(raw: object) -> str:
    """Parse the name of a schema: one that needs no quotes, and that the database neither cuts nor reserves."""
    value = line(raw)
    if not re.fullmatch(r"(?!pg_)[a-z_][a-z0-9_]{0,62}", value):
        raise Unfit(f"must be a name of at most 63 small letters, digits and _, not {shown(value)}")
    return value


def is_exposed(address: str) -> bool:
    """True if a database beyond this machine is reached without checking that it is the one that is named."""
    parts = urlsplit(address)
    parameters = dict(parse_qsl(parts.query))
    hosts = parameters.get("host", parts.netloc.rpartition("@")[2]).split(",")
    return parameters.get("sslmode") != "verify-full" and not ("service" in parameters or all(map(_is_here, hosts)))


def _is_here(host: str) -> bool:
    """True for a name of this machine, and for the folder of a socket; none is the default socket."""
    return not host or unquote(host).startswith("/") or is_local(f"postgresql://{host}")
