import type { Seeded } from '../behaviour.ts';
import {
  eventStream,
  isRefusal,
  wholeJson,
  type Answer,
  type Operation,
  type StreamEvent,
  type WholeBody,
} from '../dialect.ts';
import { seededRandom } from '../random.ts';
import { planPieces } from '../token-plan.ts';
import { DATA_ERROR, makeId, openAiHeaders, typedEvent } from './answer-parts.ts';
import { readForm } from './form.ts';
import { chooseModel, refusal, type Chosen } from './refusals.ts';
import { REQUEST_FIELDS } from './request-fields.ts';

type TranscriptionRequest = Chosen & {
  readonly text: string;
  readonly format: string;
  readonly stream: boolean;
};

const FORMATS = new Set(['json', 'text', 'srt', 'verbose_json', 'vtt']);

export const transcriptions: Operation = async (received, stock) => {
  const form = await readForm(received, REQUEST_FIELDS.transcriptions);
  if (isRefusal(form)) return form;
  const chosen = chooseModel(form.texts['model'], { stock, serves: 'transcriptions' });
  if (isRefusal(chosen)) return chosen;
  if (!form.files.some(({ name }) => name === 'file')) {
    return refusal(400, "Missing required parameter: 'file'.", { param: 'file' });
  }
  const format = form.texts['response_format'] ?? 'json';
  if (!FORMATS.has(format)) return refusal(400, `Invalid response_format '${format}'`, { param: 'response_format' });
  const request: TranscriptionRequest = {
    ...chosen,
    text: form.texts['prompt'] ?? '',
    format,
    stream: form.texts['stream'] === 'true',
  };
  return { text: request.text, answer: (behaviour) => answerTranscription(request, behaviour) };
};

const TOKENS_A_SECOND = 10;

function answerTranscription(request: TranscriptionRequest, behaviour: Seeded): Answer {
  const random = seededRandom(behaviour.seed);
  const seconds = behaviour.seconds ?? random.between(1, 90);
  const id = makeId('req_');
  const bySecond = request.served.fees !== undefined;
  const audio = behaviour.audio_tokens ?? seconds * TOKENS_A_SECOND;
  const input = behaviour.prompt_tokens ?? random.between(0, 20);
  const output = behaviour.completion_tokens ?? random.between(1, 200);
  const usage = bySecond
    ? { type: 'duration', seconds }
    : {
        type: 'tokens',
        total_tokens: input + audio + output,
        input_tokens: input + audio,
        input_token_details: { text_tokens: input, audio_tokens: audio },
        output_tokens: output,
      };
  const told = behaviour.usage === 'none' ? {} : { usage };
  const pieces = planPieces(behaviour);
  const meters = bySecond ? { seconds } : { input, audio, output };
  return {
    charge: { id, model: request.model, served: request.served, meters, words: [] },
    headers: openAiHeaders(id),
    body:
      request.stream && !bySecond
        ? eventStream([...transcriptEvents(pieces, told)], DATA_ERROR)
        : written(request.format, { text: pieces.join(''), seconds, told }),
  };
}

function* transcriptEvents(pieces: readonly string[], told: object): Generator<StreamEvent> {
  for (const delta of pieces) yield typedEvent('transcript.text.delta', { delta }, true);
  yield typedEvent('transcript.text.done', { text: pieces.join(''), ...told });
}

/** Only the JSON formats can say what was used. */
function written(format: string, { text, seconds, told }: { text: string; seconds: number; told: object }): WholeBody {
  if (format === 'json') return wholeJson({ text, ...told });
  if (format === 'verbose_json') {
    return wholeJson({ task: 'transcribe', language: 'english', duration: seconds, text, segments: [], ...told });
  }
  return { kind: 'whole', contentType: 'text/plain; charset=utf-8', bytes: Buffer.from(`${text}\n`) };
}
