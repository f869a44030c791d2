"""Which files of tests can notice a fault in which module, most likely first.

With all tests, a fault that nobody notices takes minutes, and there are hundreds. What these do not notice, the program
that plants faults holds against all of them.
"""

WHOLE_PLANS = ("oracle", "plan_properties", "nights", "scenarios", "withdrawals", "credits_and_spread")
RULES = ("tables", "gates", "triggers", "withdrawals")

TESTS = {
    # The kernel, from which mutants are made
    "lifecycle": ("lifecycle",),
    "dates": ("dates", "renewal"),
    "verdict": (*RULES, "plan_properties"),
    "policy": RULES,
    "candidate": ("credits_and_spread", "gates", "explanation"),
    "bookings": ("gates", "explanation", "oracle"),
    "renewal": ("renewal", "triggers", "gates", "explanation", "oracle"),
    "planner": (*WHOLE_PLANS, "findings"),
    "night": ("renewal", "triggers", "gates", "tables", "explanation", *WHOLE_PLANS),
    "sweep": ("gates", *WHOLE_PLANS, "forecast", "what_if"),
    # Others, in which faults are planted
    "register": ("gates", "triggers", "plan_properties", "oracle"),
    "findings": ("findings", "oracle"),
    "settings": ("findings", "oracle"),
    "canonical": ("plan_properties", "json"),
    "codec": ("json", "bad_input"),
    "parsing": ("bad_input", "json"),
    "constraints": ("bad_input",),
    "explanation": ("explanation", "nights"),
    "cancellation": ("withdrawals", "lifecycle"),
    "ahead/agenda": ("forecast", "what_if"),
    "ahead/walking": ("forecast", "what_if"),
    "ahead/stepping": ("forecast", "what_if"),
    "ahead/assumptions": ("forecast",),
    "ahead/happenings": ("back_test", "what_if"),
    "ahead/forecasting": ("forecast",),
    "ahead/whatif": ("what_if",),
    "ahead/covering": ("coverage",),
    "ahead/remedies": ("remedies",),
    "ahead/backtesting": ("back_test",),
    "ahead/documents": ("ahead_json",),
    "ahead/profiles": ("views",),
    "ahead/restoring": ("back_test",),
    "ahead/views": ("views",),
}


def files(module: str) -> list[str]:
    """The files of tests for a module; none where nobody named any."""
    return [f"tests/spec/test_{name}.py" for name in TESTS.get(module, ())]
