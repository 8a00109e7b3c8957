"""What `ask`, `logs` and `open` make of what they see: no cluster, no network."""

from __future__ import annotations

import io
import json

import pytest
from chatbot_operator.cli.command import Code, Report, UnansweredError
from chatbot_operator.cli.main import parser, show
from chatbot_operator.cli.talk import lines
from chatbot_operator.cli.talk.chat import Answer, Said, Unheard, _events, _refused
from chatbot_operator.cli.talk.chatbots import Meant, choose
from chatbot_operator.cli.talk.sign_in import barred, headers, withheld, without_token
from chatbot_operator.words import escaped, legible
from rich.console import Console


def pod(name, created, *, ready=True, leaving=False):
    meta = {"name": name, "creationTimestamp": created}
    meta |= {"deletionTimestamp": "now"} if leaving else {}
    condition = {"type": "Ready", "status": str(ready)}
    return {"metadata": meta, "status": {"conditions": [condition]}}


OLD, NEW = pod("a-old", "2026-01-01T00:00:00Z"), pod("a-new", "2026-01-02T00:00:00Z")


@pytest.mark.parametrize(
    ("pods", "current", "unfit", "chosen"),
    [
        ([OLD, NEW], "", (), "a-new"),
        ([OLD, NEW], "a-old", (), "a-old"),
        ([OLD, NEW], "a-gone", (), "a-new"),
        ([OLD, NEW], "a-new", ("a-new",), "a-old"),
        ([pod("a-old", "x", leaving=True), NEW], "a-old", (), "a-new"),
        ([pod("a-old", "x", ready=False)], "a-old", (), ""),
        ([{"metadata": {"name": "a-unborn"}}], "", (), ""),
        ([], "a-old", (), ""),
    ],
)
def test_the_pod_is_kept_while_it_will_do_and_then_the_newest_that_is_ready(
    pods, current, unfit, chosen
):
    assert choose(pods, current, unfit) == chosen


def meant(status=None, **spec):
    body = {"spec": spec} | ({"status": status} if status else {})
    return Meant("help", "support", body, "kubectl chatbot why support --namespace help")


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("", ""),
        ("http://support.help.svc", ""),
        ("https://support.contoso.com/", "https://support.contoso.com/"),
        ("http://20.1.2.3", "http://20.1.2.3"),
        ("file:///etc/passwd", ""),
        ("javascript://x/%0aalert(1)", ""),
        ("--new-window", ""),
        ("https://support.contoso.com/\x1b[2J", ""),
    ],
)
def test_the_address_of_a_service_means_nothing_outside_its_cluster(url, public):
    assert meant({"url": url}).url == public


def test_a_chatbot_without_pods_is_explained_and_one_that_is_new_too():
    ready = {
        "type": "Ready",
        "reason": "AccountNotFound",
        "message": "There is\nno\x1b[2J account.",
    }
    said = str(meant({"conditions": [ready]}).without_pods())
    assert "AccountNotFound: There is no [2J account." in said
    assert said.endswith("kubectl chatbot why support --namespace help")
    assert "the operator has not said anything of it yet" in str(meant().without_pods())


PROXY = {"proxyHeaders": {"user": "X-User", "trustedPeers": ["10.0.0.0/8"]}}
TOKEN = {"entraToken": {"audiences": ["a"], "header": "Authorization"}}


@pytest.mark.parametrize(
    ("access", "browser", "why"),
    [
        (None, True, ""),
        (PROXY, False, "only to the proxy"),
        (PROXY, True, "only to the proxy"),
        (TOKEN, False, ""),
        (TOKEN, True, "which a browser sends only through the proxy"),
        ({"entraToken": {"audiences": ["a"], "trustedPeers": ["10.0.0.0/8"]}}, False, "none of"),
        ({"entraToken": {"audiences": ["a"], "trustedPeers": ["127.0.0.0/8", "::/0"]}}, False, ""),
    ],
)
def test_whom_a_chatbot_lets_in_by_this_way(access, browser, why):
    found = barred(meant({"url": "https://chat.example/"}, access=access), browser=browser)
    assert why in found
    assert bool(found) == bool(why)
    assert not found or found.endswith("Its visitors go to https://chat.example/.")


def test_whoever_has_no_token_for_a_chatbot_is_told_how_to_get_one():
    said = without_token(meant(), "api://the chatbot", "t", "Please run 'az login'.")
    assert "there is none: Please run 'az login'. To sign in" in said
    assert said.endswith("az login --tenant t --scope 'api://the chatbot/.default'")


class Signed:
    """Somebody who is signed in, and gets a token for whatever is asked."""

    def __init__(self) -> None:
        self.asked = []

    async def token(self, audience, _tenant=""):
        self.asked.append(audience)
        return "token"


async def test_a_token_is_given_to_a_chatbot_only_by_who_says_for_whom():
    reach = Signed()
    asking = meant(access={"entraToken": {"audiences": ["api://support"]}})
    for agreed in ("", "api://other"):
        with pytest.raises(UnansweredError, match="say so: --token-for api://support"):
            await headers(asking, reach, agreed)
    assert reach.asked == []
    assert await headers(asking, reach, "api://support") == {"Authorization": "Bearer token"}
    assert reach.asked == ["api://support"]


@pytest.mark.parametrize(
    "audience",
    [
        "https://management.azure.com",
        "https://Management.Core.Windows.net//",
        "https://graph.microsoft.com./",
        "https://x@vault.azure.net:443/a",
        "https://[vault.azure.net",
        "https://management.usgovcloudapi.net",
        "797F4846-ba00-4fd7-ba43-dac1f8f63013",
        "spn:00000003-0000-0000-c000-000000000000",
    ],
)
def test_no_chatbot_gets_a_token_for_a_service_of_microsofts(audience):
    assert "could act there as you" in withheld(meant(), audience, audience)


