"""Earlier lives: what is left in Azure of chatbots that are gone, and taking it over.

    home      the operators of a cluster, and what tells their things from those of others
    azure     questions that may be refused one by one, and many writes at a bearable pace
    looking   lists of Azure, and then each name live in the cluster
    leftover  something that is left over
    judging   what of it all is left over, of whom, and why: a pure judgement
    removal   deletes what was listed, each looked at again right before
    listing   what was found and deleted, for people and programs
    orphans   the command that lists and deletes
    claim     what a chatbot would take over, and whether it may: a pure judgement
    claiming  looks at chatbots and identities for it
    takeover  takes over what was shown, each looked at again right before
    rebound   what was found and done, for people and programs
    rebind    the command that takes over

The order of looking is what makes it safe: an identity bears the uid of a chatbot that was there
before it, uids never come back, and the cluster is asked after Azure was.
"""
