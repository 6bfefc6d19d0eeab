"""What every table is made of."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData, Text

from hub.store.engine import READ_SCHEMA

truth = MetaData()
read = MetaData(schema=READ_SCHEMA)
# 64 bits everywhere; SQLite keeps a table by its primary key only when that is called INTEGER.
Number = BigInteger().with_variant(Integer(), "sqlite")
# Sorted and compared by bytes on every engine, so that cursors and hashes agree.
String = Text().with_variant(Text(collation="C"), "postgresql")
