import { type Clock, type TimestampMs } from '#std';
import { ApportionError, type Role } from '#terms';
import { type AuditLog } from '../audit-log.ts';
import { type ControlDatabase } from '../database.ts';
import { type ControlQueries } from '../key-table.ts';
import { hashToken, makeMemberId, makeSessionToken, type RandomBytes } from '../token.ts';
import { endUiSessionsOf } from '../ui-session.ts';
import { type OidcRefusal, type ProvenPerson } from '../oidc/proven-person.ts';
import { Attempts, type Counted } from './attempts.ts';
import { type MemberRecord } from './member-record.ts';
import { type MemberNewRequest, type MemberUpdateRequest } from './member-request.ts';
import { findMember, listMembers, putMember } from './member-table.ts';
import { hashPassword, isPassword, parsePassword } from './password.ts';

/** Three days: over a weekend. */
const LINK_MS = 72 * 60 * 60 * 1000;

/** Failures within a quarter of an hour. An address may be that of a whole office. */
const MOST = { accountAtAddress: 5, account: 50, address: 100 } as const;

export type MembersDeps = {
  readonly database: ControlDatabase;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly random: RandomBytes;
};

/** The actor of what a provider's word changed. */
const OIDC = 'oidc';

export type AdmissionRules = { readonly provision: boolean; readonly defaultRole: Role | null };

type Admission = { readonly member: MemberRecord } | { readonly refused: OidcRefusal };

/** Shown once; only its hash is kept. */
export type MemberLink = { readonly token: string; readonly expiresAt: TimestampMs };

export type Credentials = { readonly email: string; readonly password: string; readonly address: string };

/** People and service accounts: what they are, and whether somebody is who they say. Every change is audited. */
export class Members {
  readonly #deps: MembersDeps;
  readonly #attempts: Attempts;

  constructor(deps: MembersDeps) {
    this.#deps = deps;
    this.#attempts = new Attempts(deps.clock);
  }

