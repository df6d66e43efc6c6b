/**
 * Shapes of credentials, as their issuers document them. Each has a fixed beginning, so a tag that merely talks about
 * keys (`sk-learn`, `token-refresh`) has none of them.
 */
const SHAPES: readonly string[] = [
  String.raw`sk-(?=[\w-]*\d)[\w-]{20,}`, // OpenAI, Anthropic, OpenRouter, DeepSeek and this gateway
  String.raw`(?:AKIA|ASIA)[0-9A-Z]{16}\b`, // AWS
  String.raw`gh[pousr]_[A-Za-z0-9]{30,}`, // GitHub
  String.raw`github_pat_[A-Za-z0-9_]{22,}`,
  String.raw`glpat-[\w-]{20,}`, // GitLab
  String.raw`xox[abeoprs]-[A-Za-z0-9-]{10,}`, // Slack
  String.raw`AIza[\w-]{35}`, // Google
  String.raw`ya29\.[\w-]{20,}`,
  String.raw`(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}`, // Stripe
  String.raw`(?:hf|npm|gsk|pplx|fw|r8)[_-](?=\w*\d)[A-Za-z0-9]{24,}`, // Hugging Face, npm, Groq, Perplexity, Fireworks, Replicate
  String.raw`xai-(?=\w*\d)[A-Za-z0-9]{24,}`,
  String.raw`SG\.[\w-]{22}\.[\w-]{43}`, // SendGrid
  String.raw`eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*`, // JSON Web Token
  String.raw`bearer\s+(?=\S*\d)[\w.~+/-]{20,}`,
];

// Whatever the case: a policy may have folded the text before.
const SECRET = new RegExp(String.raw`(?<![A-Za-z0-9])(?:${SHAPES.join('|')})`, 'i');

/** A private key's first line, and a password in an address (`postgres://user:pass@host`). */
const WHOLE_LINE = /-----BEGIN [A-Z ]*PRIVATE KEY|:\/\/[^\s/:@]*:[^\s/@]+(?:@|%40)/;

export function holdsSecret(text: string): boolean {
  return SECRET.test(text) || WHOLE_LINE.test(text);
}
