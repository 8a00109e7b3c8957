"""The Azure emulator: Resource Manager, Entra and Azure OpenAI in one server."""
