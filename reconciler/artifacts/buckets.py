"""Object stores by their address: what a section of the project says, checked, and the way in.

Credentials come from the environment, whose variables the section may name; no value of theirs is in a message or a
repr. obstore (the extra `clipform[s3]`) is loaded when a store is opened, not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from reconciler.diagnostics import ClipformError
from reconciler.spec.values import Secret

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, ObjectStore, S3Config

PATIENCE: Final = "15m"
"""For one exchange: 200 MB at 2 Mbit/s. The library's own 30 s would end every large upload on a slow line."""

_WAYS_IN: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "s3": (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")),
    "gs": (("GOOGLE_APPLICATION_CREDENTIALS",), ("GOOGLE_SERVICE_ACCOUNT",), ("GOOGLE_SERVICE_ACCOUNT_KEY",)),
    "az": (("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),),
}
"""The variables that let us in, any of the sets. With none of them the library would ask the cloud's metadata address,
which is link-local: nothing is fetched from there (INTERFACE §4.5)."""

_NAMED: Final[Mapping[str, Mapping[str, str]]] = {
    "s3": {
        "access_key_id": "AWS_ACCESS_KEY_ID",
        "secret_access_key": "AWS_SECRET_ACCESS_KEY",
        "session_token": "AWS_SESSION_TOKEN",
    },
    "gs": {},
    "az": {"access_key_id": "AZURE_STORAGE_ACCOUNT_NAME", "secret_access_key": "AZURE_STORAGE_ACCOUNT_KEY"},
}
"""Which variable each credential of the section stands for."""

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Bucket:
    """An address. For `file`, which is for tests and shared disks, `name` is the folder."""

    scheme: str  # s3, gs, az or file
    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    credentials: Mapping[str, Secret | str] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.name}"


def bucket_of(section: Mapping[str, object], where: str) -> Bucket:
    """The store of a section; `where` is the name of the field with its address, such as `publish.store`."""
    part, _, key = where.partition(".")
    parts = urlsplit(str(section.get(key, "")))
    name = parts.path if parts.scheme == "file" else parts.netloc
    if parts.scheme not in (*_WAYS_IN, "file") or not name.strip("/") or "@" in name or parts.query or parts.fragment:
        help = "write s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder"
        raise wrong(f"{where} is no address of an object store", help)
    stated = {name: value for name in _NAMED["s3"] if isinstance(value := section.get(name), Secret | str)}
    return Bucket(
        scheme=parts.scheme,
        name=name,
        prefix="" if parts.scheme == "file" else parts.path.strip("/"),
        endpoint=open_address(str(section.get("endpoint", "")), f"{part}.endpoint"),
        region=str(section.get("region", "")),
        credentials=stated,
    )


def open_address(url: str, where: str) -> str:
    """An https:// address with nothing secret in it, or none; plain HTTP to this machine only, which is for tests."""
    parts = urlsplit(url)
    if url and parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise wrong(f"{where} must be an https:// address", "providers fetch from there over the internet")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise wrong(f"{where} must not hold a password, a query or a fragment", "write the plain address")
    return url


def connect(bucket: Bucket, env: Mapping[str, str]) -> ObjectStore:
    """The store, ready to be used. Contacts nobody. Raises ClipformError for what is missing or makes no sense."""
    try:
        from obstore.exceptions import BaseError
    except ImportError:
        raise wrong("object stores need a library that is not installed", 'uv tool install "clipform[s3]"') from None
    try:
        return _store(bucket, env)
    except (BaseError, OSError, ValueError):  # their texts may quote what they were given
        raise wrong(f"{bucket} cannot be set up", "check its address, endpoint and region") from None


def _store(bucket: Bucket, env: Mapping[str, str]) -> ObjectStore:
    from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

    if bucket.scheme == "file":
        return LocalStore(Path(bucket.name), mkdir=True)
    config, prefix = _config(bucket, env), bucket.prefix or None
    plain = bucket.endpoint.startswith("http:")
    options: ClientConfig = {"timeout": PATIENCE, "connect_timeout": "10s", "allow_http": plain}
    match bucket.scheme:
        case "gs":
            return GCSStore(bucket.name, prefix=prefix, config=cast("GCSConfig", config), client_options=options)
        case "az":
            return AzureStore(bucket.name, prefix=prefix, config=cast("AzureConfig", config), client_options=options)
        case _:
            return S3Store(bucket.name, prefix=prefix, config=cast("S3Config", config), client_options=options)


def _config(bucket: Bucket, env: Mapping[str, str]) -> dict[str, str]:
    """Settings by the library's names, which are the variables' in lower case."""
    own = {"s3": {"aws_endpoint": bucket.endpoint, "aws_region": bucket.region}, "az": {"endpoint": bucket.endpoint}}
    stated = {name: value for name, value in own.get(bucket.scheme, {}).items() if value}
    return {name.lower(): value for name, value in _credentials(bucket, env).items()} | stated


def _credentials(bucket: Bucket, env: Mapping[str, str]) -> dict[str, str]:
    """The way in. Raises ClipformError naming the variables that are missing."""
    named = _NAMED[bucket.scheme]
    if unused := sorted(bucket.credentials.keys() - named.keys()):
        raise wrong(f"{unused[0]} means nothing to {bucket.scheme}:// stores", f"set {_choices(bucket.scheme)}")
    stated = {named[name]: _value(value, env) for name, value in bucket.credentials.items()}
    known = {name: value for name, value in {**env, **stated}.items() if value}
    for way in _WAYS_IN[bucket.scheme]:
        if all(name in known for name in way):
            return {name: known[name] for name in (*way, "AWS_SESSION_TOKEN") if name in known}
    raise wrong(f"{bucket} needs credentials", f"set {_choices(bucket.scheme)}")


def _choices(scheme: str) -> str:
    return ", or ".join(" and ".join(way) for way in _WAYS_IN[scheme])


def _value(value: Secret | str, env: Mapping[str, str]) -> str:
    return env.get(value.env, "") if isinstance(value, Secret) else value


def wrong(message: str, help: str) -> ClipformError:
    """A store that cannot be used as the project says: found before anything is done."""
    return ClipformError(message, help=help, code="object-store")
