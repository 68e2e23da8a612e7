"""Magento / Adobe Commerce: customers, orders, invoices, shipments and credit memos over its REST API."""
