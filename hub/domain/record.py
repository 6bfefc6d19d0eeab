"""What a fold gets and gives: an accepted event and the state of its key in, changed records out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, TypeVar

from pydantic import BaseModel, ConfigDict

from hub.domain.refusal import Refusal
from hub.domain.values import Value


class Record(BaseModel):
    """One thing that a key's events brought about; `kind` and `id` name it within its key."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str]
    id: str


@dataclass(frozen=True, slots=True)
class Gone:
    """A fold says that the record of that kind and id is no more; of kinds that no other rows follow from."""

    kind: str
    id: str


class Resolved(Value):
    """What stood under other keys when the event was accepted; kept beside it, so that verdicts never change.

    networks: current memberships of the sender and of every partner that the event names.
    manages: networks of a manager, ["*"] for all, None for everybody else.
    may: the scopes that the sender held, of those that the event asks for.
    owners: partner that published each service or opportunity that the event names.
    ids: ids that follow from wire ids, which folds do not see (referrals of signposts and interests).
    other_firm: the event names another firm than the one whose case the referral is.
    taken: the referral's or visit's id was first used by another sender, or for another firm.
    held: something was said of the firm before, whatever became of it.
    names_erased: a firm or a person that the event names had been erased.
    """

    networks: dict[str, list[str]] = {}
    manages: list[str] | None = None
    may: list[str] = []
    owners: dict[str, str] = {}
    ids: dict[str, str] = {}
    other_firm: bool = False
    taken: bool = False
    held: bool = False
    names_erased: bool = False

    def manages_network(self, network: str) -> bool:
        """Whether the sender was a manager of the network."""
        return self.manages is not None and ("*" in self.manages or network in self.manages)

    def is_member(self, partner: str, network: str) -> bool:
        """Whether the partner was a current member of the network."""
        return network in self.networks.get(partner, ())


P = TypeVar("P", bound=BaseModel)
R = TypeVar("R", bound=Record)


@dataclass(frozen=True, slots=True)
class Accepted(Generic[P]):
    """An accepted event as a fold sees it: firms are surrogates, personal members are Sealed.

    seq: order of acceptance. sender: slug, or "hub". at: accepted_at, aware UTC; the only clock of a fold.
    raw: `data` as JSON values, personal members sealed.
    """

    seq: int
    type: str
    sender: str
    source: str
    event_id: str
    subject: str
    at: datetime
    data: P
    raw: dict[str, Any]
    resolved: Resolved


@dataclass(slots=True)
class KeyState:
    """All records of one key (a firm, a service, a partner, …)."""

    records: dict[tuple[str, str], Record] = field(default_factory=dict)

    def get(self, kind: type[R], id_: str | None) -> R | None:
        """The record of that kind and id, if there is one."""
        found = self.records.get((kind.kind, id_)) if id_ else None
        return found if isinstance(found, kind) else None

    def all(self, kind: type[R]) -> Iterator[R]:
        """Every record of that kind, in no particular order."""
        return (record for record in self.records.values() if isinstance(record, kind))

    def put(self, changes: Iterable[Record | Gone]) -> list[Record | Gone]:
        """Take over what a fold returned; answers with what makes a difference."""
        changed = [one for one in changes if self._differs(one)]
        for one in changed:
            if isinstance(one, Gone):
                del self.records[one.kind, one.id]
            else:
                self.records[one.kind, one.id] = one
        return changed

    def _differs(self, change: Record | Gone) -> bool:
        before = self.records.get((change.kind, change.id))
        return before is not None if isinstance(change, Gone) else before != change


Changes = tuple[Record | Gone, ...]
Fold = Callable[[KeyState, Accepted[Any]], "Changes | Refusal"]
