"""Which chatbots an event of something else concerns."""

from __future__ import annotations

from chatbot_operator.ports import CHATBOTS
from chatbot_operator.reconcile import Key
from chatbot_operator.watches import News, Users


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
