import { ApportionError } from '#terms';
import { ConfigError, type ConfigProblem } from './problem.ts';

/** A section of the file that another module reads: setting → `file:line:column`, the section itself first. */
export type Places = Readonly<Record<string, string>>;

/**
 * What another module reads from these settings. Its `ApportionError` becomes a `ConfigError` that names file, line and
 * column, as if the fault had been found here.
 *
 * @example readAtPlace(config.tags, () => parseTagPolicy(config.tags.policy, 'tags.policy'))
 */
export function readAtPlace<T>(section: { readonly places: Places }, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ApportionError)) throw error;
    throw new ConfigError([toProblem(section.places, error)]);
  }
}

function toProblem(places: Places, error: ApportionError): ConfigProblem {
  const param = error.param ?? '';
  const root = Object.keys(places)[0];
  const name = [param, `${root}.${param}`, param.replace(/^metadata\.tags/, 'tags.default_tags'), ...above(param), root]
    .filter((one) => one !== undefined)
    .find((one) => Object.hasOwn(places, one));
  const what = error.message.startsWith(`${param}: `) ? error.message.slice(param.length + 2) : error.message;
  return {
    setting: name === undefined ? param : `${places[name] ?? ''} "${name}"`,
    what: what.replace(/\.$/, ''),
    fix: error.hint ?? 'See docs/configuration.md.',
  };
}

/** What holds a value, nearest first: a field that is missing has no place of its own. */
function above(param: string): string[] {
  const holders: string[] = [];
  for (let rest = param; rest !== ''; holders.push(rest)) rest = rest.replace(/(?:^|\.|\[)[^.[]*$/, '');
  return holders;
}
