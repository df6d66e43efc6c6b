import type { FastifyError, FastifyInstance, FastifyReply } from 'fastify';
import type { Log } from '#observe';
import { ApportionError, toOpenAiError } from '#terms';

/** OpenAI's envelope for every failure, whoever raised it. */
export function answerErrors(app: FastifyInstance, deps: { readonly log: Log }): void {
  app.setErrorHandler((error: unknown, request, reply) => {
    const known = fromFastifyError(error);
    if (known !== undefined) return send(reply, known);
    // Who asked is gone, and its query was stopped for that: nothing went wrong.
    if (request.signal.aborted) return reply.hijack();
    deps.log.error(
      { err: error, method: request.method, route: request.routeOptions.url },
      'a request failed by a bug',
    );
    return send(
      reply,
      new ApportionError('internal_error', 'This failed on our side; the log of the server says why.'),
    );
  });
  app.setNotFoundHandler((request, reply) =>
    send(
      reply,
      new ApportionError('not_found', `There is no ${request.method} ${pathOf(request.url)} here.`, {
        hint: 'docs/analytics-api.md lists the addresses.',
      }),
    ),
  );
}

function send(reply: FastifyReply, error: ApportionError): FastifyReply {
  void reply.status(error.status).header('x-apportion-error', error.code).header('cache-control', 'no-store');
  if (error.status === 401) void reply.header('www-authenticate', 'Bearer');
  return reply.type('application/json; charset=utf-8').send(toOpenAiError(error));
}

function pathOf(url: string): string {
  return url.split('?', 1)[0] ?? url;
}

const JSON_HINT = 'Send a JSON object with "content-type: application/json".';

function fromFastifyError(error: unknown): ApportionError | undefined {
  if (error instanceof ApportionError) return error;
  if (!isFastifyError(error) || error.statusCode === undefined || error.statusCode >= 500) return undefined;
  if (error.statusCode === 413) {
    return new ApportionError('body_too_large', 'The body is larger than this address takes.', { cause: error });
  }
  if (error.code.startsWith('FST_ERR_CTP')) {
    return new ApportionError('body_not_json', 'The body is not read as JSON.', { hint: JSON_HINT, cause: error });
  }
  return new ApportionError('invalid_query', 'The request is not understood.', { cause: error });
}

function isFastifyError(error: unknown): error is FastifyError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string';
}
