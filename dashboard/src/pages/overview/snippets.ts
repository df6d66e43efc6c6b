export const KEY_PLACEHOLDER = 'YOUR_CALL_KEY';

export type Snippet = { readonly name: string; readonly code: string };

/** A first call with each of the clients. They ask the built-in sandbox, so none of them costs real money. */
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
      name: 'Anthropic',
      code: `import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic({ baseURL: '${origin}', apiKey: '${KEY_PLACEHOLDER}' });

const answer = await client.messages.create(
  { model: 'sandbox-mini', max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] },
  { headers: { 'x-apportion-tags': 'feature=chatbot, env=development' } },
);
console.log(answer.content);`,
    },
    {
      name: 'Gemini',
      code: `import { GoogleGenAI } from '@google/genai';

const client = new GoogleGenAI({
  apiKey: '${KEY_PLACEHOLDER}',
  httpOptions: {
    baseUrl: '${origin}',
    headers: { 'x-apportion-tags': 'feature=chatbot, env=development' },
  },
});

const answer = await client.models.generateContent({ model: 'sandbox-mini', contents: 'Hello' });
console.log(answer.text);`,
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
