"""Every mistake of the user's is one line that says what to do, status 4, and nothing is sent."""

import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.plugin.batch import run_all
from tests.plugin.bench import Ran, run
from tests.wire.tiny import Tiny, answer, replies, replies_once, serve, unused_port

ONE = ("--requirement", "CC-RESP-002")

UNREAD = "http://127.0.0.1:1/v1"
"""Never asked: the option beside it is refused first."""

OPTIONS: dict[str, tuple[tuple[str, ...], str]] = {
    "no URL": (("--target-url", "foo"), "'foo' is no base URL: write http(s)://HOST/v1"),
    "empty URL": (("--target-url", ""), "'' is no base URL"),
    "no scheme": (("--target-url", "localhost:80/v1"), "is no base URL"),
    "another scheme": (("--target-url", "ftp://h/v1"), "is no base URL"),
    "no host": (("--target-url", "http:///v1"), "is no base URL"),
    "bad port": (("--target-url", "http://h:99999/v1"), "Port out of range"),
    "bad IPv6": (("--target-url", "http://[::1/v1"), "Invalid IPv6 URL"),
    "the whole endpoint": (
        ("--target-url", "http://h/v1/chat/completions"),
        "--target-url is the base URL: write http://h/v1",
    ),
    "a query": (("--target-url", "http://h/v1?a=b"), "--target-url http://h/v1: leave out what"),
    "a fragment": (("--target-url", "http://h/v1#a"), "--target-url http://h/v1: leave out what"),
    "credentials": (("--target-url", "http://u:p@h/v1"), "give the key by --api-key-env"),
    "profile": (("--profile", "nope"), "no profile 'nope': give ainul or openai, or a TOML file"),
    "requirement": (
        ("--requirement", "CC-RSEP-001"),
        "no requirement or chapter is called 'CC-RSEP-001'; near it: ",
    ),
    "timeout, word": (("--timeout", "soon"), "--timeout soon: give a number of seconds above 0"),
    "timeout, zero": (("--timeout", "0"), "--timeout 0: give a number"),
    "timeout, negative": (("--timeout=-1",), "--timeout -1: give a number"),
    "timeout, nan": (("--timeout", "nan"), "--timeout nan: give a number"),
    "timeout, for ever": (("--timeout", "inf"), "at most 86400"),
    "rate, word": (("--rate", "slow"), "give requests in a minute or a second, such as 60/min or"),
    "rate, none": (("--rate", "0/min"), "--rate 0/min: give requests in a minute or a second"),
    "rate, hours": (("--rate", "60/h"), "--rate 60/h: give requests in a minute or a second"),
    "budget, none": (("--budget-requests", "0"), "--budget-requests 0: give a whole number from 1"),
    "budget, word": (
        ("--budget-tokens", "1k"),
        "--budget-tokens 1k: give a whole number from 2000",
    ),
    "resume": (("--resume", "gone.json"), "gone.json: No such file or directory"),
    "long context, word": (("--profile", "ainul", "--long-context", "many"), "give a number of"),
    "long context, too small": (("--profile", "ainul", "--long-context", "7"), "from 1024 to"),
    "long context, too large": (
        ("--profile", "ainul", "--long-context", "1000001"),
        "to 1000000, the longest context that profile ainul documents here",
    ),
    "long context, undocumented": (
        ("--profile", "ainul", "--model", "google/gemma-3-27b-it", "--long-context", "9000"),
        "profile ainul documents no context_tokens for the models of this run",
    ),
    "results, no folder": (("--results", "/dev/null/r.json"), "--results /dev/null/r.json cannot"),
    "results, a folder": (("--results", "."), "cannot be written: it is a folder"),
    "results, a device": (("--results", "/dev/null"), "cannot be written: it is no plain file"),
    "junit": (("--junitxml", "/dev/null/j.xml"), "--junitxml /dev/null/j.xml cannot be written"),
    "html, a device": (("--html", "/dev/full"), "cannot be written: it is no plain file"),
    "variable, none": (("--api-key-env", ""), "--api-key-env '': give the name of an environment"),
    "variable, no name": (("--api-key-env", "$K"), "--api-key-env '$K': give the name of an env"),
    "html": (("--html", "/dev/null/h.html"), "--html /dev/null/h.html cannot be written"),
}


@pytest.fixture(scope="module")
def mistaken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """How every row of `OPTIONS` ends."""
    lines = {
        name: (*(() if "--target-url" in given else ("--target-url", UNREAD)), *given)
        for name, (given, _) in OPTIONS.items()
    }
    return run_all(tmp_path_factory.mktemp("options"), lines)


