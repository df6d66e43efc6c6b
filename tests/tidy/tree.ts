import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

export type SourceFile = {
  /** From the root, with `/`. */
  readonly path: string;
  readonly text: string;
  /** Without comments, and without what is inside quotes. */
  readonly code: string;
};

/** Every file of the tree that is or would be committed. */
export function listFiles(pattern: RegExp): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  return listed.split('\n').filter((path) => pattern.test(path) && existsSync(join(root, path)));
}

export function readTree(pattern: RegExp): SourceFile[] {
  return listFiles(pattern).map((path) => {
    const text = readText(path);
    return { path, text, code: blankQuotes(withoutComments(text)) };
  });
}

export function readText(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

/** Tests and what only tests use: they may do what the server may not. */
export function isForTests(path: string): boolean {
  return /\.(?:test|fixture)\.ts$/.test(path) || path.startsWith('tests/');
}

export type Import = { readonly file: string; readonly from: string; readonly specifier: string };

/** The imports and re-exports of a file. `from` is its module (`tags`), or `main` for the files right under src. */
export function importsOf({ path, text }: SourceFile): Import[] {
  const specifiers = withoutComments(text).matchAll(/\b(?:from|import|import\()\s*'([^'\n]+)'/g);
  return Array.from(specifiers, ([, specifier = '']) => ({ file: path, from: moduleOf(path), specifier }));
}

export function moduleOf(path: string): string {
  const [, folder = '', below] = path.split('/');
  return below === undefined ? 'main' : folder;
}

/** The path, from the root, of a relative import. */
export function targetOf({ file, specifier }: Import): string {
  return relative(root, resolve(root, file, '..', specifier)).replaceAll('\\', '/');
}

/** `path:line: text` of each match, for a failure one can click. */
export function findAll({ path, code }: SourceFile, pattern: RegExp): string[] {
  return Array.from(code.matchAll(new RegExp(pattern, `${pattern.flags}g`)), (match) => {
    const line = code.slice(0, match.index).split('\n').length;
    return `${path}:${line}: ${match[0].trim()}`;
  });
}

const QUOTED_OR_COMMENT = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

function withoutComments(text: string): string {
  return text.replaceAll(QUOTED_OR_COMMENT, (match) =>
    match.startsWith('/') ? match.replaceAll(/[^\n]/g, ' ') : match,
  );
}

// Templates keep their text: code may stand inside.
function blankQuotes(code: string): string {
  return code.replaceAll(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, (match) => ' '.repeat(match.length));
}
