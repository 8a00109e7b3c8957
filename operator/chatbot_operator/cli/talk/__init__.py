"""`ask`, `logs`, `open`: to a chatbot's pods through the API server, as the person.

    chatbots   the chatbot that is meant, and which of its pods will do: pure but for two reads
    way        from here to one ready pod after the other
    forward    a port of this machine that leads there
    chat       a conversation over the chatbot's own API
    sign_in    what a request has to carry
    asking, opening, reading     the commands
    lines, operators             lines of a log, and those of the operator: pure

Nothing here writes to the cluster. What people ask and what is answered goes to the terminal alone.
"""
