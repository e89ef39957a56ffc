"""A remote endpoint, played by a real HTTP server that answers as each test says."""

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import BaseModel

from leucippus.config import EndpointSettings, Settings
from leucippus.errors import EndpointRefused, EndpointUnreachable
from leucippus.serving.calls import Answer, Call, Choice, Copied, Failed, FailureKind, Regex, Shape, Source, Usage
from leucippus.serving.remote import RemoteClient
from tests.conftest import Run

KEY = "sk-do-not-show-me"


class Claim(BaseModel):
    cause: str
    effect: str


RAIN = json.dumps({"cause": "rain", "effect": "floods"})


@dataclass(frozen=True)
class Reply:
    body: Any
    status: int = 200
    delay_s: float = 0
    media_type: str = "application/json"


def says(text: str | None, **more: Any) -> Reply:
    """A chat completion in which the model says `text`."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"} | more
    return Reply({"id": "1", "object": "chat.completion", "choices": [choice], "usage": _USAGE})


_USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}


def refuses(status: int, message: str) -> Reply:
    return Reply({"error": {"message": message, "type": "error"}}, status)


@dataclass
class Endpoint:
    """What it will say, one reply a chat request, the last one for ever; and what it was asked."""

    url: str
    replies: list[Reply] = field(default_factory=lambda: [says(RAIN)])
    models: Reply = field(
        default_factory=lambda: Reply({"object": "list", "data": [{"id": "first"}, {"id": "second"}]})
    )
    asked: list[dict[str, Any]] = field(default_factory=list)
    authorizations: list[str | None] = field(default_factory=list)
    in_flight: int = 0
    most_in_flight: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def chat(self, request: dict[str, Any]) -> Reply:
        with self.lock:
            self.asked.append(request)
            return self.replies[min(len(self.asked), len(self.replies)) - 1]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(played.models)

        def do_POST(self) -> None:
            with played.lock:
                played.authorizations.append(self.headers["Authorization"])
                played.in_flight += 1
                played.most_in_flight = max(played.most_in_flight, played.in_flight)
            reply = played.chat(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            time.sleep(reply.delay_s)
            with played.lock:
                played.in_flight -= 1
            self._send(reply)

        def _send(self, reply: Reply) -> None:
            body = reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
            with contextlib.suppress(OSError):  # the client may have given up
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.media_type)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Retry-After-Ms", "1")
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    played = Endpoint(f"http://127.0.0.1:{server.server_port}/v1")
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield played
    server.shutdown()
    server.server_close()


class Ask:
    """Asks the endpoint, with a client of its own that is closed at the end."""

    def __init__(self, run: Run, endpoint: Endpoint) -> None:
        self.run = run
        self.endpoint = endpoint
        self.clients: list[RemoteClient] = []

    def client(
        self, model: str = "", *, timeout_s: float = 10, max_retries: int = 0, concurrency: int = 4
    ) -> RemoteClient:
        limits = EndpointSettings(timeout_s=timeout_s, max_retries=max_retries, concurrency=concurrency)
        self.clients.append(
            RemoteClient(
                Settings.model_validate({"model": model or self.endpoint.url, "api_key": KEY, "endpoint": limits})
            )
        )
        return self.clients[-1]

    def __call__(self, shape: Shape = Claim, *, client: RemoteClient | None = None) -> Answer[Any] | Failed:
        return self.run((client or self.client()).generate(call(shape)))


@pytest.fixture
def ask(run: Run, endpoint: Endpoint) -> Iterator[Ask]:
    asking = Ask(run, endpoint)
    yield asking
    for client in asking.clients:
        run(client.close())


def call(shape: Shape = Claim, adapter: str | None = None) -> Call:
    return Call([{"role": "user", "content": "What causes floods?"}], shape, adapter, max_tokens=99, seed=5)


def failed(answer: Answer[Any] | Failed, kind: FailureKind) -> Failed:
    assert isinstance(answer, Failed), answer
    assert answer.kind is kind
    return answer


def test_a_good_answer_is_typed(ask: Ask) -> None:
    answer = ask()
    assert answer == Answer(Claim(cause="rain", effect="floods"), RAIN, Usage(11, 7), None)


def test_the_call_is_sent_as_it_is(ask: Ask, endpoint: Endpoint) -> None:
    ask()
    (sent,) = endpoint.asked
    assert sent["messages"] == [{"role": "user", "content": "What causes floods?"}]
    assert (sent["model"], sent["max_tokens"], sent["temperature"], sent["seed"]) == ("first", 99, 0.0, 5)


@pytest.mark.parametrize("shape", [Claim, Copied(Claim, {"": Source("rain floods")})])
def test_json_is_asked_for_by_schema(ask: Ask, endpoint: Endpoint, shape: Shape) -> None:
    ask(shape)
    assert endpoint.asked[0]["response_format"]["json_schema"]["schema"] == Claim.model_json_schema()


def test_choices_and_patterns_are_asked_for_as_vllm_reads_them(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [says("yes"), says("1914"), says("free")]
    client = ask.client()
    assert isinstance(ask(Choice(("yes", "no")), client=client), Answer)
    assert isinstance(ask(Regex("[0-9]{4}"), client=client), Answer)
    assert isinstance(ask(None, client=client), Answer)
    assert [sent.get("structured_outputs") for sent in endpoint.asked] == [
        {"choice": ["yes", "no"]},
        {"regex": "[0-9]{4}"},
        None,
    ]
    assert not any("response_format" in sent for sent in endpoint.asked)


def test_token_probabilities_become_their_mean(ask: Ask, endpoint: Endpoint) -> None:
    tokens = [{"token": "a", "logprob": logprob, "top_logprobs": []} for logprob in (-0.1, -0.5)]
    endpoint.replies = [says(RAIN, logprobs={"content": tokens})]
    answer = ask()
    assert isinstance(answer, Answer)
    assert answer.probability == pytest.approx(0.740818, abs=1e-6)  # exp(-0.3)


def test_usage_adds_up_over_answers_and_failures(ask: Ask, endpoint: Endpoint, run: Run) -> None:
    endpoint.replies = [says(RAIN), says("no JSON here"), refuses(422, "no"), says(RAIN)]
    client = ask.client(f"{endpoint.url}#m")
    for _ in range(4):
        run(client.generate(call()))
    assert client.usage == Usage(33, 21)


def test_an_endpoint_that_counts_nothing_is_believed(ask: Ask, endpoint: Endpoint) -> None:
    reply = says(RAIN)
    endpoint.replies = [Reply({key: value for key, value in reply.body.items() if key != "usage"})]
    assert ask() == Answer(Claim(cause="rain", effect="floods"), RAIN, Usage(), None)


def test_an_answer_cut_by_the_token_limit_says_so(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [says('{"cause": "ra', finish_reason="length")]
    failed(ask(), FailureKind.TRUNCATED)


@pytest.mark.parametrize("text", ["I would rather not.", "", None, "{", '{"cause": "rain"}'])
def test_text_that_does_not_fit_is_a_failure(ask: Ask, endpoint: Endpoint, text: str | None) -> None:
    endpoint.replies = [says(text)]
    failure = failed(ask(), FailureKind.UNPARSABLE)
    assert failure.text == (text or "")
    assert failure.usage == Usage(11, 7)


@pytest.mark.parametrize(
    "reply",
    [
        Reply({"id": "1", "object": "chat.completion", "choices": [], "usage": _USAGE}),
        Reply({"id": "1"}),
        Reply({"choices": [{}]}),
        Reply({"choices": [{"message": None, "finish_reason": "stop"}]}),
        Reply({"choices": "none"}),
        Reply([]),
        Reply(None),
        Reply("<html>Welcome to nginx!</html>", media_type="text/html"),
        Reply("{'not': json"),
        Reply(""),
        Reply({"choices": [{"message": {"content": RAIN}}], "usage": {"prompt_tokens": None}}),
        says(RAIN, logprobs={"content": [{"token": "a", "logprob": None}]}),
        says('{"cause": "\ud83c", "effect": "floods"}'),
    ],
    ids="no-choice nothing no-message null-message odd-choices list null web-page broken empty odd-usage odd-logprobs "
    "half-a-surrogate-pair".split(),
)
def test_an_answer_that_is_no_chat_completion_is_a_failure(ask: Ask, endpoint: Endpoint, reply: Reply) -> None:
    endpoint.replies = [reply]
    failed(ask(), FailureKind.REJECTED)


def test_a_server_error_is_tried_again(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [refuses(500, "oops"), refuses(503, "busy"), says(RAIN)]
    assert isinstance(ask(client=ask.client(max_retries=2)), Answer)
    assert len(endpoint.asked) == 3


def test_a_server_error_that_stays_is_a_failure(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [refuses(500, "oops, out of memory")]
    failure = failed(ask(client=ask.client(max_retries=1)), FailureKind.REJECTED)
    assert "out of memory" in failure.message
    assert len(endpoint.asked) == 2


def test_an_answer_that_takes_too_long_is_a_failure(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [Reply({}, delay_s=2)]
    client = ask.client(f"{endpoint.url}#m", timeout_s=0.2)
    started = time.monotonic()
    failure = failed(ask(client=client), FailureKind.TIMED_OUT)
    assert time.monotonic() - started < 1.5
    assert "0.2 s" in failure.message


def test_a_prompt_that_does_not_fit_is_told_apart(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [refuses(400, "This model's maximum context length is 2048 tokens. However, …")]
    failed(ask(), FailureKind.TOO_LONG)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_points_to_the_setting(ask: Ask, endpoint: Endpoint, status: int) -> None:
    endpoint.replies = [refuses(status, "who are you?")]
    with pytest.raises(EndpointRefused) as caught:
        ask()
    assert f"{endpoint.url} answers {status}: who are you?" in caught.value.problem
    assert "LEUCIPPUS_API_KEY" in caught.value.next_step


def test_a_refused_key_is_found_when_starting(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.models = refuses(401, "who are you?")
    with pytest.raises(EndpointRefused) as caught:
        ask()
    assert "LEUCIPPUS_API_KEY" in caught.value.next_step
    assert not endpoint.asked


def test_an_unknown_model_points_to_its_name(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [refuses(404, "no model named m")]
    with pytest.raises(EndpointRefused, match="no model named m") as caught:
        ask()
    assert "URL#" in caught.value.next_step


def test_where_nothing_listens_the_url_is_named(ask: Ask) -> None:
    with pytest.raises(EndpointUnreachable, match="http://127.0.0.1:9/v1"):
        ask(client=ask.client("http://127.0.0.1:9/v1"))
    with pytest.raises(EndpointUnreachable, match="http://127.0.0.1:9/v1"):
        ask(client=ask.client("http://127.0.0.1:9/v1#model"))


def test_an_endpoint_without_schemas_is_asked_again_without(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [refuses(400, "Unknown parameter: 'response_format'"), says(RAIN)]
    client = ask.client()
    assert isinstance(ask(client=client), Answer)
    assert ["response_format" in sent for sent in endpoint.asked] == [True, False]
    assert isinstance(ask(client=client), Answer)
    assert "response_format" not in endpoint.asked[2]


def test_an_endpoint_that_knows_schemas_only_keeps_them(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [refuses(400, "Unrecognized request argument: structured_outputs"), says("yes"), says(RAIN)]
    client = ask.client()
    assert isinstance(ask(Choice(("yes", "no")), client=client), Answer)
    assert isinstance(ask(client=client), Answer)
    assert "structured_outputs" not in endpoint.asked[1]
    assert "response_format" in endpoint.asked[2]


def test_another_bad_request_is_a_failure_at_once(ask: Ask, endpoint: Endpoint) -> None:
    endpoint.replies = [refuses(400, "temperature is out of range")]
    failure = failed(ask(client=ask.client(max_retries=3)), FailureKind.REJECTED)
    assert failure.message == "temperature is out of range"
    assert len(endpoint.asked) == 1


def test_the_model_is_the_fragment_of_the_url(ask: Ask, endpoint: Endpoint, run: Run) -> None:
    client = ask.client(f"{endpoint.url}#Qwen/Qwen3-8B")
    endpoint.models = refuses(500, "not asked")
    assert run(client.start()) == "Qwen/Qwen3-8B"
    ask(client=client)
    assert endpoint.asked[0]["model"] == "Qwen/Qwen3-8B"


def test_without_a_fragment_it_is_the_first_model_served(ask: Ask, run: Run) -> None:
    assert run(ask.client().start()) == "first"


@pytest.mark.parametrize(
    "models",
    [
        Reply({"object": "list", "data": []}),
        Reply("<html>Welcome to nginx!</html>", media_type="text/html"),
        Reply({"error": "no"}),
        Reply("{"),
        refuses(404, "what is /models?"),
    ],
    ids=["none", "web page", "no list", "broken", "unknown path"],
)
def test_an_endpoint_that_lists_no_model_is_refused(ask: Ask, endpoint: Endpoint, models: Reply, run: Run) -> None:
    endpoint.models = models
    with pytest.raises(EndpointRefused, match=endpoint.url):
        run(ask.client().start())


def test_an_adapter_is_asked_for_as_a_model(ask: Ask, endpoint: Endpoint, run: Run) -> None:
    run(ask.client().generate(call(adapter="tuned")))
    assert endpoint.asked[0]["model"] == "tuned"


def test_a_batch_is_answered_in_order_within_the_limit(ask: Ask, endpoint: Endpoint, run: Run) -> None:
    texts = [f"answer {number}" for number in range(9)]
    by_prompt = {text: says(text) for text in texts}
    endpoint.chat = lambda request: Reply(by_prompt[request["messages"][0]["content"]].body, delay_s=0.05)  # type: ignore[method-assign]
    client = ask.client(f"{endpoint.url}#m", concurrency=3)
    answers = run(client.generate_batch([Call([{"role": "user", "content": text}]) for text in texts]))
    assert [answer.text for answer in answers] == texts
    assert endpoint.most_in_flight == 3


def test_one_bad_item_does_not_stop_a_batch(ask: Ask, endpoint: Endpoint, run: Run) -> None:
    endpoint.replies = [says("no JSON"), says(RAIN)]
    client = ask.client(f"{endpoint.url}#m", concurrency=1)
    first, second = run(client.generate_batch([call(), call()]))
    assert isinstance(first, Failed)
    assert isinstance(second, Answer)


def test_cancelling_gives_the_place_to_the_next(ask: Ask, endpoint: Endpoint, run: Run) -> None:
    endpoint.replies = [Reply({}, delay_s=5), says(RAIN)]
    client = ask.client(f"{endpoint.url}#m", concurrency=1)

    async def cancel_then_ask() -> Answer[Any] | Failed:
        waiting = asyncio.create_task(client.generate(call()))
        await asyncio.sleep(0.2)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        return await asyncio.wait_for(client.generate(call()), 2)

    assert isinstance(run(cancel_then_ask()), Answer)


def test_the_key_is_sent_and_shown_nowhere(
    ask: Ask, endpoint: Endpoint, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = f"Incorrect API key provided: {KEY}"
    endpoint.replies = [says(RAIN), refuses(500, echo), refuses(401, echo), refuses(400, echo)]
    client = ask.client()
    shown = [repr(ask(client=client)), repr(ask(client=client))]
    with pytest.raises(EndpointRefused) as caught:
        ask(client=client)
    shown += [repr(ask(client=client)), str(caught.value), repr(caught.value), repr(client), repr(vars(client))]
    out, err = capsys.readouterr()

    assert endpoint.authorizations == [f"Bearer {KEY}"] * 4
    assert "Incorrect API key" in shown[1]
    for text in [*shown, out, err, caplog.text]:
        assert KEY not in text