  /** Oldest first. */
  async list(): Promise<MemberRecord[]> {
    return listMembers(this.#deps.database);
  }

  /** Whether the sign-in need offer more than the admin key. */
  async anyPassword(): Promise<boolean> {
    const row = await this.#deps.database
      .selectFrom('members')
      .select('id')
      .where('password', 'is not', null)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  async infoOf(id: string): Promise<MemberRecord> {
    return knownMember(this.#deps.database, id);
  }

  async create(request: MemberNewRequest, actor: string): Promise<MemberRecord> {
    const { clock, random } = this.#deps;
    const member: MemberRecord = {
      ...request,
      id: makeMemberId(random),
      subject: null,
      password: null,
      disabled: false,
      createdAt: clock.now(),
      createdBy: actor,
      lastSignInAt: null,
      deletedAt: null,
    };
    return this.#write(async (queries) => {
      const { email } = request;
      if (email !== null && (await findMember(queries, { email })) !== undefined) throw taken();
      await putMember(queries, member);
      await this.#audit(queries, { actor, action: 'member.create', member, detail: { ...request } });
      return member;
    });
  }

  /** Whoever loses something is signed out of nothing: what a session may do is read anew for every request. */
  async update(id: string, request: MemberUpdateRequest, actor: string): Promise<MemberRecord> {
    return this.#write(async (queries) => {
      const before = await knownMember(queries, id);
      const member = {
        ...before,
        name: request.name ?? before.name,
        role: request.role ?? before.role,
        teams: request.teams ?? before.teams,
        disabled: request.disabled ?? before.disabled,
      };
      await putMember(queries, member);
      if (member.disabled) await shutOut(queries, id);
      const stated = Object.entries(request).filter(([, value]) => value !== undefined);
      await this.#audit(queries, { actor, action: 'member.update', member, detail: Object.fromEntries(stated) });
      return member;
    });
  }

  async delete(id: string, actor: string): Promise<MemberRecord> {
    return this.#write(async (queries) => {
      const member = { ...(await knownMember(queries, id)), deletedAt: this.#deps.clock.now(), password: null };
      await putMember(queries, member);
      await shutOut(queries, id);
      await this.#audit(queries, { actor, action: 'member.delete', member, detail: {} });
      return member;
    });
  }

  /** A link to choose a password with, first or new. The one before stops working; the password does not, until it is replaced. */
  async makeLink(id: string, actor: string): Promise<MemberLink> {
    const { clock, random } = this.#deps;
    const token = makeSessionToken(random);
    const expiresAt = (clock.now() + LINK_MS) as TimestampMs;
    await this.#write(async (queries) => {
      const member = await knownMember(queries, id);
      if (member.kind === 'service') throw noSignIn();
      const row = { member_id: id, hash: hashToken(token), expires_at: expiresAt };
      await queries
        .insertInto('member_links')
        .values(row)
        .onConflict((conflict) => conflict.column('member_id').doUpdateSet(row))
        .execute();
      await this.#audit(queries, { actor, action: 'member.link', member, detail: { expires_at: expiresAt } });
    });
    return { token, expiresAt };
  }

  /** Sets the password of whose link it is, once. All their sessions end. */
  async takeLink(link: { readonly token: string; readonly password: unknown }): Promise<MemberRecord> {
    const { clock, random, database } = this.#deps;
    const hash = hashToken(link.token);
    // Read before the slow hash, so that a made-up link costs nothing.
    await linkedMember(database, { hash, now: clock.now() });
    const password = await hashPassword(parsePassword(link.password), random);
    return this.#write(async (queries) => {
      const before = await linkedMember(queries, { hash, now: clock.now() });
      const member = { ...before, password, lastSignInAt: clock.now() };
      await putMember(queries, member);
      await shutOut(queries, member.id);
      await this.#audit(queries, { actor: member.id, action: 'member.password', member, detail: {} });
      return member;
    });
  }

  /** Undefined for a wrong address, a wrong password, somebody disabled, and after too many attempts: nobody learns which. */
  async signIn({ email, password, address }: Credentials): Promise<MemberRecord | undefined> {
    const { database, clock } = this.#deps;
    const name = email.trim().toLowerCase();
    const counted: readonly Counted[] = [
      { name: `${name} ${address}`, most: MOST.accountAtAddress },
      { name: `account ${name}`, most: MOST.account },
      { name: `address ${address}`, most: MOST.address },
    ];
    if (!this.#attempts.begin(counted)) return undefined;
    const member = await findMember(database, { email });
    if (!(await isPassword(password, member?.password ?? null))) return undefined;
    if (member === undefined || member.disabled) return undefined;
    this.#attempts.right(counted);
    await database.updateTable('members').set({ last_sign_in_at: clock.now() }).where('id', '=', member.id).execute();
    return member;
  }

  /** Lets in whom a provider proved, as the operator's rules have it: known by their subject, else by their address, else new. */
  async admit(person: ProvenPerson, rules: AdmissionRules): Promise<Admission> {
    return this.#write(async (queries) => {
      const { subject, email } = person;
      const known = (await findMember(queries, { subject })) ?? (await findMember(queries, { email }));
      if (known === undefined) return this.#admitNew(queries, person, rules);
      if (known.disabled) return { refused: 'disabled' };
      // The address was given to somebody else at the provider.
      if (known.subject !== null && known.subject !== subject) return { refused: 'other_person' };
      const member: MemberRecord = {
        ...known,
        subject,
        role: person.role ?? known.role,
        teams: person.teams ?? known.teams,
        lastSignInAt: this.#deps.clock.now(),
      };
      await putMember(queries, member);
      const isNews = known.subject === null || member.role !== known.role || !sameTexts(member.teams, known.teams);
      const detail = { role: member.role, teams: member.teams, subject };
      if (isNews) await this.#audit(queries, { actor: OIDC, action: 'member.update', member, detail });
      return { member };
    });
  }

  async #admitNew(queries: ControlQueries, person: ProvenPerson, rules: AdmissionRules): Promise<Admission> {
    const { clock, random } = this.#deps;
    if (!rules.provision) return { refused: 'not_invited' };
    const role = person.role ?? rules.defaultRole;
    if (role === null) return { refused: 'no_role' };
    const { email, name, subject, teams } = person;
    const now = clock.now();
    const member: MemberRecord = {
      id: makeMemberId(random),
      kind: 'person',
      email,
      name,
      role,
      teams: teams ?? [],
      subject,
      password: null,
      disabled: false,
      createdAt: now,
      createdBy: OIDC,
      lastSignInAt: now,
      deletedAt: null,
    };
    await putMember(queries, member);
    const detail = { email, name, role, teams: member.teams, subject };
    await this.#audit(queries, { actor: OIDC, action: 'member.create', member, detail });
    return { member };
  }

  #write<T>(write: (queries: ControlQueries) => Promise<T>): Promise<T> {
    return this.#deps.database.transaction().execute(write);
  }

  async #audit(queries: ControlQueries, deed: Deed): Promise<void> {
    const { actor, action, member, detail } = deed;
    await this.#deps.audit.record({ actor, action, target: member.id, detail }, queries);
  }
}

type Deed = {
  readonly actor: string;
  readonly action: string;
  readonly member: MemberRecord;
  readonly detail: Readonly<Record<string, unknown>>;
};

/** Ends every session and every link. */
async function shutOut(queries: ControlQueries, id: string): Promise<void> {
  await endUiSessionsOf(queries, id);
  await queries.deleteFrom('member_links').where('member_id', '=', id).execute();
}

async function knownMember(queries: ControlQueries, id: string): Promise<MemberRecord> {
  const member = await findMember(queries, { id });
  if (member !== undefined) return member;
  throw new ApportionError('not_found', 'No such member.', { hint: 'GET /v1/members lists them.' });
}

async function linkedMember(
  queries: ControlQueries,
  { hash, now }: { readonly hash: string; readonly now: TimestampMs },
): Promise<MemberRecord> {
  const row = await queries
    .selectFrom('member_links')
    .select('member_id')
    .where('hash', '=', hash)
    .where('expires_at', '>', now)
    .executeTakeFirst();
  const member = row === undefined ? undefined : await findMember(queries, { id: row.member_id });
  if (member !== undefined && !member.disabled) return member;
  throw new ApportionError('invalid_key', 'This link does not work any more.', {
    hint: 'It works once, for three days. Ask an administrator for a new one.',
  });
}

function taken(): ApportionError {
  return new ApportionError('conflict', 'A member with this e-mail exists.', {
    param: 'email',
    hint: 'Change it with PATCH /v1/members/{id}, or make a new link for it.',
  });
}

function noSignIn(): ApportionError {
  return new ApportionError('conflict', 'A service account does not sign in.', {
    hint: 'Give it a key (user_id) or a read token instead.',
  });
}

function sameTexts(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((text, index) => text === right[index]);
}
