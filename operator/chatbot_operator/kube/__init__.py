"""Adapter: the Kubernetes API by kubernetes.aio, in generic calls."""
