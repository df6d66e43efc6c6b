import { toIso } from '../key-answer.ts';
import { type MemberRecord } from './member-record.ts';

/** A member in every answer: nothing of the password but whether there is one. */
export function toMemberInfo(member: MemberRecord): Record<string, unknown> {
  return {
    object: 'member',
    id: member.id,
    kind: member.kind,
    email: member.email,
    name: member.name,
    role: member.role,
    teams: member.teams,
    disabled: member.disabled,
    invited: member.kind === 'person' && member.password === null && member.subject === null,
    /** Whether they sign in at an identity provider. */
    single_sign_on: member.subject !== null,
    created_at: toIso(member.createdAt),
    last_sign_in_at: toIso(member.lastSignInAt),
  };
}
