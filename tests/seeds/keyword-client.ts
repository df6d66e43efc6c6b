import { runPython, type Variables } from '#world';

/**
 * InfraPrism's client takes its fields as keywords of `create`. Here those keywords become fields of the body, which is
 * what this client prints: what a page's snippet would send. Everything else of the snippet is ordinary Python.
 */
const KEYWORD_CLIENT = `import json, os
from types import SimpleNamespace
def _create(**fields): print(json.dumps(fields))
client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=_create)))
messages = [{"role": "user", "content": "Hello"}]
`;

/** The body that the last call of a page's snippet sends. */
export async function wireBody(snippet: string, variables: Variables = {}): Promise<Record<string, unknown>> {
  const printed = await runPython(KEYWORD_CLIENT + snippet, variables);
  return JSON.parse(printed.trim().split('\n').at(-1) ?? '');
}
