"""What the hub is measured against, each figure beside a peer in the same run."""
