"""Quantities as Kubernetes writes them: `1000m` is stored as `1`. Pure.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Final

_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)([munkMGTPE]?|[KMGTPE]i)")
_FACTORS: Final = {
    "": Decimal(1),
    **{unit: Decimal(1000) ** power for unit, power in zip("num", (-3, -2, -1), strict=True)},
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}


def equal(one: Any, other: Any) -> bool:
    """Tell whether two values are the same quantity."""
    read = _amount(one)
    return read is not None and read == _amount(other)


def _amount(value: Any) -> Decimal | None:
    found = _QUANTITY.fullmatch(str(value))
    return Decimal(found[1]) * _FACTORS[found[2]] if found else None
