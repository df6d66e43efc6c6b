// A reporter of `node:test`: a line of JSON per finished test, for scripts/test.ts to read.
import { AssertionError } from 'node:assert';
import { type TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

export type TestEnd = {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  /** Why it failed or was skipped. */
  readonly why: string;
};

export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const { type, data } of events) {
    if ((type !== 'test:pass' && type !== 'test:fail') || data.details.type === 'suite') continue;
    const { error } = data.details as { error?: Error & { failureType?: string } };
    // A parent that failed only because a subtest did is that subtest's failure told twice.
    if (error?.failureType === 'subtestsFailed') continue;
    const end: TestEnd =
      type === 'test:fail' && data.todo === undefined
        ? { name: data.name, outcome: 'failed', why: explain(error?.cause ?? error) }
        : data.skip === undefined && data.todo === undefined
          ? { name: data.name, outcome: 'passed', why: '' }
          : { name: data.name, outcome: 'skipped', why: String(data.skip ?? data.todo) };
    yield `${JSON.stringify(end)}\n`;
  }
}

/** An assertion says it all in its message; the place is the first frame outside Node. */
function explain(error: unknown): string {
  if (!(error instanceof AssertionError)) return inspect(error);
  const place = error.stack?.split('\n').find((line) => /^\s+at .*file:/.test(line));
  return `${error.message.trimEnd()}\n${place?.trim() ?? ''}`;
}
