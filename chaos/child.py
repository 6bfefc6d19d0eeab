"""One process of the hub under chaos: python -m chaos.child serve|work [VARIANT] [CLOCK_DAYS]."""

from __future__ import annotations

import sys

from chaos import clock, points, variants
from hub.cli.serve import serve, work


def main(role: str, variant: str, clock_days: float) -> None:
    """Run `hub serve` or `hub work`, with its points, perhaps as a variant, perhaps with its clock off."""
    points.install()
    if variant:
        variants.install(variant)
    if clock_days:
        clock.install(clock_days)
    {"serve": serve, "work": work}[role]()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], float(sys.argv[3]))
