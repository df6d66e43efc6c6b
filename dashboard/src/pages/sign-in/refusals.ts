const WORDS: Readonly<Record<string, string>> = {
  provider_failed: 'That sign-in did not work. Try again; if it stays so, the log of the gateway says why.',
  too_late: 'That took too long, or began in another browser. Try again.',
  no_email: 'The provider did not say what your e-mail address is.',
  unverified_email: 'The provider has not verified your e-mail address.',
  unknown_domain: 'Your e-mail address is of a domain that may not sign in here.',
  no_role: 'Nobody has said what you may do here. Ask your administrator.',
  not_invited: 'You have not been invited. Ask an administrator of this gateway.',
  disabled: 'Your account here is disabled. Ask an administrator of this gateway.',
  other_person: 'Your e-mail address belongs to somebody else here. Ask an administrator of this gateway.',
};

/** Why a sign-in elsewhere opened nothing. The reason comes in the address, so only known ones are said. */
export function wordsOf(refusal: string): string {
  return Object.hasOwn(WORDS, refusal) ? (WORDS[refusal] ?? '') : 'That sign-in did not work.';
}
