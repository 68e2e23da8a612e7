"""novomind iAGENT: one contact per profile and brand tenant, with what an agent at the service desk needs to see."""
