"""The engine: the warehouse and the steps that turn source records into golden profiles and tell destinations."""
