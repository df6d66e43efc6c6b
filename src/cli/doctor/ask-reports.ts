import type { Findings } from '#ledger/check';
import { ApportionError } from '#terms';
import { openAdminAccess } from './admin-access.ts';
import type { ExamineOptions } from './examine.ts';
import type { ReportFigures } from './report-figures.ts';
import { askAll, liveReporter, storedReporter } from './report-questions.ts';
import type { ServerState } from '../server-state.ts';
import type { StoreToCheck } from './store-check.ts';

export type Asked = { readonly reports: readonly ReportFigures[] };

type AskDeps = {
  readonly dir: string;
  readonly server: ServerState;
  readonly options: ExamineOptions;
  readonly findings: Findings;
  readonly store: StoreToCheck | null;
  readonly skipped: { what: string; why: string }[];
};

const NOTHING: Asked = { reports: [] };

/** Every breakdown, of the running server or of the store itself. What keeps it from answering is said, not thrown. */
export async function askReports(deps: AskDeps): Promise<Asked> {
  const { server, store, skipped } = deps;
  const why = (text: string): Asked => {
    skipped.push({ what: 'reports', why: text });
    return NOTHING;
  };
  if (server.is === 'stopped') return store === null ? NOTHING : askStore(deps, store).catch(reason(why));
  if (server.url === null) return why('the running server does not say where it answers');
  return askServer(deps, server.url).catch(reason(why));
}

async function askStore({ options }: AskDeps, { session, nodeId, through }: StoreToCheck): Promise<Asked> {
  return { reports: await askAll(storedReporter(session, { nodeId, seq: through, clock: options.clock })) };
}

async function askServer({ dir, options }: AskDeps, url: string): Promise<Asked> {
  const access = await openAdminAccess({ dir, adminKey: options.adminKey, clock: options.clock });
  try {
    return { reports: await askAll(liveReporter(url, access.headers)) };
  } finally {
    await access.close();
  }
}

/** A server that is just being killed, or a store too broken to ask, is why; a fault of ours is not. */
function reason(why: (text: string) => Asked): (error: unknown) => Asked {
  return (error) => {
    if (error instanceof ApportionError || (error instanceof Error && error.name !== 'InvariantError'))
      return why(error.message);
    throw error;
  };
}
