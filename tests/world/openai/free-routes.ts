import { isRefusal, wholeJson, type Answer, type Operation, type Stock, type StoredFile } from '../dialect.ts';
import { contentText } from '../json-fields.ts';
import { makeId, nowSeconds, openAiHeaders } from './answer-parts.ts';
import { COMPATIBLE_MODELS } from './compatible-models.ts';
import { readForm } from './form.ts';
import { OPENAI_MODELS } from './models.ts';
import { chooseModel, readFields, refusal } from './refusals.ts';
import { REQUEST_FIELDS } from './request-fields.ts';

const CATEGORIES = ['harassment', 'hate', 'illicit', 'self-harm', 'sexual', 'violence'];

/** Free, and on the bill at nothing. */
export const moderations: Operation = (received, stock) => {
  const known = readFields(received, REQUEST_FIELDS.moderations);
  if (isRefusal(known)) return known;
  const { input, model = 'omni-moderation-latest' } = known.fields;
  const chosen = chooseModel(model, { stock, serves: 'moderations' });
  if (isRefusal(chosen)) return chosen;
  if (input === undefined) return refusal(400, "Missing required parameter: 'input'.", { param: 'input' });
  const answer = (): Answer => {
    const id = makeId('modr-');
    const flags = Object.fromEntries(CATEGORIES.map((name) => [name, false]));
    const scores = Object.fromEntries(CATEGORIES.map((name) => [name, 0.0001]));
    const types = Object.fromEntries(CATEGORIES.map((name) => [name, ['text']]));
    const result = { flagged: false, categories: flags, category_scores: scores, category_applied_input_types: types };
    return {
      charge: { id, ...chosen, meters: { request: 1 }, words: [] },
      headers: openAiHeaders(),
      body: wholeJson({ id, model: chosen.served.snapshot, results: [result] }),
    };
  };
  return { text: contentText(input), answer };
};

function freely(body: object): { text: string; answer: () => Answer } {
  return { text: '', answer: () => ({ charge: null, headers: openAiHeaders(), body: wholeJson(body) }) };
}

export const listModels: Operation = (_, stock) => {
  const names = Object.keys({ ...OPENAI_MODELS, ...COMPATIBLE_MODELS, ...stock.models });
  const data = names.map((id) => ({ id, object: 'model', created: 1_715_367_049, owned_by: 'system' }));
  return freely({ object: 'list', data });
};

export const uploadFile: Operation = async (received, stock) => {
  const form = await readForm(received, REQUEST_FIELDS.files);
  if (isRefusal(form)) return form;
  const [given] = form.files;
  if (given === undefined) return refusal(400, "Missing required parameter: 'file'.", { param: 'file' });
  const purpose = form.texts['purpose'];
  if (purpose === undefined) return refusal(400, "Missing required parameter: 'purpose'.", { param: 'purpose' });
  const id = makeId('file-');
  stock.files.set(id, { name: given.file.name, purpose, bytes: Buffer.from(await given.file.arrayBuffer()) });
  return freely(fileObject(id, stock));
};

export const listFiles: Operation = (_, stock) => {
  const data = Array.from(stock.files.keys(), (id) => fileObject(id, stock));
  return freely({
    object: 'list',
    data,
    first_id: data.at(0)?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: false,
  });
};

export const readFile: Operation = ({ path }, stock) => {
  const [, , , id = '', content] = path.split('/');
  const file = stock.files.get(id);
  if (file === undefined) return noFile(id);
  if (content === undefined) return freely(fileObject(id, stock));
  const body = { kind: 'whole' as const, contentType: 'application/octet-stream', bytes: file.bytes };
  return { text: '', answer: () => ({ charge: null, headers: openAiHeaders(), body }) };
};

export const deleteFile: Operation = ({ path }, stock) => {
  const id = path.split('/')[3] ?? '';
  return stock.files.delete(id) ? freely({ id, object: 'file', deleted: true }) : noFile(id);
};

function fileObject(id: string, { files }: Stock): { id: string } & Readonly<Record<string, unknown>> {
  const { name, purpose, bytes }: StoredFile = files.get(id) ?? { name: '', purpose: '', bytes: Buffer.alloc(0) };
  return {
    id,
    object: 'file',
    bytes: bytes.length,
    created_at: nowSeconds(),
    filename: name,
    purpose,
    status: 'processed',
  };
}

function noFile(id: string) {
  return refusal(404, `No such File object: ${id}`, { param: 'id' });
}
