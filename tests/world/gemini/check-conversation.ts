import type { Offer } from '../conversation.ts';
import type { Refusal } from '../dialect.ts';
import { isObject, objectsOf, type Fields } from '../json-fields.ts';
import { SIGNATURE } from './generate-chunks.ts';
import { refusal } from './refusals.ts';

const PART_FIELDS = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
]);

/** Google's word for a signature that was lost. */
const SKIPPED = 'skip_thought_signature_validator';

export function signs(model: string): boolean {
  return model.startsWith('gemini-3');
}

type Around = { readonly config: Fields; readonly model: string };

/** Refuses what Google refuses in contents and tools; else says what the model may do. */
export function checkConversation(fields: Fields, { config, model }: Around): Offer | Refusal {
  const contents = objectsOf(fields['contents']);
  const wrong = wrongIn(contents, model) ?? wrongThinking(config, model);
  if (wrong !== null) return refusal(400, wrong);
  const tools = objectsOf(fields['tools']).flatMap((tool) => objectsOf(tool['functionDeclarations']));
  const calling = isObject(fields['toolConfig']) ? fields['toolConfig']['functionCallingConfig'] : undefined;
  const answered = objectsOf(contents.at(-1)?.['parts']).some((part) => 'functionResponse' in part);
  const none = isObject(calling) && calling['mode'] === 'NONE';
  const json = config['responseMimeType'] === 'application/json';
  const plain = { type: 'object', properties: { answer: { type: 'string' } } };
  const schema = config['responseJsonSchema'] ?? lower(config['responseSchema']) ?? plain;
  const allowed =
    isObject(calling) && Array.isArray(calling['allowedFunctionNames']) ? calling['allowedFunctionNames'] : null;
  const offered = tools.map((tool) => ({
    name: String(tool['name']),
    schema: tool['parametersJsonSchema'] ?? lower(tool['parameters']),
  }));
  return {
    tools: answered || none ? [] : offered.filter(({ name }) => allowed?.includes(name) !== false),
    forced: isObject(calling) && calling['mode'] === 'ANY',
    schema: json ? schema : undefined,
  };
}

/** Types of Google's schemas are written in capitals. */
function lower(schema: unknown): unknown {
  return schema === undefined
    ? undefined
    : JSON.parse(JSON.stringify(schema).replaceAll(/"type":"([A-Z]+)"/g, (all) => all.toLowerCase()));
}

function wrongIn(contents: readonly Fields[], model: string): string | null {
  let called = 0;
  for (const [index, { role, parts: given }] of contents.entries()) {
    const parts = objectsOf(given);
    if (role !== undefined && role !== 'user' && role !== 'model') return 'Please use a valid role: user, model.';
    if (parts.length === 0)
      return `* GenerateContentRequest.contents[${index}].parts: contents.parts must not be empty.`;
    const stray = parts.flatMap((part) => Object.keys(part)).find((name) => !PART_FIELDS.has(name));
    if (stray !== undefined) return `Unknown name "${stray}" at 'contents[${index}].parts': Cannot find field.`;
    const responses = parts.filter((part) => 'functionResponse' in part).length;
    if (responses !== called)
      return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
    const calls = parts.filter((part) => 'functionCall' in part);
    called = calls.length;
    const [first] = calls;
    const signature = first?.['thoughtSignature'];
    if (first !== undefined && signs(model) && signature !== SIGNATURE && signature !== SKIPPED)
      return 'Function call is missing a thought_signature in functionCall parts.';
  }
  return called > 0 ? 'Please ensure that function call turn is followed by a function response turn.' : null;
}

function wrongThinking({ thinkingConfig: config }: Fields, model: string): string | null {
  if (!isObject(config)) return null;
  if (!signs(model) && config['thinkingLevel'] !== undefined) return 'Thinking level is not supported for this model.';
  return config['thinkingBudget'] === 0 && /pro/.test(model)
    ? 'Budget 0 is invalid. This model only works in thinking mode.'
    : null;
}
