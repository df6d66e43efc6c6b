import { scanJsonObject, type JsonMember } from '#std';
import {
  dialectOf,
  EVENT_STREAM,
  type GivenAnswer,
  type RequestBody,
  type RequestEdit,
  type RequestTarget,
  type UpstreamPlace,
  type Wire,
} from '#wires';
import { gather, isError, type ProviderError } from './answer.ts';
import type { Prompt } from './prompt.ts';
import type { CallerSide, ProviderSide } from './side.ts';
import { CALLERS, PROVIDERS } from './sides.ts';
import { TranslatedMeter } from './translated-meter.ts';

/** The providers' wires that a call of this one can be put into; what is closest comes first. */
export function targetsOf(wire: Wire): readonly Wire[] {
  return CALLERS.get(wire.name)?.targets ?? NONE;
}

const NONE: readonly Wire[] = [];

/** `spoken` is the target as its provider takes it; the model decides how it is asked. */
export type Spoken = { readonly target: Wire; readonly spoken: Wire; readonly model: string };

/** The wire with the caller's side of one and the provider's side of another. */
export function translated(wire: Wire, { target: base, spoken: target, model }: Spoken): Wire {
  const caller = CALLERS.get(wire.name)?.side;
  const side = PROVIDERS.get(base.name);
  if (caller === undefined || side === undefined)
    throw new RangeError(`nothing translates ${wire.name} into ${base.name}`);
  const between = { caller, side, target, model };
  const translate = translator(between);
  return {
    name: target.name,
    dialect: wire.dialect,
    names: target.names,
    readRequest(body) {
      const asked = wire.readRequest(body);
      const sent = target.readRequest(translate(body));
      // What the caller sees is the caller's; what is held for the call is what the provider may bill.
      return { ...sent, model: asked.model, stream: asked.stream, wantsUsage: asked.wantsUsage };
    },
    writeRequest: (body, edit) => target.writeRequest(translate(body), { ...edit, ...NOTHING_OF_OURS }),
    outputLimitNames: (body) => target.outputLimitNames?.(translate(body)) ?? [],
    requestText: (body) => wire.requestText(body),
    readAnswer: (bytes, context) => target.readAnswer(bytes, context),
    meterStream: (context) =>
      new TranslatedMeter({
        inner: target.meterStream(context),
        reader: side.readStream(context),
        writer: caller.writeStream({ context }),
      }),
    far: {
      dialect: dialectOf(target),
      path: (place) => pathOf(between, place),
      words: {
        isStream: (type) => target.far?.words?.isStream(type) ?? isEvents(type),
        showAnswer: (answer) => showAnswer(between, answer),
      },
    },
  };
}

function isEvents(type: string): boolean {
  return type.includes('text/event-stream') || type.includes(EVENT_STREAM);
}

type Between = {
  readonly caller: CallerSide;
  readonly side: ProviderSide;
  readonly target: Wire;
  readonly model: string;
};

/** A prompt holds none of our fields, and of `metadata` only what it says itself. */
const NOTHING_OF_OURS: Pick<RequestEdit, 'drop' | 'metadata'> = { drop: new Set(), metadata: { action: 'keep' } };

const prompts = new WeakMap<RequestBody, Prompt>();

/** Reads once per call and writes once per deployment, however often it is asked. */
function translator({ caller, side, model }: Between): (body: RequestBody) => RequestBody {
  const written = new WeakMap<RequestBody, RequestBody>();
  return (body) => {
    const known = written.get(body);
    if (known !== undefined) return known;
    const prompt = prompts.get(body) ?? caller.readPrompt(body);
    prompts.set(body, prompt);
    const bytes = Buffer.from(JSON.stringify(side.writePrompt(prompt, model)));
    const sent = { bytes, members: membersOf(bytes), form: null, target: targetOf({ side, model }, prompt) };
    written.set(body, sent);
    return sent;
  };
}

function membersOf(bytes: Buffer): ReadonlyMap<string, JsonMember> {
  const scan = scanJsonObject(bytes);
  if (!scan.ok) throw new RangeError('what is written is JSON');
  return new Map(scan.members.map((member) => [member.key, member]));
}

function targetOf(
  { side, model }: { readonly side: ProviderSide; readonly model: string },
  asked: { readonly stream: boolean },
): RequestTarget {
  const action = side.action(asked);
  return { model, action, query: asked.stream && action !== '' ? 'alt=sse' : '' };
}

function pathOf({ side, target }: Between, place: UpstreamPlace): string {
  const said = { ...place, target: targetOf({ side, model: place.model }, place), route: side.route };
  return target.far?.path(said) ?? side.path(said);
}

function showAnswer({ caller, side, target }: Between, answer: GivenAnswer): Buffer {
  const { status, context } = answer;
  const bytes = target.far?.words?.showAnswer(answer) ?? answer.bytes;
  const payload = parse(bytes);
  if (payload === undefined || status >= 300) {
    const error = payload === undefined ? notJson(status) : side.readError(payload, status);
    return Buffer.from(JSON.stringify(caller.writeError(error)));
  }
  const given = gather(side.readAnswer(payload, context));
  const { usage } = target.readAnswer(answer.bytes, context);
  const shown = isError(given) ? caller.writeError(given) : caller.writeAnswer(given, { usage, context });
  return Buffer.from(JSON.stringify(shown));
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // A proxy in between may answer in HTML.
    return undefined;
  }
}

function notJson(status: number): ProviderError {
  const message = `The provider's answer (status ${status}) is no JSON.`;
  return { status, message, type: 'api_error', code: null, param: null };
}
