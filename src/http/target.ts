export type Target = {
  /** Begins with one slash, ends without, has none twice. Not percent-decoded. */
  readonly path: string;
  /** Without its question mark; empty when there is none. */
  readonly query: string;
};

/** Reads a request line's target. Base URLs are written with and without a slash at the end, so slashes are made one. */
export function parseTarget(target: string): Target {
  const [beforeFragment = ''] = target.split('#', 1);
  const mark = beforeFragment.indexOf('?');
  const whole = mark < 0 ? beforeFragment : beforeFragment.slice(0, mark);
  const query = mark < 0 ? '' : beforeFragment.slice(mark + 1);
  // A proxy may send the absolute form (RFC 9112, section 3.2.2).
  const path = whole.replace(/^https?:\/\/[^/]*/i, '');
  const segments = path.split('/').filter((segment) => segment !== '');
  return { path: `/${segments.join('/')}`, query };
}

/** Twice where a base URL ends in `/v1` and the client adds its own, as Anthropic's does. */
const API_PREFIX = /^(?:\/api)?(?:\/v1){1,2}(?=\/|$)|^\/openai(?:\/v1|\/deployments\/[^/]+)?(?=\/)/;

/**
 * One spelling for all that are served: `/v1/x`, `/api/v1/x` and `/x` are all `/x`, and so are `/openai/v1/x` and
 * `/openai/deployments/NAME/x` of Azure's client, whose bodies name the deployment again.
 */
export function withoutApiPrefix(path: string): string {
  const rest = path.replace(API_PREFIX, '');
  return rest === '' ? '/' : rest;
}

/**
 * Whether a path may lead elsewhere than it says: `..`, a backslash or a control character, as they stand or percent-encoded, however
 * often. A server behind us may undo what we do not, and would then answer another route than the one that was charged.
 */
export function isTwisted(path: string): boolean {
  let plain = path;
  for (let turn = 0; turn < MOST_ENCODINGS; turn += 1) {
    if (/[\\\p{Cc}]|(?:^|\/)\.{1,2}(?:;[^/]*)?(?:\/|$)/u.test(plain)) return true;
    const decoded = plain.replaceAll(/%[0-9a-f]{2}/gi, (code) =>
      String.fromCharCode(Number.parseInt(code.slice(1), 16)),
    );
    if (decoded === plain) return false;
    plain = decoded;
  }
  return true;
}

/** Nobody encodes a name more often than this for an honest reason. */
const MOST_ENCODINGS = 4;
