/** Teams as they are typed: with commas between. */
export function parseTeams(text: string): readonly string[] {
  return text
    .split(',')
    .map((team) => team.trim())
    .filter((team) => team !== '');
}
