"""What was seen in Azure, put together as a tree of checks. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator

from chatbot_operator import naming
from chatbot_operator.cli import federation
from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.doctor import accounts, holding, shipped
from chatbot_operator.cli.doctor.inquiry import Azure, OfAccount, OfOperator, SignedOut
from chatbot_operator.cli.doctor.looking import Absent, Kubectl, Silent, unknown
from chatbot_operator.cli.doctor.seen import HOME, Seen
from chatbot_operator.cli.installed import Installed
from chatbot_operator.clouds import EXCHANGE
from chatbot_operator.errors.reasons import REASONS
from chatbot_operator.ports import Credential, Identity, Manage, Object
from chatbot_operator.status import by_type


def azure(seen: Seen, found: Azure | SignedOut | Silent, kubectl: Kubectl) -> Check:
    """Judge Azure as far as who is signed in may see it."""
    if isinstance(found, SignedOut):
        words = f"not known: nobody is signed in to Azure: `az login` ({found.why})"
        return Check("Azure", Mark.UNKNOWN, words, commands=("az login",))
    if isinstance(found, Silent):
        return unknown("Azure", found)
    operators = seen.operators if isinstance(seen.operators, list) else []
    below = [*_identities(seen, operators, found)]
    below += [accounts.provider(namespace, sub, state) for sub, namespace, state in found.providers]
    manage = _manages(operators)
    below += [
        accounts.group(
            one.id,
            one.content,
            _make(one.id),
            accounts.locks(found.locks.get(one.id), writes=manage.identities),
        )
        for one in found.groups
    ]
    below += [_account(one, operators, found, kubectl) for one in found.accounts]
    if not found.accounts:
        below.append(_no_accounts(seen))
    return Check("Azure", worst(below), below=tuple(below))


def _make(group_id: str) -> str:
    _, _, subscription, _, name = group_id.split("/")
    command = ("az", "group", "create", "--name", name, "--subscription", subscription)
    return f'{shlex.join(command)} --location "$LOCATION"'


def _identities(seen: Seen, operators: list[Installed], found: Azure) -> Iterator[Check]:
    if isinstance(seen.operators, list) and not operators:
        yield _to_be_made(seen)
    for one, theirs in zip(operators, found.operators, strict=True):
        yield _identity(seen, one, theirs)


def _to_be_made(seen: Seen) -> Check:
    name = issuer_of = seen.issued.issuer if isinstance(seen.issued.issuer, str) else ""
    where = ("--name", HOME, "--resource-group", HOME)
    credential = (
        *("az", "identity", "federated-credential", "create"),
        *("--name", naming.credential_name(issuer_of), "--identity-name", HOME),
        *("--resource-group", HOME, "--issuer", issuer_of),
        *("--subject", naming.subject(HOME, HOME), "--audiences", EXCHANGE),
    )
    principal = (
        f"PRINCIPAL=$(az identity show {shlex.join(where)} --query principalId --output tsv)"
    )
    group = "az group show --name chatbot-identities --query id --output tsv"
    assign = (
        'az role assignment create --assignee-object-id "$PRINCIPAL"'
        " --assignee-principal-type ServicePrincipal"
    )
    condition = (
        f'--condition "$(cat {shlex.quote(str(shipped.CONDITION))})" --condition-version 2.0'
    )
    return Check(
        "operator's identity",
        Mark.WRONG,
        "there is no operator yet, and so nothing says which identity is its own",
        cause="It needs one that trusts its service account, with a role on a resource group that"
        " holds nothing but chatbots' identities and one on the account.",
        fix="Set LOCATION to a region and ACCOUNT_ID to the account's id (`az cognitiveservices"
        " account list --query [].id`), then:",
        commands=(
            f'az group create --name {HOME} --location "$LOCATION"',
            f"az identity create {shlex.join(where)}",
            *((shlex.join(credential),) if name else ()),
            'az group create --name chatbot-identities --location "$LOCATION"',
            principal,
            f'{assign} --role "{holding.CONTRIBUTOR}" --scope "$({group})"',
            f'{assign} --role "{holding.ADMINISTRATOR}" --scope "$ACCOUNT_ID" {condition}',
        ),
    )


def _identity(seen: Seen, one: Installed, found: OfOperator) -> Check:
    name = "operator's identity"
    identity = found.identity
    client_id = one.client_id or (one.settings.client_id if one.settings else "")
    if not client_id:
        return Check(
            name, Mark.UNKNOWN, "not known: nothing says its client id (see service account)"
        )
    if identity is None:
        refused = any(_refused(body) for body in _accounts(seen))
        return Check(
            name,
            Mark.WRONG if refused else Mark.UNKNOWN,
            f"nobody with client id {client_id} in the {found.looked_in} subscriptions you see",
            cause="Entra refuses the operator's token, so it is gone, or the id is misspelt."
            if refused
            else "It may be in a subscription that you do not see.",
            fix='Compare `az identity list --query "[].{name:name, clientId:clientId}"`.',
        )
    if not isinstance(identity, Identity):
        return unknown(name, identity)
    below = (_trusted(seen, one, identity, found),)
    return Check(name, worst(below), f"{identity.name}, client id {client_id}", below=below)


def _trusted(seen: Seen, one: Installed, identity: Identity, found: OfOperator) -> Check:
    name, issued = federation.NAME, seen.issued.issuer
    if not isinstance(issued, str):
        return unknown(name, issued)
    if not isinstance(found.credentials, list):
        return unknown(name, found.credentials)
    held = tuple(found.credentials)
    wanted = Credential(
        federation.free_name(f"{one.namespace}-{one.service_account}", held),
        issued,
        naming.subject(one.namespace, one.service_account),
        (EXCHANGE,),
    )
    return federation.judge(identity, held, wanted)


def _accounts(seen: Seen) -> list[Object]:
    return seen.accounts if isinstance(seen.accounts, list) else []


def _refused(body: Object) -> bool:
    known = by_type(body.get("status") or {}).values()
    return any(each.reason == REASONS["OperatorNotAuthenticated"].name for each in known)


def _account(of: OfAccount, operators: list[Installed], found: Azure, kubectl: Kubectl) -> Check:
    below = list(accounts.in_azure(of.account, of.found))
    below += accounts.as_operator_saw(of.account, of.found)
    rights: list[Check] = []
    for one, theirs in zip(operators, found.operators, strict=True):
        if isinstance(theirs.identity, Identity):
            principal, manage = theirs.identity.principal_id, _manages([one])
            rights += [_rights(of, found, principal, manage), *_on_existing(of, principal, manage)]
    # Nobody holds anything on what is not there.
    if not accounts.is_gone(of.found):
        below += rights or accounts.rights_as_seen(of.account)
    writes = _manages(operators).roles
    locked = accounts.locks(found.locks.get(of.account.account_id), writes=writes)
    left = accounts.orphans(of.account, kubectl)
    return accounts.summed(of.account, [*below, *filter(None, (locked, left))])


def _rights(of: OfAccount, found: Azure, principal: str, manage: Manage) -> Check:
    lost = {one.id for one in found.groups if isinstance(one.content, Absent)}
    group = None if of.group in lost else of.on_group.get(principal)
    return holding.check(principal, of.on_account[principal], group, manage, shipped.CONDITION)


def _on_existing(of: OfAccount, principal: str, manage: Manage) -> Iterator[Check]:
    for (name, whose), place in of.on_existing.items():
        if whose == principal:
            yield holding.on_shared(name, principal, place, manage)


def _manages(operators: Iterable[Installed]) -> Manage:
    """Give how much the first operator writes in Azure; all, where that is not known."""
    settings = next((one.settings for one in operators if one.settings), None)
    return Manage(settings.manage) if settings else Manage.ALL


def _no_accounts(seen: Seen) -> Check:
    if not isinstance(seen.accounts, list):
        return unknown("accounts", seen.accounts)
    return Check(
        "accounts",
        Mark.NOTE,
        "no AzureOpenAIAccount says yet which account chatbots may use",
        fix="Apply one (kubectl explain aoai.spec).",
    )
