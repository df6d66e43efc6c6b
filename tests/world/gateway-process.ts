import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.ts';
import type { Upstream } from './upstream.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 45_000;
const CLOSE_TIMEOUT_MS = 5_000;
const OUTPUT_KEPT_CHARS = 200_000;

export const ADMIN_KEY = 'sk-ap-admin-of-the-tests';

export type ProviderName = 'openai' | 'anthropic' | 'gemini';

export const ALL_PROVIDERS: readonly ProviderName[] = ['openai', 'anthropic', 'gemini'];

export type GatewayOptions = {
  /** Becomes the providers that are named. Without one the gateway runs with its sandbox. */
  readonly upstream?: Pick<Upstream, 'baseUrl' | 'apiKey'>;
  /** Which of the three the upstream plays by the environment alone; OpenAI when not said. */
  readonly providers?: readonly ProviderName[];
  readonly env?: Readonly<Record<string, string>>;
  /** The content of a configuration file, which may name the gateway's own address. */
  readonly config?: Readonly<Record<string, unknown>> | ((url: string) => Readonly<Record<string, unknown>>);
  /** Kept after `close` when given; otherwise a fresh folder that `close` removes. */
  readonly dataDir?: string;
};

export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null };

export type Gateway = {
  /** Without `/v1`. Stays the same across restarts. */
  readonly url: string;
  readonly adminKey: string;
  readonly dataDir: string;
  pid(): number;
  /** What the process wrote to stdout and stderr, restarts included. */
  output(): string;
  /** Resolves once the present process answers `/readyz` with 200. */
  ready(): Promise<void>;
  /** `kill -9`, then waits for the end. */
  kill(): Promise<Exit>;
  /** SIGTERM, then waits for the end. */
  stop(): Promise<Exit>;
  /** Starts the next process on the same data directory and port, and waits until it is ready. */
  restart(): Promise<void>;
  /** Ends whatever runs and removes the folder if it was made here. */
  close(): Promise<void>;
};

type Running = { readonly child: ChildProcess; readonly exited: Promise<Exit>; readonly ready: Promise<void> };

/** The real gateway: its own processes, real sockets, real disk. */
export async function startGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const folder = await mkdtemp(join(tmpdir(), 'apportion-gateway-'));
  const dataDir = options.dataDir ?? join(folder, 'data');
  const port = await quietPort();
  const url = `http://127.0.0.1:${port}`;
  const configFile = join(folder, 'apportion.json');
  const { config } = options;
  const content = typeof config === 'function' ? config(url) : config;
  if (content !== undefined) await writeFile(configFile, JSON.stringify(content));
  const named = content === undefined ? {} : { APPORTION_CONFIG: configFile };
  const env = environment({ ...options, env: { ...named, ...options.env }, dataDir, folder, port });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-OUTPUT_KEPT_CHARS);
  };
  const start = (): Running => {
    const child = spawn(process.execPath, ['src/main.ts'], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
    // A test run that dies must not leave gateways behind.
    const take = (): void => void child.kill('SIGKILL');
    process.once('exit', take);
    child.once('exit', () => process.off('exit', take));
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const exited = once(child, 'exit').then(([code, signal]): Exit => ({ code, signal }));
    const ready = untilReady({ child, dataDir, url, output: () => output });
    // Who waits for it sees the failure; nobody may be waiting when a test kills the process early.
    ready.catch(() => undefined);
    return { child, exited, ready };
  };
  let running = start();
  const end = async (signal: NodeJS.Signals, timeoutMs = STOP_TIMEOUT_MS): Promise<Exit> => {
    if (running.child.exitCode === null && running.child.signalCode === null) running.child.kill(signal);
    return within(running.exited, timeoutMs, `the gateway to end after ${signal}`);
  };
  const gateway: Gateway = {
    url,
    adminKey: ADMIN_KEY,
    dataDir,
    pid: () => running.child.pid ?? -1,
    output: () => output,
    ready: () => running.ready,
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
    restart: async () => {
      running = start();
      await running.ready;
    },
    close: async () => {
      // A killed gateway's ledger process may still be writing when the folder is removed, so it is asked first.
      if ((await end('SIGTERM', CLOSE_TIMEOUT_MS).catch(() => undefined)) === undefined) await end('SIGKILL');
      // What the server takes for a bug of its own is shown, whatever the test makes of it.
      for (const line of output.split('\n')) if (line.includes('failed by a bug')) process.stderr.write(`${line}\n`);
      await removeWhenLeft(folder);
    },
  };
  try {
    await running.ready;
  } catch (error) {
    await gateway.close();
    throw error;
  }
  return gateway;
}

function environment(
  options: GatewayOptions & { dataDir: string; folder: string; port: number },
): Record<string, string> {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(APPORTION_|NODE_TEST_CONTEXT)|_(API_KEY|BASE_URL)$/.test(name),
  );
  return {
    ...Object.fromEntries(inherited.map(([name, value]) => [name, value ?? ''])),
    // What a killed process leaves behind goes with the folder.
    TMPDIR: options.folder,
    APPORTION_PORT: String(options.port),
    APPORTION_DATA_DIR: options.dataDir,
    APPORTION_ADMIN_KEY: ADMIN_KEY,
    ...providerVariables(options),
    ...options.env,
  };
}

function providerVariables({ upstream, providers = ['openai'] }: GatewayOptions): Record<string, string> {
  const variables: Record<string, string> = {};
  if (upstream === undefined) return variables;
  for (const name of providers) {
    variables[`${name.toUpperCase()}_API_KEY`] = upstream.apiKey;
    // Anthropic's and Google's own clients write the address without a version.
    variables[`${name.toUpperCase()}_BASE_URL`] =
      name === 'openai' ? upstream.baseUrl : new URL(upstream.baseUrl).origin;
  }
  return variables;
}

type Awaited = { child: ChildProcess; dataDir: string; url: string; output: () => string };

async function untilReady({ child, dataDir, url, output }: Awaited): Promise<void> {
  await until('the gateway to be ready', READY_TIMEOUT_MS, async () => {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`the gateway ended (${child.exitCode ?? child.signalCode}) before it was ready:\n${output()}`);
    }
    if (child.pid === undefined || (await addressPid(dataDir)) !== child.pid) return undefined;
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    await answer?.arrayBuffer();
    return answer?.status === 200 ? true : undefined;
  });
}

/** The file of an earlier process may still lie there, so its pid decides. */
async function addressPid(dataDir: string): Promise<number | undefined> {
  try {
    const address: { pid: number } = JSON.parse(await readFile(join(dataDir, 'address.json'), 'utf8'));
    return address.pid;
  } catch {
    return undefined;
  }
}

const LOWEST_PORT = 18_000;
const PORTS = 12_000;

/** Below the range the kernel takes for outgoing connections, so that nothing grabs it while its server is down. */
export async function quietPort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORTS);
    const probe = createServer();
    const free = new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
    if (await free) return port;
  }
}

async function removeWhenLeft(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

async function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms for ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
