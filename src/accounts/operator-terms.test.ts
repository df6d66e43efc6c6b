import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_TERMS, parsePriceTerm } from '#pricing';
import { systemClock } from '#std';
import { combineOperatorTerms } from './operator-terms.ts';
import { type StoredPriceTerm } from './price-term-record.ts';

const RATES = { input: { amount: '2', per: 1_000_000 } };

function stored(id: string, body: Record<string, unknown>): StoredPriceTerm {
  const kind = body['kind'] === 'contract' ? 'contract' : body['kind'] === 'markup' ? 'markup' : 'price';
  const facts = { createdAt: systemClock.now(), createdBy: 'admin_key', deletedAt: null, revision: 1 };
  return { id, kind, body: { ...body, id }, ...facts };
}

const ids = (terms: readonly { readonly id: string }[]): string[] => terms.map(({ id }) => id);

test('the narrower scope holds first, then what begins later, then the newer; the file comes last', () => {
  const contract = { kind: 'contract', provider: 'openai', discount: '0.1' };
  const markup = { kind: 'markup', markup: '0.1' };
  const file = parsePriceTerm({ ...contract, id: 'in-the-file', model: 'gpt-4o', region: 'us' });
  const { terms, faults } = combineOperatorTerms(file, [
    stored('newest', contract),
    stored('from-march', { ...contract, effective_from: '2026-03-01' }),
    stored('from-may', { ...contract, effective_from: '2026-05-01' }),
    stored('of-a-model', { ...contract, model: 'gpt-4o' }),
    stored('for-all', markup),
    stored('for-a-customer', { ...markup, tag: { key: 'customer', value: 'acme' } }),
    stored('price', { provider: 'openai', model: 'gpt-4o', rates: RATES }),
  ]);
  assert.deepEqual(ids(terms.contracts), ['of-a-model', 'from-may', 'from-march', 'newest', 'in-the-file']);
  assert.deepEqual(ids(terms.markups), ['for-a-customer', 'for-all']);
  assert.deepEqual([ids(terms.rows), faults], [['price'], []]);
});

test('a stored term that cannot be read is told, and the others hold', () => {
  const good = stored('good', { provider: 'openai', model: 'gpt-4o', rates: RATES });
  const bad = stored('bad', { provider: 'openai', model: 'gpt-4o', rates: { quarks: { amount: '1', per: 1 } } });
  const { terms, faults } = combineOperatorTerms(NO_TERMS, [bad, good]);
  assert.deepEqual(ids(terms.rows), ['good']);
  assert.deepEqual([faults.length, faults[0]?.startsWith('bad: ')], [1, true]);
});
