"""The interface that any client of OpenAI understands, with this chatbot as its one model."""
