import { type ModelRoute } from './routing.ts';

/** The chains of fallbacks that come back to a route, each once, as names from the route to itself. */
export function findCycles(routes: readonly ModelRoute[]): string[][] {
  const byName = new Map(routes.map((route) => [route.name, route]));
  const done = new Set<string>();
  const cycles: string[][] = [];
  const follow = (name: string, way: readonly string[]): void => {
    const at = way.indexOf(name);
    if (at !== -1) {
      cycles.push([...way.slice(at), name]);
      return;
    }
    if (done.has(name)) return;
    for (const fallback of byName.get(name)?.fallbacks ?? [])
      if (byName.has(fallback)) follow(fallback, [...way, name]);
    done.add(name);
  };
  for (const { name } of routes) follow(name, []);
  return cycles;
}
