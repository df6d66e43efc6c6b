import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { detect } from './detect.ts';
import { DETECTED_KINDS, type DetectedKind } from './tag-policy.ts';

// Put together here, so that no scanner takes this file for a leak.
const JWT = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P'].join('.');
const RANDOM = 'a8Fk3Lq9Zx0Vb7Nm2Cw5Rt6Yp1Hs4Dg8Jk3';

const FOUND: Readonly<Record<DetectedKind, readonly string[]>> = {
  email: [
    'ann@example.com',
    'Ann.Lee+tag@mail.example.co.uk',
    'user:ann@example.com',
    'mailto:ann@example.com',
    'ann%40example.com',
    'Ann Lee <ann@example.com>',
    'customer/ann@example.com/eu',
    'ann@163.com',
    'jörg@bücher.de',
    'x@y.zz',
    '_ann@example.com',
  ],
  phone: [
    '+14155552671',
    '+1 (415) 555-2671',
    '+49 30 1234567',
    '+44 20 7946 0958',
    'tel:+33612345678',
    '%2B14155552671',
    '415-555-2671',
    '(415) 555-2671',
    '1-415-555-2671',
    '415.555.2671',
  ],
  card: [
    '4111111111111111',
    '4111 1111 1111 1111',
    '4111-1111-1111-1111',
    'card-4111111111111111',
    'card_5555555555554444',
    '378282246310005',
    '3782 822463 10005',
    '6011111111111117',
    '3530111333300000',
    '30569309025904',
    '2223003122003222',
  ],
  secret: [
    `sk-${RANDOM}`,
    `sk-proj-${RANDOM}`,
    `sk-ant-api03-${RANDOM}`,
    `sk-ap-${RANDOM}`,
    `key is sk-${RANDOM}`,
    ['AKIA', 'IOSFODNN7EXAMPLE'].join(''),
    ['akia', 'iosfodnn7example'].join(''),
    `ghp_${RANDOM}`,
    `github_pat_${RANDOM}`,
    `glpat-${RANDOM.slice(0, 20)}`,
    ['xoxb', '123456789012', '1234567890123', RANDOM].join('-'),
    `AIza${RANDOM}`,
    `sk_live_${RANDOM}`,
    `hf_${RANDOM}`,
    `gsk_${RANDOM}`,
    `xai-${RANDOM}`,
    JWT,
    `Bearer ${RANDOM}`,
    '-----BEGIN RSA PRIVATE KEY-----',
    'postgres://app:hunter2@db/main',
  ],
};

const CLEAN = [
  'team:growth',
  'feature:summarizer',
  'env:production',
  'US/California/SF',
  'AWS_IAM_PROD',
  'us-east-1',
  'acme-corp',
  'v1.2.3',
  '2.14.1',
  '1.2.3+20240101120000',
  '2026-11-01',
  '2026-11-01T12:30:45.123Z',
  '2026-11-01T12:30:45+0200',
  '20261101123045',
  '1761999045',
  '1761999045123',
  '192.168.100.200',
  '2001:db8::8a2e:370:7334',
  '01890a5d-ac96-774b-bcce-b302099a8057',
  '12345678-1234-1234-1234-123456789012',
  '41111111-1111-1111-1111-111111111111',
  '4111-1111-1111-1112',
  '4111111111111112',
  '1234567890123452',
  '9999999999999995',
  'order-202611011234567',
  '1541815603606036480',
  'a4111111111111111',
  '4111111111111111f',
  '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  'chatcmpl-9x8Y7z6W5v4U3t2S1r0Q',
  'call_018bcfe568007fff8000000000000000',
  'gpt-4o-mini-2024-07-18',
  'claude-3-5-sonnet@20240620',
  'lodash@4.17.21',
  'pkg@1.0.beta',
  '@scope/package',
  'git@github.com:org/repo.git',
  'user@host',
  '50%',
  '100% done',
  'a@b',
  'sk-learn-and-other-libraries-used',
  'task-management-system-alpha-2',
  'risk-assessment-of-customers-2026',
  'https://example.com/docs/page-12',
  'UTC+02:00',
  'h_0123456789abcdef',
  'h_4111111111111111',
  '000123456789',
  'C-00012345678',
  '3.14159265358979',
  'a+b=c',
  '#1234567',
  'session 12 of 34567890',
  '日本語タグ',
  '',
];

for (const kind of DETECTED_KINDS) {
  test(`each ${kind} of the list is found, and nothing else in it`, () => {
    assert.deepEqual(
      FOUND[kind].map((text) => [text, detect(text)]),
      FOUND[kind].map((text) => [text, [kind]]),
    );
  });
}

test('what only looks alike is left alone', () => {
  assert.deepEqual(
    CLEAN.filter((text) => detect(text).length > 0),
    [],
  );
});

test('a text may hold several kinds', () => {
  assert.deepEqual(detect('ann@example.com +14155552671'), ['email', 'phone']);
});

test('detection answers for any text, and finds what is put between other words', () => {
  const noise = fc.string({ unit: fc.constantFrom(...Array.from('aZ09@.%-+_/:() é日😀\u0000\ud800')), maxLength: 200 });
  fc.assert(
    fc.property(noise, (text) => {
      detect(text);
      assert.ok(detect(`${text} ann@example.com`).includes('email'));
    }),
  );
});

test('no text of 256 characters makes detection hang', { timeout: 10_000 }, () => {
  // A pattern that backtracks without bound would need hours for one of these.
  for (const unit of ['a.', '1', '1 ', '4111-', 'a@', '@', '+1(', 'a-', 'sk-', 'eyJ', 'x%40', '://:', '0a', 'a.b@a.']) {
    for (let n = 0; n < 20; n += 1) detect(unit.repeat(256).slice(n, 256 + n));
  }
});
