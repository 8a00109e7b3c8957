"""docs/cli.md, its reference as the parser has it: `make reference` writes it, a test compares."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from chatbot_operator.cli.commands import COMMANDS
from chatbot_operator.cli.main import PROGRAM, parser

COMMON: Final = frozenset({"namespace", "context", "kubeconfig", "cloud", "output"})
PAGE: Final = Path(__file__).parents[1] / "docs" / "cli.md"

HEAD: Final = """# `kubectl chatbot`

Why a chatbot does not answer, and what to type. It is a plugin of kubectl and a program of its own, `kubectl-chatbot`;
from a checkout, with nothing but pip or pipx:

```console
$ pipx install "chatbot-operator[cli] @ file:///path/to/this/repository"
$ kubectl chatbot why -A
```

It asks the cluster as you, by your kubeconfig; where a command asks Azure, by your `az login`. Whatever you may
not read is said to be unknown, with the right that is missing, and never taken for fine. Commands that it prints
are whole, quoted for a shell, and name your `--context` and `--kubeconfig` if you gave them.

| ends with | when |
|---|---|
| 0 | nothing is wrong, or nothing is to do |
| 1 | something was found: a chatbot that is not Ready, trouble, a difference, something left over |
| 2 | it could not be found out: wrong usage, no cluster, no right, no such object |

`-o json` gives programs the same as people see: trees have `name`, `mark` (`ok`, `wrong`, `waiting`, `unknown`,
`note`), `found`, and where something is wrong `cause`, `fix`, `said`, `commands` and `ways`, each way with `who` may go it.
`why NAME` has `namespace`, `ready`, `reason`, `message` and `since` besides; `why` alone gives `chatbots`, each with these, its
`name`, `mark` and `url`, and the `operator`.
Colours are for terminals, and no mark is a colour alone; `NO_COLOR=1` leaves them out.

## Why is it not Ready?

`why NAME` needs nothing but the cluster and a team's own rights: to get its chatbots, pods and events. The steps
stand in the order in which they are made; the one that fails is explained below, with what to type and whose it is
to type it.

