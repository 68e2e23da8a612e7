"""BigCommerce: customers (v3), newsletter subscribers (v3), orders (v2) and refunds (v3) over REST."""
