"""A node whose pods are local processes: no containers, the real protocol with the API server.

Pods reach one another by address; there are no DNS names for Services and nothing enforces a
NetworkPolicy. What else differs is in `launching`.
"""
