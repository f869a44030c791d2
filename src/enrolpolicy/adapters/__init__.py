"""Stores, LMSs and mailers that work: each module is one, named after what it is for."""
