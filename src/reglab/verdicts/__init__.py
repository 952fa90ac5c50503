"""Claims x recorded runs -> a ledger. Two verdicts a claim: by arithmetic alone, and by runs."""

from reglab.verdicts.judging import Row, counts, ledger
from reglab.verdicts.words import BY_ARITHMETIC, BY_RUNS

__all__ = ["BY_ARITHMETIC", "BY_RUNS", "Row", "counts", "ledger"]
