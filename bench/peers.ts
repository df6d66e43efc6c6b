import { spawn, execFile, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from '#world';
import { say } from './report.ts';
import type { Target } from './target.ts';

export type Peer = { readonly target: Target; close(): Promise<void> };

const run = promisify(execFile);
const INSTALL_TIMEOUT_MS = 300_000;
const START_TIMEOUT_MS = 90_000;
const PEER_KEY = 'sk-peer';

/** Other gateways, installed into a temporary folder. One that cannot be had is left out, and why is printed. */
export async function startPeers(upstreamUrl: string): Promise<Peer[]> {
  const peers: Peer[] = [];
  for (const [name, start] of [['portkey', startPortkey] as const, ['litellm', startLiteLlm] as const]) {
    const folder = await mkdtemp(join(tmpdir(), `apportion-peer-${name}-`));
    try {
      peers.push(await start(folder, upstreamUrl));
    } catch (error) {
      say(`${name}: left out, ${error instanceof Error ? error.message.split('\n')[0] : String(error)}`);
      await rm(folder, { recursive: true, force: true });
    }
  }
  return peers;
}

async function startPortkey(folder: string, upstreamUrl: string): Promise<Peer> {
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '@portkey-ai/gateway'], {
    cwd: folder,
    timeout: INSTALL_TIMEOUT_MS,
  });
  const port = await freePort();
  const main = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const headers = {
    authorization: `Bearer ${PEER_KEY}`,
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${upstreamUrl}/v1`,
  };
  // It refuses upstreams on private addresses unless they are named.
  const env = { ...process.env, NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' };
  const child = spawn(process.execPath, [main, `--port=${port}`, '--headless'], { cwd: folder, env, stdio: 'ignore' });
  return untilAnswers({ name: 'portkey', child, folder, port, headers });
}

async function startLiteLlm(folder: string, upstreamUrl: string): Promise<Peer> {
  const python = join(folder, 'venv/bin/python');
  await run('python3', ['-m', 'venv', join(folder, 'venv')], { timeout: INSTALL_TIMEOUT_MS });
  await run(python, ['-m', 'pip', 'install', '--quiet', 'litellm[proxy]'], { timeout: INSTALL_TIMEOUT_MS });
  const port = await freePort();
  const model = { model: 'openai/gpt-4o-mini', api_base: `${upstreamUrl}/v1`, api_key: 'sk-upstream' };
  const config = {
    model_list: [{ model_name: 'gpt-4o-mini', litellm_params: model }],
    general_settings: { master_key: PEER_KEY },
  };
  await writeFile(join(folder, 'config.yaml'), JSON.stringify(config));
  const args = ['--config', join(folder, 'config.yaml'), '--host', '127.0.0.1', '--port', String(port)];
  const child = spawn(join(folder, 'venv/bin/litellm'), args, { cwd: folder, stdio: 'ignore' });
  return untilAnswers({ name: 'litellm', child, folder, port, headers: { authorization: `Bearer ${PEER_KEY}` } });
}

type Starting = { name: string; child: ChildProcess; folder: string; port: number; headers: Record<string, string> };

async function untilAnswers({ name, child, folder, port, headers }: Starting): Promise<Peer> {
  const url = `http://127.0.0.1:${port}`;
  const gone = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
    await rm(folder, { recursive: true, force: true });
  };
  const body = JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'hello' }] });
  const ask = async (): Promise<true | undefined> => {
    if (child.exitCode !== null) throw new Error(`it ended with exit code ${child.exitCode}`);
    const request = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body };
    const answer = await fetch(`${url}/v1/chat/completions`, request).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200 ? true : undefined;
  };
  try {
    await until(`${name} to answer a call`, START_TIMEOUT_MS, ask);
  } catch (error) {
    await close();
    throw error;
  }
  return { target: { name, url, headers, tagged: false, pid: child.pid ?? null }, close };
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  const closed = once(probe, 'close');
  probe.close();
  await closed;
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
