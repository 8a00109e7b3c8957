"""A sandbox that runs the whole chain on one machine: Kubernetes, Azure, operator, chatbots."""
