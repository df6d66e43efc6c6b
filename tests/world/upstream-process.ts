import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { fromWireBill } from './bill.ts';
import { UPSTREAM_KEY, type Upstream } from './upstream.ts';

const MAIN = fileURLToPath(new URL('upstream-main.ts', import.meta.url));

/** The same upstream in a process of its own; its bill is asked for over HTTP. */
export async function startUpstreamProcess(): Promise<Upstream> {
  const child = fork(MAIN, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [{ baseUrl }]: [{ baseUrl: string }] = await firstMessage(child);
  const origin = new URL(baseUrl).origin;
  const ask = async (path: string, init: RequestInit = {}): Promise<string> => {
    const answer = await fetch(`${origin}${path}`, init);
    if (!answer.ok) throw new Error(`the upstream answers ${answer.status} on ${path}`);
    return answer.text();
  };
  return {
    baseUrl,
    origin,
    apiKey: UPSTREAM_KEY,
    bill: async () => fromWireBill(await ask('/bill')),
    received: async () => JSON.parse(await ask('/received')),
    script: async (behaviour, times) => {
      await ask('/script', { method: 'POST', body: JSON.stringify({ behaviour, times: times ?? null }) });
    },
    close: async () => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

async function firstMessage(child: ReturnType<typeof fork>): Promise<[{ baseUrl: string }]> {
  const early = new AbortController();
  child.once('exit', (code) => early.abort(new Error(`the upstream's process ended at once (exit code ${code})`)));
  const [message] = await once(child, 'message', { signal: early.signal });
  return [message];
}
