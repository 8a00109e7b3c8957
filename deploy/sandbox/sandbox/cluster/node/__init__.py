"""A node whose pods are local processes: no containers, the real protocol with the API server."""
