"""A plan on a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from chatbot_operator.cli.plan.laying import Laid
from chatbot_operator.cli.plan.told import WRITTEN, Access, Outlook, Plan
from chatbot_operator.cli.plan.writes import Difference, Side, Verb, Write
from chatbot_operator.cli.show import Typed, table, tree
from chatbot_operator.words import plain

_SIGNS: Final = {
    Verb.CREATE: ("+", "green"),
    Verb.CHANGE: ("~", "yellow"),
    Verb.DELETE: ("-", "red"),
    Verb.LEAVE: ("=", "dim"),
}
TO_DELETE: Final = "To delete it: "
"""What stands before the commands, where the operator says what a deletion leaves in Azure."""
_PLACES: Final = {Side.AZURE: "in Azure", Side.CLUSTER: "in the cluster"}


def shown(plan: Plan) -> RenderableType:
    """Show a plan: a tree for each object that something is to be said of, and a line for all."""
    parts: list[RenderableType] = []
    for each in plan.outlooks:
        if each.manifest or each.writes or each.remains or (each.bar and not _is_held(each)):
            parts += [*_outlook(each), Text()]
    parts += _access(plan)
    parts += [Text.assemble(("note: ", "cyan"), plain(note)) for note in plan.notes]
    parts.append(Text(_summary(plan), style="bold"))
    return Group(*parts)


def _is_held(one: Outlook) -> bool:
    """Tell whether it is one of many that are told of in one breath."""
    return one.access is Access.HELD


def _outlook(one: Outlook) -> Iterator[RenderableType]:
    root = Tree(Text(f"{one.kind} {plain(one.name)}", style="bold"), guide_style="dim")
    if one.manifest is not None:
        node = root.add(_verb(one.manifest.verb, _by_you(one.manifest)))
        for found in one.manifest.differences:
            node.add(_difference(found))
    numbered = list(enumerate(one.writes, start=1))
    for side in Side:
        here = [(number, write) for number, write in numbered if write.side is side]
        left = [write for write in one.left if write.side is side]
        if here or left:
            _grow(root.add(Text(side, style="bold")), here, left)
    yield root
    yield from _by_hand(one.writes)
    if one.bar is not None:
        yield tree(one.bar)
    for each in one.remains:
        words, _, commands = each.partition(TO_DELETE)
        yield Text(plain(words))
        yield from (Typed(f"    {command}") for command in commands.split("; ") if command)


def _by_you(laid: Laid) -> str:
    return f"{'it' if laid.verb is Verb.DELETE else 'the manifest'}, by you"


def _grow(node: Tree, writes: list[tuple[int, Write]], left: list[Write]) -> None:
    for number, write in writes:
        line = _verb(write.verb, f"{write.kind} {plain(write.name)}", number=number)
        if write.command:
            line.append("  by hand", "magenta")
        one = node.add(line)
        if write.side is Side.AZURE and write.verb is not Verb.LEAVE:
            one.add(Text(plain(write.target), style="dim", overflow="fold"))
        if write.note:
            one.add(Text(plain(write.note)))
        if write.verb is Verb.CHANGE or write.side is Side.AZURE:
            for found in write.differences:
                one.add(_difference(found))
    if left:
        kinds = ", ".join(f"{each.kind} {plain(each.name)}" for each in left)
        node.add(_verb(Verb.LEAVE, kinds))


def _verb(verb: Verb, what: str, *, number: int | None = None) -> Text:
    sign, style = _SIGNS[verb]
    first = "" if number is None else f"{number}. "
    return Text.assemble(first, (f"{sign} {verb}", style), "  ", what)


def _difference(found: Difference) -> Text:
    path = plain(found.path)
    if found.characters is not None:
        return Text(f"{path}: {found.characters} characters changed")
    if found.before is None:
        return Text.assemble(f"{path}: ", (_value(found.after), "green"))
    if found.after is None:
        return Text.assemble(f"{path}: ", (_value(found.before), "red"), " -> (gone)")
    before, after = (_value(found.before), "red"), (_value(found.after), "green")
    return Text.assemble(f"{path}: ", before, " -> ", after)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return plain(str(value)) or '""'


def _by_hand(writes: Iterable[Write]) -> Iterator[RenderableType]:
    typed = [write.command for write in writes if write.command]
    if typed:
        yield Text("What the operator may not write, somebody has to, in this order:")
        yield from (Typed(f"    {plain(command)}") for command in typed)


def _access(plan: Plan) -> Iterator[RenderableType]:
    """Tell which chatbots would lose access, if any would."""
    words = {
        Access.LOST: Text(f"lost after {plan.grace:g} s", style="red"),
        Access.HELD: Text("held back", style="yellow"),
    }
    lose = [each for each in plan.outlooks if each.access in words]
    if not lose:
        return
    rows = [(each.name, words[each.access], each.bar.found if each.bar else "") for each in lose]
    yield table(("CHATBOT", "ACCESS", "REASON"), rows)
    held = [each for each in lose if each.access is Access.HELD]
    if held:
        said = f"{len(held)} would lose access at once: nothing is taken away. If that is meant:"
        yield Text(said, style="bold")
        yield from (Typed(f"    {plain(command)}") for command in plan.confirmations)
    yield Text()


def _summary(plan: Plan) -> str:
    count = plan.count()
    said = ["nothing would be written by the operator"]
    if any(count[side, verb] for side in _PLACES for verb in WRITTEN):
        said = [
            f"{', '.join(f'{count[side, verb]} to {verb}' for verb in WRITTEN)} {where}"
            for side, where in _PLACES.items()
        ]
    by_hand = sum(bool(write.command) for each in plan.outlooks for write in each.writes)
    if by_hand:
        said.append(f"{by_hand} by hand")
    summed = "; ".join(said)
    return f"{summed[0].upper()}{summed[1:]}."
