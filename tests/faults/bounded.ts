/** A promise that somebody else resolves, and that rejects when nobody does: no scenario may wait for ever. */
export function bounded(what: string, timeoutMs: number, begin: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited ${timeoutMs} ms for ${what}`)), timeoutMs);
    begin(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
