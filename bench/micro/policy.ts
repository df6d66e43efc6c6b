// µs of CPU for applying a tag policy to the tags of one call. Run: node bench/micro/policy.ts
import { systemClock } from '#std';
import {
  applyPolicy,
  compilePolicy,
  createCardinalityGate,
  parseTagPolicy,
  readBodyTags,
  resolveTags,
  type CompiledPolicy,
} from '#tags';
import { type TagSet } from '#terms';

const ROUNDS = 7;
const CALLS = 50_000;

const TEN_TAGS = [
  'team:growth',
  'feature:summarizer',
  'env:Production',
  'customer:acme-corp',
  'version:2.14.1',
  'tier:enterprise',
  'region:us-east-1',
  'experiment:prompt-v7',
  'beta',
  'US/California/SF',
];

const POLICIES: Readonly<Record<string, CompiledPolicy>> = {
  'no policy (warn on personal data)': compilePolicy({}),
  'keys, aliases, caps': compilePolicy({
    deployment: parseTagPolicy(
      {
        mode: 'enforce',
        required: ['team', 'feature'],
        allow_unknown_keys: false,
        keys: {
          env: { fold: 'lower', aliases: { production: 'prod' }, values: ['prod', 'staging'] },
          version: { pattern: String.raw`^[0-9]+(?:\.[0-9]+){0,3}$` },
          tier: { values: ['free', 'enterprise'] },
          region: { max_values_per_day: 50 },
          experiment: {},
        },
        detect: { email: 'hash', secret: 'reject' },
      },
      'policy',
    ),
  }),
  'turned off': compilePolicy({ deployment: parseTagPolicy({ mode: 'off' }, 'policy') }),
};

const CALLERS: Readonly<Record<string, TagSet>> = {
  '10 tags': tagsOf(TEN_TAGS, 'conversation-42'),
  '10 tags, UUID session': tagsOf(TEN_TAGS, '01890a5d-ac96-774b-bcce-b302099a8057'),
  '10 tags, one e-mail': tagsOf([...TEN_TAGS.slice(0, 9), 'end_user:ann@example.com'], 'conversation-42'),
};

function tagsOf(tags: readonly string[], sessionId: string): TagSet {
  const { declaration } = readBodyTags({ tags: JSON.stringify(tags), session_id: JSON.stringify(sessionId) });
  return resolveTags(new Map([['body', declaration]]), { keyTeam: 'core' });
}

const context = {
  now: systemClock.now(),
  cardinality: createCardinalityGate({ maxKeys: 100 }),
  hashKey: Buffer.alloc(32),
};

for (const [policyName, policy] of Object.entries(POLICIES)) {
  for (const [callName, tags] of Object.entries(CALLERS)) {
    const rounds: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const start = process.cpuUsage();
      for (let call = 0; call < CALLS; call += 1) applyPolicy(tags, policy, context);
      const { user, system } = process.cpuUsage(start);
      rounds.push((user + system) / CALLS);
    }
    const median = rounds.toSorted((left, right) => left - right)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
    process.stdout.write(`${policyName.padEnd(34)} ${callName.padEnd(22)} ${median.toFixed(2)} µs per call\n`);
  }
}
