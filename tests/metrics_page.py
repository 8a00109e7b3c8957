"""docs/metrics.md, as the code has it: `make reference` writes it, a test compares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from chatbot_app.measures import MEASURES as OF_CHATBOTS
from chatbot_operator.measures import MEASURES as OF_THE_OPERATOR

PAGE: Final = Path(__file__).parents[1] / "docs" / "metrics.md"

HEAD: Final = """# Metrics

What Prometheus can read, in its own formats and in OpenMetrics. Written from the code by `make reference`.
How it gets there is in the [README](../README.md#watching-chatbots). No metric, span, event or line of a log
holds a word of a conversation, a prompt, a visitor's name or a token.

- [Of chatbots](#of-chatbots), at `:8088/metrics` of each pod
- [Of the operator](#of-the-operator), at `:8080/metrics` of each of its pods
- [Worth an alert](#worth-an-alert)
"""
CHATBOTS: Final = """## Of chatbots

Each pod speaks for itself, and its series do not say whose they are: the README's PodMonitor adds
`namespace`, `pod` and `chatbot`.
"""
OPERATOR: Final = """## Of the operator

Only the replica that leads tells of chatbots, queue and watches. No series bears the name of a chatbot, so their
number does not grow with the fleet, and nothing of a chatbot that is gone stays. Beside these there are
`process_*`: memory, processor time, open files.
"""
ALERTS: Final = {
    "Somebody has to act: a chatbot cannot be made, or does not work any more.": (
        'sum by (reason) (chatbot_operator_chatbots{condition="Stalled"}) > 0'
    ),
    "Chatbots work, and something is wrong all the same.": (
        'sum by (reason) (chatbot_operator_chatbots{condition="Degraded"}) > 0'
    ),
    "An account cannot be used, which stops all of its chatbots.": (
        'sum by (reason) (chatbot_operator_accounts{condition="Usable",status!="True"}) > 0'
    ),
    "No operator leads.": ("absent(chatbot_operator_leader) or max(chatbot_operator_leader) == 0"),
    "Passes wait too long for their turn.": "chatbot_operator_queue_oldest_due_seconds > 120",
    "Azure throttles the operator.": (
        'sum(rate(chatbot_operator_arm_request_duration_seconds_count{code="429"}[10m])) > 0'
    ),
    "Half of the new chatbots take more than five minutes to their first answer.": (
        "histogram_quantile(0.5, sum by (le)"
        " (rate(chatbot_operator_first_proof_seconds_bucket[1h]))) > 300"
    ),
    "Visitors of a chatbot get errors instead of answers.": (
        "sum by (namespace, chatbot) (rate(gen_ai_client_operation_duration_seconds_count"
        '{error_type!~"|Cancelled"}[10m])) > 0'
    ),
    "A chatbot has used nine tenths of its tokens for today.": (
        "sum by (namespace, chatbot) (chatbot_budget_used_tokens)"
        " / sum by (namespace, chatbot) (chatbot_budget_tokens) > 0.9"
    ),
}
"""What is to be known before users tell of it, and the expression that tells."""


def page() -> str:
    """Write the whole page."""
    return "\n".join(
        [HEAD, CHATBOTS, *_table(OF_CHATBOTS), OPERATOR, *_table(OF_THE_OPERATOR), *_alerts()]
    )


def _table(measures: Sequence[Any]) -> Iterator[str]:
    yield "| metric | what | labels |\n|---|---|---|"
    for each in measures:
        labels = "; ".join(f"`{name}`: {values}" for name, values in each.labels.items())
        yield f"| `{each.name}` ({each.kind}) | {each.meaning} | {labels} |"
    yield ""


def _alerts() -> Iterator[str]:
    yield "## Worth an alert\n\nWhere it lasts for some minutes.\n\n```promql"
    for meaning, expression in ALERTS.items():
        yield f"# {meaning}\n{expression}"
    yield "```\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
