"""Plans carried out, exactly once as far as the ports can: `apply`, `run_night` and `act`, and their async twins.

driving        makes the calls, and gives the answers back; the only part that is not a pure function or a generator
nights         one run from its beginning to its report
settling       what earlier runs left
holding        what a person says of an enrolment that is held
effects        enrolling, cancelling, inviting
calls          a call as a value, and what a run knows so far
accepting      whether a plan may be carried out at all
moves, cancelling, mailing, turns   the transactions
transactions   what those have in common
sheet          what one transaction writes
entries, inviting   what the journal says of a move; what a letter says of a booking
job            what a run knows from the start
"""
