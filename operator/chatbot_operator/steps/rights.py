"""Does the operator hold the rights that it needs for an account, and no others?"""

from __future__ import annotations

from chatbot_operator import rights
from chatbot_operator.account import Account
from chatbot_operator.errors import Refusal, Transient, judge
from chatbot_operator.ports import World
from chatbot_operator.status import Condition, because, by_type
from chatbot_operator.steps.identity import group_id


async def fit(world: World, account: Account) -> Condition:
    """Ask Azure what the operator may do; the answer is told, and stops nobody."""
    group = group_id(account, world.installation)
    try:
        on_account = await world.azure.permissions(account.account_id)
        on_group = await world.azure.permissions(group) if group else None
    except Refusal as refusal:
        fault, known = judge(refusal), by_type(account.status).get("RightsFit")
        if known and isinstance(fault, Transient):
            return known
        return because("RightsFit", "Unknown", fault)
    return rights.fit(on_account, on_group, world.installation.manage)
