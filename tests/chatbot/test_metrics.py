"""What Prometheus reads of a chatbot that answers, refuses and is refused."""

from __future__ import annotations

import httpx2
import pytest
from chatbot.talking import HI, post, wait_until
from chatbot.upstream import NO_ROLE, THROTTLED, Say
from prometheus_client.parser import text_string_to_metric_families

CALL = {
    "gen_ai_operation_name": "chat",
    "gen_ai_provider_name": "azure.ai.openai",
    "gen_ai_request_model": "gpt",
}
DURATION = "gen_ai_client_operation_duration_seconds"
FIRST = "gen_ai_client_operation_time_to_first_chunk_seconds"


@pytest.fixture
def chatbot(launch):
    process = launch(DAILY_TOKEN_BUDGET="60")
    process.until("Proven")
    return process


def scraped(chatbot):
    """Every sample, by name and labels without those that are the same for each call."""
    response = httpx2.get(f"{chatbot.probes}metrics")
    assert response.headers["content-type"].startswith("text/plain")
    samples = {}
    for family in text_string_to_metric_families(response.text):
        for sample in family.samples:
            labels = {k: v for k, v in sample.labels.items() if v and CALL.get(k) != v}
            samples[sample.name, *sorted(labels.items())] = sample.value
    return samples


def test_calls_are_counted_by_how_they_ended(chatbot, upstream):
    upstream.otherwise = lambda _: Say(("Hel", "lo."), pause=0.05)
    post(chatbot)
    post(chatbot)
    upstream.answers = [NO_ROLE, THROTTLED]
    post(chatbot)
    post(chatbot)
    seen = scraped(chatbot)
    assert seen[f"{DURATION}_count",] == 2
    assert seen[f"{DURATION}_count", ("error_type", "PermissionDenied")] == 1
    assert seen[f"{DURATION}_count", ("error_type", "Throttled")] == 1
    assert seen[f"{FIRST}_count",] == 2
    assert 0 < seen[f"{FIRST}_sum",] < seen[f"{DURATION}_sum",]
    assert seen["gen_ai_client_token_usage_sum", ("gen_ai_token_type", "input")] == 24
    assert seen["gen_ai_client_token_usage_sum", ("gen_ai_token_type", "output")] == 4
    assert seen["gen_ai_client_token_usage_bucket", ("gen_ai_token_type", "input"), ("le", "16.0")]


def test_a_stopped_answer_is_no_error_of_the_model_and_no_success(chatbot, upstream):
    upstream.answers = [Say(("word ",) * 1000, pause=0.05)]
    with httpx2.stream("POST", f"{chatbot.page}api/chat", json=HI) as response:
        pieces = response.iter_text()
        assert "word" in next(pieces)
        assert scraped(chatbot)["chatbot_chats_in_flight",] == 1
    wait_until(lambda: (f"{DURATION}_count", ("error_type", "Cancelled")) in scraped(chatbot))
    seen = scraped(chatbot)
    assert (f"{DURATION}_count",) not in seen
    assert seen["chatbot_chats_in_flight",] == 0


def test_the_budget_the_token_and_the_standing_show(chatbot, upstream):
    upstream.lifetime = 86400
    seen = scraped(chatbot)
    assert seen["chatbot_budget_tokens",] == 60
    assert seen["chatbot_budget_used_tokens",] == 0
    assert 86000 < seen["chatbot_token_expires_seconds",] <= 86400
    assert seen["chatbot_token_renewals_total", ("reason", "Renewed")] == 1
    assert seen["chatbot_proven",] == seen["chatbot_standing", ("reason", "Proven")] == 1

    upstream.answers = [Say(("word ",) * 50)]
    post(chatbot)
    assert post(chatbot).status_code == 429
    seen = scraped(chatbot)
    assert seen["chatbot_budget_used_tokens",] == 62
    assert seen["chatbot_chats_refused_total", ("reason", "BudgetSpent")] == 1


def test_a_token_that_cannot_be_had_is_counted_by_its_reason(launch, upstream):
    upstream.stop()
    chatbot = launch()
    chatbot.until("AuthorityUnreachable")
    seen = scraped(chatbot)
    assert seen["chatbot_token_renewals_total", ("reason", "AuthorityUnreachable")] >= 1
    assert seen["chatbot_proven",] == 0
    assert ("chatbot_token_expires_seconds",) not in seen


def test_the_port_of_the_page_has_no_metrics(chatbot):
    assert httpx2.get(f"{chatbot.page}metrics").status_code == 404
