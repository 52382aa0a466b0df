"""What a project says beside its clips: providers, budget, stores."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

import pytest
from spec_kit import problems_of, project_of

from reconciler.diagnostics import ClipformError, Excerpt, SpecError
from reconciler.spec.environment import resolved
from reconciler.spec.model import Budget, Price, Provider
from reconciler.spec.project import ProviderConfig
from reconciler.spec.values import Secret

CLIPS = "clips: {a: {prompt: x}}\n"


def test_the_draft_provider_is_always_there() -> None:
    assert project_of(f"version: 1\n{CLIPS}").providers == {"draft": ProviderConfig("draft", Provider(kind="draft"))}


def test_a_provider_is_read_into_exact_values() -> None:
    studio = project_of(
        f"""version: 1
vars: {{host: studio}}
providers:
  studio:
    kind: 3hei
    base_url: https://${{vars.host}}.example.com
    api_key: ${{env.STUDIO_KEY}}
    app_id: 12
    concurrency: 8
    requests_per_second: 0.5
    poll_interval: 50ms
    timeout: 1.5h
    prices: [{{model: "x*", resolution: 2k, per_second: 0.10}}, {{per_1k_tokens: 3}}]
    settings: {{frame_style: frames, tries: 3}}
    models: {{new: {{durations: [5, 10]}}}}
{CLIPS}"""
    ).providers["studio"]
    assert studio.kind == "3hei"
    assert studio.spec.base_url == "https://studio.example.com"
    assert studio.credentials == {"api_key": Secret("STUDIO_KEY"), "app_id": "12"}
    assert (studio.spec.concurrency, studio.spec.requests_per_second) == (8, Decimal("0.5"))
    assert (studio.spec.poll_interval, studio.spec.timeout) == (Decimal("0.05"), Decimal(5400))
    assert studio.spec.prices == (
        Price.model_construct(model="x*", resolution="2k", per_second=Decimal("0.10")),
        Price.model_construct(per_1k_tokens=Decimal(3)),
    )
    assert studio.settings == {"frame_style": "frames", "tries": 3, "models": {"new": {"durations": [5, 10]}}}
    assert str(studio.where) == "clipform.yaml:4:3"
    assert str(studio.fields["kind"]) == "clipform.yaml:5:11"


def test_an_address_may_come_from_the_environment_and_a_secret_never_does() -> None:
    declared = "{kind: x, base_url: '${env.STUDIO_URL}', env: [STUDIO_URL], api_key: '${env.NOT_SET}'}"
    provider = project_of(f"version: 1\nproviders: {{s: {declared}}}\n{CLIPS}").providers["s"]
    assert provider.spec.base_url == "${env.STUDIO_URL}"  # its value is read where it is used
    assert provider.credentials == {"api_key": Secret("NOT_SET")}


@pytest.mark.parametrize("written", ["https://${env.HOST}/v1", "https://${env.HOST}", "https://a:${env.HOST}"])
def test_its_host_may_too_and_a_path_may_follow(written: str) -> None:
    text = f"version: 1\nproviders: {{s: {{kind: x, base_url: '{written}', env: [HOST]}}}}\n{CLIPS}"
    assert project_of(text).providers["s"].spec.base_url == written
    assert resolved(written, "base_url", {"HOST": "8080"}) == written.replace("${env.HOST}", "8080")


@pytest.mark.parametrize("value", ["", "me@evil.example", "a?b", "a#b", "a b", "\u202e"])
def test_a_value_cannot_turn_an_address_into_another(value: str) -> None:
    with pytest.raises(ClipformError) as caught:
        resolved("https://${env.HOST}/v1", "base_url", {"HOST": value})
    assert not value or value not in caught.value.message


def test_a_budget_is_exact() -> None:
    project = project_of(f"version: 1\nbudget: {{currency: CNY, per_apply: 0.10, clips_per_apply: 5}}\n{CLIPS}")
    assert project.budget == Budget.model_construct(currency="CNY", per_apply=Decimal("0.10"), clips_per_apply=5)


def test_stores_keep_secrets_as_names_and_times_as_seconds() -> None:
    project = project_of(
        "version: 1\npublish: {store: 's3://b/p', expires: 24h, secret_access_key: '${env.S3_SECRET}'}\n"
        f"cache: {{remote: 's3://b/c', endpoint: '${{env.STUDIO_URL}}', env: [STUDIO_URL]}}\n{CLIPS}"
    )
    assert project.publish == {
        "store": "s3://b/p",
        "expires": Decimal(86400),
        "secret_access_key": Secret("S3_SECRET"),
    }
    cache = {"remote": "s3://b/c", "endpoint": "${env.STUDIO_URL}", "env": ("STUDIO_URL",)}
    assert project.cache == {**cache, "push": "auto", "pull": "auto"}


def test_a_diagnostic_has_its_line_and_the_one_before() -> None:
    with pytest.raises(SpecError) as caught:
        project_of("version: 1\r\nclips:\r\n  a:\r\n    prompt: x\r\n    duration: 12s\r\n")
    [diagnostic] = caught.value.diagnostics
    assert diagnostic.excerpt == Excerpt(4, ("    prompt: x", "    duration: 12s"))
    assert diagnostic.source and (diagnostic.source.column, diagnostic.source.end) == (15, 18)


def test_diagnostics_are_in_order_of_file_and_place() -> None:
    files = {
        "clipform.yaml": "version: 1\ninclude: [z.yaml, a.yaml]\nclips: {p: {prompt: x, seed: x}, q: {promt: x}}\n",
        "a.yaml": "clips: {r: {prompt: x, seed: x}}\n",
        "z.yaml": "clips: {s: {prompt: x, seed: x}}\n",
    }
    assert [problem.partition(" ")[0] for problem in problems_of(files)] == [
        "clipform.yaml:3:30:",
        "clipform.yaml:3:38:",
        "z.yaml:1:30:",
        "a.yaml:1:30:",
    ]


@pytest.mark.parametrize("module", ["reconciler.spec.reader", "reconciler.spec.project", "reconciler.spec.files"])
def test_what_others_import_does_not_load_pydantic(module: str) -> None:
    code = f"import sys, {module}; sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
