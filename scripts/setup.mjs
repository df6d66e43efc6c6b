// Makes a clone ready to run: packages, a Node that is new enough, the dashboard. Plain JavaScript, because the Node that
// runs it may be an old one. Does nothing, quickly, when nothing is to be done.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 24;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const bundledNode = join(modules, '.bin', 'node');
const stampFile = join(modules, '.apportion-setup');
const dashboard = join(root, 'dashboard');

const stamp = readJson(stampFile) ?? {};
const lockText = readFileSync(join(root, 'package-lock.json'), 'utf8');
const lock = sha256(lockText);

if (stamp.lock !== lock || !existsSync(bundledNode)) {
  if (!isInstalled(JSON.parse(lockText))) installPackages();
  ensureNode();
  writeStamp({ lock });
}
if (existsSync(join(dashboard, 'index.html'))) {
  const sources = hashDashboard();
  if (stamp.dashboard !== sources || !existsSync(join(dashboard, 'dist', 'index.html'))) {
    buildDashboard();
    writeStamp({ dashboard: sources });
  }
}

/** True when npm has put exactly the locked packages there, whoever ran it. Optional ones may be for other platforms. */
function isInstalled(wanted) {
  const present = readJson(join(modules, '.package-lock.json'))?.packages;
  if (present === undefined) return false;
  return Object.entries(wanted.packages).every(
    ([path, { version, optional }]) => path === '' || optional === true || present[path]?.version === version,
  );
}

function installPackages() {
  say('Installing packages, once …');
  const npm = process.env.npm_execpath;
  const [command, ...first] =
    npm !== undefined && /^npm-cli\.c?js$/.test(basename(npm)) ? [process.execPath, npm] : ['npm'];
  // `npm ci` refuses a lock file without the optional packages of every other platform, and some registries have only
  // this one's. No package here needs its install script, and the development packages build the dashboard.
  const args = ['install', '--no-save', '--ignore-scripts', '--include=dev', '--include=optional'];
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  rmSync(join(modules, '.cache', 'compiled'), { recursive: true, force: true });
  const { status, error } = spawnSync(command, [...first, ...args, ...quiet], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status === 0) return;
  stop(`The packages could not be installed (${error?.message ?? `npm install ended with ${status}`}).`, [
    'Is the npm registry reachable from here? Behind a proxy: npm config set proxy …, npm config set https-proxy …',
    'Then run the same command again.',
  ]);
}

/** The platform's Node comes as an optional package; where there is none that runs, the present one serves if it can. */
function ensureNode() {
  if (majorOf(bundledNode) >= OLDEST_NODE) return;
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    stop(`Apportion needs Node ${OLDEST_NODE} or newer; this is ${process.version}.`, [
      `The Node that comes as a package does not run on ${process.platform}-${process.arch} here (musl, or packages omitted).`,
      `Install Node ${OLDEST_NODE} or newer, then run the same command again.`,
    ]);
  }
  say(`Using this machine's Node ${process.version}.`);
  mkdirSync(dirname(bundledNode), { recursive: true });
  rmSync(bundledNode, { force: true });
  symlinkSync(process.execPath, bundledNode);
}

function majorOf(node) {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return status === 0 ? Number.parseInt(stdout.slice(1), 10) : 0;
}

function hashDashboard() {
  const hash = createHash('sha256').update(lock);
  for (const file of sourcesIn(dashboard))
    hash
      .update(`${relative(dashboard, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}

function sourcesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ['dist', 'node_modules'].includes(entry.name) ? [] : sourcesIn(path);
    return /\.test\.\w+$/.test(entry.name) ? [] : [path];
  });
}

function buildDashboard() {
  say('Building the dashboard …');
  const vite = join(modules, 'vite', 'bin', 'vite.js');
  const { status, error } = spawnSync(bundledNode, [vite, 'build', dashboard, '--logLevel', 'warn'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) stop(`The dashboard could not be built (${error?.message ?? `vite ended with ${status}`}).`, []);
}

function writeStamp(fields) {
  Object.assign(stamp, fields);
  writeFileSync(stampFile, `${JSON.stringify(stamp)}\n`);
}

function readJson(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
}

function sha256(text) {
  return createHash('sha256').update(text).digest('hex');
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function stop(what, hints) {
  say([what, ...hints].join('\n'));
  process.exit(1);
}
