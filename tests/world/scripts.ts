import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PYTHON_OPENAI, PYTHON_REQUESTS } from './python-openai.ts';

const run = promisify(execFile);
const SCRIPT_TIMEOUT_MS = 60_000;

export type Variables = Readonly<Record<string, string>>;

/** For a test's `skip`: false, or why Python snippets cannot run here. */
export const withoutPython: string | false =
  spawnSync('python3', ['--version']).status === 0 ? false : 'python3 is not installed';

/** What a shell command prints. A command that fails is an error with what it wrote to stderr. */
export async function runBash(command: string, variables: Variables = {}): Promise<string> {
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', command], {
    env: environment(variables),
    timeout: SCRIPT_TIMEOUT_MS,
  });
  return stdout;
}

/**
 * What a Python script prints. The packages `openai` and `requests` are used where they are installed; where not, small
 * stand-ins send the same HTTP.
 */
export async function runPython(script: string, variables: Variables = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'apportion-python-'));
  try {
    await writeFile(join(folder, 'openai.py'), PYTHON_OPENAI);
    await writeFile(join(folder, 'requests.py'), PYTHON_REQUESTS);
    // Behind the installed packages, so that a stand-in only counts where the real one is missing.
    const path = `import sys; sys.path.append(${JSON.stringify(folder)})\n`;
    const { stdout } = await run('python3', ['-c', path + script], {
      env: environment(variables),
      timeout: SCRIPT_TIMEOUT_MS,
    });
    return stdout;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function environment(variables: Variables): Record<string, string> {
  const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = process.env;
  return { PATH, HOME, LANG, PYTHONIOENCODING: 'utf-8', ...variables };
}