![The account does not allow the namespace: the platform team's command](images/why-not-allowed.svg)

A name that does not exist brings the nearest that does:

![There is no model deployment of this name: the command that takes the nearest one](images/why-deployment.svg)

Pods are looked at, too, and recent warnings about them:

![An image cannot be pulled](images/why-image.svg)

What Azure refuses is said in its own words; here, a lock:

![A lock in Azure](images/why-locked.svg)

What only takes its time says how long it has taken and how long it may take. `why NAME --watch` looks on until the
chatbot is Ready, and ends with 0 then:

![Azure is still spreading the role](images/why-waiting.svg)

What no condition can know comes first: an operator that is not there, does not run or does not renew its Lease, a
change that nobody has looked at, a namespace that is going.

![The operator was stopped](images/why-operator.svg)

`why` alone is about every chatbot of the namespace, `why -A` about all; those that need somebody come first:

![Chatbots, a line each](images/why-all.svg)

All is well:

![A chatbot that is Ready, step by step](images/why-ready.svg)

`why aoai/NAME` says the same of an account, and `why pod/NAME` of [any pod with workload identity](why-pod.md),
whoever made it:

![A pod whose federated credential lacks the slash at the end of its issuer](images/why-pod.svg)

## What would a change do?

`plan` says what the operator would write for a manifest, and writes nothing: its own passes are rehearsed over what
is there, and every request that is not a reading is the API server's dry run. The numbers are the order:

![A change: what is written in the cluster, field by field](images/plan-change.svg)

Of what the model is told nothing is shown but how much would change. A new chatbot has it all made:

![A new chatbot: identity, credential and role, then what runs it](images/plan-new.svg)

Of an account it says which chatbots would lose access by its change, and whether so many that the operator would
hold that back until somebody confirms:

![An account that no longer allows a namespace](images/plan-account.svg)

`plan NAME` asks whether anything would be written as things are, `--delete` what goes, in which order. Where the
operator may not write in Azure (`AZURE_MANAGE`), the commands that somebody has to run stand in their order. What
you may not read is assumed, and each such thing is noted. Its JSON has `objects`, each with `kind`, `name`, `manifest`
(what you do), `writes` and `untouched` (each with `side`, `verb`, `kind`, `name`, `target`, and `fields` with `path`, `before`
and `after`, or `charactersChanged`), `access` (`kept`, `lost`, `held`, `none`) and `bar`; a `summary` that counts, and `notes`.

## Is the cluster fit, and Azure?

`doctor` looks at everything at once, in seconds: the API server, the issuer of tokens and whether Entra can verify
them, the workload identity webhook (by a pod that is made as a dry run), CRDs and the operator's roles against
those that came with the command, the operator's pods, Lease and settings, its identity in Azure, the roles that
it holds there against those that it needs, accounts, and chatbots by reason. It works before anything is installed,
and says what is missing in the order in which to get it.

![A cluster that is fit](images/doctor-fit.svg)

Each cause is one thing wrong, with what mends it:

![Three things are wrong, in the cluster and in Azure](images/doctor-unfit.svg)

What you may not read, in the cluster or in Azure, is unknown with the right that is missing, and it ends with 2.
`--no-azure` leaves Azure out, for scripts that are signed in nowhere.

## What earlier lives left in Azure

A finalizer that is taken off, a namespace that is taken by force or `deletionPolicy: Retain` leave things in Azure.
`orphans` lists what operators of this cluster made for chatbots that are gone: identities, credentials under
identities of others, role assignments; each with why it is left over and whether it can still be used. `--delete`
asks for the number of things, looks at each again right before, and deletes it only if it is what was shown and its
chatbot is not there. What another owner id made, or may be another cluster's of the same, is not deleted before that
owner is named.

After a restore of a cluster, chatbots have other uids, and wait for identities of their earlier lives
(`OwnedByEarlierLife`). `rebind NAME` shows what such an identity can do and who may be it, and lets the chatbot take
it over: same principal, same roles. `rebind --all` does so for all, safe to be interrupted and said again; 200 take
about a minute. For chatbots of another cluster, whose owner id was another one, `rebind --from OWNER` says what has to
be set first, and verifies it.

## Talking to it

`ask`, `logs` and `open` go through the API server, as you: there need be no way from here to the pods and no kubectl.
They take the right to get the chatbot, to list `pods` and get `pods/log`, and for `ask` and `open` to get and create
`pods/portforward`; of pods the cluster's role `edit` has them all.

`ask` writes the answer to standard output while it comes, and whatever else there is to say to standard error; with
`-o json` it gives `answer`, `finish`, `usage`, `seconds`, `firstTextSeconds`, `pod`, and `error` with `reason` and
`message` where there is no answer. Without a question, at a terminal, it is a conversation: what was said before is
remembered until you leave, and Ctrl-C stops an answer, here and at the model. Where a chatbot takes tokens of Entra
(`access.entraToken`) it gets one by your sign-in if you say for whom (`--token-for`), for whoever runs the chatbot can
use it as you, and never one for a service of Microsoft's; one that believes only its proxy (`access.proxyHeaders`) cannot be
asked this way.

`logs` brings the lines of all pods together, in order of time, those of new pods as they come. `open` leads to a pod
that is ready for as long as it stays, and when a rollout takes that away, to the next.

## Every command
"""


def page() -> str:
    """Write the whole page."""
    parsers = _parsers()
    lines = [HEAD]
    for command in COMMANDS:
        lines += [f"- [`{command.name}`](#{command.name}): {command.purpose}"]
    lines += ["", *_common(parsers[COMMANDS[0].name])]
    for command in COMMANDS:
        lines += ["", *_command(command.name, parsers[command.name])]
    return "\n".join(lines) + "\n"


def _parsers() -> dict[str, argparse.ArgumentParser]:
    whole: Any = parser()
    (choices,) = (a.choices for a in whole._actions if isinstance(a.choices, dict))
    return dict(choices)


def _command(name: str, one: Any) -> Iterator[str]:
    yield f"### `{name}`\n"
    yield f"{one.description}\n"
    command = next(each for each in COMMANDS if each.name == name)
    yield "```console"
    yield from (f"$ {PROGRAM} {example}" for example in command.examples)
    yield "```\n"
    yield from _table(action for action in one._actions if action.dest not in COMMON)
    yield f"\n{command.codes}"


def _common(one: Any) -> Iterator[str]:
    yield "Every one of them takes these:\n"
    yield from _table(action for action in one._actions if action.dest in COMMON)


def _table(actions: Iterable[argparse.Action]) -> Iterator[str]:
    yield "| argument | meaning |\n|---|---|"
    for action in actions:
        if action.dest != "help":
            yield f"| {_names(action)} | {_meaning(action)} |"


def _names(action: argparse.Action) -> str:
    if not action.option_strings:
        # As it is said on the command line; a pipe would end the cell of a table.
        names = str(action.metavar or action.dest).split(" | ")
        return ", ".join(f"`{name}`" for name in names)
    takes = action.nargs != 0 and not action.choices
    shown = f" {action.metavar or action.dest.upper()}" if takes else ""
    return ", ".join(f"`{option}{shown}`" for option in action.option_strings)


def _meaning(action: argparse.Action) -> str:
    said = (action.help or "").replace("|", "\\|").replace("%(default)s", str(action.default))
    if action.choices and action.dest != "output":
        return f"{said}; one of {', '.join(map(str, action.choices))}"
    return said


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
