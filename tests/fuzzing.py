"""Values of any kind for the tests of bad input, and what may become of them."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from reglab.errors import ReglabError

FUZZ = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["mnist", "cpu", "fc", "sgd", "coupled", "fp32", "sample:d3bfde4df098"]),
)
VALUE = st.recursive(
    LEAF,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


def taken_or_refused(function, *arguments, **named):
    """Call; return the result, or None if it was refused in one line."""
    try:
        return function(*arguments, **named)
    except ReglabError as error:
        assert str(error).strip()
        assert "\n" not in str(error)
        return None


def spoil(tree, data):
    """Delete or replace one random leaf or branch of nested dicts and lists."""
    while True:
        key = data.draw(
            st.sampled_from(sorted(tree) if isinstance(tree, dict) else range(len(tree)))
        )
        inner = tree[key]
        if isinstance(inner, dict | list) and inner and data.draw(st.integers(0, 3)):
            tree = inner
            continue
        if data.draw(st.booleans()):
            del tree[key]
        else:
            tree[key] = data.draw(VALUE)
        return
