import { readJsonLines } from '#batches';
import { readFormText, type RequestBody } from '#wires';
import { bodyFields } from '../accept.ts';
import type { Upstream } from '../upstreams.ts';
import { NO_BATCH_WORK, type BatchCall, type BatchCallDeps, type BatchWork } from './batch-work.ts';
import { cleanLine } from './clean-line.ts';

/** A file of lines for a batch: each line's tags are read, and do not go to the provider. What it asks for is written down. */
export async function prepareUpload(deps: BatchCallDeps, { call }: BatchCall, upstream: Upstream): Promise<BatchWork> {
  const { body } = call;
  const file = body.form?.fields.get('file');
  if (body.form === null || file === undefined || readFormText(body.form, body.bytes, 'purpose') !== 'batch')
    return NO_BATCH_WORK;
  const given = body.bytes.subarray(file.valueStart, file.valueEnd);
  const { bytes, lines } = await readJsonLines(given, (line, kind) => cleanLine(deps.tagging, line, kind));
  return {
    ...NO_BATCH_WORK,
    call: bytes.equals(given) ? null : { ...call, body: withFile(body, { file, bytes }) },
    answered: async ({ httpStatus, answer }) => {
      const id = httpStatus >= 200 && httpStatus < 300 ? idOf(answer?.held() ?? null) : '';
      if (id !== '') await deps.batches.folder.saveInput({ provider: upstream.name, id }, lines);
    },
  };
}

type Replaced = { readonly file: { readonly valueStart: number; readonly valueEnd: number }; readonly bytes: Buffer };

function withFile(body: RequestBody, { file, bytes }: Replaced): RequestBody {
  const whole = Buffer.concat([body.bytes.subarray(0, file.valueStart), bytes, body.bytes.subarray(file.valueEnd)]);
  const type = `multipart/form-data; boundary="${body.form?.boundary ?? ''}"`;
  return { target: body.target, ...bodyFields(whole, { type, form: 'passed' }) };
}

/** The id of the object in an answer; empty where there is none. */
export function idOf(answer: Buffer | null): string {
  try {
    const json: unknown = JSON.parse(answer?.toString('utf8') ?? 'null');
    return typeof json === 'object' && json !== null && 'id' in json && typeof json.id === 'string' ? json.id : '';
  } catch {
    // A page of HTML: it names nothing.
    return '';
  }
}
