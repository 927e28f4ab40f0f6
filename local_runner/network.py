"""http> and mail>: to this machine, and to hosts that the command line allows."""

import ipaddress
import smtplib
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from local_runner.config_values import integer, items, mapping, parsed, text, truth
from local_runner.task_request import TaskError, TaskRequest, TaskResult
from local_runner.td.api import proxy_of
from local_runner.together import sleep
from local_runner.workflow.java_text import java_text, json_text
from local_runner.workflow.yaml_types import Value

if TYPE_CHECKING:
    import urllib3

_AGENT = "Digdag/0.10.5.1"
_MOST_REDIRECTS = 8
_MOST_CONTENT = 64 * 1024  # characters of an answer that are stored
_TRIES, _PAUSE = 4, 1  # Digdag tries for ever; seconds, doubled each time
_REPEATED = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # by default, where a request fails
_MAIL_SECONDS = 60


def is_allowed(host: str, allowed: frozenset[str]) -> bool:
    """Whether a task may reach a host: this machine itself, or one of those allowed."""
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    return is_here or host in allowed


def address(task: TaskRequest) -> str:
    """The URL of an http> task, its secrets filled in; raises `TaskError`."""
    return task.context.secrets.get("http.uri") or task.with_secrets(text(task.command))


def mail_host(task: TaskRequest) -> str | None:
    """The mail server of a mail> task."""
    host = task.context.secrets.get("mail.host") or task.settings("mail").get("host")
    return None if host is None else str(host)


def http(task: TaskRequest) -> TaskResult:
    """http>: one request, tried again where that is safe; its status is stored."""
    settings = task.settings("http")
    method = text(settings.get("method") or "GET", "method").upper()
    retry = settings.get("retry")
    repeats = method in _REPEATED if retry is None else truth(retry, "retry")
    for failures in range(_TRIES if repeats else 1):
        sleep(_PAUSE * 2 ** (failures - 1) if failures else 0)
        try:
            return _stored(task, settings, _answered(task, settings, method))
        except _PassingError as error:
            failure = error
    raise TaskError(str(failure), same_words=not repeats)


class _PassingError(Exception):
    """A failure that may pass."""


def _answered(
    task: TaskRequest, settings: dict[str, Value], method: str
) -> "urllib3.BaseHTTPResponse":
    import urllib3

    url, (kind, body) = _with_query(task, settings), _content(task, settings)
    headers = [("User-Agent", _AGENT), ("Accept-Encoding", "gzip"), *_headers(task, settings)]
    headers += [("Content-Type", kind)] if kind else []
    seconds = integer(settings.get("timeout") or 30, "timeout", "long")
    shown = "http://***" if "http.uri" in task.context.secrets else str(task.command)
    try:
        response = _sent(task, settings, method, url, headers, body, seconds)
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", error)
        refused = "Connection refused" if "refused" in str(reason) else str(reason)
        raise _PassingError(f"{refused} (runtime)") from None
    status = f"{method} {shown}: {response.status} {response.reason or ''}".rstrip()
    if response.status in (408, 429):
        raise _PassingError(f"Failed HTTP request: {status}")
    if 400 <= response.status < 500:
        raise TaskError(f"HTTP 4XX Client Error: {status}")
    if response.status >= 500:
        raise _PassingError(f"HTTP 5XX Server Error: {status}")
    return response


def _sent(
    task: TaskRequest,
    settings: dict[str, Value],
    method: str,
    url: str,
    headers: list[tuple[str, str]],
    body: bytes | None,
    seconds: int,
) -> "urllib3.BaseHTTPResponse":
    """The answer, after redirects; each of their hosts must be allowed too."""
    import urllib3

    follows = truth(settings.get("follow_redirects", True), "follow_redirects")
    for _ in range(_MOST_REDIRECTS + 1):
        host = urlsplit(url).hostname or ""
        if not is_allowed(host, task.context.allowed_hosts):
            raise TaskError(f"http> to {host} needs --allow-network {host}", same_words=False)
        proxy = proxy_of(url)
        pool = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
        response = pool.request(
            method,
            url,
            body=body,
            headers=urllib3.HTTPHeaderDict(headers),
            redirect=False,
            retries=False,
            timeout=seconds,
        )
        target = response.headers.get("Location")
        if not (follows and target and 300 <= response.status < 400):
            return response
        url = urljoin(url, target)
        method, body = ("GET", None) if response.status == 303 else (method, body)
    raise TaskError(f"more than {_MOST_REDIRECTS} redirects", same_words=False)


def _with_query(task: TaskRequest, settings: dict[str, Value]) -> str:
    url, query = address(task), settings.get("query")
    try:
        given = parsed(query)
    except TaskError:  # no JSON: the text of a query
        given = query
    if isinstance(given, dict):
        pairs = [(task.with_secrets(key), text(value, key)) for key, value in given.items()]
    else:
        pairs = parse_qsl(text(given, "query"), keep_blank_values=True) if given else []
    filled = urlencode([(key, task.with_secrets(value)) for key, value in pairs])
    if not filled:
        return url
    return f"{url}{'&' if urlsplit(url).query else '?'}{filled}"


