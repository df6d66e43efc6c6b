import { type TimestampMs } from '#std';
import { type Role } from '#terms';

/** Somebody who may read or administer: a person, who signs in, or a service account, which owns keys and never does. */
export type MemberRecord = {
  /** `member_…`, stable for ever: the audit log names it. */
  readonly id: string;
  readonly kind: 'person' | 'service';
  /** Unique, whatever its case; null for service accounts. */
  readonly email: string | null;
  readonly name: string;
  readonly role: Role;
  /** Team ids as keys prove them. */
  readonly teams: readonly string[];
  /** Who they are at an identity provider; null until they sign in there. */
  readonly subject: string | null;
  /** `scrypt$…`; null until the invitation is taken. */
  readonly password: string | null;
  readonly disabled: boolean;
  readonly createdAt: TimestampMs;
  readonly createdBy: string;
  readonly lastSignInAt: TimestampMs | null;
  /** A deleted member stays as a row, so that the audit log keeps the name. */
  readonly deletedAt: TimestampMs | null;
};
