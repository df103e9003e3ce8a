"""How well a value that is a mean over items would come out again with other items of the same sort."""

import numpy as np
from numpy.typing import NDArray


def split_half(odd: NDArray[np.float64], even: NDArray[np.float64]) -> float | None:
    """Split-half reliability of the mean over all items: the correlation r of the two halves over samples, stepped up
    to full length by the Spearman-Brown formula 2 r / (1 + r).

    Source: Spearman (1910) and Brown (1910), both British Journal of Psychology 3. It says how much of the spread
    between samples is theirs and not that of the items: near 1, other items would order the samples alike. It says
    nothing of bias. Below 0 the formula has no meaning, and 0 is given: the halves do not agree.

    Args:
        odd, even: each sample's mean over its odd and over its even items, in the same order; shape (n,).

    Returns:
        From 0 to 1; None for fewer than three samples, or where a half is the same for all.
    """
    if len(odd) < 3 or np.ptp(odd) == 0 or np.ptp(even) == 0:
        return None
    r = float(np.corrcoef(odd, even)[0, 1])
    return max(0.0, 2 * r / (1 + r)) if r > -1 else 0.0
