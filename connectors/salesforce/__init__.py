"""Salesforce: contacts and person accounts, loyalty, orders and activities, read by REST and Bulk API 2.0."""
