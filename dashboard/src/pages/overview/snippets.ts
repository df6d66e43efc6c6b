export const KEY_PLACEHOLDER = 'YOUR_CALL_KEY';

export type Snippet = { readonly name: string; readonly code: string };

/** A first call in three languages. They ask the built-in sandbox, so none of them costs real money. */
export function snippets(origin: string): readonly Snippet[] {
  return [
    {
      name: 'curl',
      code: `curl ${origin}/v1/chat/completions \\
  -H "Authorization: Bearer ${KEY_PLACEHOLDER}" \\
  -H "Content-Type: application/json" \\
  -d '{
    "model": "sandbox-mini",
    "messages": [{"role": "user", "content": "Hello"}],
    "tags": {"feature": "chatbot", "env": "development"}
  }'`,
    },
    {
      name: 'TypeScript',
      code: `import OpenAI from 'openai';

const client = new OpenAI({
  baseURL: '${origin}/v1',
  apiKey: '${KEY_PLACEHOLDER}',
});

const answer = await client.chat.completions.create({
  model: 'sandbox-mini',
  messages: [{ role: 'user', content: 'Hello' }],
  // @ts-expect-error: Apportion's own field, taken out before the call goes on
  tags: { feature: 'chatbot', env: 'development' },
});
console.log(answer.choices[0].message.content);`,
    },
    {
      name: 'Python',
      code: `from openai import OpenAI

client = OpenAI(base_url="${origin}/v1", api_key="${KEY_PLACEHOLDER}")

answer = client.chat.completions.create(
    model="sandbox-mini",
    messages=[{"role": "user", "content": "Hello"}],
    extra_body={"tags": {"feature": "chatbot", "env": "development"}},
)
print(answer.choices[0].message.content)`,
    },
  ];
}
