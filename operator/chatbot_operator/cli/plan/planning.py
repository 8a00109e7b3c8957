"""From what was asked for to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.plan import documents
from chatbot_operator.cli.plan.assumed import account_of, namespace_of
from chatbot_operator.cli.plan.azure_reads import AsAllowed, Reads, Remembered
from chatbot_operator.cli.plan.laying import Laid, lay
from chatbot_operator.cli.plan.premises import Premises, hints, premises
from chatbot_operator.cli.plan.record import Record
from chatbot_operator.cli.plan.rehearsal import Clock, Part, Rehearsal
from chatbot_operator.cli.plan.told import Bar, Plan, confirmations, outlook
from chatbot_operator.cli.plan.writes import Verb
from chatbot_operator.cli.reach import Reach
from chatbot_operator.errors import Refusal
from chatbot_operator.kube.dry_run import DryRun
from chatbot_operator.naming import PARTS, TAG_PREFIX
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, NAMESPACES, Object
from chatbot_operator.reconcile import Key
from chatbot_operator.status import stamp
from chatbot_operator.steps.identity import tag

REAL_RUN: Final = (
    "Only the real run shows whether pods are admitted, start and are answered; the plan goes on as"
    " if they were. Statuses and events are left out."
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to know, as on the command line."""

    names: Sequence[str]
    files: Sequence[str]
    deleted: Sequence[str]
    operator: str
    settings: Sequence[str]


async def plan(reach: Reach, asked: Asked) -> Plan:
    """Plan; raises UnansweredError, KubernetesRefusal and Refusal."""
    if not (asked.names or asked.files or asked.deleted):
        raise UnansweredError(
            "Say what to plan for: -f FILE, the NAME of a chatbot that is there, or --delete NAME."
        )
    configuration = await reach.configuration()
    async with DryRun(configuration) as cluster:
        await _require_kinds(cluster)
        laid, others = await _laid(cluster, asked, await reach.namespace())
        azure = await reach.azure()
        found = await _premises(cluster, azure, asked, laid)
        watched = found.installation.watched
        async with DryRun(configuration, namespaces=watched) as within:
            made = await Planning(within, azure, found, Clock(reach.now())).plan(laid)
    if others:
        made = replace(made, notes=(*made.notes, f"Not planned: {', '.join(others)}."))
    return replace(made, confirmations=confirmations(made.outlooks, reach.kubectl))


async def _require_kinds(cluster: DryRun) -> None:
    if not await cluster.serves(CHATBOTS):
        raise UnansweredError(
            f"The cluster knows no {CHATBOTS.kind} of {CHATBOTS.api_version}: nothing can be said"
            " of a manifest. Install the CRDs first: `kubectl apply -f crds/`."
        )


async def _laid(
    cluster: DryRun, asked: Asked, namespace: str
) -> tuple[dict[Key, Laid], tuple[str, ...]]:
    """Give what is asked about, by key; and in words what a plan says nothing of."""
    found, others = documents.read(asked.files, namespace)
    laid = [await lay(cluster, resource, manifest) for resource, manifest in found]
    for names, deleted in ((asked.names, False), (asked.deleted, True)):
        for name in names:
            live = await cluster.get(CHATBOTS, namespace, name)
            if live is None:
                raise UnansweredError(
                    f"There is no chatbot {name} in namespace {namespace}. `kubectl get chatbots"
                    f" -n {namespace}` lists those that are there."
                )
            laid.append(Laid(CHATBOTS, live, None if deleted else live))
    return {_key(each): each for each in laid}, tuple(others)


def _key(laid: Laid) -> Key:
    metadata = laid.body["metadata"]
    return Key(laid.resource, metadata.get("namespace", ""), metadata["name"])


async def _premises(cluster: DryRun, azure: Reads, asked: Asked, laid: dict[Key, Laid]) -> Premises:
    chatbots = [each for key, each in laid.items() if key.resource == CHATBOTS]
    live = [each.before for each in chatbots if each.before is not None]

    async def owner() -> str:
        return await _owner(azure, live)

    return await premises(
        cluster,
        await hints(cluster, live),
        namespaces={key.namespace for key in laid if key.resource == CHATBOTS},
        operator=asked.operator,
        given=_settings(asked.settings),
        owner=owner,
    )


async def _owner(azure: Reads, chatbots: list[Object]) -> str:
    """Read the owner id from the tags of an identity that was made for one of the chatbots."""
    for recorded in (Chatbot.parse(each).recorded for each in chatbots):
        try:
            found = recorded.identity_id and await azure.identity(recorded.identity_id)
        except Refusal:
            return ""
        marked = tag(found.tags, f"{TAG_PREFIX}{PARTS[0]}") if found else None
        if marked:
            return marked
    return ""


def _settings(words: Sequence[str]) -> dict[str, str]:
    found = {}
    for word in words:
        name, is_, value = word.partition("=")
        if not is_:
            raise UnansweredError(f"--settings takes NAME=VALUE, not {word}.")
        found[name] = value
    return found


