"""Which chatbots an event of something else concerns."""

from __future__ import annotations

from chatbot_operator.ports import CHATBOTS
from chatbot_operator.reconcile import Key
from chatbot_operator.watches import Users


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
