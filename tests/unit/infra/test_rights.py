"""Rights against calls, by hand-made examples."""

import json
from pathlib import Path

from infra.reference.rights import TABLE, table
from tests.support.rights import Call, Right, asked_locally, recorded_calls, rights_of, unused_rights

READ = Right("cards", "s3:GetObject", "arn:aws:s3:::data/releases/*")
KEYS = Right("cards", "secretsmanager:GetSecretValue", "arn:aws:secretsmanager:x:0:secret:soccer/api-keys-??????")


def allowed(action: str, resource: str, function: str = "cards") -> Call:
    """A call that was let through."""
    return Call(function, action, resource, allowed=True)


def test_a_right_that_let_a_call_through_is_needed() -> None:
    assert unused_rights([READ], [allowed("s3:GetObject", "arn:aws:s3:::data/releases/1/predictions.parquet")]) == []


def test_a_right_without_a_call_is_unused() -> None:
    assert unused_rights([READ, KEYS], [allowed("s3:GetObject", "arn:aws:s3:::data/releases/current.json")]) == [KEYS]


def test_neither_of_two_rights_that_allow_the_same_is_needed() -> None:
    narrow = Right("cards", "s3:GetObject", "arn:aws:s3:::data/releases/current.json")
    calls = [allowed("s3:GetObject", "arn:aws:s3:::data/releases/current.json")]
    assert unused_rights([READ, narrow], calls) == [READ, narrow]
    # a call that only the wider one allows makes that one needed
    calls.append(allowed("s3:GetObject", "arn:aws:s3:::data/releases/1/x"))
    assert unused_rights([READ, narrow], calls) == [narrow]


def test_calls_of_other_functions_and_denied_calls_prove_nothing() -> None:
    calls = [
        allowed("s3:GetObject", "arn:aws:s3:::data/releases/x", function="odds"),
        Call("cards", "s3:GetObject", "arn:aws:s3:::data/releases/x", allowed=False),
    ]
    assert unused_rights([READ], calls) == [READ]


def test_a_question_mark_stands_for_one_character() -> None:
    assert KEYS.allows(allowed(KEYS.action, "arn:aws:secretsmanager:x:0:secret:soccer/api-keys-3381de"))
    assert not KEYS.allows(allowed(KEYS.action, "arn:aws:secretsmanager:x:0:secret:soccer/api-keys-other"[:-1]))


def test_documents_become_one_right_per_action_and_resource() -> None:
    document = {
        "Statement": [
            {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueAttributes"], "Resource": "q"},
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": ["a", "b"]},
            {"Effect": "Deny", "Action": "s3:GetObject", "Resource": "c"},
        ]
    }
    assert rights_of("f", [document]) == [
        Right("f", "sqs:SendMessage", "q"),
        Right("f", "sqs:GetQueueAttributes", "q"),
        Right("f", "s3:GetObject", "a"),
        Right("f", "s3:GetObject", "b"),
    ]


def test_a_record_is_read_by_function_and_only_of_its_own_stack(tmp_path: Path) -> None:
    record = tmp_path / "iam.jsonl"
    lines = [
        {"principal": f"arn:aws:sts::0:assumed-role/R/{session}", "action": "a:B", "resource": "r", "allowed": True}
        for session in ("soccer-local-predict_match", "other-predict", "intruder")
    ]
    record.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    assert recorded_calls(record, "soccer-local") == {Call("predict_match", "a:B", "r", allowed=True)}


def test_the_emulator_asks_for_all_but_a_few_rights() -> None:
    assert asked_locally(READ)
    assert asked_locally(Right("queues", "sqs:GetQueueAttributes", "q"))
    assert not asked_locally(Right("inference", "sqs:GetQueueAttributes", "q"))
    assert not asked_locally(Right("cards", "logs:PutLogEvents", "l"))


def test_the_published_table_of_rights_is_that_of_the_policy_files() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(), "run `make rights`"
