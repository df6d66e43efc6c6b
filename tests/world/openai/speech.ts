import type { Seeded } from '../behaviour.ts';
import { eventStream, isRefusal, type Answer, type Operation, type StreamEvent } from '../dialect.ts';
import { seededRandom } from '../random.ts';
import { DATA_ERROR, makeId, openAiHeaders, typedEvent } from './answer-parts.ts';
import { chooseModel, readFields, refusal, type Chosen } from './refusals.ts';
import { REQUEST_FIELDS } from './request-fields.ts';

type SpeechRequest = Chosen & { readonly text: string; readonly stream: boolean };

const AUDIO_BYTES = 240;

export const speech: Operation = (received, stock) => {
  const known = readFields(received, REQUEST_FIELDS.speech);
  if (isRefusal(known)) return known;
  const { input, voice, model, stream_format: format } = known.fields;
  const chosen = chooseModel(model, { stock, serves: 'speech' });
  if (isRefusal(chosen)) return chosen;
  if (typeof input !== 'string' || input === '') return refusal(400, 'you must provide an input', { param: 'input' });
  if (voice === undefined) return refusal(400, "Missing required parameter: 'voice'.", { param: 'voice' });
  const request: SpeechRequest = { ...chosen, text: input, stream: format === 'sse' };
  return { text: input, answer: (behaviour) => answerSpeech(request, behaviour) };
};

/** Binary audio has no place for usage: characters follow from the request, tokens nobody says. */
function answerSpeech({ model, served, text, stream }: SpeechRequest, behaviour: Seeded): Answer {
  const random = seededRandom(behaviour.seed);
  const id = makeId('req_');
  const byCharacter = served.fees !== undefined;
  const input = behaviour.prompt_tokens ?? random.between(1, text.length);
  const output = behaviour.completion_tokens ?? random.between(10, 400);
  const meters = byCharacter ? { characters: Array.from(text).length } : { input, output };
  const audio = Buffer.from(Uint8Array.from({ length: AUDIO_BYTES }, () => random.between(0, 255)));
  const usage = { input_tokens: input, output_tokens: output, total_tokens: input + output };
  return {
    charge: { id, model, served, meters, words: [] },
    headers: openAiHeaders(id),
    body:
      stream && !byCharacter
        ? eventStream([...speechEvents(audio, behaviour.usage === 'none' ? {} : { usage })], DATA_ERROR)
        : { kind: 'whole', contentType: 'audio/mpeg', bytes: audio },
  };
}

function* speechEvents(audio: Buffer, told: object): Generator<StreamEvent> {
  for (let start = 0; start < audio.length; start += 60) {
    yield typedEvent('speech.audio.delta', { audio: audio.toString('base64', start, start + 60) }, true);
  }
  yield typedEvent('speech.audio.done', { ...told });
}
