import { type TestContext } from 'node:test';
import { openSample, sampleDeps, sampleEntry, sampleIntent, scratchDir } from './sample.fixture.ts';
import { listUncompressed, compressSegment } from './compression.ts';

/** @returns the folder of a closed journal with entries 1 to `entries`, in segments of about ten */
export async function writtenJournal(t: TestContext, entries: number): Promise<string> {
  const dir = scratchDir(t);
  const journal = await openSample(t, { ...sampleDeps(dir), segmentBytes: 2000 });
  for (let n = 1; n <= entries; n += 1) {
    await journal.begin(`call_${n}`, sampleIntent(`call_${n}`));
    await journal.settle(`call_${n}`, sampleEntry(`call_${n}`));
  }
  await journal.close();
  return dir;
}

export function compressAll(dir: string): void {
  for (const segment of listUncompressed(dir)) compressSegment(dir, segment);
}
