from __future__ import annotations

import datetime
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from headrace_aws import ClientOptions, ProcessClient, diagnose, make_client
from headrace_hookspecs import ConfigError
from headrace_testkit.processes import in_processes
from headrace_testkit.servers import S3Server
from headrace_testkit.servers.proxy import Proxy, proxy

ROLE = "arn:aws:iam::123456789012:role/flows"


@pytest.fixture
def between(moto_server: S3Server) -> Iterator[Proxy]:
    with proxy(moto_server.endpoint) as made:
        yield made


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's AWS files, with two profiles."""
    (tmp_path / "config").write_text("[default]\nregion = eu-west-1\n[profile team]\nregion = eu-north-1\n")
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = of-default\naws_secret_access_key = a-secret\n"
        "[team]\naws_access_key_id = of-team\naws_secret_access_key = a-secret\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def connect(between: Proxy | None = None, service: str = "s3", **options: Any) -> Any:
    if between is not None:
        options.setdefault("endpoint", between.endpoint)
    return make_client(service, ClientOptions(**options), section="datastore.s3.client")


def signers(between: Proxy) -> list[tuple[str, str]]:
    """Key id and region that each request was signed with."""
    found = [re.search(r"Credential=([^/]+)/\d+/([^/]+)/", seen.headers["authorization"]) for seen in between.seen]
    return [(match[1], match[2]) for match in found if match]


def test_a_profile_brings_its_credentials_and_its_region(between: Proxy, files: None) -> None:
    connect(between).list_buckets()
    connect(between, profile="team").list_buckets()
    connect(between, profile="team", region="us-west-2").list_buckets()
    assert signers(between) == [("of-default", "eu-west-1"), ("of-team", "eu-north-1"), ("of-team", "us-west-2")]


def test_session_variables_are_arguments_of_the_session(between: Proxy, monkeypatch: pytest.MonkeyPatch, files: None) -> None:
    monkeypatch.setenv("ACME_KEY", "of-acme")
    monkeypatch.setenv("ACME_SECRET", "a-secret")
    session = {"aws_access_key_id": "env:ACME_KEY", "aws_secret_access_key": "env:ACME_SECRET", "region_name": "sa-east-1"}
    connect(between, session=session).list_buckets()
    assert signers(between) == [("of-acme", "sa-east-1")]


def test_parameters_and_config_are_the_client_s(moto_server: S3Server, keys: None) -> None:
    config = {"read_timeout": 7, "retries": {"mode": "standard", "total_max_attempts": 2}, "s3": {"addressing_style": "path"}}
    wanted = {"read_timeout": 9, "connect_timeout": 3, "max_pool_connections": 5}
    made = make_client("s3", ClientOptions(config=config, parameters={"verify": False}, region="us-east-1"), section="x", config=wanted)
    got = made.meta.config
    assert (got.read_timeout, got.connect_timeout, got.max_pool_connections, got.s3["addressing_style"]) == (7, 3, 5, "path")
    assert made._endpoint.http_session._verify is False


def test_a_role_is_assumed_by_the_first_request_and_again_when_its_session_ends(
    between: Proxy, keys: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = connect(between, role=ROLE, external_id="their-id", role_session="nightly", role_endpoint=between.endpoint, region="us-east-1")
    assert between.seen == []
    made.list_buckets()
    made.list_buckets()
    assert [seen.method for seen in between.seen] == ["POST", "GET", "GET"]
    (first, _), (second, _), (third, _) = signers(between)
    assert first == "from-the-environment"
    assert second == third != first
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=55)  # its session lasts an hour
    monkeypatch.setattr("botocore.credentials._local_now", lambda: later)
    monkeypatch.setattr(made._request_signer._credentials, "_time_fetcher", lambda: later)
    made.list_buckets()
    assert [seen.method for seen in between.seen] == ["POST", "GET", "GET", "POST", "GET"]
    assert signers(between)[-1][0] not in (first, second)


