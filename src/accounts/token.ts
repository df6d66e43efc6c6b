import { hash } from 'node:crypto';
import { type TimestampMs } from '#std';

/** @returns that many unpredictable bytes; `crypto.randomBytes` outside tests */
export type RandomBytes = (size: number) => Uint8Array;

const TOKEN_BYTES = 32;

export function makeCallToken(random: RandomBytes): string {
  return `sk-ap-${secret(random)}`;
}

export function makeAdminToken(random: RandomBytes): string {
  return `sk-ap-admin-${secret(random)}`;
}

/** Reads analytics and nothing else; the call path does not know it. */
export function makeReadToken(random: RandomBytes): string {
  return `${READ_TOKEN_PREFIX}${secret(random)}`;
}

export const READ_TOKEN_PREFIX = 'sk-ap-read-';

export function makeMemberId(random: RandomBytes): string {
  return `member_${Buffer.from(random(10)).toString('hex')}`;
}

export function makeReadTokenId(random: RandomBytes): string {
  return `read_${Buffer.from(random(10)).toString('hex')}`;
}

/** For cookies and for the links of invitations. */
export function makeSessionToken(random: RandomBytes): string {
  return secret(random);
}

export function makeKeyId(random: RandomBytes): string {
  return `key_${Buffer.from(random(10)).toString('hex')}`;
}

export function makeTeamId(random: RandomBytes): string {
  return `team_${Buffer.from(random(10)).toString('hex')}`;
}

export function makePriceTermId(kind: string, random: RandomBytes): string {
  return `${kind}_${Buffer.from(random(10)).toString('hex')}`;
}

export function makeRuleId(word: 'budget' | 'limit', random: RandomBytes): string {
  return `${word}_${Buffer.from(random(10)).toString('hex')}`;
}

/** Sorts by time. @param nth tells records of one millisecond apart, in their order */
export function makeAuditId(at: TimestampMs, nth: number, random: RandomBytes): string {
  const time = at.toString(16).padStart(12, '0');
  return `audit_${time}${nth.toString(16).padStart(4, '0')}${Buffer.from(random(8)).toString('hex')}`;
}

/**
 * SHA-256, 64 hex digits. Tokens carry 256 random bits, so a slow password hash would add nothing; and comparing
 * hashes tells an attacker nothing about the token, however long the comparison takes.
 */
export function hashToken(token: string): string {
  return hash('sha256', token, 'hex');
}

/** What lists may show of a token: its first 8 and last 4 characters. */
export function shownForm(token: string): string {
  return `${token.slice(0, 8)}…${token.slice(-4)}`;
}

function secret(random: RandomBytes): string {
  return Buffer.from(random(TOKEN_BYTES)).toString('base64url');
}
