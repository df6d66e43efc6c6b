import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { quietPort } from './gateway-process.ts';
import { until } from './until.ts';

const READY_MS = 60_000;

/** Why tests with a Redis server are skipped; false where there is one. */
export const withoutRedis: string | false =
  spawnSync('redis-server', ['--version']).status === 0
    ? false
    : 'redis-server is not installed (Debian: redis-server)';

export type RedisServer = {
  readonly url: string;
  /** `kill -9`. */
  kill(): Promise<void>;
  /** On the same port, knowing nothing. */
  start(): Promise<void>;
  close(): Promise<void>;
};

/** A real Redis server that keeps nothing on disk. */
export async function startRedis(): Promise<RedisServer> {
  const port = await quietPort();
  const dir = await mkdtemp(join(tmpdir(), 'apportion-redis-'));
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir];
  let child: ChildProcess | null = null;
  const start = async (): Promise<void> => {
    child = spawn('redis-server', args, { stdio: 'ignore' });
    process.once('exit', () => child?.kill('SIGKILL'));
    await until('Redis to answer', READY_MS, () => answers(port));
  };
  const kill = async (): Promise<void> => {
    const running = child;
    child = null;
    if (running === null) return;
    const exited = once(running, 'exit');
    running.kill('SIGKILL');
    await exited;
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}/0`,
    kill,
    start,
    close: async () => {
      await kill();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function answers(port: number): Promise<true | undefined> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    await once(socket, 'data');
    return true;
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
}
