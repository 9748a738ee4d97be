"""The split of a change, for any counts: exact, antisymmetric, and blind to what did not happen."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from jobs.methods.decomposition import Counts, split
from jobs.methods.intervals import ratio


@st.composite
def counts(draw: st.DrawFn, parts: int) -> Counts:
    """hits <= base <= labelled <= n, any of them 0."""
    n = np.array(draw(st.lists(st.integers(0, 5000), min_size=parts, max_size=parts)))
    shares = [draw(st.lists(st.floats(0, 1), min_size=parts, max_size=parts)) for _ in range(3)]
    labelled = np.floor(n * shares[0])
    base = np.floor(labelled * shares[1])
    return Counts(n.astype(float), labelled, base, np.floor(base * shares[2]))


pairs = st.integers(1, 8).flatmap(lambda parts: st.tuples(counts(parts), counts(parts)))


def rate(of: Counts) -> float:
    return float(of.hits.sum() / of.base.sum())


@given(pairs)
def test_mix_rate_coverage_and_base_make_the_change_exactly(both: tuple[Counts, Counts]) -> None:
    now, former = both
    assume(now.base.sum() > 0 and former.base.sum() > 0)
    assert abs(split(now, former).total.sum() - (rate(now) - rate(former))) < 1e-12


@given(pairs)
def test_the_way_back_is_the_way_there_with_the_sign_turned(both: tuple[Counts, Counts]) -> None:
    now, former = both
    assume(now.base.sum() > 0 and former.base.sum() > 0)
    there, back = split(now, former), split(former, now)
    for name in ("mix", "coverage", "base", "rate"):
        np.testing.assert_allclose(getattr(there, name), -getattr(back, name), atol=1e-12)


@given(pairs, st.integers(2, 9))
def test_volume_alone_changes_nothing(both: tuple[Counts, Counts], times: int) -> None:
    now, _ = both
    assume(now.base.sum() > 0)
    larger = Counts(now.n * times, now.labelled * times, now.base * times, now.hits * times)
    made = split(larger, now)
    for name in ("mix", "coverage", "base", "rate"):
        np.testing.assert_allclose(getattr(made, name), 0, atol=1e-12)


@given(pairs)
def test_empty_parts_between_the_others_change_not_even_the_last_digit(both: tuple[Counts, Counts]) -> None:
    """A range of nights knows parts that a single night does not; both must write the same."""
    now, former = both
    assume(now.base.sum() > 0 and former.base.sum() > 0)

    def spread(of: Counts) -> Counts:
        return Counts(*(np.insert(one, [0, 1, len(one)], 0.0) for one in (of.n, of.labelled, of.base, of.hits)))

    few, many = split(now, former), split(spread(now), spread(former))
    kept = np.delete(np.arange(len(now.n) + 3), [0, 2, len(now.n) + 2])
    for name in ("mix", "coverage", "base", "rate"):
        np.testing.assert_array_equal(getattr(few, name), getattr(many, name)[kept])


@st.composite
def errors(draw: st.DrawFn, parts: int) -> Counts:
    """As `counts`, but that `hits` is a sum of absolute errors."""
    of = draw(counts(parts))
    means = np.array(draw(st.lists(st.floats(0, 1e6), min_size=parts, max_size=parts)))
    return Counts(of.n, of.labelled, of.base, of.base * means)


@given(st.integers(1, 8).flatmap(lambda parts: st.tuples(errors(parts), errors(parts))))
def test_the_change_of_a_mean_error_is_split_as_exactly_as_that_of_a_rate(both: tuple[Counts, Counts]) -> None:
    now, former = both
    assume(now.base.sum() > 0 and former.base.sum() > 0)
    largest = max(rate(now), rate(former), *(np.nan_to_num(ratio(of.hits, of.base)).max() for of in both), 1.0)
    assert abs(split(now, former).total.sum() - (rate(now) - rate(former))) < 1e-12 * largest
