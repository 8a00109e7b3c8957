"""A real Kubernetes control plane, a node of processes and the workload identity webhook."""
