import type { OpenBatch } from '#batches';
import { ApportionError } from '#terms';
import type { Relayed } from '../relay.ts';
import type { TagRequest } from '../tagging.ts';
import type { Upstream } from '../upstreams.ts';
import { prepareCreation } from './batch-creation.ts';
import { prepareUpload } from './batch-upload.ts';
import { NO_BATCH_WORK, type BatchCall, type BatchCallDeps, type BatchWork } from './batch-work.ts';
import { meterResults } from './passing-results.ts';

/** What is to be done about a call that may be about a batch. Most are not. */
export async function prepareBatchCall(deps: BatchCallDeps, asked: BatchCall): Promise<BatchWork> {
  const { operation, dialect, billing } = asked.routed.route;
  if (operation !== 'batches' && operation !== 'files') return NO_BATCH_WORK;
  if (dialect !== 'openai' && dialect !== 'anthropic') return NO_BATCH_WORK;
  const { upstream } = asked.itinerary.destination;
  if (billing === 'later') return prepareCreation(deps, asked, { upstream, dialect });
  const { method, upstreamPath: path } = asked.routed;
  if (operation === 'files') return prepareFile(deps, asked, { upstream, line: `${method} ${path}` });
  const work = await prepareBatch(deps, { upstream, line: `${method} ${path}` });
  return dialect === 'openai' ? work : { ...work, shown: (answer) => withOwnResults(answer, asked.headers) };
}

const RESULTS_URL = /"results_url"(\s*:\s*)"[^"]*?(\/v1\/messages\/batches\/[\w-]+\/results)"/g;

/** Anthropic's clients fetch results from the address in the batch, which is the provider's: there no key of ours is known. */
function withOwnResults(answer: Buffer, { host, 'x-forwarded-proto': forwarded }: TagRequest['headers']): Buffer {
  const text = answer.toString('utf8');
  if (!text.includes('"results_url"') || host === undefined) return answer;
  const scheme = forwarded?.[0]?.split(',')[0] === 'https' ? 'https' : 'http';
  return Buffer.from(text.replace(RESULTS_URL, `"results_url"$1"${scheme}://${host[0] ?? ''}$2"`));
}

type At = { readonly upstream: Upstream; readonly line: string };

async function prepareFile(deps: BatchCallDeps, asked: BatchCall, { upstream, line }: At): Promise<BatchWork> {
  if (line === 'POST /files') return prepareUpload(deps, asked, upstream);
  const [, method, file, content] = /^(GET|DELETE) \/files\/([^/]+)(\/content)?$/.exec(line) ?? [];
  if (file === undefined) return NO_BATCH_WORK;
  const { batches } = deps;
  const provider = upstream.name;
  if (method === 'GET' && content === undefined) return NO_BATCH_WORK;
  if (batches.folder.hasInput({ provider, id: file })) {
    if (method === 'GET') return NO_BATCH_WORK;
    return { ...NO_BATCH_WORK, answered: (relayed) => forgetInput(deps, relayed, { provider, id: file }) };
  }
  const batch = batches.book.ofResults(provider, file) ?? (await batches.collector.lookFor(provider, file));
  if (batch === undefined) return NO_BATCH_WORK;
  if (method === 'DELETE') return afterCollecting(deps, batch);
  return meterResults(deps, { batch, file });
}

async function forgetInput(
  { batches }: BatchCallDeps,
  { httpStatus }: Relayed,
  file: { readonly provider: string; readonly id: string },
): Promise<void> {
  if (httpStatus < 300) await batches.folder.dropInput(file);
}

const BATCH_PATH = /^(\w+) (?:\/messages)?\/batches\/([^/]+)(\/results)?$/;

async function prepareBatch(deps: BatchCallDeps, { upstream, line }: At): Promise<BatchWork> {
  const [, method, id = '', results] = BATCH_PATH.exec(line) ?? [];
  const batch = deps.batches.book.find(upstream.name, id);
  if (batch !== undefined && method === 'DELETE') return afterCollecting(deps, batch);
  if (batch !== undefined && results !== undefined) return meterResults(deps, { batch, file: 'results' });
  return {
    ...NO_BATCH_WORK,
    answered: async ({ httpStatus, answer }) => {
      const told = httpStatus >= 200 && httpStatus < 300 ? answer?.held() : null;
      if (told !== null && told !== undefined) await deps.batches.book.learn(upstream.name, told);
    },
  };
}

/** What is deleted at the provider cannot be metered any more: it is metered first. */
async function afterCollecting({ batches }: BatchCallDeps, batch: OpenBatch): Promise<BatchWork> {
  await batches.collector.collect(batch);
  const { provider, batch: id } = batch.record;
  if (batches.book.find(provider, id) === undefined) return NO_BATCH_WORK;
  throw new ApportionError('conflict', `What ${id} cost is not known yet: its results are not all in.`, {
    hint: 'Delete it once it has ended and the gateway has read its results.',
  });
}
