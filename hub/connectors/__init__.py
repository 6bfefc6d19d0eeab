"""Connectors: files of partners in, events of the hub out, posted by the importer over HTTP."""

from __future__ import annotations

from hub.connectors.base import Connector
from hub.connectors.een import EuropeNetwork
from hub.connectors.open_referral import OpenReferral
from hub.connectors.spreadsheet import Spreadsheet

CONNECTORS: tuple[Connector, ...] = (OpenReferral(), Spreadsheet(), EuropeNetwork())
"""Every connector that `hub import` knows; docs/connectors.md describes each."""