def test_what_a_chatbot_may_be_called_is_no_service_of_microsofts():
    guid = "11111111-2222-3333-4444-555555555555"
    for own in ("api://support", guid, "https://contoso.com/a", "https://notazure.com/"):
        assert withheld(meant(), own, own) == ""


async def told(text):
    async def stream():
        for line in text.splitlines(keepends=True):
            yield line.encode()

    return [said async for said in _events(stream())]


async def test_events_are_read_and_signs_of_life_and_what_is_no_json_are_nothing():
    said = await told(
        'event: delta\ndata: {"text": "Hi"}\n\n: ping\n\nevent: usage\ndata: {"promptTokens": 1}\n\n'
        'event: delta\ndata: nonsense\n\nevent: done\ndata: {"finish": "stop"}\n\n'
    )
    answer = Answer()
    assert "".join(map(answer.take, said)) == "Hi"
    assert (answer.text, answer.finish, answer.error) == ("Hi", "stop", None)
    assert answer.usage == {"promptTokens": 1}


def test_a_refusal_is_the_chatbots_and_a_page_of_something_else_is_none():
    said = _refused(429, b'{"reason": "BudgetSpent", "message": "Tomorrow."}')
    assert said == Said("error", {"reason": "BudgetSpent", "message": "Tomorrow."})
    for body in (b"<html>", b'{"error": 1}', b"[]"):
        with pytest.raises(Unheard, match="HTTP 502"):
            _refused(502, body)


def test_an_answer_steers_no_terminal_and_keeps_lines_tabs_and_emoji():
    assert legible("a\tb\r\n\x1b[31mc\u202e👩\u200d🚀\x9b\x07é") == "a\tb\n[31mc👩\u200d🚀é"


def test_json_steers_no_terminal_and_means_the_same(capsys):
    said = {"found": "\x9b2J\x9d0;a\x9c \x7f\u202egpj \u2028 \x1b[m é 🚀\n"}
    assert json.loads(escaped(json.dumps(said, ensure_ascii=False))) == said
    show(Report(said, "", Code.FINE), as_json=True)
    shown = capsys.readouterr().out
    assert json.loads(shown) == said
    assert not set(shown) & set("\x1b\x7f\x9b\x9c\x9d\u202e\u2028")


def shown(raw, **how):
    out = io.StringIO()
    line = lines.parse("support-7d9c5b-x2x8k", raw)
    Console(file=out, width=300, highlight=False).print(lines.shown(line, **how))
    return out.getvalue().rstrip("\n")


def test_a_line_is_shown_with_its_pod_time_level_words_and_fields():
    chatbot = {
        "time": "2026-01-31T12:00:00Z",
        "level": "info",
        "event": "chat",
        "finish": "stop",
        "seconds": 1.5,
        "detail": "two words",
        "request": "",
        "requests": [],
        "count": 0,
    }
    assert shown(json.dumps(chatbot).encode()) == (
        'x2x8k  2026-01-31T12:00:00Z info    chat  finish=stop  seconds=1.5  detail="two words"  count=0'
    )
    operator = {"time": "t", "level": "error", "logger": "x", "message": "no", "traceback": "a\nb"}
    assert shown(json.dumps(operator).encode(), mark="*").splitlines() == [
        "x2x8k* t error   no",
        "    a",
        "    b",
    ]


def test_what_is_no_json_is_shown_as_it_is_but_steers_nothing():
    assert shown(b"plain [red]\x1b[2J text \xff") == "x2x8k  plain [red][2J text \ufffd"
    assert shown(b'["a list"]') == 'x2x8k  ["a list"]'
    deep = b"[" * 100_000
    assert lines.parse("a", deep).fields is None


def test_a_line_for_programs_has_its_pod_and_whatever_it_said():
    assert lines.parse("p", b'{"level": "info"}').document() == {"pod": "p", "level": "info"}
    assert lines.parse("p", b"oh").document() == {"pod": "p", "line": "oh"}


def test_logs_come_together_in_order_of_time_and_stay_in_order_within_a_pod():
    def log(pod, *seconds):
        return [
            lines.parse(pod, f'{{"time": "2026-01-31T12:00:{s:02}Z"}}'.encode() if s else b"text")
            for s in seconds
        ]

    both = lines.merged([log("a", 1, 5, 0, 4, 9), log("b", 0, 2, 6)])
    assert [(line.pod, line.at.second if line.at else None) for _, line in both] == [
        ("b", None),
        ("a", 1),
        ("b", 2),
        ("a", 5),
        ("a", None),
        ("a", 4),
        ("b", 6),
        ("a", 9),
    ]


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("5m", 300), ("1h30m", 5400), ("2d", 172800), ("500ms", 0.5)]
)
def test_lengths_of_time(text, seconds):
    assert lines.seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5m!"])
def test_what_is_no_length_of_time_is_refused(text):
    with pytest.raises(ValueError, match="no length of time"):
        lines.seconds(text)


@pytest.mark.parametrize(
    "words",
    [
        ("ask", "support", "-n", "help", "Hi"),
        ("ask", "-n", "help", "support", "Hi"),
        ("ask", "support", "Hi", "-n", "help"),
    ],
)
def test_options_may_stand_anywhere(words):
    found = parser().parse_args(words)
    assert (found.name, found.question, found.namespace) == ("support", "Hi", "help")


def test_a_question_is_wanted_where_nobody_can_type_one(monkeypatch):
    from chatbot_operator.cli.talk import asking  # noqa: PLC0415

    monkeypatch.setattr("sys.stdin", io.StringIO("  \n"))
    for given in (None, "-", " "):
        with pytest.raises(UnansweredError, match="there is no question"):
            asking._question(given, as_json=False)
