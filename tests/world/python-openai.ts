/**
 * Only for machines without the `openai` package: the part of it that snippets use, sending the same HTTP. Fields of
 * `extra_body` are joined to the body, unknown keywords are refused as the package refuses them.
 */
export const PYTHON_OPENAI = `import json, os, urllib.error, urllib.request
from types import SimpleNamespace

class APIStatusError(Exception):
    def __init__(self, status_code, body):
        super().__init__(f"Error code: {status_code} - {body}")
        self.status_code = status_code
        self.body = body.get("error", body)

class BadRequestError(APIStatusError): pass

_FIELDS = {
    "/chat/completions": {"model", "messages", "stream", "stream_options", "user", "metadata", "temperature",
                          "max_tokens", "max_completion_tokens", "safety_identifier", "n", "seed", "store"},
    "/completions": {"model", "prompt", "stream", "stream_options", "user", "max_tokens", "temperature", "n"},
    "/embeddings": {"model", "input", "user", "dimensions", "encoding_format"},
}

class _Route:
    def __init__(self, client, path): self._client, self._path = client, path
    def create(self, *, extra_body=None, extra_headers=None, **fields):
        for name in fields:
            if name not in _FIELDS[self._path]:
                raise TypeError(f"create() got an unexpected keyword argument '{name}'")
        headers = {**self._client._headers, **(extra_headers or {})}
        data = json.dumps({**fields, **(extra_body or {})}).encode()
        request = urllib.request.Request(self._client._base_url + self._path, data=data, headers=headers)
        try:
            answer = urllib.request.urlopen(request)
        except urllib.error.HTTPError as error:
            kind = BadRequestError if error.code == 400 else APIStatusError
            raise kind(error.code, json.loads(error.read())) from None
        if fields.get("stream"): return self._chunks(answer)
        return json.loads(answer.read(), object_hook=lambda fields: SimpleNamespace(**fields))
    def _chunks(self, answer):
        for line in answer:
            if not line.startswith(b"data: ") or line.strip() == b"data: [DONE]": continue
            yield json.loads(line[6:], object_hook=lambda fields: SimpleNamespace(**fields))

class OpenAI:
    def __init__(self, *, api_key=None, base_url=None, default_headers=None):
        self._base_url = (base_url or os.environ["OPENAI_BASE_URL"]).rstrip("/")
        key = api_key or os.environ["OPENAI_API_KEY"]
        self._headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **(default_headers or {})}
        self.chat = SimpleNamespace(completions=_Route(self, "/chat/completions"))
        self.completions = _Route(self, "/completions")
        self.embeddings = _Route(self, "/embeddings")
`;

/** The one function of `requests` that snippets use, for machines without it. */
export const PYTHON_REQUESTS = `import json, urllib.parse, urllib.request
class _Response:
    def __init__(self, answer):
        self.status_code = answer.status
        self._body = answer.read()
    def json(self): return json.loads(self._body)
def get(url, headers={}, params={}):
    query = "?" + urllib.parse.urlencode(params) if params else ""
    return _Response(urllib.request.urlopen(urllib.request.Request(url + query, headers=headers)))
`;
