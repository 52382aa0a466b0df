"""The models of the sections that name another machine: `publish`, `cache`, `state` and `notify`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any
from warnings import catch_warnings, simplefilter

from pydantic import create_model

from reconciler.spec import scalars
from reconciler.spec.field_types import (
    AS_LIST,
    TIME,
    Address,
    Database,
    Leaf,
    Line,
    Name,
    OpenId,
    SchemaName,
    SecretName,
    SpecModel,
    Variables,
    choice_of,
    noted,
)

NOTIFIED = ("done", "failed", "cap", "expiring")
"""What `notify.on` may list."""

Sharing = Annotated[str, choice_of("auto", "manual", "off")]


class StoreSpec(SpecModel):
    """An object store and its credentials; without keys, the usual ones of the environment are used."""

    env: Variables = noted(
        "Environment variables that this section's addresses may contain as ${env.NAME}.", "[MEDIA_HOST]", ()
    )
    endpoint: Line | None = noted("Address of a store other than the default.", "https://s3.example.com")
    region: Line | None = noted("Region of the bucket.", "eu-central-1")
    access_key_id: OpenId | None = noted("Id of the access key.", "${env.AWS_ACCESS_KEY_ID}")
    secret_access_key: SecretName | None = noted("The variable that holds its secret.", "${env.AWS_SECRET_ACCESS_KEY}")
    session_token: SecretName | None = noted("The variable that holds a session token.", "${env.AWS_SESSION_TOKEN}")


class Publish(StoreSpec):
    """A store that gives local media a URL, for providers that accept only URLs."""

    store: Line = noted("Bucket and prefix for uploaded media.", "s3://bucket/prefix", ...)
    expires: Annotated[Decimal | None, Leaf(scalars.link_life, "length of time", TIME)] = noted(
        "Lifetime of a link; at most 7 days.", "24h"
    )
    public_url: Line | None = noted(
        "Public address of the store. Without it links are signed and expire.", "https://media.example.com/prefix"
    )


class Cache(StoreSpec):
    """A store of artifacts that a team shares."""

    remote: Line = noted("Bucket and prefix of the artifacts, or a folder.", "s3://bucket/clips", ...)
    push: Sharing = noted("Put what was bought there: by itself, with the command push, or never.", "auto", "auto")
    pull: Sharing = noted("Take what is missing: by itself, with the command pull, or never.", "auto", "auto")


class Notify(SpecModel):
    """Where to tell how an apply ended."""

    env: Variables = noted("Environment variables that the address may contain as ${env.NAME}.", "[HOOKS_HOST]", ())
    url: Address | None = noted("Address that gets one POST with JSON.", "https://hooks.example.com/clipform")
    secret: SecretName | None = noted("The variable that holds the key of the signature.", "${env.NOTIFY_SECRET}")
    apprise: SecretName | None = noted(
        "The variable that holds addresses for Apprise, such as slack://…, separated by blanks.", "${env.APPRISE_URLS}"
    )
    on: Annotated[tuple[Annotated[str, choice_of(*NOTIFIED)], ...], AS_LIST] = noted(
        "What to tell: done, failed or blocked, refused by a cap, or left at a provider, where results expire.",
        *("[done, failed]", NOTIFIED),
    )


with catch_warnings():  # pydantic has a deprecated method of that name
    simplefilter("ignore", UserWarning)
    _SCHEMA: Any = {
        "schema": (SchemaName, noted("The part of the database; who shares it shares results.", "lamp", "clipform"))
    }
    _InSchema: Any = create_model("_InSchema", __base__=SpecModel, **_SCHEMA)


class SharedState(_InSchema):  # type: ignore[misc]  # its base is made above
    """A database that a team shares: what was bought, and by whom."""

    url: Database = noted(
        "Address of the database, without a password.", "postgresql://db.example.com/clipform?sslmode=verify-full", ...
    )
    project: Name | None = noted(
        "Whose budget its purchases count for; by default the project that bought what clipform.lock names, else the "
        "name of the folder, as it was at the first use.",
        "lamp-campaign",
    )
    workers: Annotated[str, choice_of("off", "prefer", "only")] = noted(
        "Who asks paid providers: this process (off), workers that serve the account (prefer), or only workers.",
        *("prefer", "off"),
    )