def test_a_role_session_has_the_name_and_the_external_id(moto_server: S3Server, keys: None) -> None:
    service = {"endpoint": moto_server.endpoint, "role_endpoint": moto_server.endpoint, "region": "us-east-1"}
    made = connect(service="sts", role=ROLE, role_session="nightly", external_id="their-id", **service)
    assert made.get_caller_identity()["Arn"] == "arn:aws:sts::123456789012:assumed-role/flows/nightly"
    asked = made._request_signer._credentials._refresh_using.__self__._assume_kwargs
    assert asked == {"RoleArn": ROLE, "RoleSessionName": "nightly", "ExternalId": "their-id"}


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ({"profile": "nobody"}, "aws-profile", "nobody"),
        ({"session": {"color": 1}}, "aws-option", "color"),
        ({"parameters": {"color": 1}}, "aws-option", "color"),
        ({"config": {"color": 1}}, "aws-option", "color"),
        ({"config": {"retries": {"mode": "often"}}}, "aws-option", "often"),
        ({"region": "not a region"}, "aws-region", "not a region"),
        ({"session": {"aws_session_token": "env:NO_SUCH_VARIABLE"}}, "aws-variable", "NO_SUCH_VARIABLE"),
        ({"role": ROLE}, "aws-credentials", "credentials"),
    ],
)
def test_options_that_cannot_be_used_are_a_configuration_error(options: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        connect(**options)
    assert raised.value.code == code
    assert "datastore.s3.client" in raised.value.message
    assert words in raised.value.message
    assert raised.value.remedy


def test_a_service_that_needs_a_region_says_so(keys: None) -> None:
    with pytest.raises(ConfigError) as raised:
        connect(service="sqs")
    assert raised.value.code == "aws-region"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"session": {"aws_secret_access_key": "hunter2"}}, "env:NAME"),
        ({"session": {"aws_access_key_id": 5}}, "env:NAME"),
        ({"parameters": {"aws_session_token": "hunter2"}}, "env:NAME"),
        ({"endpoint": "https://me:hunter2@example.org"}, "password"),
        ({"endpoint": "example.org"}, "https://"),
        ({"role_endpoint": "ftp://example.org"}, "https://"),
        ({"role": "flows"}, "ARN"),
    ],
)
def test_a_secret_or_nonsense_is_refused_before_it_gets_into_a_record(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=next(iter(options))) as raised:
        ClientOptions(**options)
    assert words in str(raised.value.args[0])
    assert "hunter2" not in str(raised.value.args[0])


def test_options_are_plain_data_and_all_have_a_default() -> None:
    assert json.loads(json.dumps(attrs.asdict(ClientOptions()))) == {
        **dict.fromkeys(("profile", "role", "external_id", "role_endpoint", "endpoint", "region"), ""),
        "role_session": "headrace",
        **{name: {} for name in ("session", "parameters", "config")},
    }


def test_a_role_that_may_not_be_assumed_is_said_so() -> None:
    from botocore.exceptions import ClientError

    answer = {"Error": {"Code": "AccessDenied", "Message": f"not authorized to assume {ROLE}"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    found = diagnose(ClientError(answer, "AssumeRole"))
    assert (found.kind, found.code, ROLE in found.reason, "trust policy" in str(found.remedy)) == ("credentials", "aws-role", True, True)


def test_looking_at_options_imports_no_sdk() -> None:
    code = "import sys, headrace_aws; headrace_aws.ClientOptions(); print([name for name in sys.modules if name.startswith('boto')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


class Counted:
    def __init__(self) -> None:
        self.made = 0

    def __call__(self) -> list[int]:
        self.made += 1
        return [self.made]


def test_each_process_has_a_client_of_its_own_and_only_one() -> None:
    make = Counted()
    clients = ProcessClient(make)
    assert clients() is clients()
    assert make.made == 1
    assert in_processes([lambda: [clients(), clients(), make.made]] * 2) == [[[2], [2], 2]] * 2


def test_what_was_prepared_goes_to_the_forks() -> None:
    make = Counted()
    clients = ProcessClient(make)
    clients.prepare()
    clients.prepare()
    assert make.made == 1
    assert clients() == [2]
    assert in_processes([lambda: [clients(), make.made]] * 2) == [[[1], 2]] * 2
    # a fork of a fork that has used it makes its own
    assert in_processes([lambda: [clients(), in_processes([clients])]]) == [[[1], [[3]]]]


def test_what_cannot_be_prepared_is_reported_when_it_is_used() -> None:
    def refuse() -> Any:
        raise ConfigError("no")

    clients = ProcessClient(refuse)
    clients.prepare()
    with pytest.raises(ConfigError):
        clients()
