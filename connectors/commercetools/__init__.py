"""commercetools: customers, orders and payments over its HTTP API, and a server that speaks like it."""
