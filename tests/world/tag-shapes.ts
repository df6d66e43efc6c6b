import type { Random } from './random.ts';

/** Where a call's cost must appear, written down by whoever sent the tags. */
export type Attribution = {
  readonly entity: { readonly type: string; readonly id: string } | null;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly paths: readonly string[];
};

export type TaggedFields = { readonly fields: Readonly<Record<string, unknown>>; readonly expected: Attribution };

const FEATURES = ['chatbot', 'summarizer', 'document-search'] as const;
const ENVS = ['production', 'staging'] as const;
const CUSTOMERS = ['acme-corp', 'globex', 'initech'] as const;
const PLACES = ['US/California/SF', 'US/California/LA', 'US/Texas', 'UK/London'] as const;
const LABELS = ['beta', 'AWS_IAM_PROD', 'us-east-1'] as const;

const NOTHING: Attribution = { entity: null, dimensions: {}, labels: [], paths: [] };

/** InfraPrism: entity parameters and an object of tags. */
function infraPrism(random: Random): TaggedFields {
  const id = random.pick(CUSTOMERS);
  const feature = random.pick(FEATURES);
  const env = random.pick(ENVS);
  return {
    fields: { entity_type: 'customer', entity_id: id, session_id: `s-${random.between(1, 9)}`, tags: { feature, env } },
    expected: { ...NOTHING, entity: { type: 'customer', id }, dimensions: { customer: id, feature, env } },
  };
}

/** FastRouter: flat labels and paths in one array. */
function fastRouter(random: Random): TaggedFields {
  const place = random.pick(PLACES);
  const label = random.pick(LABELS);
  return { fields: { request_tags: [place, label] }, expected: { ...NOTHING, labels: [label], paths: [place] } };
}

/** LiteLLM: an array inside metadata, without keys. */
function liteLlm(random: Random): TaggedFields {
  const label = random.pick(LABELS);
  return {
    fields: { metadata: { tags: [label, 'team-backend'], trace: 'kept' } },
    expected: { ...NOTHING, labels: [label, 'team-backend'] },
  };
}

/** NemoRouter: the same array with `key:value`. */
function nemoRouter(random: Random): TaggedFields {
  const feature = random.pick(FEATURES);
  const customer = random.pick(CUSTOMERS);
  const env = random.pick(ENVS);
  return {
    fields: { metadata: { tags: [`feature:${feature}`, `env:${env}`, `customer:${customer}`] }, user: 'u-1' },
    expected: {
      ...NOTHING,
      entity: { type: 'customer', id: customer },
      dimensions: { customer, feature, env },
    },
  };
}

function untagged(): TaggedFields {
  return { fields: {}, expected: NOTHING };
}

const SHAPES = [infraPrism, fastRouter, liteLlm, nemoRouter, untagged] as const;

/** One of the dialects, or none, with values drawn from small sets so that groups have many members. */
export function tagShape(random: Random): TaggedFields {
  return random.pick(SHAPES)(random);
}
