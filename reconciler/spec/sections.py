"""Read the sections that only the project file has: providers, budget, publish, cache, state, notify, inputs.

A credential can be `${env.X}`: the name of a secret. An address can contain it if the section lists X under `env`; it
stays in the address as a name. No value of the environment is read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from reconciler.spec import model, store_fields
from reconciler.spec.approval_fields import ApprovalDecl, PolicyDecl
from reconciler.spec.database_address import is_exposed
from reconciler.spec.environment import ADDRESSES, names_in
from reconciler.spec.field_types import SpecModel
from reconciler.spec.interpolate import Env, NameScope, Raw, Resolver
from reconciler.spec.keyframes import Keyframes, declared_keyframes
from reconciler.spec.looks import Looks, declared_looks
from reconciler.spec.problems import Problems, shown
from reconciler.spec.project import CREDENTIALS, Project, ProviderConfig
from reconciler.spec.provenance_fields import ProvenanceDecl
from reconciler.spec.reader import Fields, MappingEntry
from reconciler.spec.scalars import NAME
from reconciler.spec.shape import Location, checked
from reconciler.spec.values import NO_POLICY, NO_RULE, JsonValue, Policy

DRAFT = "draft"
_SECRETS = frozenset({*CREDENTIALS, "access_key_id", "secret_access_key", "session_token", "secret", "apprise", "c2pa"})

M = TypeVar("M", bound=SpecModel)


def read_sections(name: str, root: Fields, scope: NameScope, resolver: Resolver, problems: Problems) -> Project:
    """Return a project with all sections and no clips. A section with errors is reported and left out."""
    reader = _SectionReader(root, scope, resolver, problems)
    return Project(
        name=name,
        clips=(),
        providers=reader.providers(),
        budget=reader.section(model.Budget, "budget"),
        publish=reader.store(store_fields.Publish, "publish"),
        cache=reader.store(store_fields.Cache, "cache"),
        state=reader.shared_state(),
        policy=reader.policy(),
        approval=approval.rule() if (approval := reader.section(ApprovalDecl, "approval")) else NO_RULE,
        notify=reader.store(store_fields.Notify, "notify"),
        allowed_inputs=inputs.allow if (inputs := reader.section(model.Inputs, "inputs")) else (),
        looks=reader.looks(),
        keyframes=reader.keyframes(),
        provenance=reader.section(ProvenanceDecl, "provenance"),
        chain_warning=reader.chain_warning(),
    )


class _SectionReader:
    def __init__(self, root: Fields, scope: NameScope, resolver: Resolver, problems: Problems) -> None:
        self._root = root
        self._scope = scope
        self._resolver = resolver
        self._problems = problems

    def providers(self) -> dict[str, ProviderConfig]:
        """Return every provider by alias. One with errors keeps its alias, so that its clips are not reported too."""
        providers = {DRAFT: ProviderConfig(DRAFT, model.Provider(kind=DRAFT))}
        for alias, entry in self._root.map_at("providers").entries.items():
            broken = ProviderConfig(alias, model.Provider.model_construct(kind=""))
            providers[alias] = self._provider(alias, entry) or broken
        return providers

    def _provider(self, alias: str, entry: MappingEntry) -> ProviderConfig | None:
        if not NAME.fullmatch(alias):
            message = f"{shown(alias)} cannot be the name of a provider"
            self._problems.error("provider-name", message, entry.key.where, "use up to 100 letters, digits, - and _")
        spec = self._typed(model.Provider, entry, ("providers", alias))
        if spec is None or not isinstance(entry.value, Fields):
            return None
        if alias == DRAFT and spec.kind != DRAFT:
            message = f"provider 'draft' is free and built in; its kind cannot be {shown(spec.kind)}"
            self._problems.error("provider-name", message, entry.key.where, "choose another alias")
        return ProviderConfig(alias, spec, entry.key.where, entry.value.places())

    def looks(self) -> Looks:
        """Return every look by name; one with errors keeps its name, so that clips that use it are not reported too."""
        section = self._root.map_at("looks")
        specs = {name: self._typed(model.Look, entry, ("looks", name)) for name, entry in section.entries.items()}
        return declared_looks(section, specs, self._problems)

    def keyframes(self) -> Keyframes:
        """Return every keyframe by name; one with errors keeps its name, as a look does."""
        section = self._root.map_at("keyframes")
        specs = {n: self._typed(model.Keyframe, entry, ("keyframes", n)) for n, entry in section.entries.items()}
        pictures = {name: spec.file if spec else None for name, spec in specs.items()}
        return declared_keyframes(section, pictures, self._problems)

    def chain_warning(self) -> int | None:
        """Return how many clips may be made from one another without a warning; None: any number."""
        entry = self._root.map_at("defaults").entries.get("chain_warning")
        if entry is None:
            return None
        node = Fields({"chain_warning": entry}, entry.key.where)
        setting = self._typed(model.Defaults, MappingEntry(entry.key, node), ("defaults",))
        return setting.chain_warning if setting else None

    def section(self, kind: type[M], name: str) -> M | None:
        """Return a section, None if there is none."""
        return self._typed(kind, self._root.entries.get(name), (name,))

    def store(self, kind: type[SpecModel], name: str) -> dict[str, JsonValue]:
        """Return the values that are set, by field; credentials are `Secret`, lengths of time are seconds."""
        spec = self.section(kind, name)
        return {key: value for key, value in spec if value not in (None, ())} if spec else {}

    def policy(self) -> Policy:
        """Return what may be applied, with the places of its rules."""
        decl = self.section(PolicyDecl, "policy")
        return decl.policy(self._root.map_at("policy").places()) if decl else NO_POLICY

    def shared_state(self) -> dict[str, JsonValue]:
        """Return the values of the section `state`, by field."""
        values, entry = self.store(store_fields.SharedState, "state"), self._root.entries.get("state")
        if entry is not None and "cache" not in self._root.entries:
            message = "a shared state needs a shared cache: it says what was made, and the cache has the videos"
            self._problems.error(
                "state-without-cache", message, entry.key.where, 'add cache: {remote: "s3://bucket/clips"}'
            )
        if values and entry is not None and isinstance(entry.value, Fields) and is_exposed(str(values["url"])):
            message = "the connection to the database does not check that it is the server that is named"
            help = "add ?sslmode=verify-full to its address"
            self._problems.warn("state-exposed", message, entry.value.entries["url"].value.where, help)
        return values

    def _typed(self, kind: type[M], entry: MappingEntry | None, within: Location) -> M | None:
        """Return a section with its names resolved, or None. A section that is not a map was reported before."""
        if entry is None or not isinstance(entry.value, Fields):
            return None
        errors = self._problems.errors
        values = {
            key: self._resolver.resolve(item.value, replace(self._scope, env=_use(key, kind)))
            for key, item in entry.value.entries.items()
            if key in kind.model_fields
        }
        self._require_listed(values, entry.value)
        if self._problems.errors > errors:
            return None
        return checked(kind, {k: v for k, v in values.items() if v is not None}, entry.value, self._problems, within)

    def _require_listed(self, values: Mapping[str, Raw | None], section: Fields) -> None:
        """Report a variable in an address that the section does not list: the address's owner reads its value."""
        listed = values.get("env")
        allowed = {str(name) for name in listed} if isinstance(listed, list) else set()
        for key in ADDRESSES & values.keys():
            for name in names_in(values[key]):
                if name not in allowed:
                    message = f"{key} contains environment variable {name}, which is not listed beside it"
                    help = f"add `env: [{name}]` if its value is public, or use a credential field for a key"
                    self._problems.error("env-here", message, section.entries[key].value.where, help)


def _use(key: str, kind: type[SpecModel]) -> Env:
    """Return what `${env.X}` means in a field of a section: addresses contain it where the section can list it."""
    if key in _SECRETS:
        return Env.NAME
    return Env.KEPT if key in ADDRESSES and "env" in kind.model_fields else Env.REFUSED
