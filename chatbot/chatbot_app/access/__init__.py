"""Who may chat: whoever a proxy names, or whoever holds a token of Entra for this chatbot."""
