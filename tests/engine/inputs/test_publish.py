"""Publishing: content-addressed, put once, signed anew; and nothing secret in what anybody sees."""

from __future__ import annotations

import asyncio
import hashlib
import traceback
import urllib.request
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from reconciler.artifacts.publish import Publisher
from reconciler.diagnostics import ArtifactError, ClipformError
from reconciler.spec.values import Secret
from tests.engine.inputs.bucket import BucketServer
from tests.engine.inputs.kit import ENV

CONTENT = b"a picture"
NAME = hashlib.sha256(CONTENT).hexdigest() + ".png"


def section(server: BucketServer, **more: Any) -> dict[str, Any]:
    keys = {"access_key_id": Secret("S3_ID"), "secret_access_key": Secret("S3_SECRET")}
    return {"store": "s3://media/pre/fix", "endpoint": server.url, "region": "eu-central-1", **keys, **more}


def publish(publisher: Publisher, content: bytes = CONTENT) -> str:
    return asyncio.run(publisher.publish(NAME, "image/png", lambda: content)).url


def test_an_object_is_named_by_its_content_and_readable_at_the_signed_link(bucket: BucketServer) -> None:
    url = publish(Publisher(section(bucket, expires=Decimal(3600)), ENV))
    with urllib.request.urlopen(url) as answer:
        assert (answer.headers["content-type"], answer.read()) == ("image/png", CONTENT)
    assert list(bucket.objects) == [f"/media/pre/fix/{NAME}"]
    assert parse_qs(urlsplit(url).query)["X-Amz-Expires"] == ["3600"]


def test_a_second_run_looks_and_puts_nothing(bucket: BucketServer) -> None:
    for _ in range(2):
        publish(Publisher(section(bucket), ENV))
    assert [method for method, _ in bucket.requests] == ["HEAD", "PUT", "HEAD"]


def test_two_clips_of_one_run_share_one_upload(bucket: BucketServer) -> None:
    publisher = Publisher(section(bucket), ENV)

    async def both() -> None:
        await asyncio.gather(*(publisher.publish(NAME, "image/png", lambda: CONTENT) for _ in range(5)))

    asyncio.run(both())
    assert len(bucket.requests) == 2


def test_a_race_with_another_run_is_won_by_either(bucket: BucketServer) -> None:
    publish(Publisher(section(bucket), ENV))
    bucket.hidden = True
    assert NAME in publish(Publisher(section(bucket), ENV))
    assert bucket.objects[f"/media/pre/fix/{NAME}"][1] == CONTENT


def test_whoever_may_not_list_the_bucket_can_publish_all_the_same(bucket: BucketServer) -> None:
    bucket.deny = {"HEAD"}  # S3's answer for what is not there, then
    assert NAME in publish(Publisher(section(bucket), ENV))


def test_something_else_under_the_name_is_told_and_left(bucket: BucketServer) -> None:
    bucket.objects[f"/media/pre/fix/{NAME}"] = ("image/png", b"half of")
    with pytest.raises(ArtifactError, match="a different object"):
        publish(Publisher(section(bucket), ENV))
    assert bucket.puts() == 0


def test_a_refusal_names_the_store_and_its_code_and_no_secret(bucket: BucketServer) -> None:
    bucket.deny = {"HEAD", "PUT"}
    publisher = Publisher(section(bucket), ENV)
    with pytest.raises(ArtifactError) as caught:
        publish(publisher)
    assert caught.value.message == "cannot write to the publish store s3://media (AccessDenied)"
    assert "credentials" in caught.value.help
    shown = "".join(traceback.format_exception(caught.value)) + repr(publisher) + repr(publisher.bucket)
    assert not any(canary in shown for canary in (*ENV.values(), "Signature", "AWS4-HMAC"))


def test_a_link_is_in_no_repr(bucket: BucketServer) -> None:
    made = asyncio.run(Publisher(section(bucket), ENV).publish(NAME, "image/png", lambda: CONTENT))
    assert "X-Amz-Signature" in made.url and "http" not in repr(made)


def test_a_public_address_stands_for_the_prefix_and_never_expires(bucket: BucketServer) -> None:
    publisher = Publisher(section(bucket, public_url="https://media.example.com/pub/"), ENV)
    made = asyncio.run(publisher.publish(NAME, "image/png", lambda: CONTENT))
    assert (made.url, made.life) == (f"https://media.example.com/pub/{NAME}", None)