def _headers(task: TaskRequest, settings: dict[str, Value]) -> Iterator[tuple[str, str]]:
    authorization = task.context.secrets.get("http.authorization")
    user = task.context.secrets.get("http.user")
    if authorization or user:
        import urllib3

        password = task.context.secrets.get("http.password", "")
        basic = urllib3.make_headers(basic_auth=f"{user}:{password}")["authorization"]
        yield "Authorization", authorization or basic
    for entry in items(settings.get("headers") or [], "headers"):
        if not isinstance(entry, dict) or len(entry) != 1:
            raise TaskError(f"Invalid header: {json_text(entry)} (config)")
        for key, value in entry.items():
            yield task.with_secrets(key), task.with_secrets(java_text(value))


def _content(task: TaskRequest, settings: dict[str, Value]) -> tuple[str | None, bytes | None]:
    """The type and the bytes of a request's body."""
    if settings.get("content") is None:
        return None, None
    content = task.filled(settings["content"])
    is_nested = isinstance(content, dict | list)
    default = "json" if is_nested else "text"
    form = text(settings.get("content_format") or default, "content_format").lower()
    if form == "json":
        kind, body = "application/json", json_text(content)
    elif form == "text" and not is_nested:
        kind, body = "plain/text", java_text(content)  # so in Digdag's source
    elif form == "form" and isinstance(content, dict):
        fields = {key: text(value, key) for key, value in content.items()}
        return "application/x-www-form-urlencoded", urlencode(fields).encode()
    else:
        raise TaskError(f"Invalid content format: '{form}' (config)", same_words=False)
    return text(settings.get("content_type") or kind, "content_type"), body.encode()


def _stored(
    task: TaskRequest, settings: dict[str, Value], response: "urllib3.BaseHTTPResponse"
) -> TaskResult:
    stored: dict[str, Value] = {"last_status": response.status}
    if truth(settings.get("store_content", False), "store_content"):
        content = response.data.decode("utf-8", "replace")
        if len(content) > _MOST_CONTENT:
            raise TaskError(f"Response content too large: {len(content)} > {_MOST_CONTENT}")
        stored["last_content"] = content
    return TaskResult(store={"http": stored})


def mail(task: TaskRequest) -> TaskResult:
    """mail>: a message to a mail server; raises `TaskError`."""
    settings, host = task.settings("mail"), mail_host(task)
    if host is None:
        raise TaskError("Missing SMTP configuration")
    if not is_allowed(host, task.context.allowed_hosts):
        raise TaskError(f"mail> to {host} needs --allow-network {host}", same_words=False)
    message = _message(task, settings)
    try:
        _send(task, settings, host, message)
    except (OSError, smtplib.SMTPException) as error:
        raise TaskError(f"mail> to {host} failed: {error}", same_words=False) from None
    return TaskResult()


def _message(task: TaskRequest, settings: dict[str, Value]) -> EmailMessage:
    message = EmailMessage()
    body = task.templated("mail", "body")
    message["Subject"] = text(settings.get("subject"), "subject")
    message["From"] = message["Sender"] = text(settings.get("from"), "from")
    for key in ("to", "cc", "bcc"):
        to = settings.get(key)
        if to is not None or key == "to":
            addresses = to if isinstance(to, list) else [to]
            message[key] = ", ".join(text(each, key) for each in addresses)
    is_html = truth(settings.get("html", False), "html")
    message.set_content(body, subtype="html" if is_html else "plain")
    for file in items(settings.get("attach_files") or [], "attach_files"):
        _attach(task, message, mapping(file, "attach_files"))
    return message


def _attach(task: TaskRequest, message: EmailMessage, file: Mapping[str, Value]) -> None:
    named = text(file.get("path"), "path")
    path = task.context.project.inside(task.folder() / named, f"attach_files {named}")
    kind = text(file.get("content_type") or "application/octet-stream", "content_type")
    main, _, sub = kind.partition("/")
    try:
        content = path.read_bytes()
    except OSError:
        raise TaskError(f"File not found: {path} (config)") from None
    name = text(file.get("filename") or path.name, "filename")
    message.add_attachment(content, maintype=main, subtype=sub, filename=name)


def _send(task: TaskRequest, settings: dict[str, Value], host: str, message: EmailMessage) -> None:
    def option(key: str, default: Value) -> Value:
        return task.context.secrets.get(f"mail.{key}", settings.get(key, default))

    # Digdag's source wants the parameter even where a secret holds the port.
    integer(settings.get("port"), "port")
    port, ssl = integer(option("port", None), "port"), truth(option("ssl", False), "ssl")
    connect = smtplib.SMTP_SSL if ssl else smtplib.SMTP
    with connect(host, port, timeout=_MAIL_SECONDS) as server:
        server.ehlo()
        if not ssl and truth(option("tls", True), "tls") and server.has_extn("starttls"):
            server.starttls()
        user = option("username", None)
        if user is not None:
            server.login(str(user), task.context.secrets.get("mail.password", ""))
        server.send_message(message)
