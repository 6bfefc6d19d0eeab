"""The self-diagnosis: twelve questions, free of charge; the start of a firm's pathway."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from hub.domain.record import Accepted, Changes, KeyState, Record
from hub.domain.refusal import Refusal
from hub.domain.values import CasePayload, Language, MemberError, NetworkSlug, Value

QUESTIONS = tuple(f"q{number}" for number in range(1, 13))


class Answer(Value):
    """One answer, 0 (not at all) to 4 (fully)."""

    question: Annotated[str, Field(max_length=10)]
    answer: Annotated[int, Field(ge=0, le=4)]


class DiagnosisSubmitted(CasePayload):
    """hub.diagnosis.submitted.v1: exactly one answer to each of the twelve questions."""

    network: NetworkSlug
    questionnaire: Literal["self-diagnosis"]
    questionnaire_version: Literal[1]
    answers: Annotated[list[Answer], Field(max_length=100)]
    language: Language | None = None

    @model_validator(mode="after")
    def _every_question_once(self) -> Self:
        if sorted(one.question for one in self.answers) != sorted(QUESTIONS):
            raise MemberError("answers", "must hold each of q1 to q12 exactly once")
        return self


class Diagnosis(Record):
    """A firm's answers."""

    kind: ClassVar[str] = "diagnosis"
    partner: str
    network: str
    version: int
    answers: dict[str, int]
    language: str | None
    submitted_at: datetime


def fold_diagnosis(state: KeyState, event: Accepted[Any]) -> Changes | Refusal:
    """Record a diagnosis; the caller has made sure that the sender knows the firm."""
    data: DiagnosisSubmitted = event.data
    if state.get(Diagnosis, event.subject):
        return Refusal(
            "rule.violated",
            f"Diagnosis {event.subject} exists already.",
            "Submit a new diagnosis under a new UUID.",
        )
    return (
        Diagnosis(
            id=event.subject,
            partner=event.sender,
            network=data.network,
            version=data.questionnaire_version,
            answers={one.question: one.answer for one in data.answers},
            language=data.language,
            submitted_at=event.at,
        ),
    )
