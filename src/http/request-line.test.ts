import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bearerToken, isTwisted, parseTarget, withoutApiPrefix } from './index.ts';

test('the token comes from Authorization, else from x-api-key, else from api-key', () => {
  assert.equal(bearerToken({ authorization: 'Bearer a' }), 'a');
  assert.equal(bearerToken({ authorization: 'bearer   a ' }), 'a');
  assert.equal(bearerToken({ authorization: 'Bearer a', 'x-api-key': 'b' }), 'a');
  assert.equal(bearerToken({ 'x-api-key': 'b', 'api-key': 'c' }), 'b');
  assert.equal(bearerToken({ 'api-key': ' c ' }), 'c');
});

test('no token is found where none is, and another scheme is not taken for one', () => {
  assert.equal(bearerToken({}), undefined);
  assert.equal(bearerToken({ authorization: '', 'x-api-key': '' }), undefined);
  assert.equal(bearerToken({ authorization: 'Bearer ' }), undefined);
  assert.equal(bearerToken({ authorization: 'Bearer a b' }), undefined);
  assert.equal(bearerToken({ authorization: 'Basic YTpi', 'x-api-key': 'b' }), undefined);
});

test('a target is split into path and query, its slashes made one', () => {
  assert.deepEqual(parseTarget('/v1/events?tags=a/b//c'), { path: '/v1/events', query: 'tags=a/b//c' });
  assert.deepEqual(parseTarget('//v1//chat/completions/'), { path: '/v1/chat/completions', query: '' });
  assert.deepEqual(parseTarget('http://host:4000/v1/models?a=b?c'), { path: '/v1/models', query: 'a=b?c' });
  assert.deepEqual(parseTarget('/'), { path: '/', query: '' });
  assert.deepEqual(parseTarget('?a'), { path: '/', query: 'a' });
  assert.deepEqual(parseTarget('*'), { path: '/*', query: '' });
});

test('the spellings of a call path are one, also with a version from the base URL and one from the client', () => {
  for (const path of [
    '/v1/chat/completions',
    '/api/v1/chat/completions',
    '/chat/completions',
    '/v1/v1/chat/completions',
  ]) {
    assert.equal(withoutApiPrefix(path), '/chat/completions');
  }
  assert.equal(withoutApiPrefix('/v1'), '/');
  assert.equal(withoutApiPrefix('/v1beta/models'), '/v1beta/models');
  assert.equal(withoutApiPrefix('/api/v10/x'), '/api/v10/x');
});

test('a path that may lead elsewhere than it says is told from one that merely looks odd', () => {
  for (const path of [
    '/files/../chat/completions',
    '/files/%2e%2e/chat/completions',
    '/files/%2E./x',
    '/files/%252e%252e/x',
    '/files/%25252525252e/x',
    '/files/..%2fchat',
    '/files/..;a=b/chat',
    '/files/.',
    '/files\\..\\chat',
    '/files/%5c..%5cchat',
    '/files/a%00b',
    '/files/a%0d%0ab',
  ])
    assert.ok(isTwisted(path), path);
  for (const path of [
    '/files/file-1',
    '/files/a..b',
    '/files/...',
    '/files/.env',
    '/models/a%2Fb',
    '/files/50%',
    '/files/%C3%A9',
    '/',
  ])
    assert.ok(!isTwisted(path), path);
});
