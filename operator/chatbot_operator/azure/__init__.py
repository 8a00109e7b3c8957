"""Adapter: Azure Resource Manager by the azure-mgmt packages."""
