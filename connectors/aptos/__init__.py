"""Aptos CRM: customers, transactions and loyalty state, over a contract that the field map describes."""
