"""`kubectl chatbot`: why a chatbot does not answer, and what to type.

    main       words of the command line -> a command -> its Report, on the terminal or as JSON
    commands   every command, with its help
    command    what a command is: arguments, and a function from them and a Reach to a Report
    reach      the person's own way to the cluster and to Azure; nothing is opened unasked
    person     who is asked before something is changed
    installed  the operator of a cluster as its pods run it
    shipped    what came with it: CRDs, the operator's manifests, the condition of its role
    federation whether an identity's credentials take a token
    checks     what was looked at and found, as a tree: a pure value
    show       trees and tables for people
    unread     what a person may not look at
    refused    what ended a command, in words
    spans      lengths of time in words

Each command looks first (thin), then decides (pure), and writes nothing but what it is asked to.
"""
