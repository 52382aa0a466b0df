"""Which requests were bought with one account."""

from __future__ import annotations

import pytest

from reconciler.providers.capabilities import SpokenOverHttp
from reconciler.providers.registry import dialect
from reconciler.spec.model import Provider
from reconciler.spec.project import ProviderConfig
from reconciler.spec.values import Secret
from reconciler.transport.account import Account, open_account


def account(key: str, stated: str | None, base_url: str | None = None) -> Account:
    """What a project of a colleague opens, with the key of the colleague."""
    spec = Provider.model_construct(kind="ark", api_key=Secret("KEY"), account=stated, base_url=base_url, env=())
    spoken = dialect("ark")
    assert isinstance(spoken, SpokenOverHttp)
    return open_account(ProviderConfig("studio", spec), spoken, {"KEY": key})


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (("sk-ana", None), ("sk-ben", None), False),
        (("sk-ana", "studio-main"), ("sk-ben", "studio-main"), True),
        (("sk-ana", "studio-main"), ("sk-ana", "studio-spare"), False),
        (("sk-ana", "studio-main"), ("sk-ben", "studio-main", "https://gateway.example.com"), False),
        (("sk-ana", "studio-main"), ("sk-ana", None), False),
        (("sk-ana", "sk-ana"), ("sk-ana", None), False),
    ],
)
def test_keys_of_one_account_are_one_account_where_the_project_says_so(
    one: tuple[str, ...], other: tuple[str, ...], same: bool
) -> None:
    assert (account(*one).fingerprint == account(*other).fingerprint) is same
    assert account(*one).credentials == {"api_key": one[0]}


def test_a_key_as_account_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    of_key = property(lambda opened: opened.credentials["api_key"])
    monkeypatch.setattr(Account, "fingerprint", of_key)
    with pytest.raises(AssertionError):
        test_keys_of_one_account_are_one_account_where_the_project_says_so(
            ("sk-ana", "studio-main"), ("sk-ben", "studio-main"), same=True
        )
