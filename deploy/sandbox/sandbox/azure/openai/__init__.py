"""The data plane of Azure OpenAI: chat completions, responses and models.

Answers come from a small built-in model or, relayed, from an OpenAI-compatible server. One choice
is given; `n`, `stop`, tools and response formats are accepted and have no effect on the built-in
model.
"""

from sandbox.azure.openai.routes import REGION, TOKEN_INTERVAL, routes

__all__ = ["REGION", "TOKEN_INTERVAL", "routes"]
