"""From what was asked for to a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from chatbot_operator.account import Account
from chatbot_operator.chatbot import Chatbot
from chatbot_operator.cli.checks import Check, Mark
from chatbot_operator.cli.command import UnansweredError
from chatbot_operator.cli.plan.asked import Asked, laid_over, require_kinds, settings
from chatbot_operator.cli.plan.assumed import account_of, namespace_of
from chatbot_operator.cli.plan.azure_reads import AsAllowed, Reads, Remembered
from chatbot_operator.cli.plan.cluster import right
from chatbot_operator.cli.plan.concern import concerned
from chatbot_operator.cli.plan.laying import Laid
from chatbot_operator.cli.plan.premises import Premises, hints, premises
from chatbot_operator.cli.plan.record import Record
from chatbot_operator.cli.plan.rehearsal import Clock, Part, Rehearsal
from chatbot_operator.cli.plan.told import Outlook, Plan, confirmations, outlook
from chatbot_operator.cli.reach import Reach
from chatbot_operator.cli.why.remedies import Known
from chatbot_operator.errors import Refusal
from chatbot_operator.kube.dry_run import DryRun
from chatbot_operator.naming import PARTS, TAG_PREFIX
from chatbot_operator.ports import ACCOUNTS, CHATBOTS, NAMESPACES, Object
from chatbot_operator.reconcile import Key
from chatbot_operator.status import by_type, stamp
from chatbot_operator.steps.identity import tag

REAL_RUN: Final = (
    "Only the real run shows whether pods are admitted, start and are answered; the plan goes on as"
    " if they were. Statuses and events are left out."
)


async def plan(reach: Reach, asked: Asked) -> Plan:
    """Plan; raises UnansweredError, KubernetesRefusal and Refusal."""
    if not (asked.names or asked.files or asked.deleted):
        raise UnansweredError(
            "Say what to plan for: -f FILE, the NAME of a chatbot that is there, or --delete NAME."
        )
    configuration = await reach.configuration()
    async with DryRun(configuration) as cluster:
        await require_kinds(cluster)
        laid, others = await laid_over(cluster, asked, await reach.namespace())
        azure = await reach.azure()
        found = await _premises(cluster, azure, asked, laid)
        watched = found.installation.watched
        async with DryRun(configuration, namespaces=watched) as within:
            planning = Planning(within, azure, found, Clock(reach.now()), reach.kubectl)
            made = await planning.plan(laid)
    if others:
        made = replace(made, notes=(*made.notes, f"Not planned: {', '.join(others)}."))
    return replace(made, confirmations=confirmations(made.outlooks, reach.kubectl))


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
        given=settings(asked.settings),
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


class Planning:
    """A plan in the making: a rehearsal, and what it rests on."""

    def __init__(
        self,
        cluster: DryRun,
        azure: Reads,
        found: Premises,
        clock: Clock,
        kubectl: Callable[..., str],
    ) -> None:
        self._kubectl = kubectl
        self._remembered = Remembered()
        self._azure = AsAllowed(azure, self._remembered)
        self._premises = found
        self._rehearsal = Rehearsal(cluster, self._azure, found.installation, clock, kubectl)
        self._notes: list[str] = []

    async def plan(self, laid: dict[Key, Laid]) -> Plan:
        """Rehearse what is asked for, and whatever an account's change concerns."""
        for each in laid.values():
            self._lay(each)
        others = await concerned(self._rehearsal.kubernetes(Record()), laid)
        ours = [key for key in (*_of(laid, CHATBOTS), *others) if self._watches(key)]
        for key in _of(laid, ACCOUNTS):
            self._remembered.of_account(Account.parse(laid[key].body))
        for key in ours:
            await self._prepare(key)
        for key in _of(laid, CHATBOTS):
            self._rehearsal.doubt(self._as_wanted(laid[key])["metadata"]["uid"])
        parts = [Part(key, rests=True) for key in laid if key.resource not in (ACCOUNTS, CHATBOTS)]
        parts += await self._rehearsal.run(_of(laid, ACCOUNTS))
        parts += await self._rehearsal.run(ours)
        outlooks = [self._outlook(part, laid.get(part.key)) for part in parts]
        outlooks += [
            replace(self._outlook(Part(key), laid[key]), bar=self._not_ours(key))
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

    def _lay(self, laid: Laid) -> None:
        """Lay an object over the cluster; what nothing holds is gone at once when it is deleted."""
        if laid.after is None and not _finalized(laid):
            self._rehearsal.shelf.take(laid.resource, laid.body)
        else:
            self._rehearsal.shelf.lay(laid.resource, self._as_wanted(laid))

    def _as_wanted(self, laid: Laid) -> Object:
        """Give an object as it would be; one that would be deleted is on its way."""
        metadata = laid.body["metadata"]
        if laid.before is None:
            # The API server's dry run makes one up, another with each plan.
            metadata = {**metadata, "uid": f"(uid of {metadata['name']}, known once it is made)"}
        if laid.after is None:
            metadata = {"deletionTimestamp": stamp(self._rehearsal.clock()), **metadata}
        return {**laid.body, "metadata": metadata}

    async def _prepare(self, key: Key) -> None:
        """Have at hand what the passes over a chatbot read and the person may not."""
        kubernetes = self._rehearsal.kubernetes(Record())
        body = await kubernetes.get(CHATBOTS, key.namespace, key.name)
        if body is None:
            return
        chatbot, unread = Chatbot.parse(body), self._rehearsal.shelf.unread
        found = await kubernetes.get(ACCOUNTS, "", chatbot.account)
        if found is None and right("get", ACCOUNTS, "") in unread:
            found = account_of(chatbot)
            self._rehearsal.shelf.lay(ACCOUNTS, found)
            self._notes.append(
                f"You may not get AzureOpenAIAccount {chatbot.account}: whether it allows this is"
                " not known; the plan goes on as if it did."
            )
        account = Account.parse(found) if found else None
        namespace = await kubernetes.get(NAMESPACES, "", key.namespace)
        if namespace is None and right("get", NAMESPACES, "") in unread:
            labels = account.allowed.labels if account else {}
            self._rehearsal.shelf.lay(NAMESPACES, namespace_of(key.namespace, labels))
            if labels:
                self._notes.append(
                    f"You may not get namespace {key.namespace}: whether it bears the labels that"
                    f" AzureOpenAIAccount {chatbot.account} asks for is not known."
                )
        if account is not None:
            self._remembered.of_account(account)
            self._note_rights(account)
        self._remembered.of_chatbot(chatbot, account, self._premises.installation)

    def _note_rights(self, account: Account) -> None:
        fit = by_type(account.status).get("RightsFit")
        if fit is not None and fit.reason == "HoldsLess":
            self._notes.append(f"The operator may not do all of this in Azure. {fit.message}")

    def _watches(self, key: Key) -> bool:
        return self._premises.installation.watches(key.namespace)

    def _outlook(self, part: Part, laid: Laid | None) -> Outlook:
        account = Account.parse(part.account) if part.account else None
        of_chatbot = part.key.resource == CHATBOTS and part.after
        chatbot = Chatbot.parse(part.after) if part.after and of_chatbot else None
        known = Known(
            self._kubectl,
            chatbot=chatbot,
            account=account,
            account_name=chatbot.account if chatbot else part.key.name,
            operator=self._premises.operator,
        )
        return outlook(part, _manifest(laid), known)

    def _not_ours(self, key: Key) -> Check:
        watched = ", ".join(self._premises.installation.watched)
        return Check(
            "goes no further",
            Mark.WRONG,
            "NotWatched",
            cause=f"The operator looks after chatbots in {watched} only (WATCH_NAMESPACES), not in"
            f" {key.namespace}: nothing would be done.",
            fix="Have the namespace added, or choose another operator with --operator-namespace.",
        )

    def _all_notes(self) -> Iterable[str]:
        yield from self._premises.assumed
        yield from dict.fromkeys(self._notes)
        told = {right("get", resource, "") for resource in (ACCOUNTS, NAMESPACES)}
        for what in sorted(self._rehearsal.shelf.unread - told):
            yield f"Not known: you may not {what}. Taken as not there, or as the manifest has it."
        if self._azure.unread:
            said = "; ".join(f"{what} ({why})" for what, why in self._azure.unread.items())
            yield (
                f"Azure is unknown: {said}. What chatbots' statuses tell of is taken to be there,"
                " all else to be made anew. Sign in with `az login` as somebody who may read it."
            )


def _finalized(laid: Laid) -> bool:
    """Tell whether the operator sees to what is deleted before it is gone."""
    return laid.resource == CHATBOTS


def _of(laid: dict[Key, Laid], resource: object) -> list[Key]:
    return [key for key in laid if key.resource == resource]


def _manifest(laid: Laid | None) -> Laid | None:
    """Give what a person does; nothing where they only ask how it stands."""
    return None if laid is None or laid.before is laid.after else laid
