import type { AuditEvent, AuditLog, ControlDatabase } from '#accounts';
import { withAlertTables, type AlertQueries } from './database.ts';

export type AuditedDeps = { readonly control: ControlDatabase; readonly audit: AuditLog };

/** A change and its record in the audit log, in one transaction: neither is there without the other. */
export async function audited(
  { control, audit }: AuditedDeps,
  event: AuditEvent,
  write: (queries: AlertQueries) => Promise<void>,
): Promise<void> {
  await control.transaction().execute(async (queries) => {
    await write(withAlertTables(queries));
    await audit.record(event, queries);
  });
}