@pytest.mark.parametrize("name", OPTIONS)
def test_an_option_that_cannot_be_used(name: str, mistaken: dict[str, Ran]) -> None:
    ran = mistaken[name]
    assert OPTIONS[name][1] in ran.complaint
    assert ran.status == 4
    assert not (ran.folder / "reports/out/results.json").exists()


PROFILES: dict[str, tuple[str, str]] = {
    "no TOML": ("name = ", "Invalid value"),
    "no name": ("title = 'x'", "the key 'name' is missing"),
    "unknown key": ("name = 'x'\ncolour = 1", "unknown key 'colour' in [top level]"),
    "unknown key of a table": ("name = 'x'\n[limits]\nsilence = 1", "unknown key 'silence'"),
    "auth": ("name = 'x'\nauth = 'basic'", 'auth is "bearer", "none" or "probe", not \'basic\''),
    "capability": ("name = 'x'\n[capabilities]\ntools = 'yes'", "is true or false"),
    "unknown deviation": (
        "name = 'x'\n[[deviations]]\nid = 'CC-NO-1'\nreason = 'r'\nexpires = 2030-01-01",
        "deviation CC-NO-1 is no requirement",
    ),
    "a deviation for ever": (
        "name = 'x'\n[[deviations]]\nid = 'CC-RESP-002'\nreason = 'r'",
        "the key 'expires' is missing",
    ),
    "date": (
        "name = 'x'\n[[deviations]]\nid = 'CC-RESP-002'\nreason = 'r'\nexpires = 'soon'",
        "expires is a date such as 2027-03-31, not 'soon'",
    ),
    "a header's variable": (
        "name = 'x'\n[headers]\nX-Team = '$NO_SUCH_VARIABLE'",
        "header X-Team needs the environment variable NO_SUCH_VARIABLE, which is not set",
    ),
    "headers": ("name = 'x'\nheaders = 'X: 1'", "headers is a table of keys and values"),
    "models": ("name = 'x'\nmodels = ['m']", "[models] is a table of keys and values"),
    "a model": ("name = 'x'\n[models]\nid = 'm'", "models is a list, not {'id': 'm'}"),
    "a model's id": ("name = 'x'\n[[models]]\nname = 'm'", "the key 'id' is missing"),
    "limit": ("name = 'x'\n[limits]\nsilence_s = 'long'", "silence_s is a number, not 'long'"),
    "base URL": ("name = 'x'\nbase_url = 7", "base_url is a text in quotes, not 7"),
    "far too large": ("#" * 1_000_001, "larger than 1,000,000 bytes, which no profile is"),
}


@pytest.fixture(scope="module")
def profiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ran]:
    """How every row of `PROFILES` ends."""
    folder = tmp_path_factory.mktemp("profiles")
    lines = {}
    for number, (name, (text, _)) in enumerate(PROFILES.items()):
        (folder / f"p{number}.toml").write_text(text, "utf-8")
        lines[name] = ("--profile", f"p{number}.toml", "--target-url", UNREAD)
    return run_all(folder, lines)


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_that_cannot_be_used(name: str, profiled: dict[str, Ran]) -> None:
    complaint = profiled[name].complaint
    assert PROFILES[name][1] in complaint
    assert re.search(r"p\d+\.toml: |profile x: ", complaint)
    assert profiled[name].status == 4


