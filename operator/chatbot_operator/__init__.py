"""The operator: keeps keyless chatbots on Azure OpenAI as their resources say."""
