import { setImmediate as nextTurn } from 'node:timers/promises';
import { BATCH_TIER, readRequestList, type AskedLine, type BatchRecord, type LineRow } from '#batches';
import type { PricedAttempt } from '#pricing';
import { ApportionError, picoUsd, type PicoUsd, type TagSet } from '#terms';
import type { RequestBody } from '#wires';
import { bodyFields } from '../accept.ts';
import type { Caller } from '../identify.ts';
import type { Upstream } from '../upstreams.ts';
import { NO_BATCH_WORK, type BatchCall, type BatchCallDeps, type BatchWork } from './batch-work.ts';
import { idOf } from './batch-upload.ts';
import { cleanLine } from './clean-line.ts';

type At = { readonly upstream: Upstream; readonly dialect: BatchRecord['dialect'] };

type Asked = {
  readonly body: RequestBody | null;
  readonly lines: readonly AskedLine[] | null;
  readonly endpoint: string;
};

/** A batch is about to be created: what it can cost at most is held, and who creates it is written down before its id is told. */
export async function prepareCreation(deps: BatchCallDeps, created: BatchCall, at: At): Promise<BatchWork> {
  const { call, caller, tagged } = created;
  const { upstream, dialect } = at;
  const asked = await (dialect === 'anthropic' ? askedInBody(deps, created) : askedInFile(deps, created, upstream));
  checkModels(caller, asked.lines);
  const rows = asked.lines === null ? [] : await rowsOf(deps, created, { upstream, lines: asked.lines });
  const reserved = asked.lines === null ? null : sumOf(rows);
  return {
    ...NO_BATCH_WORK,
    call: asked.body === null ? null : { ...call, body: asked.body },
    reserved,
    answered: async ({ httpStatus, answer }) => {
      const told = httpStatus >= 200 && httpStatus < 300 ? (answer?.held() ?? null) : null;
      const id = idOf(told);
      if (told === null || id === '') return;
      const { book, durableSeq } = deps.batches;
      const record: BatchRecord = {
        batch: id,
        provider: upstream.name,
        dialect,
        endpoint: asked.endpoint,
        callId: call.callId,
        attempt: 1,
        createdAt: call.startedAt,
        afterSeq: durableSeq(),
        key: { id: caller.id, name: caller.name, team: caller.team, owner: caller.owner },
        tags: tagged.tags,
        priceAs: upstream.priceAs,
        region: upstream.region,
        reserved,
        lines: asked.lines === null ? null : asked.lines.length,
      };
      await book.create(record, rows);
      await book.learn(upstream.name, told);
    },
  };
}

async function askedInBody({ tagging }: BatchCallDeps, { call: { body } }: BatchCall): Promise<Asked> {
  const { bytes, lines } = await readRequestList(body, (line, kind) => cleanLine(tagging, line, kind));
  const changed = !bytes.equals(body.bytes);
  const type = { type: 'application/json', form: 'passed' as const };
  return { body: changed ? { target: body.target, ...bodyFields(bytes, type) } : null, lines, endpoint: '' };
}

/** OpenAI's batches name a file that was uploaded before. */
async function askedInFile({ batches }: BatchCallDeps, { call }: BatchCall, upstream: Upstream): Promise<Asked> {
  const file = textField(call.body, 'input_file_id');
  const lines = file === '' ? null : await batches.folder.readInput({ provider: upstream.name, id: file });
  return { body: null, lines, endpoint: textField(call.body, 'endpoint') };
}

function textField({ bytes, members }: RequestBody, name: string): string {
  const member = members.get(name);
  if (member === undefined) return '';
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', member.valueStart, member.end));
    return typeof value === 'string' ? value : '';
  } catch {
    // The provider says what is wrong with it.
    return '';
  }
}

/** A key that may call some models only may have them in batches too, where each line is seen. */
function checkModels({ models }: Caller, lines: readonly AskedLine[] | null): void {
  if (models.length === 0) return;
  const other = lines?.find(({ model }) => !models.includes(model));
  if (lines !== null && other === undefined) return;
  const what =
    other === undefined ? 'a batch whose input file was not uploaded through here' : `the model ${other.model}`;
  throw new ApportionError('not_allowed', `This key may call certain models only, and not ${what}.`, {
    hint: `It may call ${models.join(', ')}.`,
  });
}

type Lines = { readonly upstream: Upstream; readonly lines: readonly AskedLine[] };

/** Lines looked at before others get their turn: a batch has up to a hundred thousand. */
const AT_ONCE = 500;

async function rowsOf(deps: BatchCallDeps, created: BatchCall, { upstream, lines }: Lines): Promise<LineRow[]> {
  const { call, caller, tagged, headers } = created;
  const prices = deps.prices();
  const tagsOf = new Map<string, TagSet>();
  const rows: LineRow[] = [];
  for (const line of lines) {
    if (rows.length % AT_ONCE === AT_ONCE - 1) await nextTurn();
    let tags: TagSet | null = null;
    if (line.fields !== null) {
      // Lines mostly say the same few things; what they say is resolved once.
      const said = JSON.stringify(line.fields);
      tags = tagsOf.get(said) ?? deps.tagging.tagLine(line.fields, { body: call.body, headers, caller });
      tagsOf.set(said, tags);
    }
    const { customId, model } = line;
    const priced: PricedAttempt = {
      provider: upstream.priceAs,
      account: upstream.name,
      answered: '',
      asked: model,
      region: upstream.region,
      at: call.startedAt,
      payer: { key: caller.id, team: caller.team, dimensions: (tags ?? tagged.tags).dimensions },
    };
    const { maxInputTokens: inputTokens, maxOutputTokens: outputTokens, choices: n } = line;
    const bound = { outputTokens, n, serviceTier: BATCH_TIER };
    rows.push({
      customId,
      model,
      tags,
      reserved: inputTokens === null || model === '' ? null : prices.bound(priced, { ...bound, inputTokens }),
    });
  }
  return rows;
}

/** Null as soon as one of them is not bounded. */
function sumOf(rows: readonly LineRow[]): PicoUsd | null {
  let sum = 0n;
  for (const { reserved } of rows) {
    if (reserved === null) return null;
    sum += reserved;
  }
  return picoUsd(sum);
}
