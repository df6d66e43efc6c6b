// µs of CPU for reading and resolving the tags of one call, by dialect. Run: node bench/micro/tags.ts
import { readBodyTags, readDefaultTags, resolveTags, type TagDeclaration } from '#tags';
import { type TagSource } from '#terms';

const ROUNDS = 7;
const CALLS = 50_000;

const DIALECTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'no tags': {},
  InfraPrism: {
    entity_type: '"customer"',
    entity_id: '"acme-corp"',
    session_id: '"s-42"',
    tags: '{"feature":"chatbot","env":"production","tier":"enterprise","region":"us-east"}',
  },
  FastRouter: { request_tags: '["UK/London","Europe","customer/acme"]' },
  LiteLLM: { metadata: '{"tags":["AWS_IAM_PROD","us-east-1"]}' },
  NemoRouter: { metadata: '{"tags":["team:growth","feature:summarizer","env:prod","customer:acme"]}' },
};

const keyDefaults = readDefaultTags({ tags: ['AWS_IAM_PROD', 'team:backend'] });

function resolveOnce(fields: Readonly<Record<string, string>>): number {
  const { declaration } = readBodyTags(fields);
  const sources = new Map<TagSource, TagDeclaration>([
    ['body', declaration],
    ['key_default', keyDefaults],
  ]);
  return resolveTags(sources, { keyTeam: 'core' }).dimensions.size;
}

for (const [name, fields] of Object.entries(DIALECTS)) {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = process.cpuUsage();
    for (let call = 0; call < CALLS; call += 1) resolveOnce(fields);
    const { user, system } = process.cpuUsage(start);
    rounds.push((user + system) / CALLS);
  }
  const median = rounds.toSorted((left, right) => left - right)[Math.floor(ROUNDS / 2)] ?? Number.NaN;
  process.stdout.write(`${name.padEnd(12)} ${median.toFixed(2)} µs per call\n`);
}
