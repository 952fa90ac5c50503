r"""The equations of the book as small pure functions: the reference implementations.

Each is written as the formula reads, for reading and checking rather than for speed; the tests
compare them with torch and with autograd, and the fast code with them. One module a chapter; its
``__all__`` is what the package exports.
"""

from reglab.formulas import (
    augmenting,
    batchnorm,
    choosing,
    combined,
    distillation,
    forecasting,
    l2,
    losses,
    masking,
    pruning,
    sequences,
    shift,
    stopping,
)
from reglab.formulas.augmenting import *
from reglab.formulas.batchnorm import *
from reglab.formulas.choosing import *
from reglab.formulas.combined import *
from reglab.formulas.distillation import *
from reglab.formulas.forecasting import *
from reglab.formulas.l2 import *
from reglab.formulas.losses import *
from reglab.formulas.masking import *
from reglab.formulas.pruning import *
from reglab.formulas.sequences import *
from reglab.formulas.shift import *
from reglab.formulas.stopping import *

__all__ = [
    *losses.__all__,
    *l2.__all__,
    *masking.__all__,
    *batchnorm.__all__,
    *combined.__all__,
    *shift.__all__,
    *pruning.__all__,
    *distillation.__all__,
    *stopping.__all__,
    *augmenting.__all__,
    *choosing.__all__,
    *sequences.__all__,
    *forecasting.__all__,
]
