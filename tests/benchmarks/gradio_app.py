"""What the chatbot is measured beside: Gradio's ChatInterface on the same account.

It runs in an environment of its own. The openai client is used as Gradio's documentation shows it,
and what its documentation recommends for many visitors is set: no limit of answers at once (it is
one by default), no server-side rendering by node, no telemetry.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import gradio
import openai

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


def main() -> None:
    """Serve on 127.0.0.1 until ended."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--endpoint", required=True)
    chosen = parser.parse_args()
    client = openai.AsyncOpenAI(base_url=f"{chosen.endpoint}openai/v1/", api_key="none")

    async def chat(message: str, history: list[dict[str, Any]]) -> AsyncIterator[str]:
        messages: Any = [*history, {"role": "user", "content": message}]
        stream = await client.chat.completions.create(model="gpt", messages=messages, stream=True)
        text = ""
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                text += chunk.choices[0].delta.content
                yield text

    interface = gradio.ChatInterface(
        chat, title="Ask Ada", api_name="chat", concurrency_limit=None, analytics_enabled=False
    )
    interface.queue(default_concurrency_limit=None)
    interface.launch(
        server_name="127.0.0.1", server_port=chosen.port, ssr_mode=False, quiet=True, share=False
    )


if __name__ == "__main__":
    main()
