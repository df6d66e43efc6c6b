/** What a provider says of a batch. */
export type BatchStatus = {
  readonly batch: string;
  /** Nothing of it will be worked on any more, and its results are all there. */
  readonly over: boolean;
  /** Where its results are: files of OpenAI's, `results` of Anthropic's. */
  readonly results: readonly string[];
};

/** The name of Anthropic's one results file. */
const ANTHROPIC_RESULTS = 'results';

/** OpenAI API reference, batch object. */
const OPENAI_OVER: ReadonlySet<unknown> = new Set(['completed', 'failed', 'expired', 'cancelled']);

/** Reads an answer of a batch route: one batch, or a list of them. What else it may be says nothing. */
export function readStatuses(answer: Buffer): readonly BatchStatus[] {
  const json = objectOf(parse(answer));
  if (json === null) return [];
  const { data } = json;
  const objects = Array.isArray(data) ? data.map(objectOf) : [json];
  return objects.flatMap((one) => (one === null ? [] : statusOf(one)));
}

type Fields = { readonly [name: string]: unknown };

function statusOf(json: Fields): BatchStatus[] {
  const { id, object, type, status, processing_status } = json;
  if (typeof id !== 'string') return [];
  if (object === 'batch') {
    const files = [json['output_file_id'], json['error_file_id']];
    const results = files.filter((file): file is string => typeof file === 'string' && file !== '');
    return [{ batch: id, over: OPENAI_OVER.has(status), results }];
  }
  if (type !== 'message_batch') return [];
  return [{ batch: id, over: processing_status === 'ended', results: [ANTHROPIC_RESULTS] }];
}

function objectOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

function parse(answer: Buffer): unknown {
  try {
    return JSON.parse(answer.toString('utf8'));
  } catch {
    // A page of HTML, or a part of an answer: it says nothing of a batch.
    return null;
  }
}
