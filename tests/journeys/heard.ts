import { makeClients, type Clients, type Target } from '#world';

/** One answer as it came over the wire: what the official clients hide. */
export type Heard = { readonly status: number; readonly headers: Headers; readonly body: Buffer };

export type Listening = { readonly clients: Clients; heard(): Promise<readonly Heard[]> };

/** The official clients, and beside them the bytes of every answer they get. */
export function listeningClients(target: Target): Listening {
  const all: Promise<Heard>[] = [];
  const listen: typeof fetch = async (input, init) => {
    const answer = await fetch(input, init);
    // OpenAI's client tries on a `data:` address whether forms are understood.
    if (!answer.url.startsWith(target.url)) return answer;
    const copy = answer.clone();
    all.push(
      copy
        .arrayBuffer()
        .then((body) => ({ status: copy.status, headers: copy.headers, body: Buffer.from(body) }))
        .catch(() => ({ status: copy.status, headers: copy.headers, body: Buffer.alloc(0) })),
    );
    return answer;
  };
  return { clients: makeClients(target, listen), heard: () => Promise.all(all) };
}

const COST_COMMENT = /^: apportion-cost (\S+) (\S+)\r?\n\r?\n/m;

/** The cost an answer tells: in its headers, or in the comment at the end of a stream. */
export function toldCost({ headers, body }: Heard): { readonly cost: string; readonly state: string } {
  const [, cost = '', state = ''] = COST_COMMENT.exec(body.toString('utf8')) ?? [];
  const inHeaders = headers.get('x-apportion-cost');
  return inHeaders === null ? { cost, state } : { cost: inHeaders, state: headers.get('x-apportion-cost-state') ?? '' };
}

const IDS = /(?:chatcmpl-|cmpl-|resp_|msg_|modr-|req_|srvtoolu_|file-)[0-9a-f]{8,}|(?<="responseId":")[\w-]+/g;
const TIMES = /(?<="(?:created|created_at)":)\d+/g;

/** Ids and times differ from one answer to the next; every other byte must not. */
export function timeless(text: string): string {
  return text.replaceAll(IDS, '…').replaceAll(TIMES, '0');
}

/** What the gateway adds to answers: the comment, and the cost beside usage that was asked for. */
export function withoutOurs(text: string): string {
  return text.replace(COST_COMMENT, '').replaceAll(/,"cost":[\d.e-]+(?=\})/g, '');
}
