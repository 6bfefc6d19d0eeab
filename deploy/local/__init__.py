"""Apache Kafka and PostgreSQL on loopback, in a folder, from PyPI packages alone: for tests and the demo."""

from deploy.local.broker import Broker
from deploy.local.child import PartFailed
from deploy.local.kafka import LocalKafka
from deploy.local.postgres import LocalPostgres

__all__ = ["Broker", "LocalKafka", "LocalPostgres", "PartFailed"]
