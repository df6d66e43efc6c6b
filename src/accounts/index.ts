/**
 * Is: who may call and who may ask: keys, teams, members, tokens, sessions; what people say of tags and prices; snapshot and key ring.
 * Owns: tokens, `control.db`, its revision and audit log, LiteLLM's shapes, records of budgets and limits. Not: HTTP routes, counting, the meaning of a tag or a price.
 * Holds: only hashes are stored; a write gateways must know raises the revision by one and returns after every listener applied it.
 * Fails: `invalid_field` or a tag error for what cannot be, `not_found` for the unknown; the ring answers, it never throws.
 */
export { openAccounts, type Accounts, type Bootstrap, type GeneratedKey, type ListOptions } from './accounts.ts';
export { type AuditEvent, type AuditLog, type AuditPage, type AuditRecord } from './audit-log.ts';
export { type ControlDatabase, type ControlTables } from './database.ts';
export { NO_ATTRIBUTION, type Attribution } from './attribution.ts';
export { toBudgetFields, toBudgetInfo, toLimitFields, toLimitInfo } from './budgets/budget-answer.ts';
export { parseRaise } from './budgets/budget-request.ts';
export { readBudget, readLimit, type BudgetRecord, type LimitRecord } from './budgets/rule-record.ts';
export { type NamedRule, type RuleEditor } from './budgets/rule-register.ts';
export { instanceNames } from './budgets/scope-fields.ts';
export { type Forgotten, type ForgetRequest } from './forget-value.ts';
export { toKeyGenerateAnswer, toKeyInfoAnswer, toKeyState, toKeyUpdateAnswer, toUsedKey } from './key-answer.ts';
export { parseKeyGenerate, type KeyGenerateRequest } from './key-generate.ts';
export { type ControlChange, type ControlSnapshot, type KeyRecord } from './key-record.ts';
export { unknownKey } from './key-reference.ts';
export { KeyRing, type Identity, type KnownSnapshot, type RingKey } from './key-ring.ts';
export { parseKeyRegenerate, parseKeyUpdate, type KeyRegenerateRequest, type KeyUpdateRequest } from './key-update.ts';
export { toMemberInfo } from './members/member-answer.ts';
export { type MemberRecord } from './members/member-record.ts';
export { parseMemberNew, parseMemberUpdate } from './members/member-request.ts';
export { type MemberLink, type Members } from './members/members.ts';
export { EVERYTHING, reachOf, type EntityName, type Reach } from './members/role.ts';
export { IdentityProvider, PENDING_MS } from './oidc/identity-provider.ts';
export { provenPersonOf, type OidcRefusal } from './oidc/proven-person.ts';
export { combineOperatorTerms, type OperatorTerms } from './operator-terms.ts';
export { PRICE_TERM_KINDS, type PriceTermKind, type StoredPriceTerm } from './price-term-record.ts';
export { parsePriceTermRequest, type PriceTermRequest } from './price-term-request.ts';
export { toReadTokenInfo, type ReadToken } from './read-tokens/read-token.ts';
export { parseReadToken } from './read-tokens/read-token-request.ts';
export { readSnapshot, writeSnapshot } from './snapshot-file.ts';
export { scopeOf, type SubjectKind } from './subjects/subject.ts';
export {
  toCustomerInfo,
  toFigures,
  toPlanInfo,
  toUserInfo,
  type Figures,
  type FiguresOf,
} from './subjects/subject-answer.ts';
export {
  parseCustomer,
  parseCustomerId,
  parsePlan,
  parseUserNew,
  parseUserUpdate,
} from './subjects/subject-request.ts';
export { ownerRecord, type SubjectRecord } from './subjects/subject-table.ts';
export { toSeenTagInfo, toTagInfo, toTagKeyInfo } from './tag-answer.ts';
export { type RegisteredTag, type TagDescription, type TagKind } from './tag-registry.ts';
export { parseTagKeyRequest, parseTagNameRequest, parseTagNamesRequest, parseTagRequest } from './tag-request.ts';
export { toTeamDeleteAnswer, toTeamInfo, toTeamInfoAnswer, toTeamListRow, toTeamUpdateAnswer } from './team-answer.ts';
export { type TeamRecord } from './team-record.ts';
export { parseTeamNew, parseTeamUpdate } from './team-request.ts';
export { type DeletedTeams, type TeamWithKeys } from './teams.ts';
export { hashToken, READ_TOKEN_PREFIX, type RandomBytes } from './token.ts';
export { UI_SESSION_MS, type UiSession } from './ui-session.ts';
