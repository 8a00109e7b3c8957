"""`why`: why a chatbot, an account or a pod is not as it should be, and what to type.

seen        looks at the chatbot and what has to do with it, as the person may
chatbot     what was seen of a chatbot -> a tree
account     what was seen of an account -> a tree
fleet       chatbots, a line each
conditions  a condition of a status -> a check
running     whether an operator works
pods, events, absent
remedies    a reason -> ways out, with the commands to type
"""

from __future__ import annotations

from chatbot_operator.cli.why.run import WHY

__all__ = ["WHY"]
