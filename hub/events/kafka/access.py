"""Kafka users of partners, and what each may do: write to its own topic, and nothing else.

Source: KIP-554 (SCRAM users by the admin protocol), Apache Kafka, Authorization and ACLs.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Any

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError, SecurityDisabledError

from hub.domain.refusal import Refusal
from hub.events.kafka.connection import Cluster, KafkaUnavailable, said
from hub.store.deliveries import TOPIC_PREFIX

MECHANISM = "SCRAM-SHA-512"
PASSWORD_BYTES = 32
KNOWN_S_MAX = 10.0
"""How long it may take until every broker knows a new password."""
_HUB_PREFIX = "hub."


@dataclass(frozen=True, slots=True)
class Login:
    """How a partner reaches its topic. Without a user where Kafka asks nobody who they are."""

    bootstrap_servers: str
    security_protocol: str
    sasl_mechanism: str | None
    username: str | None
    password: str | None
    topic: str


class Access:
    """Gives partners access to their topics, and takes it away."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def by_password(self) -> bool:
        """Whether Kafka asks clients for a user and a password."""
        return self._own_user is not None

    @property
    def _own_user(self) -> str | None:
        return self._cluster.client().get("sasl_plain_username")

    async def grant(self, slug: str) -> Login | Refusal:
        """Make the partner's topic and its user; a user that exists gets a new password.

        Refusal: the name belongs to somebody else, the cluster does not check rights, or the new user
        could do more than it must. KafkaUnavailable when the cluster does not answer.
        """
        topic, client = TOPIC_PREFIX + slug, self._cluster.client()
        servers, protocol = ",".join(client["bootstrap_servers"]), client["security_protocol"]
        if not self.by_password:
            await self._cluster.make_inbox(topic)
            return Login(servers, protocol, None, None, None, topic)
        if refusal := await self._cluster.administer(lambda admin: self._obstacle(admin, slug)):
            return refusal
        await self._cluster.make_inbox(topic)
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        await self._cluster.administer(lambda admin: self._make_user(admin, slug, password))
        if seen := await asyncio.to_thread(self._seen_by, slug, password):
            await self._cluster.administer(lambda admin: _delete_user(admin, slug))
            return Refusal(
                "kafka.too_powerful",
                f"The user {slug} could see {', '.join(sorted(seen)[:3])}; it was deleted again.",
                "Look for ACLs of all users, and for this name among the brokers' super.users.",
            )
        return Login(servers, protocol, MECHANISM, slug, password, topic)

    async def withdraw(self, slug: str) -> None:
        """Take the right to write away, at once, also from connections that are open; the user stays.

        KafkaUnavailable when the cluster does not answer.
        """
        if self.by_password:
            await self._cluster.administer(lambda admin: _delete_rights(admin, slug))

    async def give_back(self, slug: str) -> None:
        """Undo `withdraw`; nothing for a partner that has no user."""

        def give_back(admin: KafkaAdminClient) -> None:
            if _user_exists(admin, slug):
                _create(admin, _rights(slug))

        if self.by_password:
            await self._cluster.administer(give_back)

    def _obstacle(self, admin: KafkaAdminClient, slug: str) -> Refusal | None:
        try:
            admin.describe_acls(_filter(slug))
        except SecurityDisabledError:
            return Refusal(
                "kafka.no_authorizer",
                "The brokers check no rights: any user may read and write every topic.",
                "Set authorizer.class.name on the brokers, and super.users to the hub's own user.",
            )
        topics = admin.list_topics()
        taken = slug == self._own_user or (_user_exists(admin, slug) and TOPIC_PREFIX + slug not in topics)
        if not taken:
            return None
        # The name of a user that serves something else would hand its rights to the partner.
        return Refusal(
            "kafka.user_taken",
            f"Kafka has a user {slug} that is not this partner's.",
            "Delete or rename that user; Kafka users of partners are named like the partner.",
        )

    def _make_user(self, admin: KafkaAdminClient, slug: str, password: str) -> None:
        own = f"User:{self._own_user}"
        # Said for the hub's own user, so that these topics are closed to others also on a cluster that
        # opens what no ACL speaks of (allow.everyone.if.no.acl.found).
        closing = [
            _acl(own, ACLOperation.ALL, prefix, ACLResourcePatternType.PREFIXED)
            for prefix in (_HUB_PREFIX, TOPIC_PREFIX)
        ]
        _create(admin, [*closing, *_rights(slug)])
        made = UserScramCredentialUpsertion(slug, MECHANISM, password=password)
        _check(admin.alter_user_scram_credentials([made]))

    def _seen_by(self, slug: str, password: str) -> set[str]:
        """Topics of the hub and of other partners that the user is shown.

        Asked of Kafka as that user: super users and rights of everybody are told by no other request.
        KafkaUnavailable when it does not get in.
        """
        login = {"sasl_plain_username": slug, "sasl_plain_password": password}
        end_s = time.monotonic() + KNOWN_S_MAX
        while True:
            try:
                admin = KafkaAdminClient(**self._cluster.client() | login | {"bootstrap_timeout_ms": 1_000})
                try:
                    seen = admin.list_topics()
                finally:
                    admin.close()
            except (KafkaError, OSError) as error:
                if time.monotonic() > end_s:
                    raise KafkaUnavailable(said(error)) from error
                continue
            ours = {one for one in seen if one.startswith((_HUB_PREFIX, TOPIC_PREFIX))}
            return ours - {TOPIC_PREFIX + slug}


def _rights(slug: str) -> list[ACL]:
    """WRITE lets it produce, also idempotently (since Kafka 2.8); DESCRIBE lets it find partitions.

    Of the topic by its whole name: a prefix would open in.<slug>-other as well. No READ: what it wrote it
    knows, and who stole its password learns nothing.
    """
    user, topic = f"User:{slug}", TOPIC_PREFIX + slug
    return [
        _acl(user, operation, topic, ACLResourcePatternType.LITERAL)
        for operation in (ACLOperation.WRITE, ACLOperation.DESCRIBE)
    ]


def _acl(user: str, operation: ACLOperation, name: str, pattern: ACLResourcePatternType) -> ACL:
    resource = ResourcePattern(ResourceType.TOPIC, name, pattern)
    return ACL(user, "*", operation, ACLPermissionType.ALLOW, resource)


def _filter(slug: str) -> ACLFilter:
    """All that is allowed to the user on its topic."""
    resource = ResourcePatternFilter(ResourceType.TOPIC, TOPIC_PREFIX + slug, ACLResourcePatternType.LITERAL)
    return ACLFilter(f"User:{slug}", "*", ACLOperation.ANY, ACLPermissionType.ALLOW, resource)


def _create(admin: KafkaAdminClient, acls: list[ACL]) -> None:
    if failed := admin.create_acls(acls)["failed"]:
        raise KafkaError(f"rights were not granted: {failed}")


def _delete_rights(admin: KafkaAdminClient, slug: str) -> None:
    for _, _, error in admin.delete_acls([_filter(slug)]):
        if error.errno:
            raise error(f"the rights of {slug} stay")


def _user_exists(admin: KafkaAdminClient, slug: str) -> bool:
    found: dict[str, Any] = admin.describe_user_scram_credentials([slug])
    return bool(found[slug]["credential_infos"])


def _delete_user(admin: KafkaAdminClient, slug: str) -> None:
    _delete_rights(admin, slug)
    _check(admin.alter_user_scram_credentials([UserScramCredentialDeletion(slug, MECHANISM)]))


def _check(answers: dict[str, str | None]) -> None:
    for user, error in answers.items():
        if error:
            raise KafkaError(f"user {user}: {error}")
