"""The Python SDK against the gateway: `python suite.py openai-py-2 [REGEX]`. Prints one line of JSON for each case, as suite/main.ts does.

What the upstream answers comes from suite/upstream-answers.ts, written to the file that CLIENTS_ANSWERS names.
"""

import asyncio
import json
import os
import re
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any, Callable

import openai
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

GATEWAY = os.environ["CLIENTS_GATEWAY"]
KEY = os.environ["CLIENTS_KEY"]
UPSTREAM = os.environ["CLIENTS_UPSTREAM"]
with open(os.environ["CLIENTS_ANSWERS"], encoding="utf-8") as file:
    ANSWERS: dict[str, Any] = json.load(file)

PROMPT = "What do you say?"
CITY = "Reykjavik"
RESULT = "Rain, and four degrees."
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
VECTORS = [[0.5, -0.25, 1.0], [0.0, 0.125, -2.0]]
PROVIDERS = {
    "openai": ("gpt-4o-mini", "gpt-4.1-nano"),
    "anthropic": ("claude-sonnet-4-5", "claude-haiku-4-5"),
    "gemini": ("gemini-2.5-flash", "gemini-2.5-flash-lite"),
}


class Answer(BaseModel):
    """Structured output, as the other suites ask for it."""

    travellers: int


@dataclass
class Case:
    name: str
    run: Callable[[], None]


