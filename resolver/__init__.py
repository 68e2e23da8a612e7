"""The engine: the warehouse and the steps that turn source records into golden profiles and tell destinations.

`resolver.link` works on any table of people, without a warehouse.
"""

from resolver.linkage import link

__all__ = ["link"]
