"""Claims x recorded runs -> a ledger. Two verdicts a claim: by arithmetic alone, and by runs."""

from reglab.verdicts.judging import Row, counts, ledger
from reglab.verdicts.words import INTERNAL, MEASURED

__all__ = ["INTERNAL", "MEASURED", "Row", "counts", "ledger"]
