import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApportionError, ERRORS, type ErrorCode } from '#terms';
import { anthropicErrorEvent, toAnthropicError } from './error.ts';

test('an error has the type of its status, and our code and hint beside it', () => {
  const error = new ApportionError('model_not_found', 'No such model.', { hint: 'Try another.', param: 'model' });
  assert.deepEqual(toAnthropicError(error, 'call_1'), {
    type: 'error',
    error: {
      type: 'not_found_error',
      message: 'No such model. Try another.',
      code: 'model_not_found',
      hint: 'Try another.',
      param: 'model',
    },
    request_id: 'call_1',
  });
});

test('every error of ours has a type of Anthropic', () => {
  const types = new Map<number, string>();
  for (const code of Object.keys(ERRORS) as ErrorCode[])
    types.set(ERRORS[code].status, toAnthropicError(new ApportionError(code, 'x')).error.type);
  const expected: Record<number, string> = {
    400: 'invalid_request_error',
    401: 'authentication_error',
    403: 'permission_error',
    404: 'not_found_error',
    405: 'invalid_request_error',
    408: 'timeout_error',
    413: 'request_too_large',
    500: 'api_error',
    502: 'api_error',
    503: 'overloaded_error',
    504: 'timeout_error',
  };
  for (const [status, type] of types) assert.equal(type, expected[status] ?? type, String(status));
});

test('in a stream an error is an event that is named so', () => {
  const event = anthropicErrorEvent(new ApportionError('upstream_timeout', 'Too\nlate.')).toString();
  assert.match(event, /^event: error\ndata: \{"type":"error","error":\{"type":"timeout_error",.*\}\}\n\n$/);
});
