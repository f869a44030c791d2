"""Looking ahead, and back: what would be, what will be, what stands, what was, and what of it is shown."""
