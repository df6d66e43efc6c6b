/** Where it is written down who changed what about money. */
export type AuditLog = {
  record(event: {
    readonly actor: string;
    readonly action: string;
    readonly target: string;
    readonly detail: Detail;
  }): Promise<unknown>;
};

type Detail = Readonly<Record<string, unknown>>;

type Deed = {
  readonly actor: string;
  /** `<action>.begin` is recorded before, `.apply` or `.fail` after. */
  readonly action: string;
  readonly target: string;
  readonly detail: Detail;
};

/** Written down before anything is appended with what it will do, and after with what it did: a crash leaves the first. */
export async function audited<T>(
  { audit }: { readonly audit: AuditLog },
  { actor, action, target, detail }: Deed,
  { work, outcome }: { readonly work: () => Promise<T>; readonly outcome: (done: T) => Detail },
): Promise<T> {
  await audit.record({ actor, action: `${action}.begin`, target, detail });
  try {
    const done = await work();
    await audit.record({ actor, action: `${action}.apply`, target, detail: { ...detail, ...outcome(done) } });
    return done;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    await audit.record({ actor, action: `${action}.fail`, target, detail: { ...detail, problem } });
    throw error;
  }
}
