"""What answers on this machine in place of the two systems and of the workspaces' log-in.

- Both systems' identity tokens, given to jobs that may have them, and their comments on a pull request.
- In front of the stand-in workspace: the exchange of an identity token for one of the workspace's, by the federation
  policies that docs/setup-*.md has people make. All else is passed on.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

AZURE_AUDIENCE = "api://AzureADTokenExchange"


@dataclass(frozen=True)
class Answer:
    """A response: what it holds is written as JSON, unless it is bytes already."""

    status: int
    body: Any
    kind: str = "application/json"


@dataclass(frozen=True)
class Request:
    """A request, with its path apart from its query."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes
    target: str

    @property
    def bearer(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")


class Service:
    """An HTTP server in this process, for as long as the `with` block lasts."""

    def __init__(self, answer: Callable[[Request], Answer]) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(answer))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self) -> Self:
        Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


def _handler(answer: Callable[[Request], Answer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            parts = urlsplit(self.path)
            body = self._read_chunks() if "Transfer-Encoding" in self.headers else self._read_length()
            headers = {key.lower(): value for key, value in self.headers.items()}
            found = answer(Request(self.command, parts.path, parse_qs(parts.query), headers, body, self.path))
            content = found.body if isinstance(found.body, bytes) else json.dumps(found.body).encode()
            self.send_response(found.status)
            self.send_header("Content-Type", found.kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _read_length(self) -> bytes:
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))

        def _read_chunks(self) -> bytes:
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing: the tests read what they need."""

    return Handler


@dataclass
class Forge:
    """GitHub and Azure DevOps: who a job is, what its token may do, and the comments on pull requests."""

    # By the secret that a job has: whom its identity token names, and what its own token may do.
    identities: dict[str, dict[str, str]] = field(default_factory=dict)
    rights: dict[str, set[str]] = field(default_factory=dict)
    comments: dict[int, str] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def __call__(self, request: Request) -> Answer:
        with self.lock:
            if request.path == "/oidc/github":
                claims = self.identities.get(request.bearer)
                return Answer(200, {"value": _sign(claims, request.query["audience"][0])}) if claims else _DENIED
            if request.path.endswith("/oidctoken"):
                claims = self.identities.get(request.path.split("/")[-2])
                return Answer(200, {"oidcToken": _sign(claims, AZURE_AUDIENCE)}) if claims else _DENIED
            if "comment" not in self.rights.get(request.bearer, set()):
                return _DENIED
            return self._threads(request) if "/threads" in request.path else self._github(request)

    def _github(self, request: Request) -> Answer:
        match request.method:
            case "GET":
                page = int(request.query["page"][0])
                bot = {"type": "Bot"}
                listed = [{"id": key, "body": body, "user": bot} for key, body in self.comments.items()]
                return Answer(200, listed if page == 1 else [])
            case "POST":
                return Answer(201, {"id": self._add(json.loads(request.body)["body"])})
            case "PATCH":
                self.comments[int(request.path.split("/")[-1])] = json.loads(request.body)["body"]
                return Answer(200, {})
        return _UNKNOWN

    def _threads(self, request: Request) -> Answer:
        match request.method:
            case "GET":
                listed = [{"id": key, "comments": [{"id": 1, "content": body}]} for key, body in self.comments.items()]
                return Answer(200, {"value": listed})
            case "POST":
                return Answer(200, {"id": self._add(json.loads(request.body)["comments"][0]["content"])})
            case "PATCH":
                self.comments[int(request.path.split("/")[-3])] = json.loads(request.body)["content"]
                return Answer(200, {})
        return _UNKNOWN

    def _add(self, body: str) -> int:
        key = len(self.comments) + 1
        self.comments[key] = body
        return key


@dataclass(frozen=True)
class Policy:
    """A service principal and its federation policy: whose identity tokens it trusts, and whether it may write."""

    client_id: str
    subject: str
    audiences: tuple[str, ...]
    writes: bool


@dataclass
class Login:
    """A workspace's front: its log-in, its service principals' rights, and the stand-in behind it.

    The stand-in knows a workspace by a token; each service principal logs in to the same one.
    """

    behind: str
    token: str
    policies: list[Policy] = field(default_factory=list)
    url: str = ""
    logins: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __call__(self, request: Request) -> Answer:
        if request.path == "/.well-known/databricks-config":
            return Answer(200, {"oidc_endpoint": f"{self.url}/oidc", "workspace_id": "1"})
        if request.path == "/oidc/.well-known/oauth-authorization-server":
            endpoints = {"authorization_endpoint": f"{self.url}/oidc/v1/authorize"}
            return Answer(200, {**endpoints, "token_endpoint": f"{self.url}/oidc/v1/token"})
        if request.path == "/oidc/v1/token":
            return self._exchange(parse_qs(request.body.decode()))
        rights = {policy.client_id: policy.writes for policy in self.policies}
        if request.bearer not in rights or not (rights[request.bearer] or request.method in ("GET", "HEAD")):
            message = f"{request.bearer} may not {request.method} {request.path}"
            return Answer(403, {"error_code": "PERMISSION_DENIED", "message": message})
        self.asked.append(f"{request.method} {request.path}")
        return self._pass_on(request)

    def _exchange(self, form: dict[str, list[str]]) -> Answer:
        claims = json.loads(form["subject_token"][0])
        for policy in self.policies:
            known = policy.client_id == form["client_id"][0] and policy.subject == claims["sub"]
            if known and claims["aud"] in policy.audiences:
                self.logins.append(policy.client_id)
                return Answer(200, {"access_token": policy.client_id, "token_type": "Bearer", "expires_in": 3600})
        message = f"no federation policy of {form['client_id'][0]} accepts {claims['sub']} for {claims['aud']}"
        return Answer(401, {"error": "invalid_grant", "error_description": message})

    def _pass_on(self, request: Request) -> Answer:
        connection = HTTPConnection(urlsplit(self.behind).netloc, timeout=3600)
        own = ("host", "connection", "transfer-encoding", "content-length", "authorization")
        kept = {key: value for key, value in request.headers.items() if key not in own}
        connection.request(
            request.method, request.target, request.body, {**kept, "Authorization": f"Bearer {self.token}"}
        )
        response = connection.getresponse()
        content = response.read()
        connection.close()
        return Answer(response.status, content, response.headers.get("Content-Type", "text/plain"))


_DENIED = Answer(403, {"message": "the token has no right to do this"})
_UNKNOWN = Answer(404, {"message": "the stand-in does not know this request"})


def _sign(claims: dict[str, str], audience: str) -> str:
    # A token's form is between its issuer and the workspace; the CLI only hands it on.
    return json.dumps({**claims, "aud": audience})
