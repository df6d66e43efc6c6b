import {
  answerEvents,
  answerJson,
  asText,
  dataEvent,
  formField,
  refuse,
  type SandboxAnswer,
  type SandboxCall,
} from './exchange.ts';

const SAMPLES_PER_SECOND = 8_000;
const BYTES_PER_SECOND = SAMPLES_PER_SECOND * 2;
const WAV_HEADER_BYTES = 44;
const CHARACTERS_PER_SECOND = 15;
const LONGEST_SPEECH_SECONDS = 5;

/** Says nothing, for about as long as the text would take. */
export function answerSpeech({ body }: SandboxCall): SandboxAnswer {
  const input = asText(body?.['input']);
  if (input === '') return refuse("'input' must be a text.");
  const seconds = Math.min(LONGEST_SPEECH_SECONDS, Math.ceil(input.length / CHARACTERS_PER_SECOND));
  const wav = silence(seconds);
  if (body?.['stream_format'] !== 'sse') return { status: 200, type: 'audio/wav', pieces: [wav] };
  return answerEvents([
    dataEvent({ type: 'speech.audio.delta', audio: wav.toString('base64') }),
    dataEvent({ type: 'speech.audio.done' }),
  ]);
}

/** A WAV file of 16-bit samples, one channel. */
function silence(seconds: number): Buffer {
  const samples = seconds * BYTES_PER_SECOND;
  const wav = Buffer.alloc(WAV_HEADER_BYTES + samples);
  wav.write('RIFF', 0, 'latin1');
  wav.writeUInt32LE(WAV_HEADER_BYTES - 8 + samples, 4);
  wav.write('WAVEfmt ', 8, 'latin1');
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(1, 22);
  wav.writeUInt32LE(SAMPLES_PER_SECOND, 24);
  wav.writeUInt32LE(BYTES_PER_SECOND, 28);
  wav.writeUInt16LE(2, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36, 'latin1');
  wav.writeUInt32LE(samples, 40);
  return wav;
}

/** Hears nothing, and says for how long. */
export function answerTranscription(call: SandboxCall): SandboxAnswer {
  const file = formField(call, 'file');
  if (file === null) return refuse("'file' must be a recording.");
  const field = (name: string): string => formField(call, name)?.toString('utf8') ?? '';
  const seconds = secondsOf(file);
  const text = `The sandbox listened to ${seconds} ${seconds === 1 ? 'second' : 'seconds'} of sound.`;
  const usage = { type: 'duration', seconds };
  if (field('stream') === 'true')
    return answerEvents([
      ...(text.match(/\s*\S+/g) ?? []).map((delta) => dataEvent({ type: 'transcript.text.delta', delta })),
      dataEvent({ type: 'transcript.text.done', text, usage }),
    ]);
  switch (field('response_format')) {
    case 'text':
      return plain(`${text}\n`);
    case 'srt':
      return plain(`1\n00:00:00,000 --> ${clock(seconds, ',')}\n${text}\n`);
    case 'vtt':
      return plain(`WEBVTT\n\n00:00:00.000 --> ${clock(seconds, '.')}\n${text}\n`);
    case 'verbose_json':
      return answerJson({ task: 'transcribe', language: 'english', duration: seconds, text, segments: [], usage });
    default:
      return answerJson({ text, usage });
  }
}

function plain(text: string): SandboxAnswer {
  return { status: 200, type: 'text/plain; charset=utf-8', pieces: [text] };
}

function clock(seconds: number, separator: ',' | '.'): string {
  const part = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${part(seconds / 3600)}:${part((seconds / 60) % 60)}:${part(seconds % 60)}${separator}000`;
}

/** Whole seconds, begun ones included: of a WAV by its header, of anything else as if it had 128 kbit/s. */
function secondsOf(file: Buffer): number {
  const isWav = file.length >= WAV_HEADER_BYTES && file.toString('latin1', 0, 4) === 'RIFF';
  const bytesPerSecond = isWav ? file.readUInt32LE(28) : 16_000;
  const sound = isWav ? file.length - WAV_HEADER_BYTES : file.length;
  return Math.max(1, Math.ceil(sound / Math.max(1, bytesPerSecond)));
}
