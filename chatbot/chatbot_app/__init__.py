"""A chatbot for one Azure OpenAI deployment: a page, a stream of answers, and no key anywhere."""
