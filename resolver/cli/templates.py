"""The files that `resolver init` writes: every setting with its default and what it is for."""

SITE = """\
# Where we are. Secrets do not belong here but in the environment, e.g.
#   RESOLVER_SOURCES__BIGCOMMERCE__TOKEN=...
#   RESOLVER_DESTINATIONS__APTOS__CLIENT_SECRET=...

warehouse = "warehouse.duckdb"   # the DuckDB file, relative to this one
wait_seconds = 30                # how long a command waits for another that holds the warehouse
# model = "linkage_model.json"   # a linkage model of your own; the shipped one without it

# One table per source, named after the connector's folder. A wrong key is refused with the keys that exist.
# [sources.bigcommerce]
# base_url = "https://api.bigcommerce.com"
# store_hash = "abc123"

# [sources.pos]
# folder = "drop/pos"
# default_zone = "Europe/London"   # of stores whose tills leave the zone out

# [destinations.aptos]
# base_url = "https://crm.example.com/crm/v0"
"""

POLICY = """\
# How we decide. Every run keeps the policy it used. Whatever is left out has the default shown here.

# default_country = "GB"         # for phone numbers and addresses that name no country

[landing]
overlap_seconds = 600            # read again before the last watermark: late commits, same-second changes
lag_seconds = 5                  # leave the newest changes to the next run
vanish_limit = 0.2               # a full read that misses more than this share of what is known ends none of it

# The deterministic rules: one identifier in common makes one person, unless the records contradict each other.
[rules.loyalty_number]
max_people = 1                   # held under more different given names than this, it is no key
[rules.external_id]
max_people = 1
[rules.email]
needs_verified = true            # one of the two sources must have checked the address
max_people = 1
[rules.phone]
max_people = 1

[review]
low_probability = 0.2            # below: not one person, nobody is asked
high_probability = 0.9           # above: one person

[survivorship]
order = ["trusted", "verified", "frequent", "complete", "recent"]
trust = ["salesforce", "commercetools", "magento", "bigcommerce", "pos", "aptos"]
contested = ["birth_date", "sex"]   # disagreement here waits for a steward

[publishing]
workers = 4                      # messages in flight per destination
receipts_per_commit = 50
"""

REHEARSAL_SITE = """\
A rehearsal: everything that this file names is a sandbox on this machine.
Start them with: resolver sandbox serve -w <this folder>
Their credentials open nothing else; real ones belong in the environment."""