class Planning:
    """A plan in the making: a rehearsal, and what it rests on."""

    def __init__(self, cluster: DryRun, azure: Reads, found: Premises, clock: Clock) -> None:
        self._remembered = Remembered()
        self._azure = AsAllowed(azure, self._remembered)
        self._premises = found
        self._rehearsal = Rehearsal(cluster, self._azure, found.installation, clock)
        self._notes: list[str] = []

    async def plan(self, laid: dict[Key, Laid]) -> Plan:
        """Rehearse what is asked for, and whatever an account's change concerns."""
        for each in laid.values():
            self._rehearsal.shelf.lay(each.resource, self._as_wanted(each))
        concerned = await self._concerned(laid)
        ours = [key for key in (*_of(laid, CHATBOTS), *concerned) if self._watches(key)]
        for key in ours:
            await self._prepare(key)
        for key in _of(laid, CHATBOTS):
            self._rehearsal.doubt(self._as_wanted(laid[key])["metadata"]["uid"])
        parts = await self._rehearsal.run(_of(laid, ACCOUNTS))
        parts += await self._rehearsal.run(ours)
        outlooks = [outlook(part, _manifest(laid.get(part.key))) for part in parts]
        outlooks += [
            replace(outlook(Part(key), _manifest(laid[key])), bar=self._not_ours(key))
            for key in _of(laid, CHATBOTS)
            if not self._watches(key)
        ]
        written = any(each.writes for each in outlooks)
        return Plan(
            tuple(outlooks),
            (*self._all_notes(), *((REAL_RUN,) if written else ())),
            grace=self._premises.installation.withdrawal_grace,
            confirmations=(),
        )

    def _as_wanted(self, laid: Laid) -> Object:
        """Give an object as it would be; one that would be deleted is on its way."""
        if laid.before is None:
            # The API server's dry run makes one up, another with each plan.
            unmade = {"uid": f"(uid of {laid.body['metadata']['name']}, known once it is made)"}
            return {**laid.body, "metadata": {**laid.body["metadata"], **unmade}}
        if laid.after is not None:
            return laid.after
        leaving = {"deletionTimestamp": stamp(self._rehearsal.clock())}
        return {**laid.body, "metadata": {**leaving, **laid.body["metadata"]}}

    async def _concerned(self, laid: dict[Key, Laid]) -> list[Key]:
        """Find the other chatbots of accounts that would change."""
        changed = {key.name for key in _of(laid, ACCOUNTS) if laid[key].verb is not Verb.LEAVE}
        if not changed:
            return []
        everybody = await self._rehearsal.kubernetes(Record()).select(CHATBOTS, "", {})
        found = [Chatbot.parse(each) for each in everybody]
        keys = [Key(CHATBOTS, c.namespace, c.name) for c in found if c.account in changed]
        return [key for key in sorted(keys, key=lambda k: (k.namespace, k.name)) if key not in laid]

    async def _prepare(self, key: Key) -> None:
        """Have at hand what the passes over a chatbot read and the person may not."""
        kubernetes = self._rehearsal.kubernetes(Record())
        body = await kubernetes.get(CHATBOTS, key.namespace, key.name)
        if body is None:
            return
        chatbot, unread = Chatbot.parse(body), self._rehearsal.shelf.unread
        found = await kubernetes.get(ACCOUNTS, "", chatbot.account)
        if found is None and unread.pop("get azureopenaiaccounts ", ""):
            found = account_of(chatbot)
            self._rehearsal.shelf.lay(ACCOUNTS, found)
            self._notes.append(
                f"You may not get AzureOpenAIAccount {chatbot.account}: whether it allows this is"
                " not known; the plan goes on as if it did."
            )
        account = Account.parse(found) if found else None
        namespace = await kubernetes.get(NAMESPACES, "", key.namespace)
        if namespace is None and unread.pop("get namespaces ", ""):
            labels = account.allowed.labels if account else {}
            self._rehearsal.shelf.lay(NAMESPACES, namespace_of(key.namespace, labels))
            if labels:
                self._notes.append(
                    f"You may not get namespace {key.namespace}: whether it bears the labels that"
                    f" AzureOpenAIAccount {chatbot.account} asks for is not known."
                )
        if account is not None:
            self._remembered.of_account(account)
        self._remembered.of_chatbot(chatbot, account, self._premises.installation)

    def _watches(self, key: Key) -> bool:
        return self._premises.installation.watches(key.namespace)

    def _not_ours(self, key: Key) -> Bar:
        watched = ", ".join(self._premises.installation.watched)
        return Bar(
            "NotWatched",
            f"The operator looks after chatbots in {watched} only (WATCH_NAMESPACES), not in"
            f" {key.namespace}: nothing would be done. Have the namespace added, or choose another"
            " operator with --operator-namespace.",
        )

    def _all_notes(self) -> Iterable[str]:
        yield from self._premises.assumed
        yield from dict.fromkeys(self._notes)
        for what in self._rehearsal.shelf.unread.values():
            yield f"Not known: you may not {what}. Taken as not there, or as the manifest has it."
        if self._azure.unread:
            said = "; ".join(f"{what} ({why})" for what, why in self._azure.unread.items())
            yield (
                f"Azure is unknown: {said}. What chatbots' statuses tell of is taken to be there,"
                " all else to be made anew. Sign in with `az login` as somebody who may read it."
            )


def _of(laid: dict[Key, Laid], resource: object) -> list[Key]:
    return [key for key in laid if key.resource == resource]


def _manifest(laid: Laid | None) -> Laid | None:
    """Give what a person does; nothing where they only ask how it stands."""
    return None if laid is None or laid.before is laid.after else laid
