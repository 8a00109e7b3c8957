"""What is news of what was told, and whom it concerns."""

from __future__ import annotations

import pytest
from chatbot_operator.chatbot import LEAVE_AZURE, LOOK_AGAIN
from chatbot_operator.ports import CHATBOTS
from chatbot_operator.reconcile import Key
from chatbot_operator.resync import compare
from chatbot_operator.told import News, Told, Users, compared


def keys(*places):
    return [Key(CHATBOTS, namespace, name) for namespace, name in places]


def test_an_account_concerns_the_chatbots_that_name_it():
    users = Users()
    users.see("b", "two", "contoso")
    users.see("a", "one", "contoso")
    users.see("a", "other", "fabrikam")
    assert users.of("contoso") == keys(("a", "one"), ("b", "two"))
    assert users.of("nobody's") == []


def test_a_namespace_concerns_the_chatbots_in_it():
    users = Users()
    for namespace, name in (("a", "one"), ("b", "two"), ("a", "zwei")):
        users.see(namespace, name, "contoso")
    assert users.within("a") == keys(("a", "one"), ("a", "zwei"))


def test_only_news_is_news():
    users = Users()
    assert users.see("a", "one", "contoso")
    assert not users.see("a", "one", "contoso")
    assert users.see("a", "one", "fabrikam")
    assert users.of("contoso") == []
    assert users.of("fabrikam") == keys(("a", "one"))


def test_a_chatbot_that_is_gone_concerns_nobody():
    users = Users()
    users.see("a", "one", "contoso")
    users.forget("a", "one")
    users.forget("a", "one")
    assert users.of("contoso") == users.within("a") == []
    assert users.see("a", "one", "contoso")


def test_a_chatbot_that_changes_its_account_concerns_the_new_one_only():
    users = Users()
    users.see("a", "one", "contoso")
    users.see("a", "one", "fabrikam")
    users.forget("a", "one")
    assert users.of("contoso") == users.of("fabrikam") == users.within("a") == []


def test_news_is_what_differs_from_the_last_time():
    news = News()
    assert news.see("a", "one", 1)
    assert not news.see("a", "one", 1)
    assert news.see("a", "one", 2)
    assert news.see("a", "one", 1)


def test_what_is_news_of_one_says_nothing_of_another():
    news = News()
    assert news.see("a", "one", 1)
    assert news.see("b", "one", 1)
    assert news.see("a", "two", 1)
    assert not news.see("a", "one", 1)


def test_what_was_forgotten_is_news_again():
    news = News()
    news.see("a", "one", 1)
    news.see("b", "one", 1)
    news.forget("a", "one")
    news.forget("a", "one")
    assert news.see("a", "one", 1)
    assert not news.see("b", "one", 1)


def test_even_nothing_is_news_when_it_is_first_seen():
    assert News().see("", "team", {}), "a namespace without labels"


def places(text):
    return frozenset(("team", name) for name in text)


@pytest.mark.parametrize(
    ("before", "listed", "now", "gone", "there"),
    [
        ("ab", "a", "ab", "b", "a"),  # b's deletion was never told
        ("a", "ab", "a", "", "ab"),  # b was never told
        ("a", "a", "ab", "", "a"),  # b came after the list was made
        ("ab", "ab", "a", "", "a"),  # b went after the list was made
    ],
)
def test_a_list_is_believed_as_far_as_it_can_know(before, listed, now, gone, there):
    found = compared(places(before), places(listed), places(now))
    assert found == (places(gone), places(there))


def body(name="one", *, account="contoso", generation=1, uid="uid"):
    meta = {"namespace": "a", "name": name, "uid": uid, "generation": generation}
    return {"metadata": meta, "spec": {"openAI": {"account": account}}}


async def told_of(*bodies):
    asked = []

    async def enqueue(key, **_how):
        asked.append((key.resource.kind, key.name))

    told = Told(enqueue)
    for each in bodies:
        await told.chatbot(each)
    asked.clear()
    return told, asked


CHATBOT, ACCOUNT = ("AzureOpenAIChatbot", "one"), ("AzureOpenAIAccount", "contoso")


async def test_an_edit_is_news_once():
    told, asked = await told_of(body())
    await told.chatbot(body())
    assert asked == []
    await told.chatbot(body(generation=2))
    await told.chatbot(body(generation=2))
    assert asked == [CHATBOT]


async def test_to_leave_what_is_in_azure_is_news():
    told, asked = await told_of(body())
    annotated = body()
    annotated["metadata"]["annotations"] = {LEAVE_AZURE: "true"}
    await told.chatbot(annotated)
    assert asked == [CHATBOT]


async def test_a_chatbot_that_goes_is_looked_at_with_its_account():
    told, asked = await told_of(body())
    await told.no_chatbot("a", "one")
    assert asked == [ACCOUNT, CHATBOT]
    assert told.users.of("contoso") == []


async def test_a_chatbot_nobody_knew_concerns_no_account():
    told, asked = await told_of()
    await told.no_chatbot("a", "one")
    assert asked == [CHATBOT]


class Listed:
    def __init__(self, *bodies) -> None:
        self.bodies = bodies

    async def every(self, resource):
        return list(self.bodies) if resource == CHATBOTS else []


async def test_a_comparison_tells_what_watches_did_not():
    told, asked = await told_of(body("kept"), body("edited"), body("lost"))
    await compare(Listed(body("kept"), body("edited", generation=2), body("new")), told)
    chatbots = {name for kind, name in asked if kind == "AzureOpenAIChatbot"}
    assert chatbots == {"edited", "lost", "new"}
    assert [key.name for key in told.users.of("contoso")] == ["edited", "kept", "new"]
    asked.clear()
    await compare(Listed(body("kept"), body("edited", generation=2), body("new")), told)
    assert asked == []


async def test_to_look_again_is_news_whenever_it_is_said():
    told, asked = await told_of(body())
    annotated = body()
    annotated["metadata"]["annotations"] = {LOOK_AGAIN: "now"}
    await told.chatbot(annotated)
    await told.chatbot(annotated)
    assert asked == [CHATBOT]
    annotated["metadata"]["annotations"] = {LOOK_AGAIN: "later"}
    await told.chatbot(annotated)
    assert asked == [CHATBOT, CHATBOT]