def test_a_host_that_does_not_resolve(tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", "http://no-such-host.invalid/v1", *ONE)
    assert ran.complaint.startswith(
        "cannot reach http://no-such-host.invalid/v1: name not resolved"
    )
    assert ran.complaint.endswith("check its spelling")
    assert ran.status == 4


@pytest.mark.parametrize("named", [(), ("--model", "m", "-n", "2")], ids=["-", "named"])
def test_a_port_where_nothing_listens(named: tuple[str, ...], tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", f"http://127.0.0.1:{unused_port()}/v1", *named, *ONE)
    assert "connection refused" in ran.complaint
    assert "is the server running, and is the port right?" in ran.complaint
    assert ran.status == 4


PAGE = answer(headers=("Content-Type: text/html",), body=b"<!doctype html><title>Login</title>")


@pytest.mark.parametrize("named", [(), ("--model", "m")])
def test_a_web_page_is_no_api(named: tuple[str, ...], tmp_path: Path) -> None:
    with serve(replies(PAGE)) as tiny:
        ran = run(tmp_path, "--target-url", f"http://127.0.0.1:{tiny.port}", *named, *ONE)
    assert "answers 200 with an HTML page, not an API" in ran.complaint
    assert ran.complaint.endswith(f"did you mean http://127.0.0.1:{tiny.port}/v1?")
    assert ran.status == 4


def test_a_server_of_another_protocol(tmp_path: Path) -> None:
    with serve(replies_once(b"220 mail.example ESMTP\r\n\r\n")) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, *ONE)
    assert "what answers there is not HTTP/1.1" in ran.complaint
    assert ran.status == 4


@pytest.mark.parametrize("named", [(), ("--model", "nobody/serves-this")])
def test_a_base_url_without_v1(named: tuple[str, ...], address: str, tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", address, *named, *ONE)
    assert ran.complaint == (
        f"there is no API at {address}, but one level down: use --target-url {address}/v1"
    )
    assert ran.status == 4


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (None, "answers 401 without a key: put it into the environment, export TARGET_API_KEY=…"),
        ("", "answers 401 without a key"),
        ("sk-wrong-0123456789", "answers 401 to the key given: check $TARGET_API_KEY"),
        ("sk-wröng", "the API key (in $TARGET_API_KEY) holds characters that no header may carry"),
        ("sk-a b\x07", "holds characters that no header may carry"),
    ],
)
def test_a_key_that_opens_nothing(key: str | None, says: str, url: str, tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", url, *ONE, key=key)
    assert says in ran.complaint
    assert ran.status == 4
    assert not key or key not in ran.said


def test_the_variable_of_the_key_is_named(url: str, tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", url, "--api-key-env", "MY_KEY", *ONE)
    assert "export MY_KEY=…" in ran.complaint
    ran = run(
        tmp_path, "--target-url", url, "--api-key-env", "MY_KEY", *ONE, env={"MY_KEY": "sk-no"}
    )
    assert "check $MY_KEY" in ran.complaint


@pytest.mark.parametrize(
    "models",
    [("meta/llama",), ("meta/llama-3.3-70b-instruct", "meta/llama")],
    ids=["alone", "after a good one"],
)
def test_a_model_that_is_not_served(models: tuple[str, ...], url: str, tmp_path: Path) -> None:
    named = [word for model in models for word in ("--model", model)]
    ran = run(tmp_path, "--target-url", url, *named, *ONE)
    assert "answers 404 for --model meta/llama: it lists meta/llama-3" in ran.complaint
    assert ran.status == 4


def test_an_empty_list_of_models(tmp_path: Path) -> None:
    with serve(replies(answer(body=b'{"object":"list","data":[]}'))) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, *ONE)
    assert "lists no model to choose" in ran.complaint
    assert ran.complaint.endswith("name one with --model ID")
    assert ran.status == 4


def test_tls_to_a_plain_port(url: str, tmp_path: Path) -> None:
    ran = run(tmp_path, "--target-url", url.replace("http:", "https:"), *ONE)
    assert "TLS handshake failed" in ran.complaint
    assert "whether the target speaks http rather than https" in ran.complaint
    assert ran.status == 4


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate with its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    new = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(
        [*new, *names, "-keyout", str(path), "-out", f"{path}.crt"], check=True, capture_output=True
    )
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


def secured(certificate: Path) -> Callable[[Tiny, socket.socket], None]:
    """A TLS server that answers as an API does."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def behave(tiny: Tiny, sock: socket.socket) -> None:
        replies(answer())(tiny, context.wrap_socket(sock, server_side=True))

    return behave


def test_a_certificate_that_nobody_signed(certificate: Path, tmp_path: Path) -> None:
    with serve(secured(certificate)) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url.replace("http:", "https:"), *ONE)
    assert "TLS handshake failed" in ran.complaint
    assert "certificate verify failed" in ran.complaint
    assert "check the certificate" in ran.complaint
    assert ran.status == 4


def test_plain_http_to_a_tls_port(certificate: Path, tmp_path: Path) -> None:
    with serve(secured(certificate)) as tiny:
        ran = run(tmp_path, "--target-url", tiny.url, *ONE)
    # A target that drops every connection may be broken: no mistake of the user's, but a hint.
    assert "connection closed by the target" in ran.out
    assert "; is it https rather than http?" in ran.out
    assert ran.status == 6


def test_a_header_that_cannot_be_sent(url: str, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("name = 'x'\n[headers]\nX-Team = '$TEAM'\n", "utf-8")
    arguments = ("--target-url", url, "--profile", "p.toml", *ONE)
    ran = run(tmp_path, *arguments, env={"TEAM": "hush-hush\nX-More: 1"})
    assert "request could not be sent" in ran.complaint
    assert "headers of the profile" in ran.complaint
    assert "hush-hush" not in ran.said
    assert ran.status == 4
