"""The intake may delete requests for scopes: what was written there is not kept for good.

No table changes. Rights are granted anew after every migration (hub/store/roles.py).
"""

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing but the rights."""


def downgrade() -> None:
    """Nothing: a right more does no harm to an older version."""
