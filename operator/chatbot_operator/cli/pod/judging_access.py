"""What the identity may do, whether the account lets the pod in, and the exchange. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chatbot_operator import az, naming
from chatbot_operator.cli.checks import Check, Mark, worst
from chatbot_operator.cli.pod.in_azure import Azure, Grant, Target, short
from chatbot_operator.cli.pod.judging_pod import unknown
from chatbot_operator.cli.pod.meant import Kubectl
from chatbot_operator.cli.pod.observed import Cluster, Unseen
from chatbot_operator.errors import REASONS, Service, look_up
from chatbot_operator.ports import Assignment, Identity, OpenAIAccount
from chatbot_operator.status import Condition
from chatbot_operator.steps.preflight import reachable

SETTLED: Final = "Succeeded"


def role(azure: Azure) -> Check:
    """Judge whether the identity may do what the pod wants, as far as that is known."""
    identity, grants = azure.identity, azure.grants
    if isinstance(identity, Unseen) or identity is None:
        return Check("role", Mark.UNKNOWN, "not looked for: the identity is not known")
    if isinstance(grants, Unseen):
        return unknown("role", grants)
    below = tuple(_grant(each) for each in grants)
    if azure.target:
        return _chats(identity, azure.target, grants, below)
    if azure.scope:
        return _at(identity, azure.scope, grants, below)
    if grants:
        return Check("role", Mark.OK, f"{identity.name} may, as far as you can see:", below=below)
    return Check(
        "role",
        Mark.NOTE,
        f"{identity.name} has no role that you can see",
        cause="Services with grants of their own (access policies of Key Vault, users of SQL, roles"
        " within Cosmos DB) need none; everything else refuses it.",
        fix="Name what the pod uses: --scope ID, or --account ID for Azure OpenAI.",
    )


def _chats(
    identity: Identity, target: Target, grants: tuple[Grant, ...], below: tuple[Check, ...]
) -> Check:
    here = [each for each in grants if each.role.chats() and each.covers(target.id)]
    sure = [each for each in here if not each.condition]
    account = _name(target.id)
    if sure:
        found = f"{sure[0].role.name} lets {identity.name} chat with the models of {account}"
        return Check("role", Mark.OK, found, below=below)
    if here:
        found = f"{here[0].role.name} does, on a condition that is not judged here"
        return Check("role", Mark.UNKNOWN, found, cause=here[0].condition, below=below)
    wanted = Assignment("", target.id, identity.principal_id, naming.OPENAI_USER_ROLE, "")
    return Check(
        "role",
        Mark.WRONG,
        f"no role lets {identity.name} chat with the models of {account}",
        cause="The account answers 401 PermissionDenied. Roles such as Owner or Contributor do not"
        " reach the data.",
        fix="Assign Cognitive Services OpenAI User on the account; it takes effect within ten"
        " minutes.",
        commands=(az.create_assignment(wanted),),
        below=below,
    )


def _at(
    identity: Identity, scope: str, grants: tuple[Grant, ...], below: tuple[Check, ...]
) -> Check:
    names = [each.role.name for each in grants if each.covers(scope)]
    if names:
        return Check("role", Mark.OK, f"at {scope}: {', '.join(names)}", below=below)
    assign = (
        "`az role assignment create --assignee-object-id"
        f" {identity.principal_id} --assignee-principal-type ServicePrincipal --role ROLE --scope"
        f" {scope}`"
    )
    return Check(
        "role",
        Mark.WRONG,
        f"{identity.name} has no role at {scope} or above it",
        cause="The service there refuses it.",
        fix=f"Assign the role that the service asks for: {assign}.",
        below=below,
    )


def _grant(grant: Grant) -> Check:
    limited = ", on a condition" if grant.condition else ""
    found = f"at {short(grant.scope)}{limited}"
    return Check(grant.role.name, Mark.NOTE, found, facts={"scope": grant.scope})


def account(cluster: Cluster, azure: Azure, kubectl: Kubectl) -> tuple[Check, ...]:
    """Judge the account that the pod calls; nothing where it is not known to call one."""
    target = azure.target
    if target is None:
        return _unfound(cluster, azure, kubectl)
    found = target.found
    if isinstance(found, Unseen):
        return (unknown("account", found),)
    if found is None:
        return (
            Check(
                "account",
                Mark.WRONG,
                f"there is no {target.id}",
                cause="It was deleted, or its id is another.",
                fix="Compare it with `az cognitiveservices account list --query '[].id'`.",
            ),
        )
    below = (_network(found), _locks(target))
    found_at, facts = f"{short(target.id)}, {target.how}", {"id": target.id}
    trouble = _unusable(target, found)
    if trouble:
        return (replace(trouble, facts=facts, below=below),)
    return (Check("account", worst(below), found_at, facts=facts, below=below),)


def _unfound(cluster: Cluster, azure: Azure, kubectl: Kubectl) -> tuple[Check, ...]:
    """Say that an account was not found; nothing where there is none to find."""
    of = cluster.pod
    if not azure.endpoint:
        return ()
    if isinstance(azure.subscriptions, Unseen):
        found = f"the pod calls {azure.endpoint}; whose that is was not looked for"
        return (Check("account", Mark.UNKNOWN, found),)
    again = kubectl("chatbot", "why", f"pod/{of.name}", "-n", of.namespace, "--account", "ID")
    return (
        Check(
            "account",
            Mark.UNKNOWN,
            f"the pod calls {azure.endpoint}, which is no account that you can read",
            fix=f"Say which one it is: `{again}`.",
        ),
    )


def _unusable(target: Target, found: OpenAIAccount) -> Check | None:
    """Say what keeps everybody from using an account."""
    if found.provisioning_state != SETTLED:
        state = f"its provisioning state is {found.provisioning_state}"
        return Check("account", Mark.WRONG, state, fix="Wait, or look at it in the portal.")
    if not found.subdomain:
        return Check(
            "account",
            Mark.WRONG,
            "it has no custom subdomain",
            cause="It refuses Entra tokens (https://aka.ms/cogsvc-authenticatewithtoken).",
            fix="Give it one, which stays for good:",
            commands=(az.give_subdomain(target.id),),
        )
    return None


def _network(found: OpenAIAccount) -> Check:
    condition: Condition = reachable(found)
    mark = {"True": Mark.OK, "False": Mark.WRONG}.get(condition.status, Mark.NOTE)
    return Check("network", mark, condition.message)


def _locks(target: Target) -> Check:
    if isinstance(target.locks, Unseen):
        return Check("locks", Mark.NOTE, target.locks.why)
    if not target.locks:
        return Check("locks", Mark.OK, "none")
    named = ", ".join(f"{each.name} ({each.level}) at {short(each.scope)}" for each in target.locks)
    return Check(
        "locks",
        Mark.NOTE,
        named,
        cause="Locks bar changes, such as new roles, and no use.",
    )


def exchange(azure: Azure) -> Check:
    """Say how the exchange went, if it was tried."""
    tried = azure.tried
    if tried is None:
        return Check("exchange", Mark.NOTE, "not tried; --try does")
    if isinstance(tried, Unseen):
        return unknown("exchange", tried)
    refusal = tried.refusal
    if refusal is None:
        return Check("exchange", Mark.OK, f"Entra gave a token for {tried.scope}")
    if refusal.service is not Service.ENTRA:
        return Check("exchange", Mark.UNKNOWN, f"Entra was not reached: {refusal.message}")
    row = look_up(Service.ENTRA, refusal.status, refusal.code)
    known = REASONS[row.reason]
    meanwhile = (
        f" {REASONS[row.meanwhile].cause} {REASONS[row.meanwhile].fix}" if row.meanwhile else ""
    )
    return Check(
        "exchange",
        Mark.WRONG,
        refusal.message,
        cause=known.cause,
        fix=f"{known.fix} Entra remembers for minutes that an exchange failed."
        + (f" If the credential is new:{meanwhile}" if meanwhile else ""),
        facts={"code": refusal.code},
    )


def _name(resource_id: str) -> str:
    return resource_id.rsplit("/", 1)[-1]