def control(method: str, word: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{UPSTREAM}/__control/{word}", data=data, method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def play(script: dict[str, Any], **options: Any) -> None:
    control("POST", "play", {"answer": script, **options})


def requests() -> list[dict[str, Any]]:
    return control("GET", "requests")["requests"]


def client(key: str = KEY) -> OpenAI:
    return OpenAI(api_key=key, base_url=f"{GATEWAY}/v1", max_retries=0)


def thrown_by(call: Callable[[], Any]) -> Exception:
    try:
        told = call()
    except Exception as error:  # Whatever the client raises is what is looked at.
        return error
    raise AssertionError(f"nothing was raised, but there was an answer: {told!r}")


class Chat:
    """Chat Completions."""

    door = "chat"
    path = "chat/completions"

    @staticmethod
    def whole(model: str, key: str = KEY) -> tuple[str, int, int]:
        answer = client(key).chat.completions.create(model=model, messages=[{"role": "user", "content": PROMPT}])
        assert answer.model == model
        return answer.choices[0].message.content or "", answer.usage.prompt_tokens, answer.usage.completion_tokens

    @staticmethod
    def stream(model: str, key: str = KEY) -> tuple[str, int, int]:
        text, usage = "", None
        messages = [{"role": "user", "content": PROMPT}]
        options = {"include_usage": True}
        for chunk in client(key).chat.completions.create(model=model, messages=messages, stream=True, stream_options=options):
            text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
            usage = chunk.usage or usage
        return text, usage.prompt_tokens, usage.completion_tokens

    @staticmethod
    async def stream_async(model: str) -> tuple[str, int, int]:
        text, usage = "", None
        async with AsyncOpenAI(api_key=KEY, base_url=f"{GATEWAY}/v1", max_retries=0) as async_client:
            messages = [{"role": "user", "content": PROMPT}]
            options = {"include_usage": True}
            async for chunk in await async_client.chat.completions.create(model=model, messages=messages, stream=True, stream_options=options):
                text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
                usage = chunk.usage or usage
        return text, usage.prompt_tokens, usage.completion_tokens

    @staticmethod
    def tool(model: str) -> tuple[list[str], str]:
        tools = [{"type": "function", "function": {"name": "get_weather", "description": "The weather of a city.", "parameters": PARAMETERS}}]
        messages: list[Any] = [{"role": "user", "content": PROMPT}]
        first = client().chat.completions.create(model=model, messages=messages, tools=tools).choices[0].message
        messages.append(first)
        ran = []
        for call in first.tool_calls or []:
            ran.append(json.loads(call.function.arguments)["city"])
            messages.append({"role": "tool", "tool_call_id": call.id, "content": RESULT})
        return ran, client().chat.completions.create(model=model, messages=messages, tools=tools).choices[0].message.content or ""

    @staticmethod
    def structured(model: str) -> Answer | None:
        messages = [{"role": "user", "content": PROMPT}]
        return client().chat.completions.parse(model=model, messages=messages, response_format=Answer).choices[0].message.parsed


class Responses:
    """The Responses API."""

    door = "responses"
    path = "responses"

    @staticmethod
    def whole(model: str, key: str = KEY) -> tuple[str, int, int]:
        answer = client(key).responses.create(model=model, input=PROMPT)
        assert answer.model == model
        return answer.output_text, answer.usage.input_tokens, answer.usage.output_tokens

    @staticmethod
    def stream(model: str, key: str = KEY) -> tuple[str, int, int]:
        with client(key).responses.stream(model=model, input=PROMPT) as stream:
            answer = stream.get_final_response()
        return answer.output_text, answer.usage.input_tokens, answer.usage.output_tokens

    @staticmethod
    async def stream_async(model: str) -> tuple[str, int, int]:
        async with AsyncOpenAI(api_key=KEY, base_url=f"{GATEWAY}/v1", max_retries=0) as async_client:
            async with async_client.responses.stream(model=model, input=PROMPT) as stream:
                answer = await stream.get_final_response()
        return answer.output_text, answer.usage.input_tokens, answer.usage.output_tokens

    @staticmethod
    def tool(model: str) -> tuple[list[str], str]:
        tools = [{"type": "function", "name": "get_weather", "description": "The weather of a city.", "parameters": PARAMETERS, "strict": True}]
        asked: list[Any] = [{"role": "user", "content": PROMPT}]
        first = client().responses.create(model=model, input=asked, tools=tools, store=False)
        asked += first.output
        ran = []
        for item in first.output:
            if item.type == "function_call":
                ran.append(json.loads(item.arguments)["city"])
                asked.append({"type": "function_call_output", "call_id": item.call_id, "output": RESULT})
        return ran, client().responses.create(model=model, input=asked, tools=tools, store=False).output_text

    @staticmethod
    def structured(model: str) -> Answer | None:
        return client().responses.parse(model=model, input=PROMPT, text_format=Answer).output_parsed


DOORS = (Chat, Responses)


def answer_cases(door: Any, provider: str) -> list[Case]:
    model, _ = PROVIDERS[provider]
    said = ANSWERS[door.door][provider]
    told = (ANSWERS["text"], ANSWERS["usage"]["input"], ANSWERS["usage"]["output"])

    def whole() -> None:
        play(said["hello"]["answers"]["whole"])
        assert door.whole(model) == told

    def stream() -> None:
        play(said["hello"]["answers"]["stream"])
        assert door.stream(model) == told

    def stream_async() -> None:
        play(said["hello"]["answers"]["stream"])
        assert asyncio.run(door.stream_async(model)) == told

    def tool() -> None:
        play(said["call"]["answers"]["whole"])
        play(said["hello"]["answers"]["whole"])
        assert door.tool(model) == ([CITY], ANSWERS["text"])
        assert RESULT in requests()[1]["body"], "the result went to the provider"

    def structured() -> None:
        play(said["object"]["answers"]["whole"])
        assert door.structured(model) == Answer(travellers=7)
        assert '"travellers"' in requests()[0]["body"], "the schema went to the provider"

    title = f"{door.__doc__} {provider}:"
    return [
        Case(f"{title} a whole answer and its usage", whole),
        Case(f"{title} a stream and its usage", stream),
        Case(f"{title} a stream and its usage, asynchronously", stream_async),
        Case(f"{title} a tool call and its result", tool),
        Case(f"{title} structured output with parse()", structured),
    ]


def our_words(door: Any, model: str, key: str) -> str:
    """The message that the gateway sends, read without the SDK."""
    asked = {"input": PROMPT} if door.door == "responses" else {"messages": [{"role": "user", "content": PROMPT}]}
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"{GATEWAY}/v1/{door.path}", data=json.dumps({"model": model, **asked}).encode(), headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            raise AssertionError(f"an error was expected, not {answer.status}")
    except urllib.error.HTTPError as error:
        return json.load(error)["error"]["message"]


def shows(door: Any, model: str, kind: type[Exception], key: str = KEY) -> None:
    words = our_words(door, model, key)
    for call in (door.whole, door.stream):
        error = thrown_by(lambda call=call: call(model, key))
        assert isinstance(error, kind), f"{kind.__name__}, not {error!r}"
        assert words in str(error), f"{words!r} is not in {error!s}"


def error_cases(door: Any, provider: str) -> list[Case]:
    _, troubled = PROVIDERS[provider]

    def case(status: str, kind: type[Exception]) -> Case:
        def run() -> None:
            play(ANSWERS[door.door][provider]["refused"][status], times="always")
            shows(door, troubled, kind)

        return Case(f"{door.__doc__} {provider}: the client shows our words for a provider's {status}", run)

    return [
        case("400", openai.BadRequestError),
        case("402", openai.APIStatusError),
        case("429", openai.RateLimitError),
        case("500", openai.InternalServerError),
    ]


def broken_cases(door: Any, provider: str) -> list[Case]:
    _, troubled = PROVIDERS[provider]
    said = ANSWERS[door.door][provider]["hello"]

    def case(title: str, kind: str, extra: int, call: Callable[[], Any]) -> Case:
        def run() -> None:
            at = said["headBytes"]
            pauses = [{"afterBytes": at, "until": {"ms": 20}}]
            play({**said["answers"]["stream"], "pauses": pauses, "end": {"kind": kind, "afterBytes": at + extra}})
            error = thrown_by(call)
            assert not isinstance(error, AssertionError), error
            assert len(str(error)) > 10, repr(error)
            assert len(requests()) == 1, "requests that reached the provider"

        return Case(f"{door.__doc__} {provider}: a stream {title} raises", run)

    return [
        case("cut off", "cut", 0, lambda: door.stream(troubled)),
        case("cut off inside an event", "cut", 12, lambda: door.stream(troubled)),
        case("reset", "reset", 0, lambda: door.stream(troubled)),
        case("that ends cleanly without its terminator", "clean-end", 0, lambda: door.stream(troubled)),
        case("cut off, asynchronously,", "cut", 0, lambda: asyncio.run(door.stream_async(troubled))),
    ]


def other_cases() -> list[Case]:
    def embeddings(script: dict[str, Any], model: str) -> Callable[[], None]:
        def run() -> None:
            play(script)
            told = client().embeddings.create(model=model, input=["north", "south"])
            assert [one.embedding for one in told.data] == VECTORS

        return run

    def models() -> None:
        ids = [model.id for model in client().models.list()]
        for model, _ in PROVIDERS.values():
            assert model in ids, f"{model} is in the list"
            assert client().models.retrieve(model).id == model

    def wrong_key(door: Any) -> Callable[[], None]:
        return lambda: shows(door, "gpt-4o-mini", openai.AuthenticationError, "sk-wrong")

    return [
        *[Case(f"embeddings: vectors of {title}", embeddings(script, model)) for title, model, script in ANSWERS["embeddings"]],
        Case("models.list() and models.retrieve()", models),
        *[Case(f"{door.__doc__} the client shows our words for a wrong key", wrong_key(door)) for door in DOORS],
    ]


def every_case() -> list[Case]:
    cases = other_cases()
    for door in DOORS:
        for provider in PROVIDERS:
            cases += [*answer_cases(door, provider), *error_cases(door, provider), *broken_cases(door, provider)]
    return cases


def attempt(case: Case) -> str | None:
    control("POST", "forget")
    control("PUT", "models", {})
    try:
        case.run()
    except Exception as error:  # A case that fails in any way has failed.
        return f"{type(error).__name__}: {error}"
    problems = control("GET", "requests")["problems"]
    return None if not problems else f"the upstream: {'; '.join(problems)}"


def main(name: str, only: str) -> None:
    assert openai.__version__.startswith(f"{name[-1]}."), f"{name} is {openai.__version__}"
    for case in every_case():
        if not re.search(only, case.name):
            continue
        began = time.monotonic()
        error = attempt(case)
        took = round((time.monotonic() - began) * 1000)
        line: dict[str, Any] = {"sdk": name, "name": case.name, "outcome": "failed" if error else "passed", "ms": took}
        print(json.dumps(line if error is None else {**line, "error": error}), flush=True)


main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "")
