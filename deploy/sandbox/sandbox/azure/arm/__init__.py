"""Azure Resource Manager: one gateway in front of the resource providers."""
