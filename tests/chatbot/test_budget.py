"""A day's tokens: counted as the model reports them, refused when they are used up."""

from __future__ import annotations

import datetime as dt

import httpx2
from chatbot.talking import HI, post, wait_until
from chatbot.upstream import Say
from chatbot_app.budget import Budget
from chatbot_app.reasons import ChatReason

EVENING = dt.datetime(2026, 1, 31, 22, tzinfo=dt.UTC)
MORNING = EVENING + dt.timedelta(hours=10)


def test_without_a_budget_nothing_is_refused():
    assert Budget().spend(10**9, EVENING).refuse(EVENING) is None


def test_the_last_token_of_the_day_ends_it():
    almost = Budget(daily=100).spend(60, EVENING).spend(39, EVENING)
    assert almost.refuse(EVENING) is None
    refusal = almost.spend(1, EVENING).refuse(EVENING)
    assert refusal is not None
    assert (refusal.reason, refusal.retry_after) == (ChatReason.BUDGET_SPENT, 7200)


def test_a_new_day_begins_with_all_of_it():
    spent = Budget(daily=100).spend(100, EVENING)
    assert spent.refuse(MORNING) is None
    assert spent.spend(99, MORNING).refuse(MORNING) is None
    assert spent.spend(100, MORNING).refuse(MORNING) is not None


def test_a_visitor_is_told_in_plain_words_and_the_model_is_not_asked(launch, upstream):
    chatbot = launch(DAILY_TOKEN_BUDGET="14", OPS_PORT=None)  # an answer of `upstream` takes 14
    assert post(chatbot).status_code == 200
    asked = len(upstream.chats)
    refused = post(chatbot, HI)
    assert refused.status_code == 429
    assert refused.json()["reason"] == "BudgetSpent"
    assert "used up what it may say in a day" in refused.json()["message"]
    assert 0 < int(refused.headers["retry-after"]) <= 86400
    assert len(upstream.chats) == asked


def test_an_answer_that_somebody_leaves_is_counted_too(launch, upstream):
    chatbot = launch(DAILY_TOKEN_BUDGET="200", OPS_PORT=None)
    upstream.answers = [Say(("a",) * 1000, pause=0.05)]
    long = {"messages": [{"role": "user", "content": "x" * 900}]}
    with httpx2.stream("POST", f"{chatbot.page}api/chat", json=long) as response:
        next(response.iter_text())
    wait_until(lambda: not upstream.streaming)
    wait_until(lambda: post(chatbot, HI).status_code == 429)
    assert len(upstream.chats) < 4
