"""Stand-ins for the outside world: vendor servers with state and faults, and the people who live in them."""
