"""Object stores: validates the section of the project file and opens the store.

Credentials come from environment variables, which the section may name; none of their values is in a message or a repr.
obstore (the extra `clipform[s3]`) is imported when a store is opened, not before.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast
from urllib.parse import urlsplit

from reconciler.diagnostics import ClipformError
from reconciler.frozen import dataclass
from reconciler.spec.environment import resolved, value_of
from reconciler.spec.values import Secret

if TYPE_CHECKING:
    from obstore.store import AzureConfig, ClientConfig, GCSConfig, ObjectStore, RetryConfig, S3Config

TIMEOUT: Final = "15m"
"""Limit of one exchange: 200 MB at 2 Mbit/s. The library's default of 30 s would end every large upload on a slow line.
"""

_LOGINS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "s3": (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN")),
    "gs": (("GOOGLE_APPLICATION_CREDENTIALS",), ("GOOGLE_SERVICE_ACCOUNT",), ("GOOGLE_SERVICE_ACCOUNT_KEY",)),
    "az": (("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),),
}
"""Sets of variables that grant access; any complete set will do. With none of them the library would ask the cloud's
metadata address, which is link-local: nothing is fetched from there.
"""

_VARIABLES: Final[Mapping[str, Mapping[str, str]]] = {
    "s3": {
        "access_key_id": "AWS_ACCESS_KEY_ID",
        "secret_access_key": "AWS_SECRET_ACCESS_KEY",
        "session_token": "AWS_SESSION_TOKEN",
    },
    "gs": {},
    "az": {"access_key_id": "AZURE_STORAGE_ACCOUNT_NAME", "secret_access_key": "AZURE_STORAGE_ACCOUNT_KEY"},
}
"""The variable that each credential of the section corresponds to."""

_LOOPBACK: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Bucket:
    """The address of a store. For `file`, which is for tests and shared disks, `name` is the folder."""

    scheme: str  # s3, gs, az or file
    name: str
    prefix: str = ""
    endpoint: str = ""
    region: str = ""
    credentials: Mapping[str, Secret | str] = field(default_factory=dict, repr=False)
    shown: str = ""

    def __str__(self) -> str:
        return self.shown


def bucket_of(section: Mapping[str, object], where: str, env: Mapping[str, str]) -> Bucket:
    """Return the store of a section; `where` is the field with its address, such as `publish.store`."""
    part, _, key = where.partition(".")
    written = str(section.get(key, ""))
    parts = urlsplit(resolved(written, where, env))
    name = parts.path if parts.scheme == "file" else parts.netloc
    if parts.scheme not in (*_LOGINS, "file") or not name.strip("/") or "@" in name or parts.query or parts.fragment:
        help = "write s3://bucket/prefix, gs://bucket/prefix, az://container/prefix or file:///folder"
        raise store_error(f"{where} is not the address of an object store", help)
    credentials = {name: value for name in _VARIABLES["s3"] if isinstance(value := section.get(name), Secret | str)}
    return Bucket(
        scheme=parts.scheme,
        name=name,
        prefix="" if parts.scheme == "file" else parts.path.strip("/"),
        endpoint=open_address(str(section.get("endpoint", "")), f"{part}.endpoint", env),
        region=resolved(str(section.get("region", "")), f"{part}.region", env),
        credentials=credentials,
        shown="/".join(written.split("/")[:3]) if parts.scheme != "file" else written,
    )


def open_address(written: str, where: str, env: Mapping[str, str]) -> str:
    """Return an https:// address without secrets, or an empty one; plain HTTP only to this machine, for tests."""
    url = resolved(written, where, env)
    parts = urlsplit(url)
    if url and parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise store_error(f"{where} must be an https:// address", "providers fetch from there over the internet")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise store_error(f"{where} must not hold a password, a query or a fragment", "write the plain address")
    return url


def connect(bucket: Bucket, env: Mapping[str, str], *, shared: bool = False) -> ObjectStore:
    """Return the store, ready to use; makes no request. Raises ClipformError for missing or invalid settings.

    A `shared` folder must exist: an unmounted disk is not an empty store. Its requests are tried for a shorter time.
    """
    try:
        from obstore.exceptions import BaseError
    except ImportError:
        raise store_error("object stores need an optional library", 'uv tool install "clipform[s3]"') from None
    try:
        return _store(bucket, env, shared)
    except (BaseError, OSError, ValueError):  # their texts may quote credentials
        raise store_error(f"{bucket} cannot be set up", "check its address, endpoint and region") from None


def _store(bucket: Bucket, env: Mapping[str, str], shared: bool) -> ObjectStore:
    from obstore.store import AzureStore, GCSStore, LocalStore, S3Store

    if bucket.scheme == "file":
        return LocalStore(Path(bucket.name), mkdir=not shared)
    config, prefix = _config(bucket, env), bucket.prefix or None
    plain = bucket.endpoint.startswith("http:")
    options: ClientConfig = {"timeout": TIMEOUT, "connect_timeout": "10s", "allow_http": plain}
    tries: RetryConfig | None = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)} if shared else None
    match bucket.scheme:
        case "gs":
            return GCSStore(
                bucket.name, prefix=prefix, config=cast("GCSConfig", config), client_options=options, retry_config=tries
            )
        case "az":
            return AzureStore(
                bucket.name,
                prefix=prefix,
                config=cast("AzureConfig", config),
                client_options=options,
                retry_config=tries,
            )
        case _:
            return S3Store(
                bucket.name, prefix=prefix, config=cast("S3Config", config), client_options=options, retry_config=tries
            )


def _config(bucket: Bucket, env: Mapping[str, str]) -> dict[str, str]:
    """Return the library's settings; their names are those of the variables in lower case."""
    settings = {
        "s3": {"aws_endpoint": bucket.endpoint, "aws_region": bucket.region},
        "az": {"endpoint": bucket.endpoint},
    }
    explicit = {name: value for name, value in settings.get(bucket.scheme, {}).items() if value}
    return {name.lower(): value for name, value in _credentials(bucket, env).items()} | explicit


def _credentials(bucket: Bucket, env: Mapping[str, str]) -> dict[str, str]:
    """Return the credentials. Raises ClipformError naming the missing variables."""
    variables = _VARIABLES[bucket.scheme]
    if unused := sorted(bucket.credentials.keys() - variables.keys()):
        raise store_error(f"{unused[0]} does not apply to {bucket.scheme}:// stores", f"set {_choices(bucket.scheme)}")
    explicit = {variables[name]: value_of(value, env) for name, value in bucket.credentials.items()}
    available = {name: value for name, value in {**env, **explicit}.items() if value}
    for login in _LOGINS[bucket.scheme]:
        if all(name in available for name in login):
            return {name: available[name] for name in (*login, "AWS_SESSION_TOKEN") if name in available}
    raise store_error(f"{bucket} needs credentials", f"set {_choices(bucket.scheme)}")


def _choices(scheme: str) -> str:
    return ", or ".join(" and ".join(login) for login in _LOGINS[scheme])


def store_error(message: str, help: str) -> ClipformError:
    """Return the error for a store that cannot be used as configured; raised before anything is done."""
    return ClipformError(message, help=help, code="object-store")
