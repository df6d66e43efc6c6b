/** Waits until the gateway has applied a revision. */
export class Acknowledgements {
  #revision = 0;
  #waiters: { readonly revision: number; readonly resolve: () => void }[] = [];

  applied(revision: number): void {
    this.#revision = Math.max(this.#revision, revision);
    const due = this.#waiters.filter((waiter) => waiter.revision <= this.#revision);
    this.#waiters = this.#waiters.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of due) waiter.resolve();
  }

  /** True once applied; false when `timeoutMs` passed before. */
  async until(revision: number, timeoutMs: number): Promise<boolean> {
    if (revision <= this.#revision) return true;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<boolean>((resolve) => {
      timer = setTimeout(() => resolve(false), timeoutMs);
    });
    const applied = new Promise<boolean>((resolve) => {
      this.#waiters.push({ revision, resolve: () => resolve(true) });
    });
    const result = await Promise.race([applied, timeout]);
    clearTimeout(timer);
    return result;
  }
}
