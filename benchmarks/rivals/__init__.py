"""The same decision, the way others would write it: each engine as good as its language allows, and all of one form."""
