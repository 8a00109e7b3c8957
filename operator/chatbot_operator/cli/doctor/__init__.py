"""`doctor`: is this cluster, and what it may do in Azure, fit for chatbots?

seen        what there is in the cluster, looked at all at once; granted: what the operator may
inquiry     what there is in Azure, likewise
looking     how one thing is looked at, and what is said where it cannot be seen
shipped     what came with this command: CRDs, roles, the condition
server, issuer, webhook          the cluster itself
definitions, running, access     what is installed: kinds, operator, its rights
holding, accounts                roles held in Azure, accounts, groups, providers
fleet       chatbots by reason
tree        all of it, in the order of the README's "On AKS"
command     the command
"""

from chatbot_operator.cli.doctor.command import DOCTOR

__all__ = ["DOCTOR"]
