import type { StoreSession } from '#ledger/check';
import { ApportionError } from '#terms';
import { openAdminAccess } from './admin-access.ts';
import type { ExamineOptions } from './examine.ts';
import { throughOf, type LedgerNode } from './ledger-nodes.ts';
import type { ReportFigures } from './report-figures.ts';
import { askAll, liveReporter, storedReporter } from './report-questions.ts';
import type { ServerState } from '../server-state.ts';

type AskDeps = {
  readonly dir: string;
  readonly server: ServerState;
  readonly options: ExamineOptions;
  readonly own: LedgerNode;
  readonly store: StoreSession | null;
  readonly skipped: { what: string; why: string }[];
};

/** Every breakdown, of the running server or of the store itself. What keeps it from answering is said, not thrown. */
export async function askReports(deps: AskDeps): Promise<readonly ReportFigures[]> {
  const { server, store, skipped } = deps;
  const why = (text: string): readonly [] => {
    skipped.push({ what: 'reports', why: text });
    return [];
  };
  if (server.is === 'stopped') return store === null ? [] : askStore(deps, store).catch(reason(why));
  if (server.url === null) return why('the running server does not say where it answers');
  return askServer(deps, server.url).catch(reason(why));
}

function askStore({ options, own }: AskDeps, store: StoreSession): Promise<readonly ReportFigures[]> {
  const nodeId = own.nodeId ?? own.shipping.shipping?.nodeId ?? '';
  return askAll(storedReporter(store, { nodeId, seq: throughOf(own), clock: options.clock }));
}

async function askServer({ dir, options }: AskDeps, url: string): Promise<readonly ReportFigures[]> {
  const access = await openAdminAccess({ dir, adminKey: options.adminKey, clock: options.clock });
  try {
    return await askAll(liveReporter(url, { headers: access.headers, clock: options.clock }));
  } finally {
    await access.close();
  }
}

/** A server that is just being killed, or a store too broken to ask, is why; a fault of ours is not. */
function reason(why: (text: string) => readonly []): (error: unknown) => readonly [] {
  return (error) => {
    if (error instanceof ApportionError || (error instanceof Error && error.name !== 'InvariantError'))
      return why(error.message);
    throw error;
  };
}