def test_a_folder_serves_as_a_store_that_others_read(tmp_path: Path) -> None:
    store = {"store": f"file://{tmp_path}/pub", "public_url": "http://127.0.0.1:9/pub"}
    for _ in range(2):
        assert publish(Publisher(store, {})) == f"http://127.0.0.1:9/pub/{NAME}"
    assert [path.read_bytes() for path in (tmp_path / "pub").iterdir()] == [CONTENT]


def test_what_cannot_be_read_is_not_published(bucket: BucketServer) -> None:
    def read() -> bytes:
        raise ArtifactError("lamp.png changed while applying", code="changed")

    with pytest.raises(ArtifactError, match="changed"):
        asyncio.run(Publisher(section(bucket), ENV).publish(NAME, "image/png", read))
    assert bucket.requests == []


S3 = {"store": "s3://media/x"}
WRONG: list[tuple[dict[str, Any], dict[str, str], str]] = [
    ({"store": "ftp://media/x"}, {}, "publish.store is not the address of an object store"),
    ({"store": "s3://"}, {}, "publish.store is not the address of an object store"),
    ({"store": "s3://user:CANARY@media/x"}, {}, "publish.store is not the address of an object store"),
    ({"store": "s3://media/x?token=CANARY"}, {}, "publish.store is not the address of an object store"),
    ({"store": "file:///tmp/x"}, {}, "a folder store cannot create links"),
    ({**S3, "endpoint": "http://minio.example.com"}, {}, "publish.endpoint must be an https:// address"),
    ({**S3, "endpoint": "https://u:CANARY@s3.example.com"}, {}, "publish.endpoint must not hold a password"),
    ({**S3, "public_url": "https://cdn.example.com/?sig=CANARY"}, {}, "publish.public_url must not hold a password"),
    ({**S3, "expires": Decimal(604_801)}, {}, "at most 7 days"),
    (S3, {}, "s3://media needs credentials"),
    (S3, {"AWS_ACCESS_KEY_ID": "CANARY"}, "s3://media needs credentials"),
    ({**S3, "access_key_id": "AKID", "secret_access_key": Secret("UNSET")}, {}, "s3://media needs credentials"),
    ({"store": "gs://media/x"}, {}, "gs://media needs credentials"),
    ({"store": "gs://media/x"}, {"GOOGLE_SERVICE_ACCOUNT_KEY": "CANARY{"}, "gs://media cannot be set up"),
    ({"store": "gs://media/x", "access_key_id": "AKID"}, {}, "access_key_id does not apply to gs:// stores"),
    ({"store": "az://media/x"}, {"AZURE_STORAGE_ACCOUNT_NAME": "acct"}, "az://media needs credentials"),
]


@pytest.mark.parametrize(("settings", "env", "message"), WRONG)
def test_a_store_that_cannot_be_used_is_told_before_anything_is_sent(
    settings: dict[str, Any], env: dict[str, str], message: str
) -> None:
    with pytest.raises(ClipformError) as caught:
        Publisher(settings, env).open()
    assert message in caught.value.message
    assert caught.value.help and caught.value.exit_code == 1
    assert "CANARY" not in "".join(traceback.format_exception(caught.value))


def test_the_environment_alone_is_enough(bucket: BucketServer) -> None:
    plain = {"store": "s3://media", "endpoint": bucket.url, "region": "eu-central-1"}
    url = publish(Publisher(plain, {"AWS_ACCESS_KEY_ID": "AKIDFROMENV", "AWS_SECRET_ACCESS_KEY": "s"}))
    assert parse_qs(urlsplit(url).query)["X-Amz-Credential"][0].startswith("AKIDFROMENV/")


def test_azure_signs_too() -> None:
    env = {"AZURE_STORAGE_ACCOUNT_NAME": "acct", "AZURE_STORAGE_ACCOUNT_KEY": "a2V5a2V5"}
    publisher = Publisher({"store": "az://media/x"}, env)
    link = asyncio.run(publisher._link(NAME))  # signing needs nobody; a put would
    assert link.url.startswith(f"https://acct.blob.core.windows.net/media/x/{NAME}?") and "sig=" in link.url
