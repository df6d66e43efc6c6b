import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts, and the file of the certificate for `NODE_EXTRA_CA_CERTS`, which goes with the process. */
export type Certificate = { readonly key: string; readonly cert: string; readonly file: string };

let made: Certificate | null = null;

/** A certificate of this process's own, for servers that a client refuses to speak to in plain HTTP. */
export function localCertificate(): Certificate {
  made ??= makeCertificate(['localhost', 'oauth2.googleapis.com']);
  return made;
}

/** Self-signed, by an elliptic curve's key, for a day (RFC 5280, section 4.1). */
function makeCertificate(hosts: readonly string[]): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const name = sequence(set(sequence(oid(COMMON_NAME), tagged(UTF8, Buffer.from('tests')))));
  const now = Date.now();
  const subject = sequence(
    tagged(EXPLICIT | 0, tagged(INTEGER, Buffer.from([2]))),
    tagged(INTEGER, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA,
    name,
    sequence(time(now - DAY_MS), time(now + DAY_MS)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(EXPLICIT | 3, sequence(alternativeNames(hosts), authority())),
  );
  const signature = sign('sha256', subject, privateKey);
  const whole = sequence(subject, ECDSA, tagged(BIT_STRING, Buffer.concat([Buffer.from([0]), signature])));
  const cert = `-----BEGIN CERTIFICATE-----\n${whole.toString('base64').replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`;
  const folder = mkdtempSync(join(tmpdir(), 'apportion-certificate-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'cert.pem');
  writeFileSync(file, cert);
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }), cert, file };
}

const DAY_MS = 86_400_000;

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTF8 = 0x0c;
const GENERALIZED_TIME = 0x18;
const EXPLICIT = 0xa0;

const COMMON_NAME = [0x55, 0x04, 0x03];
const ALTERNATIVE_NAMES = [0x55, 0x1d, 0x11];
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13];
const ECDSA: Buffer = sequence(oid([0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02]));

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map((host) => tagged(0x82, Buffer.from(host)));
  const address = tagged(0x87, Buffer.from([127, 0, 0, 1]));
  return sequence(oid(ALTERNATIVE_NAMES), tagged(OCTET_STRING, sequence(...names, address)));
}

function authority(): Buffer {
  const yes = tagged(0x01, Buffer.from([0xff]));
  return sequence(oid(BASIC_CONSTRAINTS), yes, tagged(OCTET_STRING, sequence(yes)));
}

function time(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/[-:T]|\.\d+/g, '');
  return tagged(GENERALIZED_TIME, Buffer.from(digits));
}

function oid(bytes: readonly number[]): Buffer {
  return tagged(0x06, Buffer.from(bytes));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return tagged(0x31, Buffer.concat(parts));
}

/** DER: tag, length, content; no content here is longer than two bytes of length can say. */
function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}
